// SPDX-License-Identifier: GPL-2.0
// formats/cpio_reader: entries as they are meant, whatever chunks they come in.

#include "archive.h"
#include "recorder.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Chunking;
using host::Data;
using host::Recorder;
using host::operator+;

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

// Archives that were put one behind the other without regard to the multiple of 4.
class ReaderAtOddOffsets : public Reader {
protected:
	// Each counts its padding from its own start.
	static Data one(size_t number)
	{
		const std::string n = std::to_string(number);

		return Archive()
			.folder("d" + n)
			.file("d" + n + "/f", std::string(number, 'x'))
			.symlink("l" + n, "target" + n)
			.trailer()
			.data();
	}
};

INSTANTIATE_TEST_SUITE_P(Chunks, ReaderAtOddOffsets, testing::ValuesIn(host::kChunkings),
			 [](const auto &info) { return info.param.name; });

TEST_P(ReaderAtOddOffsets, AHeaderIsTakenAndTold)
{
	for (size_t odd = 0; odd < 8; odd++) {
		SCOPED_TRACE(odd);
		const Data first = one(1);

		host::reset();
		got = Recorder();
		EXPECT_EQ(read(first + Data(odd) + one(2)), "");
		ASSERT_EQ(got.entries.size(), 6u);
		EXPECT_EQ(got.trailers, 2u);
		EXPECT_EQ(got.entries[4].name, "d2/f");
		EXPECT_EQ(got.entries[4].data, "xx");
		EXPECT_EQ(got.entries[5].target, "target2");
		if (odd % 4)
			EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
						 "initrd: cpio archive at offset " +
							 std::to_string(first.size() + odd) +
							 ", which is no multiple of 4: taken"))
				<< host::whole_log();
		EXPECT_EQ(host::log_lines().size(), odd % 4 ? 1u : 0u);
	}
}

TEST_P(ReaderAtOddOffsets, EachArchiveIsToldOnce)
{
	EXPECT_EQ(read(one(1) + Data(1) + one(2) + Data(1) + one(3) + Data(2) + one(4)), "");
	EXPECT_EQ(got.entries.size(), 12u);
	EXPECT_EQ(host::times_logged("initrd: cpio archive at offset "), 2u);
}

TEST_P(ReaderAtOddOffsets, HundredsOfThemAreNotAllTold)
{
	Data all;

	for (size_t i = 0; i < 200; i++)
		all = all + Archive().folder("d" + std::to_string(i)).data() + Data(1);
	EXPECT_EQ(read(all), "");
	EXPECT_EQ(got.entries.size(), 200u);
	EXPECT_EQ(host::times_logged("initrd: cpio archive at offset "), 8u);
}

TEST_P(ReaderAtOddOffsets, PaddingMayBeMissingBehindATrailer)
{
	for (size_t missing = 1; missing <= 3; missing++) {
		SCOPED_TRACE(missing);
		Data first = one(1);

		first.resize(first.size() - missing);
		host::reset();
		got = Recorder();
		EXPECT_EQ(read(first + one(2)), "");
		ASSERT_EQ(got.entries.size(), 6u);
		EXPECT_EQ(got.entries[4].data, "xx");
		EXPECT_TRUE(host::logged("initrd: cpio archive at offset " +
					 std::to_string(first.size()) + ", "))
			<< host::whole_log();
	}
}

TEST_P(ReaderAtOddOffsets, OtherBytesInATrailersPaddingAreNoHeader)
{
	for (const char *padding : {"xyz", "07x", "x70"}) {
		Archive archive;

		got = Recorder();
		archive.file("a", "1").trailer();
		archive.patch(archive.size() - 3, padding).file("b", "2");
		EXPECT_EQ(read(archive.data()), "");
		EXPECT_EQ(got.entries.size(), 2u) << padding;
	}
	EXPECT_EQ(host::whole_log(), "");
}

class ReaderTrailers : public Reader {};

INSTANTIATE_TEST_SUITE_P(Chunks, ReaderTrailers, testing::ValuesIn(host::kChunkings),
			 [](const auto &info) { return info.param.name; });

TEST_P(ReaderTrailers, AnArchiveWithOneIsWhole)
{
	EXPECT_EQ(read(Archive().file("a", "1").trailer().pad(512).data()), "");
	EXPECT_EQ(got.untrailed.count, 0u);
	EXPECT_EQ(read(Data(100)), "");
	EXPECT_EQ(got.untrailed.count, 0u);
}

TEST_P(ReaderTrailers, OneThatIsMissingIsNoticed)
{
	const Data archive = Archive().file("a", "1").file("b/\n", "12345").data();

	EXPECT_EQ(read(archive), "");
	EXPECT_EQ(got.untrailed.count, 1u);
	EXPECT_EQ(got.untrailed_entry, "b/?");
	EXPECT_EQ(got.untrailed.offset, archive.size());
	EXPECT_EQ(got.untrailed.nuls, 0u);
	EXPECT_FALSE(got.untrailed.data_ends_in_nul);
	EXPECT_EQ(read(archive + Data(77)), "");
	EXPECT_EQ(got.untrailed.offset, archive.size());
	EXPECT_EQ(got.untrailed.nuls, 77u);
}

TEST_P(ReaderTrailers, OneThatIsMissingBehindMissingPaddingIsNoticedToo)
{
	Data archive = Archive().file("a", "1").file("b", "12345").data();

	archive.resize(archive.size() - 3);
	EXPECT_EQ(read(archive), "");
	EXPECT_EQ(got.untrailed_entry, "b");
	archive = Archive().file("a", "1").file("longer", "").data();
	archive.resize(archive.size() - 3);
	EXPECT_EQ(read(archive), "");
	EXPECT_EQ(got.untrailed_entry, "longer");
}

TEST_P(ReaderTrailers, ACutArchiveThatWasFilledUpEndsInAFileOfNuls)
{
	Data archive = Archive()
			       .file("a", "1")
			       .file("b", std::string(1000, 'x'))
			       .file("c", std::string(1000, 'x'))
			       .trailer()
			       .data();
	const size_t end = archive.size();

	for (const size_t cut : {size_t{400}, size_t{1239}}) {
		archive.resize(cut);
		archive.resize(end);
		got = Recorder();
		EXPECT_EQ(read(archive), "");
		EXPECT_EQ(got.untrailed.count, 1u);
		EXPECT_EQ(got.untrailed_entry, "b");
		EXPECT_TRUE(got.untrailed.data_ends_in_nul);
		EXPECT_GT(got.untrailed.nuls, 1000u);
	}
}

TEST_P(ReaderTrailers, NulsBetweenEntriesEndAnArchive)
{
	const Data first = Archive().file("a", "1").data();

	EXPECT_EQ(read(first + Data(8) + Archive().file("b", "2").file("c", "3").data()), "");
	EXPECT_EQ(got.untrailed.count, 2u);
	EXPECT_EQ(got.untrailed_entry, "a");
	EXPECT_EQ(got.untrailed.offset, first.size());
	EXPECT_EQ(got.untrailed.nuls, 8u);
	EXPECT_EQ(read(first + Archive().file("b", "2").trailer().data()), "");
	EXPECT_EQ(got.untrailed.count, 0u);
	EXPECT_EQ(read(Archive().trailer().file("b", "2").data()), "");
	EXPECT_EQ(got.untrailed_entry, "b");
}

TEST_P(ReaderTrailers, AnotherStreamEndsAnArchive)
{
	auto created = cpio::Reader::create(got, cpio::Hex::kLenient);
	cpio::Reader &reader = created.value();
	const Data archive = Archive().folder("a").data();

	ASSERT_TRUE(reader.feed(host::bytes_of(archive)));
	EXPECT_TRUE(reader.in_archive());
	reader.restart_at(1000, "gzip");
	EXPECT_FALSE(reader.in_archive());
	EXPECT_EQ(reader.untrailed().count, 1u);
	EXPECT_EQ(reader.untrailed().compressed, nullptr);
	ASSERT_TRUE(reader.feed(host::bytes_of(Data(1) + archive)));
	EXPECT_TRUE(host::logged(
		"initrd: cpio archive at offset 1001 of the unpacked gzip data, which is no "))
		<< host::whole_log();
	ASSERT_TRUE(reader.end());
	EXPECT_EQ(reader.untrailed().count, 2u);
}

} // namespace
