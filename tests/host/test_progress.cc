// SPDX-License-Identifier: GPL-2.0
// formats/Progress: what a load that takes long shows, and how often it looks at
// the clock.

#include <algorithm>

#include "boots.h"
#include "initrd/formats/progress.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;

constexpr u64 kSecond = 1000000000;

class ProgressLines : public host::World {
protected:
	static void run(size_t total, size_t step)
	{
		Progress progress(total, 0);

		for (size_t at = 0; at < total; at += std::min(step, total - at))
			progress.reached(at);
		progress.reached(total);
	}

	static std::vector<std::string> lines()
	{
		std::vector<std::string> texts;

		for (const host::Line &line : host::log_lines()) {
			EXPECT_EQ(line.level, SEAM_LOG_INFO) << "quiet is to hide it";
			texts.push_back(line.text);
		}
		return texts;
	}
};

TEST_F(ProgressLines, AQuickLoadShowsNone)
{
	host::set_clock_step(kSecond / 10);
	run(1000000, 1000);
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(ProgressLines, ASlowLoadShowsTen)
{
	host::set_clock_step(kSecond + 1);
	run(123456789, 1000);
	const std::vector<std::string> texts = lines();

	ASSERT_EQ(texts.size(), 10u);
	for (size_t i = 0; i < 10; i++)
		EXPECT_EQ(texts[i],
			  "initrd: " + std::to_string(10 * i + 10) + "% of 123456789 bytes");
	EXPECT_EQ(host::clock_looks(), 10u);
}

TEST_F(ProgressLines, TheFirstSecondShowsNone)
{
	host::set_clock_step(kSecond / 5);
	run(1000000, 1);
	ASSERT_EQ(lines().size(), 5u);
	EXPECT_EQ(lines().front(), "initrd: 60% of 1000000 bytes");
	EXPECT_EQ(lines().back(), "initrd: 100% of 1000000 bytes");
}

TEST_F(ProgressLines, OfLargeStepsTheLastIsShown)
{
	host::set_clock_step(2 * kSecond);
	run(1000, 470);
	EXPECT_EQ(lines(), (std::vector<std::string>{"initrd: 40% of 1000 bytes",
						     "initrd: 90% of 1000 bytes",
						     "initrd: 100% of 1000 bytes"}));
}

TEST_F(ProgressLines, AnySizeIsGoodForTenAtMost)
{
	for (const size_t total : {size_t{0}, size_t{1}, size_t{9}, size_t{10}, size_t{11},
				   size_t{19}, size_t{101}, size_t{65537}}) {
		SCOPED_TRACE(total);
		host::reset();
		host::set_clock_step(2 * kSecond);
		run(total, 1);
		EXPECT_LE(lines().size(), 10u);
		if (total >= 10)
			EXPECT_EQ(lines().back(),
				  "initrd: 100% of " + std::to_string(total) + " bytes");
	}
	Progress largest(~size_t{0}, 0);

	largest.reached(~size_t{0} - 5);
	largest.reached(~size_t{0});
}

// Every kind of load, each with a clock that is slow.

class ProgressOfLoads : public host::Boot {
protected:
	static size_t lines_of(size_t total)
	{
		const std::string end = "% of " + std::to_string(total) + " bytes";
		size_t lines = 0;

		for (const host::Line &line : host::log_lines())
			lines += line.text.size() > end.size() &&
				 line.text.compare(line.text.size() - end.size(), end.size(),
						   end) == 0;
		return lines;
	}

	static size_t slow_load(const Data &image)
	{
		host::set_clock_step(2 * kSecond);
		host::set_image(image);
		boot();
		return lines_of(image.size());
	}
};

TEST_F(ProgressOfLoads, ArchivesAndImagesOfEveryCompressor)
{
	const Data content = host::sample(1500000);
	const Data archive = Archive()
				     .add({.name = "init",
					   .mode = 0100755,
					   .data = {content.begin(), content.end()}})
				     .trailer()
				     .data();

	for (const host::Method &method : host::kMethods) {
		for (const bool image : {false, true}) {
			SCOPED_TRACE(std::string(method.name) + (image ? " image" : " archive"));
			host::reset();
			const size_t lines = slow_load(
				method.compress(image ? host::ext2_image(1500000) : archive));

			// The disk's windows are of 1 MiB, LZ4's blocks of 8 MiB.
			EXPECT_GE(lines, image || !method.ended ? 1u : 4u);
			EXPECT_LE(lines, 10u);
			ramdisk_destroy_all();
		}
	}
}

TEST_F(ProgressOfLoads, PlainArchives)
{
	const std::string content(12 << 20, 'x');

	EXPECT_EQ(slow_load(Archive()
				    .add({.name = "init", .mode = 0100755, .data = content})
				    .trailer()
				    .data()),
		  10u);
	EXPECT_EQ(text("init"), content);
}

TEST_F(ProgressOfLoads, CopiedImages)
{
	initrd_set(INITRD_PARAMETER_RETAIN, "");
	EXPECT_EQ(slow_load(host::ext2_image(12 << 20)), 10u);
}

TEST_F(ProgressOfLoads, NotThoseOfAdoptedImages)
{
	EXPECT_EQ(slow_load(host::ext2_image(12 << 20)), 0u);
}

} // namespace
