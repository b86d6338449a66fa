// SPDX-License-Identifier: GPL-2.0
// rootfs/Writer: hard links.

#include "archive.h"
#include "fixture.h"
#include "initrd/rootfs/unpack.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Item;

class HardLinks : public host::World {
protected:
	std::string unpack(const Archive &archive)
	{
		const host::Exact image(archive.data());
		rootfs::Unpacked report;
		auto result = rootfs::unpack(image.bytes(), report);

		return result ? "" : result.error().reason;
	}

	static std::string text(const std::string &path)
	{
		const host::Node *const node = host::node_at(path);

		return node ? node->text() : "(nothing)";
	}

	static bool linked(const std::string &a, const std::string &b)
	{
		return host::node_at(a) && host::node_at(a) == host::node_at(b);
	}

	// A name of inode 5 that has three.
	static Item name(const std::string &name, const std::string &data = "")
	{
		return {.name = name, .data = data, .ino = 5, .nlink = 3};
	}
};

TEST_F(HardLinks, TheDataMayComeWithTheFirstName)
{
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(name("b")).add(name("c")).trailer()),
		  "");
	EXPECT_EQ(text("a"), "data");
	EXPECT_TRUE(linked("a", "b"));
	EXPECT_TRUE(linked("a", "c"));
	EXPECT_EQ(host::node_at("a")->nlink, 3u);
}

TEST_F(HardLinks, TheDataMayComeWithTheLastName)
{
	EXPECT_EQ(unpack(Archive().add(name("a")).add(name("b")).add(name("c", "data")).trailer()),
		  "");
	EXPECT_EQ(text("a"), "data");
	EXPECT_EQ(text("b"), "data");
	EXPECT_TRUE(linked("a", "c"));
}

TEST_F(HardLinks, WrongDataStaysUnderNoName)
{
	Item wrong = name("b", "wrong");

	wrong.crc = true;
	wrong.checksum = 1;
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(wrong)), "bad data checksum");
	EXPECT_EQ(host::node_at("b"), nullptr);
	EXPECT_EQ(text("a"), "");
}

TEST_F(HardLinks, TheDataMayComeWithEveryName)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "data"))
				 .add(name("b", "data"))
				 .add(name("c", "data"))),
		  "");
	EXPECT_EQ(text("a"), "data");
	EXPECT_TRUE(linked("a", "c"));
}

TEST_F(HardLinks, ALongerFirstCopyIsCutToTheLastOnesSize)
{
	EXPECT_EQ(unpack(Archive().add(name("a", "longer")).add(name("b", "new"))), "");
	EXPECT_EQ(text("a"), "new");
}

TEST_F(HardLinks, ThereMayBeManyOfThem)
{
	constexpr u32 kMany = 3000;
	Archive archive;

	for (u32 i = 0; i < kMany; i++)
		archive.add({.name = "a" + std::to_string(i), .ino = i << 8, .nlink = 2});
	for (u32 i = 0; i < kMany; i++)
		archive.add(
			{.name = "b" + std::to_string(i), .data = "x", .ino = i << 8, .nlink = 2});
	EXPECT_EQ(unpack(archive), "");
	for (u32 i = 0; i < kMany; i++)
		ASSERT_TRUE(linked("a" + std::to_string(i), "b" + std::to_string(i))) << i;
}

TEST_F(HardLinks, AreNotRememberedWhereHardlyAnyMemoryIsLeft)
{
	host::set_memory_for_objects((u64{1} << 20) - 1);
	EXPECT_NE(unpack(Archive().add(name("a")).add(name("b", "data"))), "");
	EXPECT_EQ(host::live().blocks, 0u);
}

TEST_F(HardLinks, DataForAFileThatHasSomeLeavesMemoryToOthers)
{
	const std::string large(size_t{12} << 20, 'x');

	host::set_memory_limit(u64{40} << 20);
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(name("b", large)).trailer()), "");
	host::reset();
	host::set_memory_limit(u64{8} << 20);
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(name("b", large)).trailer()),
		  "write error");
	EXPECT_LE(host::memory_peak(), (u64{7} << 20) + (u64{1} << 17));
}

TEST_F(HardLinks, OtherInodesDevicesAndTypesAreNotLinked)
{
	Item other_inode = name("inode", "1");
	Item other_device = name("device", "2");
	Item other_minor = name("minor", "3");
	Item other_type = name("pipe");

	other_inode.ino = 6;
	other_device.dev_major = 99;
	other_minor.dev_minor = 99;
	other_type.mode = 0010644;
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "0"))
				 .add(other_inode)
				 .add(other_device)
				 .add(other_minor)
				 .add(other_type)),
		  "");
	for (const char *path : {"a", "inode", "device", "minor", "pipe"})
		EXPECT_EQ(host::node_at(path)->nlink, 1u) << path;
	EXPECT_EQ(text("a"), "0");
	EXPECT_EQ(text("minor"), "3");
}

TEST_F(HardLinks, SimilarNodesAreToldApart)
{
	// More than the table has chains, so that each field has to be compared.
	constexpr u32 kMany = 700;
	Archive archive;

	for (u32 i = 0; i < kMany; i++) {
		Item inode = name("inode" + std::to_string(i));
		Item device = name("device" + std::to_string(i));
		Item minor = name("minor" + std::to_string(i));

		inode.ino = 1000 + i;
		device.dev_major = 1000 + i;
		minor.dev_minor = 1000 + i;
		archive.add(inode).add(device).add(minor);
	}
	EXPECT_EQ(unpack(archive), "");
	for (const char *kind : {"inode", "device", "minor"})
		for (u32 i = 0; i < kMany; i++)
			ASSERT_EQ(host::node_at(kind + std::to_string(i))->nlink, 1u) << kind << i;
}

TEST_F(HardLinks, ANodeWithOneLinkIsNeverLinked)
{
	EXPECT_EQ(unpack(Archive().file("a", "1").file("b", "2")), "");
	EXPECT_FALSE(linked("a", "b"));
}

TEST_F(HardLinks, SpecialNodesAreLinkedToo)
{
	Item first = name("tty0");
	Item second = name("console");

	first.mode = second.mode = 0020600;
	EXPECT_EQ(unpack(Archive().add(first).add(second)), "");
	EXPECT_TRUE(linked("tty0", "console"));
}

TEST_F(HardLinks, TheTrailerEndsTheTable)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "1"))
				 .trailer()
				 .add(name("b", "2"))
				 .add(name("c"))
				 .trailer()),
		  "");
	EXPECT_FALSE(linked("a", "b"));
	EXPECT_TRUE(linked("b", "c"));
	EXPECT_EQ(text("a"), "1");
	EXPECT_EQ(text("c"), "2");
}

TEST_F(HardLinks, WithoutATrailerTheTableEndsWithTheImage)
{
	EXPECT_EQ(unpack(Archive().add(name("a", "1"))), "");
	EXPECT_EQ(unpack(Archive().add(name("b", "2"))), "");
	EXPECT_FALSE(linked("a", "b"));
}

TEST_F(HardLinks, WhatIsAtTheLinksNameGivesWay)
{
	host::plant("b", 0100600, "old file");
	host::plant("c", 0120777, "a");
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(name("b")).add(name("c"))), "");
	EXPECT_TRUE(linked("a", "b"));
	EXPECT_TRUE(linked("a", "c"));
}

TEST_F(HardLinks, TheSameNameAgainIsNoLinkToItself)
{
	EXPECT_EQ(unpack(Archive().add(name("a", "first")).add(name("a", "second"))), "");
	EXPECT_EQ(text("a"), "second");
	EXPECT_EQ(host::node_at("a")->nlink, 1u);
}

TEST_F(HardLinks, ALinkThatCannotBeMadeIsPassedOver)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "data"))
				 .add(name("missing/b", "data"))
				 .file("next", "1")),
		  "");
	EXPECT_EQ(host::tree(), "a next");
	EXPECT_EQ(text("a"), "data");
}

TEST_F(HardLinks, ThousandsOfThemAreFound)
{
	constexpr u32 kMany = 3000;
	Archive archive;

	for (u32 i = 0; i < kMany; i++)
		archive.add({.name = "a" + std::to_string(i), .ino = i, .nlink = 2});
	for (u32 i = 0; i < kMany; i++)
		archive.add({.name = "b" + std::to_string(i),
			     .data = std::to_string(i),
			     .ino = i,
			     .nlink = 2});
	EXPECT_EQ(unpack(archive.trailer()), "");
	for (u32 i = 0; i < kMany; i++) {
		ASSERT_TRUE(linked("a" + std::to_string(i), "b" + std::to_string(i)));
		ASSERT_EQ(text("a" + std::to_string(i)), std::to_string(i));
	}
}

TEST_F(HardLinks, EveryFailingAllocationIsAnErrorOrIsPassedOver)
{
	const Archive archive = Archive().add(name("a", "1")).add(name("b")).add(name("c"));

	ASSERT_EQ(unpack(archive), "");
	const uint64_t all = host::allocations();

	ASSERT_GT(all, 4u);
	for (uint64_t n = 1; n <= all; n++) {
		host::reset();
		host::fail_allocation(n);
		unpack(archive);
		EXPECT_EQ(host::live(), host::Live()) << n;
	}
}

} // namespace
