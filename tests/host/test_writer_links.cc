// SPDX-License-Identifier: GPL-2.0
// rootfs/Writer: hard links.

#include "archive.h"
#include "fixture.h"
#include "initrd/hosted/limits.h"
#include "initrd/rootfs/link_table.h"
#include "initrd/rootfs/unpack.h"
#include "initrd/rootfs/writer.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Item;

class HardLinks : public host::World {
protected:
	std::string unpack(const Archive &archive)
	{
		const host::Exact image(archive.data());
		report = {};
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

	rootfs::Unpacked report;

	// A name of inode 5 that has three.
	static Item name(const std::string &name, const std::string &data = "")
	{
		return {.name = name, .data = data, .ino = 5, .nlink = 3};
	}

	static Item with_wrong_sum(Item item)
	{
		item.crc = true;
		item.checksum = 1;
		return item;
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
	const Item wrong = with_wrong_sum(name("b", "wrong"));

	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(wrong)), "bad data checksum");
	EXPECT_EQ(host::node_at("b"), nullptr);
	EXPECT_EQ(text("a"), "data");
}

TEST_F(HardLinks, WrongDataThatIsTheFirstStaysUnderNoName)
{
	const Item wrong = with_wrong_sum(name("b", "wrong"));

	for (const bool pages : {true, false}) {
		host::reset();
		host::set_files_are_pages(pages);
		EXPECT_EQ(unpack(Archive().add(name("a")).add(wrong)), "bad data checksum");
		EXPECT_EQ(host::node_at("b"), nullptr);
		EXPECT_EQ(text("a"), "");
	}
}

TEST_F(HardLinks, WrongDataLeavesAFileWithoutAny)
{
	const Item wrong = with_wrong_sum(name("b", "wrong"));

	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(wrong)), "bad data checksum");
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 1 files have the inode number of another one, b the "
				 "first: told apart by owner, time, size and number of links, 1 "
				 "of these without data"))
		<< host::whole_log();
}

TEST_F(HardLinks, WrongDataThatIsLikeAnothersLeavesThatAlone)
{
	const Item wrong = with_wrong_sum(name("b", "data"));

	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(wrong)), "bad data checksum");
	EXPECT_EQ(host::node_at("b"), nullptr);
	EXPECT_EQ(text("a"), "data");
	EXPECT_EQ(report.bytes, 4u);
	EXPECT_EQ(report.entries, 1u);
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
	EXPECT_EQ(report.entries, 3u);
}

TEST_F(HardLinks, DataOfAnotherSizeIsAnotherFiles)
{
	EXPECT_EQ(unpack(Archive().add(name("a", "longer")).add(name("b", "new"))), "");
	EXPECT_EQ(text("a"), "longer");
	EXPECT_EQ(text("b"), "new");
	EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE,
				 "initrd: 1 files have the inode number of another one, b the "
				 "first: "))
		<< host::whole_log();
}

TEST_F(HardLinks, OtherDataOfTheSameSizeIsAnotherFiles)
{
	const std::string first(40000, 'x');

	for (const size_t at : {0, 1, 16383, 16384, 20000, 39999}) {
		std::string second = first;

		SCOPED_TRACE(at);
		second[at] = 'y';
		host::reset();
		EXPECT_EQ(unpack(Archive()
					 .add(name("a", first))
					 .add(name("b", second))
					 .add(name("c", first))
					 .trailer()),
			  "");
		EXPECT_EQ(text("a"), first);
		EXPECT_EQ(text("b"), second);
		EXPECT_EQ(text("c"), first);
		EXPECT_FALSE(linked("a", "b"));
		EXPECT_EQ(report.bytes, 120000u);
		EXPECT_EQ(report.entries, 3u);
		EXPECT_EQ(host::live().files, 0u);
	}
}

TEST_F(HardLinks, OthersRunWhileMuchIsCompared)
{
	const std::string large(size_t{5} << 20, 'x');

	EXPECT_EQ(unpack(Archive().add(name("a", large)).add(name("b", large)).trailer()), "");
	EXPECT_TRUE(linked("a", "b"));
	EXPECT_EQ(host::complaints(), std::vector<std::string>());
}

TEST_F(HardLinks, AGroupIsCompleteWithAsManyNamesAsItSays)
{
	const auto pair = [](const char *name, const char *data) {
		return Item{.name = name, .data = data, .ino = 0, .nlink = 2};
	};

	// The data last, first and with each.
	EXPECT_EQ(unpack(Archive()
				 .add(pair("a", ""))
				 .add(pair("b", "1"))
				 .add(pair("c", ""))
				 .add(pair("d", "2"))),
		  "");
	EXPECT_TRUE(linked("a", "b") && linked("c", "d") && !linked("b", "c"));
	EXPECT_EQ(text("a") + text("c"), "12");
	host::reset();
	EXPECT_EQ(unpack(Archive()
				 .add(pair("a", "1"))
				 .add(pair("b", ""))
				 .add(pair("c", "2"))
				 .add(pair("d", ""))),
		  "");
	EXPECT_TRUE(linked("a", "b") && linked("c", "d") && !linked("b", "c"));
	EXPECT_EQ(text("b") + text("d"), "12");
	host::reset();
	EXPECT_EQ(unpack(Archive()
				 .add(pair("a", "1"))
				 .add(pair("b", "1"))
				 .add(pair("c", "2"))
				 .add(pair("d", "2"))),
		  "");
	EXPECT_TRUE(linked("a", "b") && linked("c", "d") && !linked("b", "c"));
	host::reset();
	EXPECT_EQ(unpack(Archive()
				 .add(pair("a", ""))
				 .add(pair("b", ""))
				 .add(pair("c", ""))
				 .add(pair("d", "2"))),
		  "");
	EXPECT_TRUE(linked("a", "b") && linked("c", "d") && !linked("b", "c"));
	EXPECT_EQ(text("a") + text("c"), "2");
	EXPECT_EQ(host::times_logged("initrd: "), 2u); // and the trailer
}

TEST_F(HardLinks, AttributesTellFilesApart)
{
	Item a1 = name("a1"), a2 = name("a2", "aa"), b1 = name("b1"), b2 = name("b2", "bb");

	a1.nlink = a2.nlink = b1.nlink = b2.nlink = 2;
	for (const int what : {0, 1, 2, 3}) {
		SCOPED_TRACE(what);
		b1.mtime = b2.mtime = what == 0 ? 7 : 1000;
		b1.mode = b2.mode = what == 1 ? 0100600 : 0100644;
		b1.uid = b2.uid = what == 2 ? 7 : 0;
		b1.gid = b2.gid = what == 3 ? 7 : 0;
		host::reset();
		EXPECT_EQ(unpack(Archive().add(a1).add(b1).add(a2).add(b2).trailer()), "");
		EXPECT_EQ(text("a1") + text("b1"), "aabb");
		EXPECT_TRUE(linked("a1", "a2") && linked("b1", "b2") && !linked("a1", "b1"));
	}
}

TEST_F(HardLinks, OtherAttributesAreNoReasonToLeaveAFileWithoutData)
{
	Item second = name("b", "data");

	second.mtime = 7;
	EXPECT_EQ(unpack(Archive().add(name("a")).add(second).trailer()), "");
	EXPECT_EQ(text("a"), "data");
	EXPECT_TRUE(linked("a", "b"));
}

TEST_F(HardLinks, WhatCannotBeToldApartIsSaid)
{
	Item a1 = name("a1"), a2 = name("a2", "aa"), b1 = name("b1"), b2 = name("b2", "bbb");
	Item c = name("c");

	a1.nlink = a2.nlink = b1.nlink = b2.nlink = 2;
	c.nlink = 9;
	EXPECT_EQ(unpack(Archive().add(a1).add(b1).add(a2).add(b2).add(c).trailer()), "");
	EXPECT_EQ(text("a2") + text("b2"), "aabbb");
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 3 files have the inode number of another one, a2 the "
				 "first: told apart by owner, time, size and number of links, 1 "
				 "of these without data"))
		<< host::whole_log();
}

TEST_F(HardLinks, ManyFilesMayHaveOneNumber)
{
	Archive archive;

	for (int i = 0; i < 300; i++)
		archive.add({.name = "f" + std::to_string(i),
			     .data = std::string(static_cast<size_t>(i) + 1, 'x'),
			     .ino = 0,
			     .nlink = 2});
	EXPECT_EQ(unpack(archive.trailer()), "");
	for (size_t i = 0; i < 300; i++)
		ASSERT_EQ(text("f" + std::to_string(i)).size(), i + 1);
}

TEST_F(HardLinks, ANameThatComesTwiceCountsOnce)
{
	// As pax writes what it is given, and finds again below a folder.
	Archive archive;

	archive.folder("d");
	for (const char *path : {"d/f", "./d/f", "g", "d/f", "h"})
		archive.add(name(path, "data"));
	EXPECT_EQ(unpack(archive.trailer()), "");
	EXPECT_TRUE(linked("d/f", "g") && linked("g", "h"));
	EXPECT_EQ(text("h"), "data");
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(HardLinks, OtherNamesGetTheDataOfANameThatCannotBeMade)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a"))
				 .add(name("b"))
				 .add(name("none/c", "data"))
				 .trailer()),
		  "");
	EXPECT_EQ(text("a"), "data");
	EXPECT_EQ(text("b"), "data");
	EXPECT_EQ(host::tree(), "a b");
	EXPECT_EQ(report.entries, 2u);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 1 entries not made: 1 whose folder is not there: none/c"))
		<< host::whole_log();
}

TEST_F(HardLinks, WrongDataOfANameThatCannotBeMadeStaysUnderNoName)
{
	const Item wrong = with_wrong_sum(name("none/c", "wrong"));

	EXPECT_EQ(unpack(Archive().add(name("a")).add(wrong)), "bad data checksum");
	EXPECT_EQ(text("a"), "");
}

TEST_F(HardLinks, ANodeThatHasLostItsNamesIsMadeAnew)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "data"))
				 .symlink("a", "elsewhere")
				 .add(name("b", "data"))
				 .add(name("c"))
				 .trailer()),
		  "");
	EXPECT_EQ(text("b"), "data");
	EXPECT_TRUE(linked("b", "c"));
	EXPECT_EQ(host::node_at("a")->target, "elsewhere");
}

TEST_F(HardLinks, TheDataOfANodeThatHasLostItsNamesIsStillToCome)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "data"))
				 .symlink("a", "elsewhere")
				 .add(name("b"))
				 .add(name("c", "data"))
				 .trailer()),
		  "");
	EXPECT_EQ(text("b"), "data");
	EXPECT_TRUE(linked("b", "c"));
}

TEST_F(HardLinks, ALinkThatFindsNoRoomIsToldAndLeavesItsDataToTheOthers)
{
	const auto expect_told = [this](u64 entries) {
		EXPECT_EQ(host::tree(), "a");
		EXPECT_EQ(text("a"), "data");
		EXPECT_EQ(report.entries, entries);
		EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
					 "initrd: 1 entries not made: 0 whose folder is not there, "
					 "1 for want of room: b, 0 refused"))
			<< host::whole_log();
	};

	host::set_nodes(1);
	EXPECT_EQ(unpack(Archive().add(name("a")).add(name("b", "data")).trailer()), "");
	expect_told(1);
	host::reset();
	host::set_nodes(1);
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(name("b", "data")).trailer()), "");
	expect_told(1);
	host::reset();
	host::set_nodes(1);
	EXPECT_EQ(unpack(Archive().add(name("a", "data")).add(name("b")).trailer()), "");
	expect_told(1);
}

TEST_F(HardLinks, ANameThatWasNoneOfAFilesIsMissingStill)
{
	EXPECT_EQ(unpack(Archive()
				 .add(name("a", "xxxx"))
				 .add(name("b", "yyyy"))
				 .add(name("c"))
				 .add(name("d"))
				 .add(name("e"))
				 .add(name("f"))
				 .trailer()),
		  "");
	EXPECT_TRUE(linked("b", "c") && linked("b", "d"));
	EXPECT_TRUE(linked("a", "e") && linked("a", "f"));
}

TEST_F(HardLinks, AFileWithoutDataIsDoubtfulHoweverLateTheNumberComesAgain)
{
	Item other = name("b");

	other.mtime = 7;
	EXPECT_EQ(unpack(Archive().add(name("a")).add(other).trailer()), "");
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 1 files have the inode number of another one, b the "
				 "first: told apart by owner, time, size and number of links, 2 "
				 "of these without data"))
		<< host::whole_log();
}

TEST_F(HardLinks, TheOldestOfVeryManyAlikeIsForgotten)
{
	const auto of_size = [](const char *name, size_t size) {
		return Item{.name = name + std::to_string(size),
			    .data = std::string(size, 'x'),
			    .ino = 5,
			    .nlink = 2};
	};
	Archive archive;

	for (size_t size = 1; size <= 70; size++)
		archive.add(of_size("a", size));
	archive.add(of_size("b", 1)).add(of_size("b", 70)).trailer();
	EXPECT_EQ(unpack(archive), "");
	EXPECT_EQ(text("b1"), "x");
	EXPECT_FALSE(linked("a1", "b1"));
	EXPECT_TRUE(linked("a70", "b70"));
}

// As deep in an archive as a reader of it is.
class Held : public host::World {
protected:
	// What the writer has open after all of the archive.
	static size_t after(const Archive &archive)
	{
		const host::Exact image(archive.data());
		Region none = Region::none();
		rootfs::Writer writer(none);
		auto reader = cpio::Reader::create(writer, cpio::Hex::kStrict);

		(void)reader.value().feed(image.bytes()).ok();
		return host::live().files;
	}
};

TEST_F(Held, IsTheFolderAndNoEntryThatIsThrough)
{
	Item a{.name = "a", .data = "data", .ino = 5, .nlink = 2};
	Item same = a;

	same.name = "b";
	EXPECT_EQ(after(Archive().file("f", "1").trailer()), 1u);
	EXPECT_EQ(after(Archive().add(a).add(same).trailer()), 1u) << "a link";
	for (const bool pages : {true, false}) {
		SCOPED_TRACE(pages);
		Item wrong{.name = "w", .data = "wrong", .crc = true, .checksum = 1};
		Item like = same;

		like.crc = true;
		like.checksum = 1;
		host::reset();
		host::set_files_are_pages(pages);
		EXPECT_EQ(after(Archive().add(wrong)), 1u);
		EXPECT_EQ(after(Archive().add(a).add(like)), 2u) << "and the first one's node";
		EXPECT_EQ(host::live().pages, 0u);
	}
}

class Table : public host::World {
protected:
	// Begins so many groups.
	static void begin(rootfs::LinkTable &table, u32 count)
	{
		cpio::Entry entry = {};

		entry.name = "name";
		entry.mode = 0100644;
		entry.nlink = 2;
		for (; count; count--) {
			entry.ino = count;
			EXPECT_TRUE(table.join(entry, nullptr).ok());
		}
	}
};

// (It begins with 2 KiB of chains, and has four times as many from time to time.)
TEST_F(Table, GrowsWithItsGroupsAndNotWithThoseThatAreGone)
{
	rootfs::LinkTable table;

	for (int i = 0; i < 20; i++) {
		begin(table, 200);
		table.clear();
	}
	EXPECT_LT(host::memory_in_use(), 4096u);
	begin(table, 3000);
	table.clear();
	EXPECT_GE(host::memory_in_use(), 3000 * sizeof(void *));
}

TEST_F(HardLinks, NodesOfOtherDevicesAreOtherNodes)
{
	Item first = name("null"), second = name("zero");

	first.mode = second.mode = 0020666;
	first.rdev_major = second.rdev_major = 1;
	first.rdev_minor = 3;
	second.rdev_minor = 5;
	EXPECT_EQ(unpack(Archive().add(first).add(second).trailer()), "");
	EXPECT_FALSE(linked("null", "zero"));
	EXPECT_EQ(host::node_at("zero")->minor, 5u);
}

class LinkedLinks : public HardLinks {
protected:
	static Item link(const std::string &name, const std::string &target, u32 nlink = 3)
	{
		return {.name = name,
			.mode = host::kLinkMode,
			.data = target,
			.mtime = 1234,
			.ino = 9,
			.nlink = nlink,
			.uid = 7};
	}

	static std::string target(const std::string &path)
	{
		const host::Node *const node = host::node_at(path);

		return node ? node->target : "(nothing)";
	}
};

TEST_F(LinkedLinks, TheTargetMayComeWithTheLastName)
{
	EXPECT_EQ(unpack(Archive()
				 .folder("d")
				 .add(link("d/c", ""))
				 .add(link("b", ""))
				 .add(link("a", "target"))
				 .trailer()),
		  "");
	for (const char *path : {"a", "b", "d/c"}) {
		EXPECT_EQ(target(path), "target") << path;
		EXPECT_EQ(host::node_at(path)->uid, 7u);
	}
	EXPECT_EQ(host::node_at("b")->mtime, 1234);
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(LinkedLinks, TheTargetMayComeWithTheFirstName)
{
	EXPECT_EQ(unpack(Archive()
				 .add(link("a", "target"))
				 .add(link("b", ""))
				 .add(link("c", ""))
				 .trailer()),
		  "");
	EXPECT_EQ(target("a") + target("b") + target("c"), "targettargettarget");
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(LinkedLinks, TheTargetMayBeThePathOfTheNextName)
{
	EXPECT_EQ(unpack(Archive()
				 .folder("d")
				 .add(link("./d/a", "./b"))
				 .add(link("./b", "/c"))
				 .add(link("c", "target"))
				 .trailer()),
		  "");
	EXPECT_EQ(target("d/a") + target("b") + target("c"), "targettargettarget");
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(LinkedLinks, OtherTargetsStay)
{
	EXPECT_EQ(unpack(Archive()
				 .add(link("a", "x"))
				 .add(link("b", "y"))
				 .add(link("c", "x"))
				 .add(link("d", "c"))
				 .trailer()),
		  "");
	EXPECT_EQ(target("a") + target("b") + target("c") + target("d"), "xyxc");
}

TEST_F(LinkedLinks, ANameThatComesTwiceCountsOnce)
{
	EXPECT_EQ(unpack(Archive()
				 .add(link("a", ""))
				 .add(link("a", ""))
				 .add(link("b", ""))
				 .add(link("c", "target"))
				 .trailer()),
		  "");
	EXPECT_EQ(target("a") + target("b") + target("c"), "targettargettarget");
}

TEST_F(LinkedLinks, EachTargetMayBeThePathOfTheNextName)
{
	Archive archive;

	for (int i = 0; i < 6; i++)
		archive.add(link("l" + std::to_string(i), "l" + std::to_string(i + 1), 7));
	EXPECT_EQ(unpack(archive.add(link("l6", "target", 7)).trailer()), "");
	for (int i = 0; i < 7; i++)
		EXPECT_EQ(target("l" + std::to_string(i)), "target") << i;
}

TEST_F(LinkedLinks, TheWayToAFolderIsFoundAnewWhenItIsMended)
{
	EXPECT_EQ(unpack(Archive()
				 .folder("d")
				 .folder("d/p")
				 .folder("d/p/y")
				 .folder("d/t")
				 .add(link("d/l", "p/y"))
				 .symlink("p", "d/l")
				 .add(link("p/y", "t"))
				 .file("p/z", "1")
				 .trailer()),
		  "");
	EXPECT_EQ(target("d/l"), "t");
	EXPECT_EQ(text("d/t/z"), "1") << host::tree();
}

TEST_F(LinkedLinks, TheLastNameMayHaveAnEmptyTargetToo)
{
	EXPECT_EQ(unpack(Archive().add(link("a", "", 2)).add(link("b", "", 2)).trailer()), "");
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 2 symbolic links have an empty target, b the first: "))
		<< host::whole_log();
}

TEST_F(LinkedLinks, WhatTookItsPlaceStays)
{
	EXPECT_EQ(unpack(Archive()
				 .add(link("a", ""))
				 .add(link("b", ""))
				 .file("a", "file")
				 .symlink("b", "other")
				 .add(link("c", "target"))
				 .trailer()),
		  "");
	EXPECT_EQ(text("a"), "file");
	EXPECT_EQ(target("b"), "other");
	EXPECT_EQ(target("c"), "target");
}

TEST_F(LinkedLinks, AnEmptyTargetThatNeverComesIsMadeAndSaid)
{
	EXPECT_EQ(unpack(Archive()
				 .add(link("a", ""))
				 .add(link("b", ""))
				 .trailer()
				 .add(link("c", "target", 2))
				 .add(link("d", "", 1))
				 .trailer()),
		  "");
	EXPECT_EQ(host::tree(), "a b c d");
	EXPECT_EQ(target("a") + target("d"), "");
	EXPECT_EQ(report.entries, 4u);
	EXPECT_EQ(host::log_lines().size(), 1u);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 3 symbolic links have an empty target, b the first: "))
		<< host::whole_log();
}

TEST_F(LinkedLinks, ManyOfThemAreMendedInTime)
{
	Archive archive;

	for (int i = 0; i < 5000; i++)
		archive.add(link("a" + std::to_string(i), "", 10001));
	for (int i = 0; i < 5000; i++)
		archive.add(link("b" + std::to_string(i), "t" + std::to_string(i), 10001));
	EXPECT_EQ(unpack(archive.trailer()), "");
	for (int i = 0; i < 5000; i++) {
		ASSERT_EQ(target("a" + std::to_string(i)), "t0");
		ASSERT_EQ(target("b" + std::to_string(i)), "t" + std::to_string(i));
	}
}

TEST_F(LinkedLinks, EveryFailingAllocationIsAnErrorOrIsPassedOver)
{
	const Archive archive = Archive()
					.add(link("a", ""))
					.add(link("b", ""))
					.add(link("c", "target"))
					.add(name("d", "1"))
					.add(name("e", "1"))
					.add(name("f", "2"));

	ASSERT_EQ(unpack(archive), "");
	const uint64_t all = host::allocations();

	for (uint64_t n = 1; n <= all; n++) {
		host::reset();
		host::fail_allocation(n);
		unpack(archive);
		EXPECT_EQ(host::live(), host::Live()) << n;
	}
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

TEST_F(HardLinks, DataForAFileThatIsWrittenToLeavesMemoryToOthers)
{
	const std::string large(size_t{12} << 20, 'x');

	host::set_files_are_pages(false);
	host::set_memory_limit(u64{40} << 20);
	EXPECT_EQ(unpack(Archive().add(name("a")).add(name("b", large)).trailer()), "");
	host::reset();
	host::set_files_are_pages(false);
	host::set_memory_limit(u64{8} << 20);
	EXPECT_EQ(unpack(Archive().add(name("a")).add(name("b", large)).trailer()), "write error");
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
