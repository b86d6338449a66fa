// SPDX-License-Identifier: GPL-2.0
// image/Region: every page of the image ends with exactly one owner.

#include <algorithm>

#include "initrd/image/region.h"

#include "fixture.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using host::Own;

struct Spilled {
	u64 offset = 0;
	Data data;
};

class RegionTest : public host::World {
protected:
	// Aligns as the loader does; keeps what was spilled.
	Bytes align(Region &region)
	{
		auto aligned = region.align([this](u64 offset, Bytes rest) -> Result<void> {
			spilled = {offset, Data(rest.begin(), rest.end())};
			return {};
		});

		EXPECT_TRUE(aligned.ok());
		return aligned.value();
	}

	Spilled spilled;
};

TEST_F(RegionTest, WithoutAnImageThereIsNone)
{
	Region region = Region::locate();

	EXPECT_TRUE(region.empty());
	region.free();
	region.retain();
	EXPECT_TRUE(host::published().empty());
}

TEST_F(RegionTest, IsFreedWholeAndOnce)
{
	host::set_image(host::sample(3 * kPage));
	Region region = Region::locate();

	EXPECT_EQ(region.bytes().size(), 3 * kPage);
	region.free();
	EXPECT_EQ(host::image_pages(), "FFF");
	EXPECT_TRUE(region.empty());
	region.free();
	EXPECT_EQ(host::image_pages(), "FFF");
}

TEST_F(RegionTest, PagesThatOthersShareAreNotFreed)
{
	const std::vector<std::pair<Own, std::string>> expected = {
		{Own::kBoth, "FFF"}, {Own::kLast, "-FF"}, {Own::kNeither, "-F-"}};

	for (const auto &[own, pages] : expected) {
		host::set_image(host::sample(2 * kPage + 100), 500, own);
		Region region = Region::locate();

		region.free();
		EXPECT_EQ(host::image_pages(), pages);
		EXPECT_TRUE(host::surroundings_intact());
	}
}

TEST_F(RegionTest, AMoveLeavesTheOtherOneEmpty)
{
	host::set_image(host::sample(kPage));
	Region first = Region::locate();
	Region second = move(first);

	EXPECT_TRUE(first.empty());
	first.free();
	EXPECT_EQ(host::image_pages(), "o");
	second.free();
	EXPECT_EQ(host::image_pages(), "F");
}

TEST_F(RegionTest, AnAlignedImageStaysWhereItIs)
{
	const Data image = host::sample(2 * kPage + 10);

	host::set_image(image);
	Region region = Region::locate();
	const Bytes aligned = align(region);

	EXPECT_EQ(aligned.data(), seam_image().start);
	EXPECT_EQ(Data(aligned.begin(), aligned.end()), image);
	EXPECT_TRUE(spilled.data.empty());
	region.give_away_front(aligned.size()).release();
	EXPECT_EQ(host::image_pages(), "HHH");
	EXPECT_TRUE(region.empty()) << "what is another's is shown by retain()";
	EXPECT_EQ(region.bytes().data(), nullptr);
	region.free();
	EXPECT_EQ(host::image_pages(), "HHH");
}

TEST_F(RegionTest, TheRestOfTheLastPageIsZeroed)
{
	host::set_image(host::sample(kPage + 10));
	Region region = Region::locate();
	const Bytes aligned = align(region);
	const Data last = host::image_page(1);

	EXPECT_EQ(aligned.size(), kPage + 10);
	EXPECT_EQ(Data(last.begin() + 10, last.end()), Data(kPage - 10));
	region.free();
}

TEST_F(RegionTest, EveryAlignmentSizeAndSharingKeepsEveryByteAndPage)
{
	for (const Own own : {Own::kBoth, Own::kLast, Own::kNeither})
		for (const size_t misalignment : {size_t{0}, size_t{1}, size_t{512}, kPage - 1})
			for (const size_t size : {size_t{1}, kPage - 1, kPage, kPage + 1, 2 * kPage,
						  3 * kPage + 513, 5 * kPage - 512}) {
				SCOPED_TRACE(testing::Message() << static_cast<int>(own) << " "
								<< misalignment << " " << size);
				const Data image = host::sample(size, static_cast<unsigned>(size));

				host::set_image(image, misalignment, own);
				Region region = Region::locate();

				if (!region.may_give_away()) {
					region.free();
					EXPECT_EQ(host::image_pages().find_first_not_of('-'),
						  std::string::npos);
					continue;
				}
				spilled = {};
				const Bytes aligned = align(region);
				Data found(aligned.begin(), aligned.end());

				EXPECT_EQ(reinterpret_cast<size_t>(aligned.data()) % kPage, 0u);
				if (!spilled.data.empty())
					EXPECT_EQ(spilled.offset, found.size());
				EXPECT_LT(spilled.data.size(), 2 * kPage);
				found.insert(found.end(), spilled.data.begin(), spilled.data.end());
				EXPECT_TRUE(found == image);
				region.give_away_front(aligned.size()).release();
				region.free();
				const std::string pages = host::image_pages();
				const auto handed_over = std::count(pages.begin(), pages.end(),
								    'H');

				EXPECT_EQ(pages.find_first_not_of("-HF"), std::string::npos)
					<< pages;
				EXPECT_EQ(static_cast<size_t>(handed_over),
					  (aligned.size() + kPage - 1) / kPage);
				EXPECT_TRUE(host::surroundings_intact());
			}
}

TEST_F(RegionTest, PagesInFrontOfADroppedStartAreFreed)
{
	const Data image = host::sample(4 * kPage);

	host::set_image(image);
	Region region = Region::locate();

	region.drop_front(kPage + 1024);
	EXPECT_EQ(region.bytes().size(), 3 * kPage - 1024);
	const Bytes aligned = align(region);

	EXPECT_TRUE(Data(aligned.begin(), aligned.end()) ==
		    Data(image.begin() + kPage + 1024, image.end()));
	region.give_away_front(aligned.size()).release();
	EXPECT_EQ(host::image_pages(), "FHHH");
	region.free();
}

TEST_F(RegionTest, PagesBehindTheAlignedImageAreFreed)
{
	host::set_image(host::sample(kPage), kPage - 100);
	Region region = Region::locate();
	const Bytes aligned = align(region);

	region.give_away_front(aligned.size()).release();
	EXPECT_EQ(host::image_pages(), "Ho");
	region.free();
	EXPECT_EQ(host::image_pages(), "HF");
}

TEST_F(RegionTest, PagesGoBackInBlocksOfOneZone)
{
	host::set_image(host::sample(64 * kPage));
	host::set_zones({20, 3, 40});
	Region region = Region::locate();

	region.free();
	EXPECT_EQ(host::image_pages(), std::string(64, 'F'));
	size_t pages = 0;

	for (const u32 order : host::blocks_freed())
		pages += size_t{1} << order;
	EXPECT_EQ(pages, 64u);
	EXPECT_LT(host::blocks_freed().size(), 40u) << "not one by one";
}

TEST_F(RegionTest, ABlockWithAPoisonedPageGoesPageByPage)
{
	host::set_image(host::sample(64 * kPage));
	host::poison_page(33);
	Region region = Region::locate();

	region.free();
	EXPECT_EQ(host::image_pages(), std::string(64, 'F'));
	EXPECT_TRUE(std::count(host::blocks_freed().begin(), host::blocks_freed().end(), 0u));
	EXPECT_TRUE(host::complaints().empty());
}

TEST_F(RegionTest, PagesOfSeveralZonesAreCountedByZone)
{
	host::set_image(host::sample(16 * kPage));
	host::set_zones({3, 5, 1});
	Region region = Region::locate();

	region.give_away_front(16 * kPage).release();
	EXPECT_EQ(host::image_pages(), std::string(16, 'H'));
}

TEST_F(RegionTest, ACrashReservationIsClearedAndNotFreed)
{
	struct Case {
		size_t first;
		size_t count;
		const char *pages;
	};
	const Case cases[] = {
		{0, 1, "cFFFF"}, {4, 1, "FFFFc"}, {1, 3, "FcccF"}, {0, 5, "ccccc"}, {3, 9, "FFFcc"},
	};

	for (const Case &each : cases) {
		host::set_image(host::sample(5 * kPage));
		host::set_crash_reservation(each.first, each.count);
		Region region = Region::locate();

		EXPECT_FALSE(region.may_give_away());
		region.free();
		EXPECT_EQ(host::image_pages(), each.pages);
		for (size_t page = each.first; page < std::min<size_t>(5, each.first + each.count);
		     page++)
			EXPECT_EQ(host::image_page(page), Data(kPage)) << page;
	}
}

TEST_F(RegionTest, ACrashReservationElsewhereDoesNotMatter)
{
	host::set_image(host::sample(2 * kPage));
	host::set_crash_reservation(2, 1);
	Region region = Region::locate();

	EXPECT_TRUE(region.may_give_away());
	region.free();
	EXPECT_EQ(host::image_pages(), "FF");
}

TEST_F(RegionTest, AnImageInTheKernelIsNone)
{
	host::set_image(host::sample(2 * kPage));
	host::physical().image = {0x40210000, 2 * kPage};
	host::set_kernel(1);
	EXPECT_TRUE(Region::locate().empty());
	EXPECT_TRUE(host::image_forgotten());
	EXPECT_EQ(host::image_pages(), "oo");
	char line[100];

	std::snprintf(line, sizeof(line),
		      "3 INITRD: 0x40210000+0x%08zx overlaps in-use memory region"
		      " - disabling initrd\n",
		      2 * kPage);
	EXPECT_EQ(host::whole_log(), line);
}

TEST_F(RegionTest, ARetainedImageIsShownByteForByte)
{
	const Data image = host::sample(kPage + 77);

	host::set_image(image, 300, Own::kLast);
	Region region = Region::locate();

	region.retain();
	EXPECT_EQ(host::published(), image);
	EXPECT_EQ(host::image_pages(), "-o");
	region.free();
	EXPECT_EQ(host::image_pages(), "-o");
}

TEST_F(RegionTest, AnImageThatCannotBeShownIsKeptAllTheSame)
{
	host::set_image(host::sample(kPage));
	host::set_publish_status(-12);
	Region region = Region::locate();

	region.retain();
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "Failed to create initrd sysfs file"));
	EXPECT_EQ(host::image_pages(), "o");
}

TEST_F(RegionTest, ASpillThatFailsLeavesThePagesWithTheImage)
{
	host::set_image(host::sample(2 * kPage), 100, Own::kNeither);
	Region region = Region::locate();
	auto aligned = region.align(
		[](u64, Bytes) -> Result<void> { return Error{kNoMemory, "out of memory"}; });

	ASSERT_FALSE(aligned);
	EXPECT_EQ(host::image_pages(), "-o-");
	region.free();
	EXPECT_EQ(host::image_pages(), "-F-");
}

} // namespace
