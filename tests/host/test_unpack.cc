// SPDX-License-Identifier: GPL-2.0
// rootfs/unpack: segments one after another, each packed in its own way.

#include "archive.h"
#include "compress.h"
#include "fixture.h"
#include "initrd/rootfs/unpack.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;
using host::operator+;

class Unpack : public host::World {
protected:
	std::string unpack(const Data &data)
	{
		const host::Exact image(data);

		report = {};
		auto result = rootfs::unpack(image.bytes(), report);

		offset = result ? 0 : result.error().offset;
		return result ? "" : result.error().reason;
	}

	static std::string text(const std::string &path)
	{
		const host::Node *const node = host::node_at(path);

		return node ? node->text() : "(nothing)";
	}

	static Data one(const std::string &name, const std::string &content)
	{
		return Archive().file(name, content).trailer().pad(512).data();
	}

	rootfs::Unpacked report;
	u64 offset = 0;
};

class UnpackPacked : public Unpack, public testing::WithParamInterface<host::Method> {};

INSTANTIATE_TEST_SUITE_P(Formats, UnpackPacked, testing::ValuesIn(host::kMethods),
			 [](const auto &info) { return info.param.name; });

TEST_P(UnpackPacked, AnArchiveComesOutAsItWentIn)
{
	const Data content = host::sample(400000);
	const std::string large(content.begin(), content.end());

	EXPECT_EQ(unpack(GetParam().compress(Archive()
						     .folder("dir")
						     .file("dir/large", large)
						     .file("dir/small", "1")
						     .trailer()
						     .pad(512)
						     .data())),
		  "");
	EXPECT_EQ(text("dir/large"), large);
	EXPECT_EQ(text("dir/small"), "1");
	EXPECT_STREQ(report.compressor, GetParam().name);
	EXPECT_EQ(report.entries, 3u);
	EXPECT_EQ(report.bytes, large.size() + 1);
}

TEST_P(UnpackPacked, FollowsAPlainArchiveAndIsFollowedByOne)
{
	const Data packed = GetParam().compress(one("second", "2"));
	const Data aligned((4 - packed.size() % 4) % 4);

	EXPECT_EQ(unpack(one("first", "1") + packed + aligned + one("third", "3")), "");
	EXPECT_EQ(text("first") + text("second") + text("third"), "123");
}

TEST_P(UnpackPacked, FollowsEveryOtherCompressor)
{
	for (const host::Method &other : host::kMethods) {
		SCOPED_TRACE(other.name);
		host::reset_files();
		EXPECT_EQ(unpack(other.compress(one("first", "1")) +
				 GetParam().compress(one("second", "2")) + Data(100)),
			  "");
		EXPECT_EQ(text("first") + text("second"), "12");
	}
}

TEST_P(UnpackPacked, OneEntryMayBeSplitAcrossMembers)
{
	const Data archive = one("file", std::string(5000, 'x')) + one("next", "2");

	for (const size_t cut : {size_t{1}, size_t{50}, size_t{109}, size_t{110}, size_t{114},
				 size_t{2000}, archive.size() - 300}) {
		SCOPED_TRACE(cut);
		const auto middle = archive.begin() + static_cast<long>(cut);

		host::reset_files();
		EXPECT_EQ(unpack(GetParam().compress({archive.begin(), middle}) +
				 GetParam().compress({middle, archive.end()})),
			  "");
		EXPECT_EQ(text("file"), std::string(5000, 'x'));
		EXPECT_EQ(text("next"), "2");
	}
}

TEST_F(Unpack, OneEntryMayBeSplitAcrossStreamsWithPadding)
{
	const Data archive = one("file", std::string(5000, 'x')) + one("next", "2");
	const auto middle = archive.begin() + 2000;

	EXPECT_EQ(unpack(host::xz({archive.begin(), middle}) + Data(8) +
			 host::xz_with_crc64({middle, archive.end()})),
		  "");
	EXPECT_EQ(text("file"), std::string(5000, 'x'));
	EXPECT_EQ(text("next"), "2");
}

TEST_F(Unpack, OneEntryMayBeSplitAcrossBothKindsOfLz4)
{
	const Data archive = one("file", std::string(5000, 'x')) + one("next", "2");
	const auto middle = archive.begin() + 2000;
	const Data rest(middle, archive.end());
	const Data header = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73};
	const Data size = {static_cast<u8>(rest.size()), static_cast<u8>(rest.size() >> 8), 0,
			   0x80};

	EXPECT_EQ(unpack(host::lz4({archive.begin(), middle}) + header + size + rest + Data(4)),
		  "");
	EXPECT_EQ(text("file"), std::string(5000, 'x'));
	EXPECT_EQ(text("next"), "2");
}

TEST_P(UnpackPacked, AnArchiveThatEndsTooSoonIsJunkAtTheEnd)
{
	Data archive = Archive().file("kept", "1").file("cut", std::string(1000, 'x')).data();

	archive.resize(archive.size() - 100);
	EXPECT_EQ(unpack(GetParam().compress(archive)), "junk at the end of compressed archive");
	EXPECT_EQ(host::tree(), "kept");
	EXPECT_EQ(report.headers, 2u);
}

TEST_P(UnpackPacked, SomethingElseInsideIsNoArchive)
{
	EXPECT_EQ(unpack(GetParam().compress(Data{'x'} + host::sample(20000))), "no cpio magic");
	EXPECT_EQ(host::tree(), "");
	EXPECT_EQ(report.headers, 0u);
}

TEST_P(UnpackPacked, SomethingElseBehindAnEntryIsJunkWithin)
{
	EXPECT_EQ(unpack(GetParam().compress(Archive().file("a", "1").data() + Data{'x'} +
					     host::sample(20000))),
		  "junk within compressed archive");
	EXPECT_EQ(text("a"), "1");
}

TEST_P(UnpackPacked, SomethingElseBehindAWholeArchiveIsIgnored)
{
	const Data archive = one("a", "1");
	const std::string at = std::to_string(archive.size());

	EXPECT_EQ(unpack(GetParam().compress(archive + Data{'x'} + host::sample(20000))), "");
	EXPECT_EQ(text("a"), "1");
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 20001 bytes of junk behind the archive at offset " + at +
					 " of the unpacked " + report.compressor +
					 " data, ignored: begins with 78 "));
}

TEST_P(UnpackPacked, ACutStreamIsAnErrorAndWhatCameBeforeStays)
{
	std::mt19937 random(1);
	std::string noise[2];

	for (std::string &content : noise)
		for (int i = 0; i < 700000; i++)
			content.push_back(static_cast<char>(random()));
	Data packed = GetParam().compress(
		Archive().file("first", noise[0]).file("second", noise[1]).trailer().data());

	packed.resize(packed.size() * 2 / 3);
	EXPECT_NE(unpack(packed), "");
	// LZ4's one block of 8 MiB holds both.
	EXPECT_EQ(host::tree(), GetParam().ended ? "first" : "");
}

TEST_P(UnpackPacked, EveryFailingAllocationIsAnErrorWithoutALeak)
{
	const Data packed = GetParam().compress(Archive()
							.folder("d")
							.file("d/f", "1")
							.add({.name = "d/l", .ino = 9, .nlink = 2})
							.trailer()
							.data());

	host::fail_allocation(0);
	ASSERT_EQ(unpack(packed), "");
	const uint64_t all = host::allocations();

	for (uint64_t n = 1; n <= all; n++) {
		host::reset();
		host::fail_allocation(n);
		const std::string reason = unpack(packed);

		EXPECT_TRUE(!reason.empty() || host::tree() != "d d/f d/l") << n;
		EXPECT_EQ(host::live(), host::Live()) << n;
	}
}

TEST_F(Unpack, NothingIsAnEmptyArchive)
{
	EXPECT_EQ(unpack({}), "");
	EXPECT_EQ(unpack(Data(5000)), "");
	EXPECT_EQ(report.headers, 0u);
	EXPECT_EQ(host::tree(), "");
}

TEST_F(Unpack, PlainArchivesFollowEachOtherBehindNuls)
{
	EXPECT_EQ(unpack(Data(8) + one("a", "1") + Data(4096) + one("b", "2")), "");
	EXPECT_EQ(text("a") + text("b"), "12");
	EXPECT_EQ(report.compressor, nullptr);
}

TEST_F(Unpack, AnArchiveWithoutATrailerIsFollowedToo)
{
	EXPECT_EQ(unpack(Archive().file("a", "1").data() + Archive().file("b", "2").data()), "");
	EXPECT_EQ(text("a") + text("b"), "12");
}

TEST_F(Unpack, AnOldCpioIsToldWhatToUse)
{
	EXPECT_EQ(unpack(Archive().file("a", "1").patch(0, "070707").data()),
		  "incorrect cpio method used: use -H newc option");
}

TEST_F(Unpack, NoiseHasAnInvalidMagic)
{
	EXPECT_EQ(unpack(host::to_data("hsqs and more")),
		  "invalid magic at start of compressed archive");
	EXPECT_EQ(report.headers, 0u);
	EXPECT_EQ(unpack(one("a", "1") + Data(5) + host::to_data("junk")), "");
	EXPECT_EQ(report.end, one("a", "1").size() + 5);
	EXPECT_EQ(report.follows, nullptr);
	EXPECT_EQ(text("a"), "1");
	EXPECT_EQ(unpack({0x1f}), "invalid magic at start of compressed archive");
}

TEST_F(Unpack, JunkInAnArchiveLosesWhatFollows)
{
	const Data first = Archive().file("a", "1").data();

	for (size_t nuls : {0, 4}) {
		EXPECT_EQ(unpack(first + Data(nuls) + host::to_data("junk") + one("b", "2")),
			  "invalid magic at start of compressed archive");
		EXPECT_EQ(offset, first.size() + nuls);
		EXPECT_EQ(host::tree(), "a");
		host::reset();
	}
}

TEST_F(Unpack, DamageInsideANamesItsEntry)
{
	const Data first = Archive().file("a", "1").data();

	EXPECT_EQ(unpack(first + Archive().file("b", "2").patch(3, "X").data()), "no cpio magic");
	EXPECT_EQ(offset, first.size());
	EXPECT_EQ(text("a"), "1");
}

TEST_F(Unpack, ASegmentAtAnOddOffsetIsTaken)
{
	for (size_t odd = 1; odd < 4; odd++) {
		const std::string at = std::to_string(one("a", "1").size() + odd);

		host::reset();
		EXPECT_EQ(unpack(one("a", "1") + Data(odd) + one("b", "2")), "");
		EXPECT_EQ(text("a") + text("b"), "12");
		EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
					 "initrd: cpio archive at offset " + at + ", "));
	}
}

TEST_P(UnpackPacked, APlainArchiveBehindAnOddLengthIsTaken)
{
	Data packed = GetParam().compress(one("a", "1"));

	if (!GetParam().ended)
		packed = packed + Data(4);
	while (packed.size() % 4 != 1)
		packed.push_back(0);
	EXPECT_EQ(unpack(packed + one("b", "22")), "");
	EXPECT_EQ(text("a") + text("b"), "122");
	EXPECT_TRUE(host::logged("initrd: cpio archive at offset " + std::to_string(packed.size()) +
				 ", "))
		<< host::whole_log();
}

TEST_P(UnpackPacked, ArchivesInOneStreamMayBeAtOddOffsets)
{
	EXPECT_EQ(unpack(GetParam().compress(one("a", "1") + Data(3) + one("b", "22"))), "");
	EXPECT_EQ(text("a") + text("b"), "122");
	EXPECT_TRUE(host::logged("initrd: cpio archive at offset 515 of the unpacked " +
				 std::string(GetParam().name) + " data, "))
		<< host::whole_log();
}

TEST_F(Unpack, AMissingTrailerIsToldOnceAndIsNoFailure)
{
	const Data first = Archive().file("a", "1").data();

	EXPECT_EQ(unpack(first + Data(4) + Archive().file("b", "2").data()), "");
	EXPECT_EQ(text("a") + text("b"), "12");
	EXPECT_EQ(host::log_lines().size(), 1u);
	EXPECT_TRUE(host::logged(
		SEAM_LOG_NOTICE,
		"initrd: archive ends without TRAILER!!! at offset 116, after a, with 4 NULs "
		"behind it (and others do): "))
		<< host::whole_log();
	host::reset();
	EXPECT_EQ(unpack(host::gzip(Archive().file("a", std::string(9, 0)).data()) + one("b", "2")),
		  "");
	EXPECT_TRUE(host::logged(
		SEAM_LOG_NOTICE,
		"initrd: archive ends without TRAILER!!! at offset 124 of the unpacked gzip data, "
		"after a (its data end in NULs), with 0 NULs behind it: "))
		<< host::whole_log();
	host::reset();
	EXPECT_EQ(unpack(one("a", "1") + host::gzip(first)), "");
	EXPECT_EQ(host::times_logged("initrd: archive ends without TRAILER!!!"), 1u);
	host::reset();
	EXPECT_EQ(unpack(one("a", "1") + one("b", "2")), "");
	EXPECT_EQ(host::whole_log(), "");
}

TEST_F(Unpack, CompressedSegmentsMayBeginAnywhere)
{
	EXPECT_EQ(unpack(one("a", "1") + Data(3) + host::gzip(one("b", "2"))), "");
	EXPECT_EQ(text("b"), "2");
}

TEST_F(Unpack, ADamagedStreamSaysWhatItsDecompressorSays)
{
	Data packed = host::gzip(one("a", std::string(100, 'x')));

	packed[packed.size() - 8] ^= 1;
	EXPECT_EQ(unpack(packed), "bad checksum (CRC-32) of compressed data");
}

TEST_F(Unpack, NothingIsHalfDoneInsideAMemberOfAnotherFormat)
{
	const Data archive = one("file", std::string(5000, 'x'));
	const auto middle = archive.begin() + 2000;

	EXPECT_EQ(unpack(host::gzip({archive.begin(), middle}) + host::xz({middle, archive.end()})),
		  "junk at the end of compressed archive");
	EXPECT_EQ(host::tree(), "");
}

TEST_F(Unpack, StrictSeriesRefuseHeadersThatAreNotHexadecimal)
{
	const Data odd = Archive().file("a", "1").patch(host::field_at(0), "0x000001").data();

	EXPECT_EQ(unpack(odd), "");
	host::set_strict_hex(true);
	EXPECT_EQ(unpack(odd), "damaged header");
	EXPECT_EQ(unpack(one("b", "2")), "");
}

// (The seam complains where others cannot run for long.)
TEST_F(Unpack, OthersRunWhileMuchIsPassedOver)
{
	const std::string large(size_t{5} << 20, 'x');
	const Data archive = Archive().file("none/large", large).file("a", "1").trailer().data();

	for (const char *const name : {"gzip", "xz", "lz4", "zstd"}) {
		SCOPED_TRACE(name);
		host::reset();
		EXPECT_EQ(unpack(host::method(name).compress(archive)), "");
		EXPECT_EQ(text("a"), "1");
		EXPECT_EQ(host::complaints(), std::vector<std::string>());
	}
}

TEST_F(Unpack, HundredsOfFilesComeOut)
{
	Archive archive;

	for (int i = 0; i < 1000; i++)
		archive.file("file" + std::to_string(i), std::to_string(i * i));
	EXPECT_EQ(unpack(host::zstd(archive.trailer().data())), "");
	EXPECT_EQ(report.entries, 1000u);
	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(text("file" + std::to_string(i)), std::to_string(i * i));
}

} // namespace
