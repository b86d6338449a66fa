// SPDX-License-Identifier: GPL-2.0
// formats/cpio_reader: what is no archive, damaged or cut off.

#include "archive.h"
#include "recorder.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Chunking;
using host::Data;
using host::Recorder;
using host::operator+;

class ReaderErrors : public host::World, public testing::WithParamInterface<Chunking> {
protected:
	std::string read(const Data &archive, cpio::Hex hex = cpio::Hex::kLenient)
	{
		return host::read_chunks(got, host::cut(archive, GetParam()), hex);
	}

	// One file whose header's field `number` reads `text`.
	static Data with_field(size_t number, const std::string &text)
	{
		return Archive().file("a", "").patch(host::field_at(number), text).data();
	}

	Recorder got;
};

INSTANTIATE_TEST_SUITE_P(Chunks, ReaderErrors, testing::ValuesIn(host::kChunkings),
			 [](const auto &info) { return info.param.name; });

TEST_P(ReaderErrors, ABadMagicNumberIsNamed)
{
	EXPECT_EQ(read(Archive().file("a", "1").file("b", "2").patch(116 + 4, "X").data()),
		  "no cpio magic");
	EXPECT_EQ(got.headers, 1u);
	EXPECT_EQ(got.error_offset, 116u);
}

TEST_P(ReaderErrors, TheOldPortableFormatIsNamed)
{
	EXPECT_EQ(read(Archive().file("a", "1").patch(0, "070707").data()),
		  "incorrect cpio method used: use -H newc option");
	EXPECT_EQ(got.headers, 0u);
	EXPECT_TRUE(got.entries.empty());
}

TEST_P(ReaderErrors, ANameWithoutNulIsMalformed)
{
	EXPECT_EQ(read(Archive()
			       .file("good", "")
			       .add({.name = "no-nul", .name_without_nul = true})
			       .data()),
		  "malformed archive");
	EXPECT_EQ(got.entries.size(), 1u);
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initramfs name without nulterm: no-nul"));
}

TEST_P(ReaderErrors, ANameWithoutNulIsOneLineOfText)
{
	EXPECT_EQ(read(Archive()
			       .add({.name = "a\nb\x1b[2Jc" + std::string(300, 'd'),
				     .name_without_nul = true})
			       .data()),
		  "malformed archive");
	EXPECT_TRUE(
		host::logged("initramfs name without nulterm: a?b?[2Jc" + std::string(183, 'd')))
		<< host::whole_log();
}

TEST_P(ReaderErrors, ASymbolicLinksNameWithoutNulIsMalformed)
{
	EXPECT_EQ(read(Archive()
			       .add({.name = "link",
				     .mode = host::kLinkMode,
				     .data = "target",
				     .name_without_nul = true})
			       .data()),
		  "malformed archive");
	EXPECT_TRUE(host::logged("initramfs symlink without nulterm: link"));
}

TEST_P(ReaderErrors, OtherBytesBetweenEntriesAreLeftToTheCaller)
{
	Archive archive;
	const Data other = host::to_data("\x1f\x8b rest");

	archive.file("a", "1").trailer().raw({0}).raw(other);
	EXPECT_EQ(read(archive.data()), "");
	EXPECT_EQ(got.rest, other);
	EXPECT_EQ(got.entries.size(), 1u);
}

TEST_P(ReaderErrors, LenientFieldsAreReadAsStrtoulDoes)
{
	EXPECT_EQ(read(with_field(0, "0x12ab  ") + with_field(0, "0X0000ff") +
		       with_field(0, "00000g12") + with_field(0, "12zz    ") +
		       with_field(0, "0xzz    ")),
		  "");
	ASSERT_EQ(got.entries.size(), 5u);
	EXPECT_EQ(got.entries[0].header.ino, 0x12abu);
	EXPECT_EQ(got.entries[1].header.ino, 0xffu);
	EXPECT_EQ(got.entries[2].header.ino, 0u);
	EXPECT_EQ(got.entries[3].header.ino, 0x12u);
	EXPECT_EQ(got.entries[4].header.ino, 0u);
}

TEST_P(ReaderErrors, StrictFieldsAreEightHexadecimalDigits)
{
	EXPECT_EQ(read(with_field(0, "abcDEF09"), cpio::Hex::kStrict), "");
	EXPECT_EQ(got.entries.at(0).header.ino, 0xabcdef09u);

	for (const char *text : {"0x12ab00", "0000000g", " 0000001", "+0000001", "-0000001"})
		for (size_t field = 0; field < 13; field++)
			EXPECT_EQ(read(with_field(field, text), cpio::Hex::kStrict),
				  "damaged header")
				<< text << " in field " << field;
}

TEST_P(ReaderErrors, AHandlersErrorEndsTheReading)
{
	got.room = 4;
	EXPECT_EQ(read(Archive().file("a", "1234").file("b", "12345").data()), "write error");
	EXPECT_TRUE(got.entries.at(0).finished);
	EXPECT_FALSE(got.entries.at(1).finished);
}

TEST_P(ReaderErrors, EveryCutIsNoticedUnlessItIsBetweenEntries)
{
	Archive archive;
	std::vector<size_t> ends = {0};

	for (const Data &entry :
	     {Archive().folder("d").data(), Archive().file("d/file", "some content").data(),
	      Archive().symlink("l", "d/file").data(), Archive().file("odd", "12345").data(),
	      Archive().trailer().data()}) {
		archive.raw(entry);
		ends.push_back(archive.size());
	}
	for (size_t size = 0; size <= archive.size(); size++) {
		SCOPED_TRACE(size);
		Data part = archive.data();
		bool whole = false;

		part.resize(size);
		got = Recorder();
		const std::string reason = read(part);

		// Padding behind a target (2 bytes), data (3 bytes) and the trailer's
		// name (3 bytes) may be missing.
		for (const size_t end : ends)
			whole |= size == end;
		whole |= size < ends[3] && ends[3] - size <= 2;
		whole |= size < ends[4] && ends[4] - size <= 3;
		whole |= size < ends[5] && ends[5] - size <= 3;
		EXPECT_EQ(reason, whole ? "" : "truncated archive");
		for (const Recorder::Got &entry : got.entries)
			EXPECT_TRUE(entry.header.type() != cpio::kRegular ||
				    entry.finished != entry.abandoned)
				<< entry.name;
	}
}

TEST_P(ReaderErrors, MissingPaddingBehindTheLastNameIsNoLoss)
{
	// The name's 7 bytes are there, its 3 bytes of padding are not.
	Data archive = Archive().file("longer", "").data();

	archive.resize(110 + 7);
	EXPECT_EQ(read(archive), "");
	ASSERT_EQ(got.entries.size(), 1u);
	EXPECT_EQ(got.entries[0].name, "longer");
	EXPECT_TRUE(got.entries[0].finished);
	archive.pop_back();
	got = Recorder();
	EXPECT_EQ(read(archive), "truncated archive");
	EXPECT_TRUE(got.entries.empty());
}

TEST_P(ReaderErrors, ACutInSkippedDataIsNoticedToo)
{
	Data archive = Archive().file("skip", "1234").data();

	archive.resize(archive.size() - 4);
	got.unwanted = "skip";
	EXPECT_EQ(read(archive), "truncated archive");
}

TEST_P(ReaderErrors, NoByteOfAHeaderCanDoHarm)
{
	const Data good = Archive().file("one", "content").symlink("two", "one").trailer().data();

	for (size_t at = 0; at < good.size(); at++) {
		for (const u8 byte : {0x00, 0xff, 0x30, 0x66}) {
			Data damaged = good;

			damaged[at] = byte;
			got = Recorder();
			read(damaged);
			EXPECT_LE(got.offset, damaged.size());
		}
	}
}

TEST_P(ReaderErrors, WithoutMemoryThereIsNoReader)
{
	host::fail_allocation(1);
	auto created = cpio::Reader::create(got, cpio::Hex::kLenient);

	ASSERT_FALSE(created);
	EXPECT_EQ(created.error().code, kNoMemory);
}

} // namespace
