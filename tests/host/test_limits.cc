// SPDX-License-Identifier: GPL-2.0
// rootfs/Limits: how large the root file system may become, and what was not made.

#include "archive.h"
#include "boots.h"
#include "compress.h"
#include "fixture.h"
#include "initrd/hosted/limits.h"
#include "initrd/seam/boot.h"
#include "initrd/seam/memory.h"

namespace {

using host::Archive;
using host::Data;

constexpr u64 kMiB = u64{1} << 20;

class RootLimits : public host::World {
protected:
	// A machine with a tmpfs that was mounted when the image was in its way.
	static void set_machine(u64 size, const Data &image)
	{
		host::reboot();
		host::set_memory_limit(size);
		host::set_image(image);
		host::set_room((size - image.size()) / 2);
		host::set_nodes((size - image.size()) / 2 / host::kPage);
	}

	static void boot(const char *options = "")
	{
		initrd_see("initramfs_options", options);
		initrd_populate_rootfs();
	}

	static Data archive(size_t size)
	{
		return Archive().file("large", std::string(size, 'x')).trailer().data();
	}
};

TEST_F(RootLimits, AnArchiveMayTakeMoreThanHalfOfTheMemory)
{
	const Data image = archive(5 * kMiB);

	set_machine(8 * kMiB, image);
	boot();
	ASSERT_NE(host::node_at("large"), nullptr) << host::whole_log();
	EXPECT_EQ(host::node_at("large")->data.size(), 5 * kMiB);
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_GE(host::limits()[0].first, 8 * kMiB);
	EXPECT_GE(host::limits()[0].second, 8 * kMiB / 1024);
	// All that is used, and some more.
	EXPECT_GT(host::limits()[1].first, 5 * kMiB);
	EXPECT_LT(host::limits()[1].first, 7 * kMiB);
	EXPECT_EQ(host::limits()[1].second, 4 * kMiB / host::kPage);
}

TEST_F(RootLimits, AfterwardsTheyAreThoseOfAnyTmpfs)
{
	set_machine(64 * kMiB, archive(1 * kMiB));
	boot();
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_EQ(host::limits()[1], (std::pair<u64, u64>(32 * kMiB, 32 * kMiB / host::kPage)));
}

TEST_F(RootLimits, WithoutAnImageTheyAreTheSame)
{
	host::set_memory_limit(64 * kMiB);
	host::set_room(31 * kMiB);
	host::set_nodes(1000);
	boot();
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_EQ(host::limits()[1], (std::pair<u64, u64>(32 * kMiB, 32 * kMiB / host::kPage)));
}

TEST_F(RootLimits, ThereMayBeMoreNodesThanPages)
{
	Archive many;

	for (int i = 0; i < 3000; i++)
		many.symlink("link" + std::to_string(i), "x");
	set_machine(16 * kMiB, many.trailer().data());
	boot();
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_NE(host::node_at("link2999"), nullptr) << host::whole_log();
	EXPECT_GT(host::limits()[1].second, 3000u);
	EXPECT_LT(host::limits()[1].second, 3500u);
}

TEST_F(RootLimits, WhatTheUserSaidStays)
{
	set_machine(8 * kMiB, archive(5 * kMiB));
	const u64 room = (8 * kMiB - host::memory_in_use()) / 2;

	boot("mode=755,size=40%,nr_inodes=500");
	EXPECT_TRUE(host::limits().empty());
	EXPECT_EQ(host::node_at("large"), nullptr);
	EXPECT_TRUE(host::logged("Initramfs unpacking failed: write error"));
	for (const char *options : {"size=20m", "nr_blocks=100,mode=700", "mode=700,nr_blocks=9"}) {
		host::reset();
		set_machine(8 * kMiB, archive(100));
		boot(options);
		ASSERT_EQ(host::limits().size(), 2u) << options;
		EXPECT_LT(host::limits()[0].first, room + 8 * kMiB);
		EXPECT_EQ(host::limits()[0].first, host::limits()[1].first);
		EXPECT_GT(host::limits()[0].second, host::limits()[1].second);
	}
	host::reset();
	set_machine(8 * kMiB, archive(100));
	boot("nr_inodes=77");
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_EQ(host::limits()[0].second, host::limits()[1].second);
	EXPECT_EQ(host::limits()[1].first, 4 * kMiB);
	host::reset();
	set_machine(8 * kMiB, archive(100));
	boot("resize=1,xsize=2");
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_EQ(host::limits()[1].first, 4 * kMiB);
}

TEST_F(RootLimits, WhatHasNoneGetsNone)
{
	host::set_memory_limit(64 * kMiB);
	host::set_image(archive(100));
	boot();
	EXPECT_TRUE(host::limits().empty());
	EXPECT_NE(host::node_at("large"), nullptr);
}

TEST_F(RootLimits, MemoryIsLeftToOthersAllTheSame)
{
	set_machine(8 * kMiB, host::gzip(archive(12 * kMiB)));
	boot();
	EXPECT_EQ(host::node_at("large"), nullptr);
	EXPECT_LE(host::memory_peak(), 7 * kMiB + kMiB / 2);
	ASSERT_EQ(host::limits().size(), 2u);
	EXPECT_EQ(host::limits()[1].first, 4 * kMiB);
}

TEST_F(RootLimits, InodesAreNamedAsSuch)
{
	set_machine(64 * kMiB, Archive()
				       .folder("d")
				       .file("a", "")
				       .file("b", "")
				       .file("none/c", "")
				       .symlink("e", "x")
				       .trailer()
				       .data());
	host::set_nodes(2);
	boot("size=50%,nr_inodes=2");
	EXPECT_EQ(host::tree(), "a d");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
				 "initrd: archive: no space: a file could not be made, in b: no "
				 "inodes are left of 2"))
		<< host::whole_log();
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 3 entries not made: 1 whose folder is not there: "
				 "none/c, 2 for want of room: b, 0 refused by the file system"))
		<< host::whole_log();
	EXPECT_NE(host::whole_log().find("unpacked, 2 entries"), std::string::npos)
		<< host::whole_log();
}

TEST_F(RootLimits, NothingButNulsIsSaid)
{
	host::set_image(Data(5000));
	boot();
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: 5000 bytes, nothing but NULs: "))
		<< host::whole_log();
	EXPECT_FALSE(host::logged("initrd: cpio archive"));
	host::reset();
	host::reboot();
	host::set_image(host::gzip(Data(5000)));
	boot();
	EXPECT_NE(host::whole_log().find(" of gzip data, nothing but NULs: "), std::string::npos)
		<< host::whole_log();
	// `find . | cpio | gzip` where there is no cpio.
	host::reset();
	host::reboot();
	Data packed = host::gzip({});

	const Data more = host::xz({});

	packed.insert(packed.end(), more.begin(), more.end());
	packed.resize(packed.size() + 512);
	host::set_image(packed);
	boot();
	EXPECT_NE(host::whole_log().find(" of xz data, which hold nothing: "), std::string::npos)
		<< host::whole_log();
}

} // namespace
