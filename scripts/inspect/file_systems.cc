// SPDX-License-Identifier: GPL-2.0

#include "inspect/file_systems.h"

#include <algorithm>
#include <cctype>

#include "inspect/judgement.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::load_be16;
using initrd::load_be32;
using initrd::load_le16;
using initrd::load_le32;

// With xz there may be filters, one bit for each; the header of the options is in front.
void judge_squashfs_filters(Judgement &judgement)
{
	static const char *const kFilters[] = {"X86",	   "POWERPC", "IA64",  "ARM",
					       "ARMTHUMB", "SPARC",   "ARM64", "RISCV"};
	constexpr size_t kOptions = 96;
	constexpr u32 kHasOptions = 0x400;
	const Bytes image = judgement.image;

	if (!(load_le16(image, 24) & kHasOptions) || !image.has(kOptions, 10))
		return;
	const u32 filters = load_le32(image, kOptions + 6);

	for (u32 i = 0; i < std::size(kFilters); i++)
		if (filters & 1u << i)
			judgement.need(std::string("XZ_DEC_") + kFilters[i]);
}

void judge_squashfs(Judgement &judgement)
{
	static constexpr Algorithm kCompressors[] = {
		{"none", nullptr},	  {"gzip", "SQUASHFS_ZLIB"}, {"lzma", nullptr},
		{"lzo", "SQUASHFS_LZO"},  {"xz", "SQUASHFS_XZ"},     {"lz4", "SQUASHFS_LZ4"},
		{"zstd", "SQUASHFS_ZSTD"}};
	constexpr u32 kXz = 4;
	constexpr u32 kMostBlock = 1 << 20;
	const Bytes image = judgement.image;

	judgement.need("SQUASHFS");
	if (!image.has(0, 96))
		return;
	const u32 block = load_le32(image, 12);
	const u32 number = load_le16(image, 20);
	const u32 major = load_le16(image, 28);
	const u32 minor = load_le16(image, 30);

	if (major != 4 || minor != 0)
		judgement.refuse("it is of version " + std::to_string(major) + "." +
					 std::to_string(minor) + ", and the kernel knows 4.0",
				 "make it with a mksquashfs of today");
	else if (number >= std::size(kCompressors))
		judgement.refuse("it is compressed in a way that the kernel does not know");
	else if (!kCompressors[number].option)
		judgement.refuse(std::string("it is compressed with ") + kCompressors[number].name +
					 ", which no kernel takes",
				 "mksquashfs -comp xz, or zstd");
	else
		judgement.need(kCompressors[number].option);
	if (number == kXz)
		judge_squashfs_filters(judgement);
	if (block < judgement.config.page_size())
		judgement.refuse("its blocks of " + std::to_string(block) +
					 " bytes are smaller than a page, which has " +
					 std::to_string(judgement.config.page_size()),
				 "mksquashfs -b 131072");
	else if (block > kMostBlock || load_le16(image, 22) > 20 ||
		 block != 1u << load_le16(image, 22))
		judgement.refuse("the size of its blocks makes no sense");
}

void judge_cramfs(Judgement &judgement)
{
	constexpr u32 kMagic = 0x28cd3d45;
	constexpr u32 kKnownFlags = 0xfff;
	const Bytes image = judgement.image;
	const size_t at = image.has(0, 4) && initrd::load_native32(image, 0) == kMagic ? 0 : 512;

	judgement.need("CRAMFS");
	judgement.need("CRAMFS_BLOCKDEV");
	if (image.has(at, 76) && (initrd::load_native32(image, at + 8) & ~kKnownFlags))
		judgement.refuse("it has features that the kernel does not know");
}

void judge_romfs(Judgement &judgement)
{
	const Bytes image = judgement.image;
	const Bytes covered =
		image.first(image.has(8, 4) ? std::min<u32>(load_be32(image, 8), 512) / 4 * 4 : 0);
	u32 sum = 0;

	judgement.need("ROMFS_FS");
	judgement.need("ROMFS_BACKED_BY_BLOCK");
	for (size_t at = 0; at < covered.size(); at += 4)
		sum += load_be32(covered, at);
	if (sum)
		judgement.refuse("its checksum is wrong", "make it again");
}

void judge_minix(Judgement &judgement)
{
	constexpr u16 kVersion3 = 0x4d5a;
	const Bytes image = judgement.image;

	judgement.need("MINIX_FS");
	if (!image.has(kSuperblock, 32) ||
	    initrd::load_native16(image, kSuperblock + 24) != kVersion3)
		return;
	const u32 block = initrd::load_native16(image, kSuperblock + 28);

	if (block < 512 || (block & (block - 1)) || block > judgement.config.page_size())
		judgement.refuse("the kernel cannot have blocks of " + std::to_string(block) +
				 " bytes");
}

void judge_xfs(Judgement &judgement)
{
	static constexpr Feature kNames[] = {
		{0x40, "exchange"}, {0x80, "parent"}, {0x100, "metadir"}, {0x200, "zoned"}};
	constexpr u32 kRepair = 0x10;
	const Bytes image = judgement.image;
	u32 known = 0x3f;

	judgement.need("XFS_FS");
	if (!image.has(0, 228))
		return;
	const u32 version = load_be16(image, 100) & 0xf;
	const u32 features = load_be32(image, 216);

	if (judgement.is_since(6010))
		known |= 0xc0;
	if (judgement.is_since(6013))
		known |= 0x100;
	if (judgement.is_since(6015))
		known |= 0x200;
	judgement.refuse_large_blocks(image[120],
				      version == 5 && judgement.is_since(6012) &&
					      judgement.config.has("TRANSPARENT_HUGEPAGE"));
	if (version < 5) {
		judgement.need("XFS_SUPPORT_V4");
		return;
	}
	if (features & kRepair)
		judgement.refuse("it waits for a repair", "xfs_repair it");
	if (features & ~known)
		judgement.refuse("it has features that the kernel does not know: " +
					 names_of(features & ~known, kNames),
				 "make it without them (mkfs.xfs -c options=lts_6.1.conf)");
}

void judge_f2fs(Judgement &judgement)
{
	constexpr size_t kFeaturesAt = kSuperblock + 2180;
	constexpr u32 kCasefold = 0x1000;
	const Bytes image = judgement.image;

	judgement.need("F2FS_FS");
	if (!image.has(kFeaturesAt, 4))
		return;
	const u32 features = load_le32(image, kFeaturesAt);
	const u32 bits = load_le32(image, kSuperblock + 16);

	if (features & kCasefold)
		judgement.need("UNICODE");
	if (bits < 32 && u64{1} << bits != judgement.config.page_size() &&
	    !(bits == 12 && !judgement.is_since(6007)))
		judgement.refuse("its blocks are not of the size of a page");
}

// Those whose option is CONFIG_NAME_FS, or this one, and nothing more is looked at.
void judge_by_name(const std::string &format, Judgement &judgement)
{
	std::string option = format == "ntfs" ? "NTFS3" : format;

	for (char &c : option)
		c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
	judgement.need(option + "_FS");
}

struct Row {
	const char *format;
	void (*judge)(Judgement &judgement);
};

constexpr Row kRows[] = {
	{"ext2", judge_ext},	  {"erofs", judge_erofs}, {"squashfs", judge_squashfs},
	{"cramfs", judge_cramfs}, {"romfs", judge_romfs}, {"Minix", judge_minix},
	{"xfs", judge_xfs},	  {"f2fs", judge_f2fs},
};

} // namespace

std::string mount_type(const std::string &format, Bytes image, const Config &config)
{
	std::string type = format;

	if (format == "ntfs")
		return "ntfs3";
	if (format == "ext2" && image.has(kSuperblock, 0x180))
		return ext_type(image, config);
	for (char &c : type)
		c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
	return type;
}

std::vector<Obstacle> obstacles(const std::string &format, Bytes image, const Config &config)
{
	Judgement judgement(image, config);
	const Row *const row = std::ranges::find_if(
		kRows, [&format](const Row &candidate) { return format == candidate.format; });

	if (row != std::end(kRows))
		row->judge(judgement);
	else
		judge_by_name(format, judgement);
	return judgement.found;
}

bool wants_its_size(const std::string &format)
{
	static const char *const kFormats[] = {"ext2", "squashfs", "xfs", "btrfs", "f2fs"};

	return std::ranges::find(kFormats, format) != std::end(kFormats);
}

} // namespace inspect
