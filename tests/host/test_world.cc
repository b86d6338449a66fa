// SPDX-License-Identifier: GPL-2.0
// The seam's own rules that others rely on: memory that is counted and limited, links
// that are followed so often and no more.

#include "archive.h"
#include "boots.h"
#include "initrd/rootfs/unpack.h"
#include "initrd/seam/codec.h"
#include "initrd/seam/nodes.h"

namespace host {
namespace {

using Memory = Boot;

TEST_F(Memory, OfAnImageIsItsPagesUntilTheyAreFreed)
{
	set_image(Data(3 * kPage + 1, 0x5a));
	EXPECT_EQ(memory_in_use(), 4 * kPage);
	boot();
	// The image became the RAM disk, but for what else that takes.
	EXPECT_GE(memory_in_use(), 4 * kPage);
	ramdisk_destroy_all();
	EXPECT_LT(memory_in_use(), kPage);
	EXPECT_GE(memory_peak(), 4 * kPage);
}

TEST_F(Memory, OfFilesGoesWithThem)
{
	const Data archive = Archive().file("a", std::string(5 * kPage, 'a')).file("a", "b").data();

	set_image(archive);
	boot();
	EXPECT_EQ(text("a"), "b");
	// One page of data, and the file itself.
	EXPECT_LE(memory_in_use(), 4 * kPage);
	EXPECT_GE(memory_peak(), 5 * kPage);
}

TEST_F(Memory, EndsAtTheLimit)
{
	const Data archive =
		Archive().file("small", "x").file("large", std::string(1000 * kPage, 'a')).data();
	constexpr size_t kLimit = 600 * kPage;
	initrd::rootfs::Unpacked report;

	set_memory_limit(kLimit);
	EXPECT_FALSE(initrd::rootfs::unpack(bytes_of(archive), report).ok());
	EXPECT_TRUE(memory_ran_out());
	EXPECT_LE(memory_peak(), kLimit);
	EXPECT_EQ(text("small"), "x");
	EXPECT_EQ(node_at("large"), nullptr);
	EXPECT_EQ(seam_memory_available(), kLimit - memory_in_use());
}

TEST_F(Memory, EndsForNodesToo)
{
	Archive archive;
	initrd::rootfs::Unpacked report;

	for (int i = 0; i < 1000; i++)
		archive.file("file" + std::to_string(i), "");
	// (Of the last MiB no files are made.)
	set_memory_limit((1 << 20) + (100 << 10));
	EXPECT_FALSE(initrd::rootfs::unpack(bytes_of(archive.data()), report).ok());
	EXPECT_STREQ(report.trouble.error.reason, "out of memory for more files");
	EXPECT_NE(node_at("file0"), nullptr);
	EXPECT_EQ(node_at("file999"), nullptr);
}

TEST_F(Memory, OfACodecIsCounted)
{
	set_memory_limit(1000);
	EXPECT_EQ(seam_xz_new(), nullptr);
	set_memory_limit(1 << 20);
	seam_xz *const codec = seam_xz_new();
	ASSERT_NE(codec, nullptr);
	EXPECT_GT(memory_in_use(), 0u);
	seam_xz_free(codec);
	EXPECT_EQ(memory_in_use(), 0u);
}

TEST_F(Memory, IsUnlimitedAfterReset)
{
	set_memory_limit(10);
	EXPECT_FALSE(take_memory(11));
	EXPECT_TRUE(take_memory(10));
	reset();
	EXPECT_FALSE(memory_ran_out());
	EXPECT_EQ(memory_in_use(), 0u);
	EXPECT_TRUE(take_memory(~0ull));
}

using Links = World;

TEST_F(Links, AreFollowedFortyTimes)
{
	plant("/l0", 0100644, "end");
	for (int i = 1; i <= 41; i++)
		plant("/l" + std::to_string(i), 0120777, "l" + std::to_string(i - 1));
	EXPECT_EQ(seam_may_execute("/l40"), 0);
	EXPECT_EQ(seam_may_execute("/l41"), -40);
}

TEST_F(Links, AreCountedTogetherOnOneWay)
{
	std::string target;

	plant("/d", 0040755);
	plant("/l0", 0120777, "d");
	for (int i = 0; i < 30; i++)
		target += "l0/../";
	plant("/l1", 0120777, target + "d");
	plant("/l2", 0120777, target + "l1");
	EXPECT_EQ(seam_may_execute("/l1"), 0);
	EXPECT_EQ(seam_may_execute("/l2"), -40);
}

TEST_F(Links, LeadToFoldersOfAnyDepth)
{
	std::string path;

	for (int i = 0; i < 100000; i++)
		path += "/d";
	plant(path, 0040755);
	EXPECT_NE(node_at("/d/d/d"), nullptr);
	// And all of them go again.
	reset();
	EXPECT_EQ(node_at("/d"), nullptr);
}

using Log = World;

TEST_F(Log, IsNotHeardWhileItIsMuted)
{
	set_log_muted(true);
	seam_log(SEAM_LOG_INFO, "unheard\n");
	set_log_muted(false);
	seam_log(SEAM_LOG_INFO, "heard\n");
	EXPECT_EQ(whole_log(), "6 heard\n");
}

} // namespace
} // namespace host
