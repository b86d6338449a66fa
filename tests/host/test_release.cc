// SPDX-License-Identifier: GPL-2.0
// The image's memory while the image is being read: pages that go back early, and
// pages that become those of files.

#include <algorithm>

#include "boots.h"
#include "initrd/formats/cpio_reader.h"
#include "initrd/image/reading.h"
#include "initrd/image/region.h"
#include "initrd/rootfs/unpack.h"
#include "initrd/rootfs/writer.h"
#include "initrd/seam/cpus.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;
using host::kPage;
using host::Own;

constexpr size_t kMegabyte = size_t{1} << 20;
constexpr size_t kPages = kMegabyte / kPage;

std::string letters(size_t count, char letter)
{
	return std::string(count, letter);
}

class Release : public host::World {};

TEST_F(Release, NothingGoesBackUnlessItIsAllowed)
{
	host::set_image(host::sample(2 * kMegabyte));
	Region region = Region::locate();

	region.release_before(region.bytes().data() + 2 * kMegabyte);
	EXPECT_EQ(host::image_pages(), letters(2 * kPages, 'o'));
	EXPECT_TRUE(region.give_away(region.bytes()).empty());
	region.free();
	EXPECT_TRUE(host::logged("Freeing initrd memory: 2048K"));
}

TEST_F(Release, WholePagesGoBackInLargePieces)
{
	host::set_image(host::sample(2 * kMegabyte + 3 * kPage));
	Region region = Region::locate();
	const u8 *const start = region.bytes().data();

	region.allow_release();
	region.release_before(start + kMegabyte - 1);
	EXPECT_EQ(host::image_pages(), letters(2 * kPages + 3, 'o'));
	region.release_before(start + kMegabyte + kPage - 1);
	EXPECT_EQ(host::image_pages(), letters(kPages, 'F') + letters(kPages + 3, 'o'));
	// What was read before counts no more.
	region.release_before(start + 10);
	region.release_before(start + 2 * kMegabyte + 1);
	EXPECT_EQ(host::image_pages(), letters(2 * kPages, 'F') + "ooo");
	region.free();
	EXPECT_EQ(host::image_pages(), letters(2 * kPages + 3, 'F'));
	// Once, of all of it.
	EXPECT_EQ(host::times_logged("Freeing initrd memory: 2060K"), 1u);
	EXPECT_EQ(host::times_logged("Freeing"), 1u);
}

TEST_F(Release, PagesThatOthersShareStay)
{
	host::set_image(host::sample(kMegabyte + 2 * kPage), 100, Own::kNeither);
	Region region = Region::locate();

	region.allow_release();
	region.release_before(region.bytes().data() + kMegabyte + kPage);
	EXPECT_EQ(host::image_pages().substr(0, 3), "-FF");
	region.release_before(region.bytes().data() + region.bytes().size());
	region.free();
	EXPECT_EQ(host::image_pages(), "-" + letters(kPages + 1, 'F') + "-");
	EXPECT_TRUE(host::surroundings_intact());
}

TEST_F(Release, NothingGoesBackOverACrashKernel)
{
	host::set_image(host::sample(2 * kMegabyte));
	host::set_crash_reservation(5, 1);
	Region region = Region::locate();

	region.allow_release();
	region.release_before(region.bytes().data() + 2 * kMegabyte);
	EXPECT_TRUE(region.give_away(region.bytes()).empty());
	EXPECT_EQ(host::image_pages(), letters(5, 'o') + "c" + letters(2 * kPages - 6, 'o'));
}

TEST_F(Release, AMoveTakesThePermissionAlong)
{
	host::set_image(host::sample(2 * kMegabyte));
	Region first = Region::locate();
	const u8 *const end = first.bytes().data() + first.bytes().size();

	first.allow_release();
	Region second = move(first);

	first.release_before(end);
	EXPECT_EQ(host::image_pages(), letters(2 * kPages, 'o'));
	second.release_before(end);
	EXPECT_EQ(host::image_pages(), letters(2 * kPages, 'F'));
	second.free();
	EXPECT_TRUE(host::logged("Freeing initrd memory: 2048K"));
}

TEST_F(Release, PagesThatAreTakenHaveANewOwner)
{
	const Data image = host::sample(6 * kPage);

	host::set_image(image);
	Region region = Region::locate();

	region.allow_release();
	EXPECT_TRUE(region.give_away(region.bytes().skip(1)).empty());
	EXPECT_TRUE(region.give_away(region.bytes().first(kPage - 1)).empty());
	const MutableBytes taken =
		region.give_away(region.bytes().skip(kPage).first(2 * kPage + 5)).release();

	EXPECT_EQ(taken.size(), 2 * kPage);
	EXPECT_EQ(Data(taken.begin(), taken.end()),
		  Data(image.begin() + kPage, image.begin() + 3 * kPage));
	EXPECT_EQ(host::image_pages(), "FHHooo");
	// Not twice, and not what lies before.
	EXPECT_TRUE(region.give_away(taken).empty());
	region.free();
	EXPECT_EQ(host::image_pages(), "FHHFFF");
	EXPECT_TRUE(host::logged("Freeing initrd memory: 16K"));
}

TEST_F(Release, TheLastPageIsTakenOnlyWhereItIsWhole)
{
	host::set_image(host::sample(kPage + 10), 0, Own::kNeither);
	Region region = Region::locate();

	region.allow_release();
	EXPECT_TRUE(region.give_away(region.bytes().skip(kPage)).empty());
	EXPECT_EQ(region.give_away(region.bytes()).release().size(), kPage);
	EXPECT_EQ(host::image_pages(), "H-");
}

TEST_F(Release, ReadingShowsProgressAndGivesBack)
{
	host::set_image(host::sample(4 * kMegabyte));
	host::set_clock_step(2'000'000'000);
	Region region = Region::locate();
	ImageReading reading(region.bytes(), region, 0);

	region.allow_release();
	reading.reached(kMegabyte);
	EXPECT_EQ(host::image_pages().find('o'), kPages);
	reading.reached(3 * kMegabyte);
	EXPECT_EQ(host::image_pages().find('o'), 3 * kPages);
	EXPECT_TRUE(host::logged("initrd: 20% of 4194304 bytes")) << host::whole_log();
}

// A file whose data begins with a page of the archive, `at` bytes into it so far.
host::Item aligned(size_t at, const std::string &name, const Data &data)
{
	const size_t unpadded = at + host::kHeaderSize + name.size() + 1;

	return {.name = name,
		.data = {data.begin(), data.end()},
		.pad_name = (kPage - unpadded % kPage) % kPage};
}

class ArchivePages : public host::Boot {
protected:
	// A whole page first, so that what follows it is on its own.
	void SetUp() override
	{
		archive.add(aligned(0, "one", one));
		archive.add(aligned(archive.size(), "two", two));
		archive.file("three", "3").trailer();
	}

	void expect_files()
	{
		EXPECT_EQ(host::tree(), "one three two");
		EXPECT_EQ(host::node_at("one")->data, one);
		EXPECT_EQ(host::node_at("two")->data, two);
		EXPECT_EQ(text("three"), "3");
		EXPECT_TRUE(host::surroundings_intact());
	}

	const Data one = host::sample(3 * kPage, 1);
	const Data two = host::sample(2 * kPage + 77, 2);
	Archive archive;
};

TEST_F(ArchivePages, BecomeThoseOfFilesWithoutACopy)
{
	host::set_image(archive.data());
	boot();
	expect_files();
	EXPECT_EQ(host::image_pages(), "FHHHFHHF");
	EXPECT_TRUE(host::logged("Freeing initrd memory: 12K")) << host::whole_log();
}

TEST_F(ArchivePages, AreCopiedWhereTheyAreNotWholePages)
{
	for (const size_t misalignment : {4u, 1024u, 4092u}) {
		again();
		host::set_image(archive.data(), misalignment);
		boot();
		expect_files();
		EXPECT_EQ(host::image_pages().find('H'), std::string::npos);
		expect_no_page_left();
	}
}

TEST_F(ArchivePages, AreCopiedInAFileSystemThatKeepsDataElsewhere)
{
	host::set_image(archive.data());
	host::set_files_are_pages(false);
	boot();
	expect_files();
	EXPECT_EQ(host::image_pages(), letters(8, 'F'));
}

// As with movablecore=: pages of a ramfs would be in the way there, those of a tmpfs not.
TEST_F(ArchivePages, AreCopiedFromWhereOnlyThoseMayBeThatCanMove)
{
	host::set_image(archive.data());
	host::set_image_is_movable(true);
	boot();
	expect_files();
	EXPECT_EQ(host::image_pages(), letters(8, 'F'));

	again();
	host::set_image(archive.data());
	host::set_image_is_movable(true);
	host::set_pages_can_move(true);
	boot();
	expect_files();
	EXPECT_NE(host::image_pages().find('H'), std::string::npos);
	expect_no_page_left();
}

TEST_F(ArchivePages, StayWithRetainInitrd)
{
	host::set_image(archive.data());
	initrd_set(INITRD_PARAMETER_RETAIN, "");
	boot();
	expect_files();
	EXPECT_EQ(host::image_pages(), letters(8, 'o'));
	EXPECT_EQ(host::published(), archive.data());
}

TEST_F(ArchivePages, StayWhileSomethingElseMayBeAnImage)
{
	Data image = archive.data();
	const size_t start = (image.size() + 1023) / 1024;
	const Data ext2 = host::ext2_image(16 * 1024);

	image.resize(start * 1024);
	image[image.size() - 1] = 'x'; // what is no archive
	host::set_image(host::operator+(image, ext2));
	initrd_set(INITRD_PARAMETER_START_BLOCK, std::to_string(start).c_str());
	boot();
	EXPECT_EQ(ram0(ext2.size()), ext2);
	expect_no_page_left();
}

TEST_F(ArchivePages, OfADamagedFileGoBackWithIt)
{
	host::Item bad = aligned(archive.size(), "bad", one);

	bad.crc = true;
	bad.checksum = 1;
	archive.add(bad).file("never", "1");
	host::set_image(archive.data());
	boot();
	expect_files();
	EXPECT_TRUE(host::logged(SEAM_LOG_EMERG, "Initramfs unpacking failed: bad data checksum"));
	expect_no_page_left();
}

TEST_F(ArchivePages, AreNobodysWhereAnAllocationFails)
{
	host::set_image(archive.data());
	host::fail_allocation(0);
	boot();
	const uint64_t all = host::allocations();

	for (uint64_t n = 2; n <= all; n++) {
		SCOPED_TRACE(n);
		again();
		host::set_image(archive.data());
		host::fail_allocation(n);
		boot();
		expect_no_page_left();
		EXPECT_EQ(host::live().pages, 0u);
		EXPECT_TRUE(host::surroundings_intact());
		// Each file is there whole, or not at all and told.
		for (const auto &[name, data] : {std::pair{"one", one}, {"two", two}})
			EXPECT_TRUE(host::node_at(name) ? host::node_at(name)->data == data :
							  host::logged("initrd: "))
				<< host::whole_log();
	}
}

// A file's first page comes in two pieces and is copied, what follows is taken.
TEST_F(ArchivePages, AreNobodysWhereWhatIsInFrontOfThemIsNotStored)
{
	const auto data = std::search(archive.data().begin(), archive.data().end(), two.begin(),
				      two.end());
	const size_t start = static_cast<size_t>(data - archive.data().begin());
	uint64_t all = 0;

	ASSERT_EQ(start % kPage, 0u);
	for (uint64_t n = 0; n <= all; n++) {
		SCOPED_TRACE(n);
		again();
		host::set_image(archive.data());
		host::fail_allocation(n);
		Region region = Region::locate();
		bool failed = false;
		{
			rootfs::Writer writer(region);
			auto reader = cpio::Reader::create(writer, cpio::Hex::kStrict);
			Bytes rest = region.bytes();

			for (const size_t end : {start + kPage / 2, start + kPage, rest.size()}) {
				const Bytes piece =
					rest.first(end - (archive.size() - rest.size()));

				failed = failed || !reader || !reader.value().feed(piece);
				rest = rest.skip(piece.size());
			}
			const host::Node *const node = host::node_at("two");

			EXPECT_TRUE(failed || (node ? node->data == two : host::logged("initrd: ")))
				<< host::whole_log();
		}
		region.free();
		expect_no_page_left();
		EXPECT_EQ(host::live().pages, 0u);
		if (n == 0) {
			EXPECT_FALSE(failed);
			all = host::allocations();
		}
	}
}

using ArchiveMemory = host::Boot;

// Behind what held nothing, too: it may have been an image until its end.
TEST_F(ArchiveMemory, GoesBackWhileItIsRead)
{
	Data noise(6 * kMegabyte);
	std::mt19937 random(1);

	for (u8 &byte : noise)
		byte = static_cast<u8>(random());
	const Data archive = Archive().file("large", {noise.begin(), noise.end()}).trailer().data();

	for (const Data &image :
	     {host::gzip(archive), host::operator+(host::gzip(Data(512)), archive)}) {
		SCOPED_TRACE(image.size());
		again();
		host::set_image(image, 4, Own::kLast);
		boot();
		EXPECT_TRUE(text("large") == std::string(noise.begin(), noise.end()));
		EXPECT_LT(host::memory_peak(), 9 * kMegabyte);
		expect_no_page_left();
	}
}

size_t freed_of(const std::string &pages)
{
	return static_cast<size_t>(std::count(pages.begin(), pages.end(), 'F'));
}

// What is left of the image's pages whenever a piece of output has come.
class WatchingSink final : public Sink {
public:
	explicit WatchingSink(bool joins = false)
	{
		if (joins)
			set_joins_members();
	}
	virtual ~WatchingSink() = default;

	Result<MutableBytes> lend(size_t wanted) override
	{
		room_.resize(wanted);
		return MutableBytes(room_.data(), room_.size());
	}

	Result<void> commit(size_t made) override
	{
		seam_cond_resched();
		out += made;
		const std::string pages = host::image_pages();
		const size_t freed = freed_of(pages);

		most_held = std::max(most_held, out / kPage + pages.size() - freed);
		held_last = pages.size() - freed;
		return {};
	}

	size_t out = 0;
	size_t most_held = 0; /* pages: of the input, and of the output */
	size_t held_last = 0; /* of the input, when the last output came */

private:
	Data room_;
};

class CompressedInput : public host::World, public ::testing::WithParamInterface<host::Method> {};

INSTANTIATE_TEST_SUITE_P(Formats, CompressedInput,
			 testing::Values(host::method("gzip"), host::method("bzip2"),
					 host::method("lzma"), host::method("xz"),
					 host::method("lzo"), host::method("zstd")),
			 [](const auto &info) { return std::string(info.param.name); });

TEST_P(CompressedInput, GoesBackAsItIsRead)
{
	const Data plain = host::sample(4 * kMegabyte);

	host::set_image(GetParam().compress(plain));
	Region region = Region::locate();
	ImageReading reading(region.bytes(), region, 0);
	WatchingSink sink;

	region.allow_release();
	sink.follow(reading, 0);
	auto decoded = GetParam().decode(region.bytes(), sink);

	ASSERT_TRUE(decoded.ok()) << decoded.error().reason;
	EXPECT_EQ(sink.out, plain.size());
	// The output, and of the input what is in work and what is not worth the while.
	EXPECT_LE(sink.most_held, (plain.size() + 9 * kMegabyte / 4) / kPage);
	EXPECT_GE(freed_of(host::image_pages()) + kPages + 1, host::image_pages().size());
}

// In batches of a megabyte, of what cannot be packed.
TEST_F(Release, CompressedInputGoesBackAsSeveralProcessorsReadIt)
{
	Data plain(6 * kMegabyte);
	std::mt19937 random(1);

	for (u8 &byte : plain)
		byte = static_cast<u8>(random());
	host::set_cpus(3);
	host::set_memory_available(4 * kMegabyte);
	host::set_image(host::bgzip(plain, 60000));
	Region region = Region::locate();
	ImageReading reading(region.bytes(), region, 0);
	WatchingSink sink(true);

	region.allow_release();
	for (size_t at = 0; at < region.bytes().size();) {
		sink.follow(reading, at);
		auto decoded = decode_gzip(region.bytes().skip(at), sink);

		ASSERT_TRUE(decoded.ok()) << decoded.error().reason;
		at += decoded.value();
	}
	EXPECT_EQ(sink.out, plain.size());
	EXPECT_GT(host::parallel_runs(), 2u);
	EXPECT_LE(sink.held_last, (5 * kMegabyte / 2) / kPage);
}

} // namespace
