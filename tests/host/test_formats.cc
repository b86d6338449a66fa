// SPDX-License-Identifier: GPL-2.0
// formats/formats: every row, cut-off heads, superblocks that lie.

#include <algorithm>

#include "compress.h"
#include "fixture.h"
#include "initrd/formats/formats.h"

namespace {

using namespace initrd;
using host::Data;
using host::operator+;

struct Row {
	const char *name;
	Kind kind;
	size_t offset;
	std::string magic;
};

std::string m(std::initializer_list<int> bytes)
{
	return {bytes.begin(), bytes.end()};
}

const std::vector<Row> &rows()
{
	static const std::vector<Row> table = {
		{"cpio", Kind::kArchive, 0, "070701"},
		{"cpio", Kind::kArchive, 0, "070702"},
		{"cpio", Kind::kArchive, 0, "070707"},
		{"gzip", Kind::kCompressed, 0, m({0x1f, 0x8b})},
		{"gzip", Kind::kCompressed, 0, m({0x1f, 0x9e})},
		{"bzip2", Kind::kCompressed, 0, "BZ"},
		{"lzma", Kind::kCompressed, 0, m({0x5d, 0})},
		{"xz", Kind::kCompressed, 0, m({0xfd, '7'})},
		{"lzo", Kind::kCompressed, 0, m({0x89, 'L'})},
		{"lz4", Kind::kCompressed, 0, m({2, 0x21})},
		{"zstd", Kind::kCompressed, 0, m({0x28, 0xb5})},
		{"zstd", Kind::kCompressed, 1, m({0x2a, 0x4d, 0x18})},
		{"romfs", Kind::kFileSystem, 0, "-rom1fs-"},
		{"cramfs", Kind::kFileSystem, 0, m({0x45, 0x3d, 0xcd, 0x28})},
		{"squashfs", Kind::kFileSystem, 0, "hsqs"},
		{"xfs", Kind::kFileSystem, 0, "XFSB"},
		{"ntfs", Kind::kFileSystem, 3, "NTFS    "},
		{"exfat", Kind::kFileSystem, 3, "EXFAT   "},
		{"vfat", Kind::kFileSystem, 54, "FAT16   "},
		{"vfat", Kind::kFileSystem, 82, "FAT32   "},
		{"cramfs", Kind::kFileSystem, 512, m({0x45, 0x3d, 0xcd, 0x28})},
		{"erofs", Kind::kFileSystem, 1024, m({0xe2, 0xe1, 0xf5, 0xe0})},
		{"f2fs", Kind::kFileSystem, 1024, m({0x10, 0x20, 0xf5, 0xf2})},
		{"Minix", Kind::kFileSystem, 1040, m({0x7f, 0x13})},
		{"Minix", Kind::kFileSystem, 1040, m({0x8f, 0x13})},
		{"Minix", Kind::kFileSystem, 1040, m({0x68, 0x24})},
		{"Minix", Kind::kFileSystem, 1040, m({0x78, 0x24})},
		{"Minix", Kind::kFileSystem, 1048, m({0x5a, 0x4d})},
		{"ext2", Kind::kFileSystem, 1080, m({0x53, 0xef})},
		{"jfs", Kind::kFileSystem, 32768, "JFS1"},
		{"iso9660", Kind::kFileSystem, 32769, "CD001"},
		{"btrfs", Kind::kFileSystem, 65600, "_BHRfS_M"},
	};
	return table;
}

Data image_of(const Row &row)
{
	return Data(row.offset) + host::to_data(row.magic);
}

const Format *find(const Data &image)
{
	return identify(host::Exact(image).bytes());
}

void put(Data &image, size_t at, u64 value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		image[at + i] = static_cast<u8>(value >> 8 * i);
}

// What the format's superblock in a zeroed image claims.
u64 claimed(const std::string &name, size_t offset, const std::string &magic,
	    const std::vector<std::tuple<size_t, u64, size_t>> &fields)
{
	Data image(68 * 1024);

	std::copy(magic.begin(), magic.end(), image.begin() + static_cast<long>(offset));
	for (const auto &[at, value, bytes] : fields)
		put(image, at, value, bytes);

	const Format *const format = find(image);

	EXPECT_TRUE(format && format->name == name);
	return format ? claimed_size(*format, host::bytes_of(image)) : 0;
}

TEST(Formats, EveryRowIsFoundByItsMagicAlone)
{
	for (const Row &row : rows()) {
		SCOPED_TRACE(std::string(row.name) + " at " + std::to_string(row.offset));
		const Format *const format = find(image_of(row));

		ASSERT_NE(format, nullptr);
		EXPECT_STREQ(format->name, row.name);
		EXPECT_EQ(format->kind, row.kind);
		EXPECT_EQ(format->decode != nullptr, row.kind == Kind::kCompressed);
	}
}

TEST(Formats, AHeadThatIsCutOffIsNotTaken)
{
	for (const Row &row : rows()) {
		SCOPED_TRACE(std::string(row.name) + " at " + std::to_string(row.offset));
		Data image = image_of(row);
		// "FAT16   " is known by its first four characters.
		const size_t needed = row.offset + (std::string(row.name) == "vfat" ?
							    (row.offset == 54 ? 4 : 5) :
							    row.magic.size());

		image.resize(needed - 1);
		const Format *const format = find(image);

		EXPECT_TRUE(!format || format->name != std::string(row.name));
	}
}

TEST(Formats, NothingAndZerosAreUnknown)
{
	EXPECT_EQ(find({}), nullptr);
	EXPECT_EQ(find(Data(128 * 1024)), nullptr);
	EXPECT_EQ(find(host::to_data("0707")), nullptr);
	EXPECT_EQ(identify_compressed(Bytes()), nullptr);
}

TEST(Formats, OnlyCompressedFormatsAreSegmentsOfAnArchive)
{
	for (const Row &row : rows()) {
		const host::Exact image(image_of(row));
		const Format *const format = identify_compressed(image.bytes());

		EXPECT_EQ(format != nullptr, row.kind == Kind::kCompressed) << row.name;
	}
}

TEST(Formats, EachCompressorsOutputIsItsOwn)
{
	for (const host::Method &method : host::kMethods) {
		const Format *const format = find(method.compress(host::sample(1000)));

		ASSERT_NE(format, nullptr) << method.name;
		EXPECT_STREQ(format->name, method.name);
		EXPECT_EQ(format->decode, method.decode);
	}
}

TEST(ClaimedSize, IsReadFromEachSuperblock)
{
	EXPECT_EQ(claimed("romfs", 0, "-rom1fs-", {{8, 0x00100000, 4}}), 0x1000u) << "big endian";
	EXPECT_EQ(claimed("cramfs", 0, m({0x45, 0x3d, 0xcd, 0x28}), {{4, 8192, 4}}), 8192u);
	EXPECT_EQ(claimed("cramfs", 512, m({0x45, 0x3d, 0xcd, 0x28}), {{516, 8192, 4}}), 8192u);
	EXPECT_EQ(claimed("squashfs", 0, "hsqs", {{40, 1ull << 33, 8}}), 1ull << 33);
	EXPECT_EQ(claimed("erofs", 1024, m({0xe2, 0xe1, 0xf5, 0xe0}),
			  {{1024 + 12, 12, 1}, {1024 + 36, 3, 4}}),
		  12288u);
	EXPECT_EQ(claimed("Minix", 1040, m({0x7f, 0x13}), {{1026, 640, 2}}), 640u << 10);
	EXPECT_EQ(claimed("Minix", 1040, m({0x78, 0x24}), {{1044, 100000, 4}, {1034, 1, 2}}),
		  100000u << 11);
	EXPECT_EQ(claimed("Minix", 1048, m({0x5a, 0x4d}),
			  {{1044, 10, 4}, {1052, 4096, 2}, {1036, 1, 2}}),
		  81920u);
	EXPECT_EQ(claimed("ext2", 1080, m({0x53, 0xef}), {{1028, 2048, 4}, {1048, 2, 4}}),
		  2048u << 12);
	EXPECT_EQ(claimed("xfs", 0, "XFSB", {{8, 0x0300000000000000, 8}, {120, 12, 1}}), 3u << 12)
		<< "big endian";
	EXPECT_EQ(claimed("ntfs", 3, "NTFS    ", {{11, 512, 2}, {40, 2047, 8}}), 2047u * 512);
	EXPECT_EQ(claimed("exfat", 3, "EXFAT   ", {{72, 4096, 8}, {108, 9, 1}}), 4096u << 9);
	EXPECT_EQ(claimed("vfat", 54, "FAT16   ", {{11, 512, 2}, {19, 40000, 2}}), 40000u * 512);
	EXPECT_EQ(claimed("vfat", 82, "FAT32   ", {{11, 512, 2}, {32, 70000, 4}}), 70000u * 512);
	EXPECT_EQ(claimed("f2fs", 1024, m({0x10, 0x20, 0xf5, 0xf2}),
			  {{1024 + 16, 12, 4}, {1024 + 36, 10240, 8}}),
		  10240u << 12);
	EXPECT_EQ(claimed("jfs", 32768, "JFS1", {{32776, 32000, 8}, {32796, 9, 2}}), 32000u << 9);
	EXPECT_EQ(claimed("iso9660", 32769, "CD001", {{32848, 300, 4}, {32896, 2048, 2}}),
		  300u * 2048);
	EXPECT_EQ(claimed("btrfs", 65600, "_BHRfS_M", {{65648, 1ull << 30, 8}}), 1ull << 30);
}

TEST(ClaimedSize, Ext4CountsInSixtyFourBitsOnlyWhenItSaysSo)
{
	const std::vector<std::tuple<size_t, u64, size_t>> fields = {{1028, 5, 4},
								     {1024 + 0x150, 1, 4}};
	auto with_flag = fields;

	with_flag.emplace_back(1024 + 0x60, 0x80, 4);
	EXPECT_EQ(claimed("ext2", 1080, m({0x53, 0xef}), fields), 5u << 10);
	EXPECT_EQ(claimed("ext2", 1080, m({0x53, 0xef}), with_flag), ((1ull << 32) + 5) << 10);
}

TEST(ClaimedSize, ShiftsThatDoNotFitGiveTheLargestSize)
{
	for (const u64 shift : {54ull, 64ull, 255ull, 0xffffffffull})
		EXPECT_EQ(claimed("ext2", 1080, m({0x53, 0xef}),
				  {{1028, 1ull << 31, 4}, {1048, shift, 4}}),
			  ~0ull)
			<< shift;
	EXPECT_EQ(
		claimed("erofs", 1024, m({0xe2, 0xe1, 0xf5, 0xe0}), {{1036, 255, 1}, {1060, 1, 4}}),
		~0ull);
	EXPECT_EQ(claimed("Minix", 1040, m({0x7f, 0x13}), {{1026, 640, 2}, {1034, 0xffff, 2}}),
		  ~0ull);
	EXPECT_EQ(claimed("Minix", 1048, m({0x5a, 0x4d}),
			  {{1044, 10, 4}, {1052, 4096, 2}, {1036, 0xffff, 2}}),
		  ~0ull);
}

TEST(ClaimedSize, ASuperblockThatIsCutOffClaimsNothingOrIsReadInItsBounds)
{
	for (const Row &row : rows()) {
		Data image = image_of(row);

		for (size_t extra = 0; extra < 0x200; extra += extra < 64 ? 1 : 37) {
			image.resize(row.offset + row.magic.size() + extra);
			const host::Exact exact(image);

			if (const Format *const format = identify(exact.bytes()))
				EXPECT_EQ(claimed_size(*format, exact.bytes()), 0u) << row.name;
		}
	}
}

TEST(Hints, NameWhatPeopleTakeForAnInitrd)
{
	const std::pair<std::string, const char *> wanted[] = {
		{"<!DOCTYPE html><html><body>404", "HTML"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:", "Git LFS"},
		{"The requested file was not found.", "text"},
		{"ANDROID!", "Android boot"},
		{"VNDRBOOT", "vendor_boot"},
		{m({0x3a, 0xff, 0x26, 0xed}), "sparse"},
		{m({0xd0, 0x0d, 0xfe, 0xed}), "FIT"},
		{m({0x27, 0x05, 0x19, 0x56}), "mkimage"},
		{"UBI#", "UBI image"},
		{"QFI\xfb", "qcow2"},
		{m({'7', 'z', 0xbc, 0xaf, 0x27, 0x1c}), "7z"},
		{m({'P', 'K', 3, 4}), "zip"},
		{"LZIP", "lzip"},
		{"BZ3v1", "bzip3"},
		{m({0x78, 0x9c}), "zlib"},
		{m({0x78, 0x01}), "zlib"},
		{m({0x1f, 0x9d, 0x90}), "compress"},
		{m({0x28, 0xcd, 0x3d, 0x45}), "other byte order"},
		{m({0x31, 0x18, 0x10, 0x06}), "UBIFS"},
		{m({0x85, 0x19}), "JFFS2"},
		{std::string(32769, 0) + "BEA01", "UDF"},
	};

	for (const auto &[bytes, word] : wanted) {
		const host::Exact image(host::to_data(bytes));
		const char *const hint = hint_for(image.bytes());

		ASSERT_TRUE(hint) << word;
		EXPECT_NE(std::string(hint).find(word), std::string::npos) << hint;
		EXPECT_EQ(identify(image.bytes()), nullptr) << word;
	}
	EXPECT_EQ(hint_for(host::bytes_of(Data(100, 0xff))), nullptr);
	EXPECT_EQ(hint_for(Bytes()), nullptr);
}

TEST(Hints, Bzip3IsNotBzip2)
{
	const host::Exact bzip3(host::to_data("BZ3v1") + Data{0, 0, 0, 1});
	const host::Exact short_one(host::to_data("BZ3v"));

	EXPECT_EQ(identify(bzip3.bytes()), nullptr);
	EXPECT_EQ(identify_compressed(bzip3.bytes()), nullptr);
	ASSERT_NE(identify(short_one.bytes()), nullptr);
	EXPECT_STREQ(identify(short_one.bytes())->name, "bzip2");
}

} // namespace
