// SPDX-License-Identifier: GPL-2.0
// rootfs/Writer: nodes of every type, what is in their way, owners and times.

#include "archive.h"
#include "fixture.h"
#include "initrd/rootfs/unpack.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Node;

class Writer : public host::World {
protected:
	// Unpacks; the error's reason, "" when there was none.
	std::string unpack(const Archive &archive)
	{
		const host::Exact image(archive.data());
		auto result = rootfs::unpack(image.bytes(), report);

		if (!result)
			tell(report.trouble);
		return result ? "" : result.error().reason;
	}

	const Node &at(const std::string &path)
	{
		static const Node nothing;
		const Node *const node = host::node_at(path);

		EXPECT_NE(node, nullptr) << path;
		return node ? *node : nothing;
	}

	rootfs::Unpacked report;
};

TEST_F(Writer, MakesEveryTypeOfNode)
{
	EXPECT_EQ(unpack(Archive()
				 .add({.name = "dir",
				       .mode = 0041777,
				       .mtime = 11,
				       .uid = 1,
				       .gid = 2})
				 .add({.name = "dir/file",
				       .mode = 0104755,
				       .data = "text",
				       .mtime = 12,
				       .uid = 3,
				       .gid = 4})
				 .add({.name = "link",
				       .mode = 0120777,
				       .data = "dir/file",
				       .mtime = 13,
				       .uid = 5,
				       .gid = 6})
				 .add({.name = "sda",
				       .mode = 0060660,
				       .mtime = 14,
				       .gid = 7,
				       .rdev_major = 8,
				       .rdev_minor = 300})
				 .add({.name = "tty",
				       .mode = 0020622,
				       .rdev_major = 4,
				       .rdev_minor = 1})
				 .add({.name = "pipe", .mode = 0010666})
				 .add({.name = "socket", .mode = 0140777})
				 .trailer()),
		  "");
	EXPECT_EQ(host::tree(), "dir dir/file link pipe sda socket tty");

	EXPECT_EQ(at("dir").mode, 0041777u);
	EXPECT_EQ(at("dir").uid, 1u);
	EXPECT_EQ(at("dir").gid, 2u);
	EXPECT_EQ(at("dir").mtime, 11);
	EXPECT_EQ(at("dir/file").mode, 0104755u);
	EXPECT_EQ(at("dir/file").text(), "text");
	EXPECT_EQ(at("dir/file").uid, 3u);
	EXPECT_EQ(at("dir/file").gid, 4u);
	EXPECT_EQ(at("dir/file").mtime, 12);
	EXPECT_EQ(at("link").target, "dir/file");
	EXPECT_EQ(at("link").uid, 5u);
	EXPECT_EQ(at("link").gid, 6u);
	EXPECT_EQ(at("link").mtime, 13);
	EXPECT_EQ(at("sda").mode, 0060660u);
	EXPECT_EQ(at("sda").major, 8u);
	EXPECT_EQ(at("sda").minor, 300u);
	EXPECT_EQ(at("sda").mtime, 14);
	EXPECT_EQ(at("sda").gid, 7u);
	EXPECT_EQ(at("tty").mode, 0020622u);
	EXPECT_EQ(at("pipe").mode, 0010666u);
	EXPECT_EQ(at("socket").mode, 0140777u);
	EXPECT_EQ(report.entries, 7u);
	EXPECT_EQ(report.bytes, 4u);
	EXPECT_EQ(report.headers, 8u);
}

TEST_F(Writer, LinksDoNotPassTheirOwnerOrTimeOn)
{
	host::plant("file", 0100600)->uid = 50;
	EXPECT_EQ(unpack(Archive().add(
			  {.name = "link", .mode = 0120777, .data = "file", .mtime = 9, .uid = 1})),
		  "");
	EXPECT_EQ(at("file").uid, 50u);
	EXPECT_EQ(at("file").mtime, host::kNow);
	EXPECT_EQ(at("file").permissions(), 0600u);
}

TEST_F(Writer, DirectoriesGetTheirTimesLast)
{
	EXPECT_EQ(unpack(Archive()
				 .add({.name = "a", .mode = host::kFolderMode, .mtime = 100})
				 .add({.name = "a/b", .mode = host::kFolderMode, .mtime = 200})
				 .file("a/b/c", "x")
				 .file("a/d", "y")
				 .trailer()
				 .add({.name = "a/e", .mode = 0010600})),
		  "");
	EXPECT_EQ(at("a").mtime, 100);
	EXPECT_EQ(at("a/b").mtime, 200);
}

TEST_F(Writer, DirectoriesGetTheirTimesAfterAFailureToo)
{
	EXPECT_EQ(unpack(Archive()
				 .add({.name = "a", .mode = host::kFolderMode, .mtime = 100})
				 .file("a/b", "x")
				 .raw(host::to_data("070709"))
				 .pad(512)),
		  "no cpio magic");
	EXPECT_EQ(at("a").mtime, 100);
}

TEST_F(Writer, TimesBehind2038AreKept)
{
	EXPECT_EQ(unpack(Archive().add({.name = "a", .data = "x", .mtime = 0xffffffff})), "");
	EXPECT_EQ(at("a").mtime, 0xffffffffll);
}

TEST_F(Writer, AnExistingFolderStaysWithItsContents)
{
	host::plant("etc/passwd", 0100644, "root");
	EXPECT_EQ(unpack(Archive().add({.name = "etc", .mode = 0040700, .uid = 9})), "");
	EXPECT_EQ(at("etc/passwd").text(), "root");
	EXPECT_EQ(at("etc").permissions(), 0700u);
	EXPECT_EQ(at("etc").uid, 9u);
}

TEST_F(Writer, AnExistingFileIsReplacedInPlace)
{
	host::plant("file", 0100755, "what was longer before");
	EXPECT_EQ(unpack(Archive().add({.name = "file", .mode = 0100600, .data = "new"})), "");
	EXPECT_EQ(at("file").text(), "new");
	EXPECT_EQ(at("file").permissions(), 0600u);
}

TEST_F(Writer, NodesOfOtherTypesGiveWay)
{
	const u32 types[] = {0010600, 0020600, 0040700, 0060600, 0100600, 0120777, 0140700};

	for (const u32 before : types) {
		for (const u32 after : types) {
			SCOPED_TRACE(testing::Message() << std::oct << before << " " << after);
			host::reset_files();
			host::plant("node", before, "old");
			EXPECT_EQ(unpack(Archive().add(
					  {.name = "node",
					   .mode = after,
					   .data = (after >> 12) == 012 ? "target" : ""})),
				  "");
			EXPECT_EQ(at("node").mode, after);
			EXPECT_EQ(at("node").target, (after >> 12) == 012 ? "target" : "");
			EXPECT_EQ(host::tree(), "node");
		}
	}
}

TEST_F(Writer, AFileReplacesALinkAndNotItsTarget)
{
	host::plant("target", 0100600, "precious");
	host::plant("name", 0120777, "target");
	EXPECT_EQ(unpack(Archive().file("name", "new")), "");
	EXPECT_EQ(at("target").text(), "precious");
	EXPECT_EQ(at("name").text(), "new");
	EXPECT_EQ(at("name").type(), 0100000u);
}

TEST_F(Writer, AFolderThatIsNotEmptyStaysInTheWay)
{
	host::plant("name/inside", 0100600, "kept");
	EXPECT_EQ(unpack(Archive().file("name", "new").file("next", "1")), "");
	EXPECT_EQ(at("name/inside").text(), "kept");
	EXPECT_EQ(at("next").text(), "1");
}

TEST_F(Writer, EntriesInMissingFoldersArePassedOver)
{
	EXPECT_EQ(unpack(Archive()
				 .file("missing/file", "1")
				 .folder("missing/folder")
				 .symlink("missing/link", "x")
				 .add({.name = "missing/node", .mode = 0020600})
				 .file("there", "2")),
		  "");
	EXPECT_EQ(host::tree(), "there");
}

TEST_F(Writer, AFolderIsLookedUpAgainWhenTheLinkToItHasGone)
{
	EXPECT_EQ(unpack(Archive()
				 .add({.name = "x", .mode = host::kLinkMode, .data = "."})
				 .file("x/f", "1")
				 .file("x/x", "2")
				 .file("x/g", "3")),
		  "");
	EXPECT_EQ(at("f").text(), "1");
	EXPECT_EQ(at("x").text(), "2");
	EXPECT_EQ(host::node_at("g"), nullptr);
}

TEST_F(Writer, AnEmptyNameIsNoFolder)
{
	EXPECT_EQ(unpack(Archive()
				 .folder("a")
				 .file("a/x", "1")
				 .symlink("a/x", "y")
				 .add({.name = "", .mode = 0040700, .uid = 77})
				 .file("a/z", "2")),
		  "");
	EXPECT_EQ(at("a").uid, 0u);
	EXPECT_EQ(at("a").permissions(), 0755u);
	EXPECT_EQ(at("a/z").text(), "2");
}

TEST_F(Writer, ALinksTargetIsShorterThanAPath)
{
	Archive archive;

	archive.add({.name = "long", .mode = host::kLinkMode, .data = std::string(4095, 'a')});
	archive.add({.name = "longer", .mode = host::kLinkMode, .data = std::string(4096, 'a')});
	EXPECT_EQ(unpack(archive), "");
	EXPECT_EQ(at("long").target.size(), 4095u);
	EXPECT_EQ(host::node_at("longer"), nullptr);
}

TEST_F(Writer, PathsGoThroughLinksInTheirMiddle)
{
	EXPECT_EQ(unpack(Archive()
				 .folder("usr")
				 .folder("usr/lib")
				 .symlink("lib", "usr/lib")
				 .file("lib/ld.so", "elf")
				 .file("./usr/../usr/lib/second", "2")
				 .file("/absolute", "3")),
		  "");
	EXPECT_EQ(host::tree(), "absolute lib usr usr/lib usr/lib/ld.so usr/lib/second");
}

TEST_F(Writer, TheSameNameTwiceHasTheLaterContent)
{
	EXPECT_EQ(unpack(Archive().file("a", "first, longer").file("a", "second")), "");
	EXPECT_EQ(at("a").text(), "second");
}

TEST_F(Writer, UnknownTypesAreSkipped)
{
	EXPECT_EQ(unpack(Archive().add({.name = "odd", .mode = 0170644}).file("next", "1")), "");
	EXPECT_EQ(host::tree(), "next");
}

TEST_F(Writer, AFullFileSystemIsAWriteErrorThatNamesTheFile)
{
	host::set_room(6);
	host::set_files_are_pages(false); // so that every byte counts
	EXPECT_EQ(unpack(Archive().file("fits", "1234").file("does/not", "").file("big", "5678")),
		  "write error");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: no space: write error at offset 356, in big"
					       " (removed): 4 bytes needed, 2 free, 1 entries"
					       " unpacked"))
		<< host::whole_log();
	EXPECT_EQ(at("fits").text(), "1234");
	EXPECT_EQ(host::node_at("big"), nullptr);
	EXPECT_EQ(report.bytes, 4u);
}

TEST_F(Writer, ADamagedFileIsRemovedOnce)
{
	EXPECT_EQ(
		unpack(Archive()
			       .file("kept", "1")
			       .add({.name = "damaged", .data = "2", .crc = true, .checksum = 77})),
		"bad data checksum");
	EXPECT_EQ(host::tree(), "kept");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: bad data checksum at offset 120, in damaged"
					       " (removed): 1 entries unpacked"))
		<< host::whole_log();
	EXPECT_EQ(host::log_lines().size(), 1u);
}

TEST_F(Writer, ACutOffFileIsRemovedOnce)
{
	Archive archive;
	host::Data data = archive.file("kept", "1").file("cut", std::string(100, 'x')).data();

	data.resize(data.size() - 50);
	EXPECT_EQ(unpack(Archive().raw(data)), "truncated archive");
	EXPECT_EQ(host::tree(), "kept");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: truncated archive at offset 286, in cut"
					       " (removed): 100 bytes expected, 50 there,"
					       " 1 entries unpacked"))
		<< host::whole_log();
	EXPECT_EQ(host::log_lines().size(), 1u);
}

TEST_F(Writer, WithHardlyAnyMemoryThereAreNoMoreFiles)
{
	Archive many;

	for (int i = 0; i < 100; i++)
		many.file(std::to_string(i), "");
	host::set_memory_for_objects(u64{1} << 20);
	EXPECT_EQ(unpack(many), "");
	host::set_memory_for_objects((u64{1} << 20) - 1);
	EXPECT_EQ(unpack(Archive().file("one", "")), "out of memory for more files");
	EXPECT_EQ(host::node_at("one"), nullptr);
}

TEST_F(Writer, WithHardlyAnyMemoryAFileIsGivenUp)
{
	const auto with = [this](size_t size) {
		return unpack(Archive().file("large", std::string(size, 'x')));
	};

	host::set_memory_limit(u64{2} << 20);
	EXPECT_EQ(with(u64{3} << 19), "write error");
	EXPECT_EQ(host::node_at("large"), nullptr);
	EXPECT_TRUE(
		host::logged(SEAM_LOG_ERR, "initrd: no space: write error at offset 116, in large"))
		<< host::whole_log();
	EXPECT_EQ(with(u64{15} << 16), "");
	host::set_files_are_pages(false);
	EXPECT_EQ(with(u64{3} << 19), "write error");
}

TEST_F(Writer, WithoutALimitTheFreeRoomIsTheMemorys)
{
	host::set_memory_available(123456);
	host::fail_file_creation(ENOSPC);
	EXPECT_EQ(unpack(Archive().file("first", "1234").file("second", "5")), "");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: archive: no space: a file could not be"
					       " made, in first: 4 bytes needed, 123456 free"))
		<< host::whole_log();
	EXPECT_EQ(host::times_logged("initrd: archive: no space: "), 1u);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 2 entries not made: 0 whose folder is not there, 2 for "
				 "want of room: first, 0 refused by the file system"));
	EXPECT_EQ(report.entries, 0u);
}

TEST_F(Writer, EntriesThatAreNotMadeAreCountedAndTold)
{
	host::plant("folder/full", 0100644);
	EXPECT_EQ(unpack(Archive()
				 .file("missing/file", "1234")
				 .folder("missing/folder")
				 .symlink("missing/link", "x")
				 .add({.name = "missing/node", .mode = 0020600})
				 .file("folder/full/file", "")
				 .file("folder", "1")
				 .add({.name = "odd", .mode = 0170644})
				 .file("next", "1")
				 .trailer()),
		  "");
	EXPECT_EQ(report.entries, 1u);
	EXPECT_EQ(host::log_lines().size(), 1u);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 7 entries not made: 5 whose folder is not there: "
				 "missing/file, 0 for want of room, 2 refused by the file system: "
				 "folder (error 39)"))
		<< host::whole_log();
}

TEST_F(Writer, WithoutMemoryForAFolderTheErrorIsTold)
{
	const Archive archive = Archive().folder("a").file("a/b", "1");

	ASSERT_EQ(unpack(archive), "");
	const uint64_t all = host::allocations();

	for (uint64_t n = 1; n <= all; n++) {
		SCOPED_TRACE(n);
		host::reset();
		host::fail_allocation(n);
		const std::string reason = unpack(archive);

		// A file that cannot be opened is passed over.
		EXPECT_TRUE(reason == "out of memory" || !host::node_at("a/b")) << reason;
		EXPECT_EQ(host::live(), host::Live());
	}
}

// What is in the way has gone when the name cannot be looked up any more.
TEST_F(Writer, WithoutMemoryForANameTheEntryIsTold)
{
	for (const u32 mode : {0100644, 0040755, 0020600, 0120777}) {
		uint64_t all = 0;

		for (uint64_t n = 0; n <= all; n++) {
			SCOPED_TRACE(testing::Message() << std::oct << mode << " " << n);
			host::reset();
			host::plant("node", 0010600);
			host::fail_allocation(n);
			const std::string reason =
				unpack(Archive().add({.name = "node",
						      .mode = mode,
						      .data = mode == 0120777 ? "t" : ""}));

			all = n ? all : host::allocations();
			EXPECT_TRUE(reason != "" || host::logged("initrd: 1 entries not made: ") ||
				    (host::node_at("node") && at("node").mode == mode))
				<< host::whole_log();
		}
	}
}

TEST_F(Writer, WhatAFileHasTakenIsRoomForItToo)
{
	const u64 limit = u64{4} << 20;

	host::set_memory_limit(limit);
	EXPECT_EQ(unpack(Archive().file("large", std::string(size_t{5} << 20, 'x'))),
		  "write error");
	const std::string log = host::whole_log();
	const size_t at = log.find("bytes needed, ");

	ASSERT_NE(at, std::string::npos) << log;
	EXPECT_GE(std::stoull(log.substr(at + 14)) + (u64{1} << 17), limit) << log;
}

TEST_F(Writer, ASlashBehindANameMeansAFolder)
{
	EXPECT_EQ(unpack(Archive()
				 .add({.name = "made/", .mode = 0040700})
				 .folder("folder")
				 .symlink("link", "folder")
				 .add({.name = "link/", .mode = 0040711, .uid = 7})
				 .file("file", "1")
				 .add({.name = "file/", .mode = 0040755})
				 .file("none/", "2")
				 .file("link/inside", "3")
				 .symlink("none//", "x")),
		  "");
	EXPECT_EQ(host::tree(), "file folder folder/inside link made");
	EXPECT_EQ(at("made").permissions(), 0700u);
	EXPECT_EQ(at("folder").permissions(), 0711u);
	EXPECT_EQ(at("folder").uid, 7u);
	EXPECT_EQ(at("link").target, "folder");
	EXPECT_EQ(at("file").text(), "1");
}

TEST_F(Writer, NamesOfTheRootItselfSetWhatItHas)
{
	for (const std::string name : {".", "/", "./", "//", "..", "a/.."}) {
		host::reset();
		EXPECT_EQ(unpack(Archive().folder("a").add(
				  {.name = name, .mode = 0040711, .mtime = 77, .uid = 5})),
			  "");
		EXPECT_EQ(host::tree(), "a") << name;
		EXPECT_EQ(at("/").permissions(), 0711u) << name;
		EXPECT_EQ(at("/").uid, 5u) << name;
		EXPECT_EQ(at("/").mtime, 77) << name;
		// What is no folder cannot take its place.
		EXPECT_EQ(unpack(Archive().file(name, "x").symlink(name, "y").add(
				  {.name = name, .mode = 0020600, .nlink = 2})),
			  "");
		EXPECT_EQ(host::tree(), "a") << name;
	}
}

TEST_F(Writer, TheFolderIsFoundAnewWhenAnotherTakesItsPlace)
{
	EXPECT_EQ(unpack(Archive()
				 .folder("one")
				 .folder("two")
				 .symlink("to", "one")
				 .file("to/a", "1")
				 .symlink("to", "two")
				 .file("to/a", "2")
				 .file("one/a", "3")),
		  "");
	EXPECT_EQ(host::tree(), "one one/a to two two/a");
	EXPECT_EQ(at("one/a").text(), "3");
	EXPECT_EQ(at("two/a").text(), "2");
}

} // namespace
