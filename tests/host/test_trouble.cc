// SPDX-License-Identifier: GPL-2.0
// What the console says of initrds that are cut off, damaged, too large or
// something else: one line, over all formats and kinds of damage.

#include <algorithm>

#include "boots.h"
#include "initrd/image/trouble.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;
using host::operator+;

class Trouble : public host::Boot {
protected:
	/* Boots `image`; the lines of warnings and errors that are the project's own. */
	static std::vector<std::string> lines_of(const Data &image)
	{
		std::vector<std::string> lines;

		host::set_image(image);
		host::root().device = 0x801;
		boot("/dev/sda1");
		for (const host::Line &line : host::log_lines())
			if (line.level <= SEAM_LOG_WARNING &&
			    line.text.compare(0, 8, "initrd: ") == 0)
				lines.push_back(line.text);
		return lines;
	}

	/* The only such line, or all that was logged. */
	static std::string line_of(const Data &image)
	{
		const std::vector<std::string> lines = lines_of(image);

		return lines.size() == 1 ? lines[0] : host::whole_log();
	}

	static bool has(const std::string &line, const std::string &part)
	{
		return line.find(part) != std::string::npos;
	}

	static std::string number(u64 value) { return std::to_string(value); }

	static Data cut(Data data, size_t size)
	{
		data.resize(size);
		return data;
	}

	/* Two files of noise, so that no compressor makes them small. */
	static Data archive(size_t size)
	{
		std::mt19937 random(1);
		std::string noise[2];

		for (std::string &content : noise)
			while (content.size() < size)
				content.push_back(static_cast<char>(random()));
		return Archive()
			.file("first", noise[0])
			.folder("dir")
			.file("dir/two", noise[1])
			.trailer()
			.data();
	}
};

/* A file system's superblock in zeros, which claims a size. */
struct FileSystem {
	const char *name;
	size_t magic_at;
	std::string magic;
	/* The size's field, little endian, in units of `unit` bytes. */
	size_t size_at;
	size_t size_bytes;
	u64 unit;
	/* Another field, for the unit. */
	size_t other_at = 0;
	u64 other = 0;

	Data image(size_t size, size_t claimed) const
	{
		Data data(size);

		std::copy(magic.begin(), magic.end(),
			  data.begin() + static_cast<std::ptrdiff_t>(magic_at));
		for (size_t i = 0; i < size_bytes; i++)
			data[size_at + i] = static_cast<u8>(claimed / unit >> 8 * i);
		for (size_t i = 0; other && i < 2; i++)
			data[other_at + i] = static_cast<u8>(other >> 8 * i);
		return data;
	}
};

void PrintTo(const FileSystem &system, std::ostream *out)
{
	*out << system.name;
}

const FileSystem kFileSystems[] = {
	{"ext2", 1080, "\x53\xef", 1028, 4, 1024},
	{"cramfs", 0, "\x45\x3d\xcd\x28", 4, 4, 1},
	{"squashfs", 0, "hsqs", 40, 8, 1},
	{"Minix", 1040, "\x7f\x13", 1026, 2, 1024},
	{"erofs", 1024, "\xe2\xe1\xf5\xe0", 1060, 4, 4096, 1036, 12},
	{"ntfs", 3, "NTFS    ", 40, 8, 512, 11, 512},
	{"exfat", 3, "EXFAT   ", 72, 8, 512, 108, 9},
	{"vfat", 82, "FAT32   ", 32, 4, 512, 11, 512},
	{"f2fs", 1024, "\x10\x20\xf5\xf2", 1060, 8, 4096, 1040, 12},
	{"jfs", 32768, "JFS1", 32776, 8, 512, 32796, 9},
	{"iso9660", 32769, "CD001", 32848, 4, 2048, 32896, 2048},
	{"btrfs", 65600, "_BHRfS_M", 65648, 8, 1},
};

class TruncatedFileSystem : public Trouble, public testing::WithParamInterface<FileSystem> {};

INSTANTIATE_TEST_SUITE_P(Formats, TruncatedFileSystem, testing::ValuesIn(kFileSystems),
			 [](const auto &info) { return info.param.name; });

TEST_P(TruncatedFileSystem, IsSaidWithBothSizes)
{
	const Data image = GetParam().image(100 * 1024, 128 * 1024);
	const std::string sizes = ": 131072 bytes expected, 102400 there";
	const std::string name = GetParam().name;

	EXPECT_EQ(line_of(image), "initrd: truncated " + name + " image at offset 102400" + sizes);
	again();
	initrd_set(INITRD_PARAMETER_START_BLOCK, "3");
	EXPECT_EQ(line_of(Data(3072, 'k') + image),
		  "initrd: truncated " + name + " image at offset 105472" + sizes);
}

TEST_P(TruncatedFileSystem, IsSaidOfWhatIsCompressedToo)
{
	const Data image = GetParam().image(100 * 1024, 128 * 1024);
	const std::string name = GetParam().name;

	for (const host::Method &method : host::kMethods) {
		SCOPED_TRACE(method.name);
		again();
		EXPECT_EQ(line_of(method.compress(image)),
			  "initrd: truncated " + name + " image at offset 102400 of the unpacked " +
				  method.name + " data: 131072 bytes expected, 102400 there");
	}
}

TEST_P(TruncatedFileSystem, IsNotSaidOfAWholeOne)
{
	EXPECT_TRUE(lines_of(GetParam().image(128 * 1024, 128 * 1024)).empty());
	again();
	EXPECT_TRUE(lines_of(GetParam().image(132 * 1024, 128 * 1024)).empty());
}

class TroubleOfCompressed : public Trouble, public testing::WithParamInterface<host::Method> {};

INSTANTIATE_TEST_SUITE_P(Formats, TroubleOfCompressed, testing::ValuesIn(host::kMethods),
			 [](const auto &info) { return info.param.name; });

TEST_P(TroubleOfCompressed, ACutImageIsTruncatedWithBothSizes)
{
	const Data packed = GetParam().compress(host::ext2_image(600 * 1024));

	for (size_t size = packed.size() - 1; size > packed.size() / 3; size -= packed.size() / 4) {
		SCOPED_TRACE(size);
		again();
		const std::string line = line_of(cut(packed, size));
		const std::string start = std::string("initrd: truncated ") + GetParam().name +
					  " data at offset " + number(size) + ": ";

		EXPECT_EQ(line.substr(0, start.size()), start);
		EXPECT_TRUE(has(line, " bytes came out")) << line;
		// By the superblock, if that came out, or by the stream's own header.
		if (!has(line, ": 0 bytes came out") && !has(line, ": 614400 bytes came out"))
			EXPECT_TRUE(has(line, ": 614400 bytes expected, ")) << line;
	}
}

TEST_P(TroubleOfCompressed, ACutArchiveIsTruncatedInAnEntry)
{
	const Data packed = GetParam().compress(archive(200000));
	const std::string line = line_of(cut(packed, packed.size() * 3 / 4));
	const std::string start = std::string("initrd: truncated ") + GetParam().name +
				  " data at offset " + number(packed.size() * 3 / 4);

	EXPECT_EQ(line.substr(0, start.size()), start);
	if (!GetParam().ended) {
		// One block of 8 MiB: nothing came out, and it may be anything.
		EXPECT_EQ(line, start + ": 0 bytes came out");
		return;
	}
	EXPECT_EQ(line.substr(start.size(), 22), ", in dir/two (removed)") << line;
}

TEST_P(TroubleOfCompressed, AnArchiveThatWasCutBeforeIsTruncatedToo)
{
	const Data whole = archive(700);

	EXPECT_EQ(line_of(GetParam().compress(cut(whole, whole.size() - 200))),
		  "initrd: truncated archive at offset " + number(whole.size() - 200) +
			  " of the unpacked " + GetParam().name +
			  " data, in dir/two (removed): 700 bytes expected, 624 there, 2 entries"
			  " unpacked");
	EXPECT_TRUE(host::logged("Initramfs unpacking failed: junk at the end of compressed"));
	EXPECT_FALSE(host::node_at("dir/two"));
}

using TroubleOfSome = Trouble;

TEST_F(TroubleOfSome, WrongChecksumsAreNamed)
{
	const Data plains[] = {archive(5000), host::ext2_image(20480)};
	// The last byte of the check, from the end of what was packed.
	const std::tuple<const char *, size_t, const char *> checks[] = {
		{"gzip", 5, "bad checksum (CRC-32) of compressed data"},
		{"bzip2", 2, "bad checksum (CRC-32) of bzip2 data"},
		{"xz", 29, "XZ-compressed data is corrupt (data or checksum)"},
		{"zstd", 1, "bad checksum (XXH64) of zstd data"},
	};
	for (const auto &[name, from_end, reason] : checks) {
		for (const Data &plain : plains) {
			Data packed = host::method(name).compress(plain);

			again();
			packed[packed.size() - from_end] ^= 0x10;
			const std::string line = line_of(packed);
			const std::string start = std::string("initrd: ") + reason + " at offset ";

			EXPECT_EQ(line.substr(0, start.size()), start);
			EXPECT_TRUE(has(line, " bytes came out")) << line;
		}
	}
}

TEST_F(TroubleOfSome, JunkBehindCompressedDataIsCounted)
{
	for (const host::Method &method : host::kMethods) {
		// LZ4 takes what follows for the size of one more block.
		if (!method.ended)
			continue;
		const Data packed = method.compress(host::ext2_image(20480));

		again();
		EXPECT_EQ(line_of(packed + host::to_data("rest")),
			  std::string("initrd: 4 bytes of junk behind the ") + method.name +
				  " data at offset " + number(packed.size()) +
				  ", ignored: begins with 72 65 73 74");
	}
}

TEST_P(TroubleOfCompressed, AFileThatDoesNotFitIsNamedWithBothSizes)
{
	host::set_room(1000);
	host::set_files_are_pages(false); // so that every byte counts
	EXPECT_EQ(line_of(GetParam().compress(archive(700))),
		  std::string("initrd: no space: write error at offset 1052 of the unpacked ") +
			  GetParam().name +
			  " data, in dir/two (removed): 700 bytes needed, 300 free, 2 entries"
			  " unpacked");
}

TEST_P(TroubleOfCompressed, ADiskThatDoesNotFitIsNoSpaceWithBothSizes)
{
	const Data packed = GetParam().compress(host::ext2_image(1200 * 1024));

	host::fail_allocation(0);
	EXPECT_EQ(lines_of(packed), std::vector<std::string>());
	const uint64_t all = host::allocations();

	again();
	host::set_memory_available(33777777);
	host::fail_allocation(all - 60);
	const std::string line = line_of(packed);

	EXPECT_TRUE(has(line, "initrd: no space: out of memory")) << line;
	EXPECT_TRUE(has(line, ": 1228800 bytes needed, 33777777 available")) << line;
}

TEST_P(TroubleOfCompressed, WhatCameOutIsAnUnknownFormat)
{
	Data plain = host::sample(3000);

	plain[0] = 'U';
	plain[1] = 0xaa;
	const std::string line = line_of(GetParam().compress(plain));
	const std::string start = std::string("initrd: ") + GetParam().name +
				  ": unknown format at offset 0: begins with 55 aa ";

	EXPECT_EQ(line.substr(0, start.size()), start);
}

using TroubleOfPlain = Trouble;

TEST_F(TroubleOfPlain, EveryCutArchiveIsTruncatedOrWhole)
{
	const Data whole =
		Archive().folder("d").file("d/f", std::string(90, 'x')).symlink("l", "d/f").data();

	for (size_t size = 111; size < whole.size(); size++) {
		SCOPED_TRACE(size);
		again();
		const std::vector<std::string> lines = lines_of(cut(whole, size));

		if (!host::logged("Initramfs unpacking failed: truncated archive")) {
			EXPECT_TRUE(lines.empty()) << lines[0];
			continue;
		}
		ASSERT_EQ(lines.size(), 1u);
		const std::string start = "initrd: truncated archive at offset " + number(size);

		EXPECT_EQ(lines[0].substr(0, start.size()), start);
		EXPECT_TRUE(has(lines[0], " bytes expected, ")) << lines[0];
		EXPECT_TRUE(has(lines[0], " there, ")) << lines[0];
		EXPECT_TRUE(has(lines[0], " entries unpacked")) << lines[0];
	}
}

TEST_F(TroubleOfPlain, SizesAreThoseOfHeaderNameAndData)
{
	const Data whole = Archive().folder("d").file("d/file", std::string(90, 'x')).data();

	// A folder is 112 bytes, the file's data begins at 112 + 110 + 7 + 3.
	EXPECT_EQ(line_of(cut(whole, 112 + 60)),
		  "initrd: truncated archive at offset 172, after d: 110 bytes expected, 60 there,"
		  " 1 entries unpacked");
	again();
	EXPECT_EQ(line_of(cut(whole, 112 + 110 + 3)),
		  "initrd: truncated archive at offset 225: 7 bytes expected, 3 there, 1 entries"
		  " unpacked");
	again();
	EXPECT_EQ(line_of(cut(whole, 112 + 110 + 8)),
		  "initrd: truncated archive at offset 230: 90 bytes expected, 0 there, 1 entries"
		  " unpacked");
	again();
	EXPECT_EQ(line_of(cut(whole, 112 + 120 + 40)),
		  "initrd: truncated archive at offset 272, in d/file (removed): 90 bytes expected,"
		  " 40 there, 1 entries unpacked");
}

TEST_F(TroubleOfPlain, ABadSumNamesItsEntry)
{
	EXPECT_EQ(line_of(Archive()
				  .folder("d")
				  .add({.name = "d/f", .data = "text", .crc = true, .checksum = 1})
				  .data()),
		  "initrd: bad data checksum at offset 112, in d/f (removed): 1 entries unpacked");
}

TEST_F(TroubleOfPlain, AFileThatDoesNotFitIsNamedWithBothSizes)
{
	host::set_room(1000);
	host::set_files_are_pages(false); // so that every byte counts
	EXPECT_EQ(line_of(archive(700)),
		  "initrd: no space: write error at offset 1052, in dir/two (removed): 700 bytes"
		  " needed, 300 free, 2 entries unpacked");
}

TEST_F(TroubleOfPlain, ARetainedImageWithoutMemoryIsNoSpace)
{
	initrd_set(INITRD_PARAMETER_RETAIN, "");
	host::set_memory_available(5);
	host::fail_allocation(20);
	EXPECT_EQ(line_of(host::ext2_image(204800)),
		  "initrd: no space: out of memory: 204800 bytes needed, 5 available");
	EXPECT_EQ(ram0_pages(), 0u);
}

TEST_F(TroubleOfPlain, JunkBehindAnArchiveIsNoMoreThanThat)
{
	const Data archive = Archive().file("a", "1").trailer().data();
	const std::string line = line_of(archive + Data{0xde, 0xad, 0xbe, 0xef});

	EXPECT_EQ(line, "initrd: 4 bytes of junk behind the archive at offset " +
				std::to_string(archive.size()) +
				", ignored: begins with de ad be ef");
}

TEST_F(TroubleOfPlain, WhatPeopleTakeForAnInitrdIsNamed)
{
	const std::pair<Data, const char *> cases[] = {
		{{0xc7, 0x71, 1}, "use -H newc"},
		{host::to_data("070707"), "use -H newc"},
		{Data(257, 'x') + host::to_data("ustar"), "a tar archive"},
		{host::to_data("PK\x03\x04 "), "a zip archive"},
		{host::to_data("MZ\x90 "), "a kernel"},
		{Data(514, 'x') + host::to_data("HdrS"), "a kernel"},
		{host::to_data("\x7f"
			       "ELF"),
		 "an ELF program"},
		{{0x27, 0x05, 0x19, 0x56}, "a U-Boot image"},
		{{0xd0, 0x0d, 0xfe, 0xed}, "a device tree or FIT image"},
		{Data(510, 'x') + Data{0x55, 0xaa}, "a disk with partitions"},
		{cut(Archive().file("a", "1").data(), 90), "a cpio archive, truncated"},
	};
	for (const auto &[head, hint] : cases) {
		SCOPED_TRACE(hint);
		again();
		const std::string line = line_of(has(hint, "truncated") ? head : head + Data(2000));
		const std::string start = "initrd: unknown format at offset 0: begins with ";

		EXPECT_EQ(line.substr(0, start.size()), start);
		EXPECT_TRUE(has(line, hint)) << line;
		EXPECT_TRUE(has(line, "known are cpio gzip ")) << line;
	}
}

TEST_F(TroubleOfPlain, WhatIsCompressedTwiceIsNamed)
{
	for (const char *const inner : {"gzip", "xz", "zstd"}) {
		SCOPED_TRACE(inner);
		again();
		const std::string line =
			line_of(host::gzip(host::method(inner).compress(archive(700))));

		EXPECT_TRUE(has(line, std::string("(") + inner +
					      " data: compressed twice, decompress it once)"))
			<< line;
		EXPECT_TRUE(has(line, "initrd: gzip: unknown format at offset 0")) << line;
	}
}

TEST_F(TroubleOfPlain, AnXzCheckThatTheKernelLacksSaysHowToCompress)
{
	EXPECT_EQ(line_of(host::xz_with_sha256(archive(100))),
		  "initrd: xz check is not supported: compress with xz --check=crc32 at offset 7:"
		  " 0 bytes came out");
}

TEST_F(TroubleOfPlain, OddNamesDoNotSpoilTheLine)
{
	const std::string name = "a\nb\x7f" + std::string(251, 'n');
	Data whole = Archive().file(name, "12345678").data();

	EXPECT_EQ(line_of(cut(whole, whole.size() - 4)),
		  "initrd: truncated archive at offset " + number(whole.size() - 4) + ", in a?b?" +
			  std::string(187, 'n') +
			  " (removed): 8 bytes expected, 4 there, 0 entries unpacked");
}

TEST_F(TroubleOfPlain, OfTheBuiltInArchiveIsNamedSo)
{
	host::set_builtin_archive(cut(Archive().file("a", "12345678").data(), 118));
	EXPECT_EQ(line_of({}), "initrd: built-in archive: truncated archive at offset 118, in a"
			       " (removed): 8 bytes expected, 6 there, 0 entries unpacked");
}

TEST_F(TroubleOfPlain, WholeOnesSayNothing)
{
	for (const Data &image :
	     {archive(300), Archive().file("a", "1").trailer().data(),
	      host::zstd(archive(300)) + Data(300),
	      Data{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9} + host::zstd(archive(300))}) {
		again();
		EXPECT_TRUE(lines_of(image).empty()) << host::whole_log();
	}
}

} // namespace
