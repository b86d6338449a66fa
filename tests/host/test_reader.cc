// SPDX-License-Identifier: GPL-2.0
// cpio/Reader: entries as they are meant, whatever chunks they come in.

#include "archive.h"
#include "recorder.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Chunking;
using host::Data;
using host::Recorder;

class Reader : public host::World, public testing::WithParamInterface<Chunking> {
protected:
	// Reads all of it; the error's reason, "" when there was none.
	std::string read(const Data &archive, cpio::Hex hex = cpio::Hex::kLenient)
	{
		return host::read_chunks(got, host::cut(archive, GetParam()), hex);
	}

	Recorder got;
};

INSTANTIATE_TEST_SUITE_P(Chunks, Reader, testing::ValuesIn(host::kChunkings),
			 [](const auto &info) { return info.param.name; });

TEST_P(Reader, GivesEveryFieldOfAHeader)
{
	EXPECT_EQ(read(Archive()
			       .add({.name = "dev/node",
				     .mode = 0060640,
				     .mtime = 0xf0000001,
				     .ino = 0x1234,
				     .nlink = 3,
				     .uid = 1000,
				     .gid = 0xfffffffe,
				     .rdev_major = 8,
				     .rdev_minor = 0x12345,
				     .dev_major = 259,
				     .dev_minor = 7})
			       .data()),
		  "");
	ASSERT_EQ(got.entries.size(), 1u);
	const cpio::Entry &entry = got.entries[0].header;

	EXPECT_EQ(got.entries[0].name, "dev/node");
	EXPECT_EQ(entry.type(), cpio::kBlock);
	EXPECT_EQ(entry.mode, 0060640u);
	EXPECT_EQ(entry.mtime, 0xf0000001);
	EXPECT_EQ(entry.ino, 0x1234u);
	EXPECT_EQ(entry.nlink, 3u);
	EXPECT_EQ(entry.uid, 1000u);
	EXPECT_EQ(entry.gid, 0xfffffffe);
	EXPECT_EQ(entry.rdev_major, 8u);
	EXPECT_EQ(entry.rdev_minor, 0x12345u);
	EXPECT_EQ(entry.dev_major, 259u);
	EXPECT_EQ(entry.dev_minor, 7u);
	EXPECT_FALSE(entry.has_checksum);
}

TEST_P(Reader, PassesDataOnByteForByte)
{
	const Data content = host::sample(10007);
	const std::string text(content.begin(), content.end());

	EXPECT_EQ(read(Archive().file("a", text).file("b", "").file("c", "x").trailer().data()),
		  "");
	ASSERT_EQ(got.entries.size(), 3u);
	EXPECT_EQ(got.entries[0].data, text);
	EXPECT_EQ(got.entries[1].data, "");
	EXPECT_EQ(got.entries[2].data, "x");
	for (const auto &entry : got.entries)
		EXPECT_TRUE(entry.finished) << entry.name;
	EXPECT_EQ(got.trailers, 1u);
}

TEST_P(Reader, AcceptsEveryLengthOfNameAndData)
{
	Archive archive;

	for (size_t n = 1; n <= 9; n++)
		archive.file(std::string(n, 'n'), std::string(n, 'd'));
	EXPECT_EQ(read(archive.trailer().data()), "");
	ASSERT_EQ(got.entries.size(), 9u);
	for (size_t n = 1; n <= 9; n++) {
		EXPECT_EQ(got.entries[n - 1].name, std::string(n, 'n'));
		EXPECT_EQ(got.entries[n - 1].data, std::string(n, 'd'));
	}
}

TEST_P(Reader, GivesTheTargetsOfSymbolicLinks)
{
	const std::string longest(4095, 't');

	EXPECT_EQ(read(Archive()
			       .symlink("lib", "usr/lib")
			       .symlink("empty", "")
			       .symlink("long", longest)
			       .trailer()
			       .data()),
		  "");
	ASSERT_EQ(got.entries.size(), 3u);
	EXPECT_EQ(got.entries[0].target, "usr/lib");
	EXPECT_EQ(got.entries[1].target, "");
	EXPECT_EQ(got.entries[2].target, longest);
	EXPECT_FALSE(got.entries[0].finished);
}

TEST_P(Reader, ATargetMayEndInANulOfItsOwn)
{
	EXPECT_EQ(read(Archive().symlink("lib", std::string("usr/lib\0", 8)).data()), "");
	EXPECT_EQ(got.entries.at(0).target, "usr/lib");
}

TEST_P(Reader, ChecksSumsOf070702)
{
	EXPECT_EQ(read(Archive().add({.name = "a", .data = "\xff\x01 sum", .crc = true}).data()),
		  "");
	EXPECT_TRUE(got.entries.at(0).header.has_checksum);
	EXPECT_TRUE(got.entries.at(0).finished);
}

TEST_P(Reader, RefusesAWrongSum)
{
	EXPECT_EQ(read(Archive()
			       .file("good", "1")
			       .add({.name = "bad", .data = "2", .crc = true, .checksum = 99})
			       .file("later", "3")
			       .data()),
		  "bad data checksum");
	ASSERT_EQ(got.entries.size(), 2u);
	EXPECT_TRUE(got.entries[0].finished);
	EXPECT_FALSE(got.entries[1].finished);
	EXPECT_TRUE(got.entries[1].abandoned);
}

TEST_P(Reader, IgnoresTheSumOf070701)
{
	Archive archive;

	archive.file("a", "data").patch(host::field_at(12), "00000bad");
	EXPECT_EQ(read(archive.data()), "");
	EXPECT_TRUE(got.entries.at(0).finished);
}

TEST_P(Reader, SkipsDataThatTheHandlerDoesNotWant)
{
	got.unwanted = "skip";
	EXPECT_EQ(read(Archive().file("skip", "12345").file("take", "6").trailer().data()), "");
	ASSERT_EQ(got.entries.size(), 2u);
	EXPECT_EQ(got.entries[0].data, "");
	EXPECT_FALSE(got.entries[0].finished);
	EXPECT_EQ(got.entries[1].data, "6");
}

TEST_P(Reader, GoesOnBehindATrailerAndNuls)
{
	Archive archive;

	archive.file("a", "1").trailer().pad(512).file("b", "2").trailer().pad(1024);
	EXPECT_EQ(read(archive.data()), "");
	EXPECT_EQ(got.entries.size(), 2u);
	EXPECT_EQ(got.trailers, 2u);
}

TEST_P(Reader, ReadsNamesThatArePaddedWithNuls)
{
	EXPECT_EQ(read(Archive()
			       .add({.name = "padded", .data = "x", .pad_name = 120})
			       .file("next", "y")
			       .data()),
		  "");
	ASSERT_EQ(got.entries.size(), 2u);
	EXPECT_EQ(got.entries[0].name, "padded");
	EXPECT_EQ(got.entries[0].data, "x");
	EXPECT_EQ(got.entries[1].name, "next");
}

TEST_P(Reader, TakesNamesUpToPathMaxAndSkipsLongerOnes)
{
	const std::string longest(4095, 'p');

	EXPECT_EQ(read(Archive()
			       .file(longest, "1")
			       .file(longest + "q", "too long")
			       .add({.name = "padded", .data = "2", .pad_name = 4089})
			       .add({.name = "padded too much", .data = "3", .pad_name = 4081})
			       .file("last", "4")
			       .data()),
		  "");
	ASSERT_EQ(got.entries.size(), 3u);
	EXPECT_EQ(got.entries[0].name, longest);
	EXPECT_EQ(got.entries[1].name, "padded");
	EXPECT_EQ(got.entries[2].name, "last");
	EXPECT_EQ(host::whole_log(), "");
}

TEST_P(Reader, SkipsWhatNoNodeCanBe)
{
	EXPECT_EQ(read(Archive()
			       .add({.name = "folder", .mode = host::kFolderMode, .data = "data"})
			       .add({.name = "fifo", .mode = 0010600, .data = "1"})
			       .symlink("long", std::string(4097, 't'))
			       .add({.name = "", .name_without_nul = true})
			       .file("last", "5")
			       .data()),
		  "");
	ASSERT_EQ(got.entries.size(), 1u);
	EXPECT_EQ(got.entries[0].name, "last");
	EXPECT_EQ(host::whole_log(), "");
}

TEST_P(Reader, LinkTargetsOfExactlyPathMaxAreTaken)
{
	const std::string target(4096, 't');

	EXPECT_EQ(read(Archive().symlink("l", target).file("next", "1").data()), "");
	ASSERT_EQ(got.entries.size(), 2u);
	EXPECT_EQ(got.entries[0].target, target);
}

TEST_P(Reader, CountsHeadersAndBytes)
{
	const Data archive = Archive().file("a", "1").folder("b").trailer().data();

	EXPECT_EQ(read(archive), "");
	EXPECT_EQ(got.headers, 3u);
	EXPECT_EQ(got.offset, archive.size());
}

TEST_P(Reader, PassesOverPaddingThatIsMissingAtTheEnd)
{
	Data archive = Archive().file("a", "12345").data();

	archive.resize(archive.size() - 3);
	EXPECT_EQ(read(archive), "");
	EXPECT_EQ(got.entries.at(0).data, "12345");
	EXPECT_TRUE(got.entries.at(0).finished);
}

TEST_P(Reader, ModesBeyondSixteenBitsAreCut)
{
	Archive archive;

	archive.file("a", "").patch(host::field_at(1), "abcd81a4");
	EXPECT_EQ(read(archive.data()), "");
	EXPECT_EQ(got.entries.at(0).header.mode, 0100644u);
}

TEST_P(Reader, LargeSizesDoNotWrap)
{
	Archive archive;

	archive.file("a", "data").patch(host::field_at(6), "ffffffff");
	EXPECT_EQ(read(archive.data()), "truncated archive");
	EXPECT_EQ(got.entries.at(0).header.size, 0xffffffffu);
	EXPECT_TRUE(got.entries.at(0).abandoned);
}

TEST_P(Reader, LargeNamesDoNotWrap)
{
	Archive archive;

	archive.file("a", "data").patch(host::field_at(11), "ffffffff");
	EXPECT_EQ(read(archive.data()), "truncated archive");
	EXPECT_TRUE(got.entries.empty());
}

} // namespace
