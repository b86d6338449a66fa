// SPDX-License-Identifier: GPL-2.0

#include "inspect/file_systems.h"

#include <algorithm>
#include <cctype>

namespace inspect {
namespace {

using initrd::Bytes;

constexpr size_t kSuperblock = 1024;

// ext2's own features, and those that came with ext3 and ext4.
bool needs_ext4(Bytes image)
{
	constexpr u32 kIncompatOfExt2 = 0x0012; // file types, meta block groups
	constexpr u32 kReadOnlyOfExt2 = 0x0003; // sparse superblocks, large files

	if (!image.has(kSuperblock, 0x68))
		return false;
	return (initrd::load_le32(image, kSuperblock + 0x60) & ~kIncompatOfExt2) ||
	       (initrd::load_le32(image, kSuperblock + 0x64) & ~kReadOnlyOfExt2);
}

bool has_journal(Bytes image)
{
	return image.has(kSuperblock, 0x60) && (initrd::load_le32(image, kSuperblock + 0x5c) & 4);
}

// The decompressor that a squashfs image wants, by its number in the superblock.
const char *squashfs_option(Bytes image)
{
	static const char *const kOptions[] = {nullptr,	       "SQUASHFS_ZLIB", nullptr,
					       "SQUASHFS_LZO", "SQUASHFS_XZ",	"SQUASHFS_LZ4",
					       "SQUASHFS_ZSTD"};
	const u32 number = image.has(20, 2) ? initrd::load_le16(image, 20) : 0;

	return number < sizeof(kOptions) / sizeof(kOptions[0]) ? kOptions[number] : nullptr;
}

// Those whose options are not CONFIG_NAME_FS alone.
struct Row {
	const char *format;
	std::vector<std::string> options;
};

const Row kRows[] = {
	{"squashfs", {"SQUASHFS"}},
	{"cramfs", {"CRAMFS", "CRAMFS_BLOCKDEV"}},
	{"romfs", {"ROMFS_FS", "ROMFS_BACKED_BY_BLOCK"}},
	{"ntfs", {"NTFS3_FS"}},
};

std::string upper(std::string text)
{
	for (char &c : text)
		c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
	return text;
}

std::vector<std::string> options_of(const std::string &format, Bytes image, const Config &config)
{
	if (format == "ext2") {
		const bool by_ext2 = !needs_ext4(image) && !has_journal(image);
		const bool by_ext4 = !by_ext2 || config.built_in("EXT4_USE_FOR_EXT2");

		return {by_ext4 || !config.built_in("EXT2_FS") ? "EXT4_FS" : "EXT2_FS"};
	}
	std::vector<std::string> options = {upper(format) + "_FS"};

	for (const Row &row : kRows)
		if (format == row.format)
			options = row.options;
	if (const char *const option = format == "squashfs" ? squashfs_option(image) : nullptr)
		options.push_back(option);
	return options;
}

} // namespace

std::string mount_type(const std::string &format, Bytes image)
{
	std::string type = format;

	if (format == "ext2")
		return needs_ext4(image) ? "ext4" : has_journal(image) ? "ext3" : "ext2";
	if (format == "ntfs")
		return "ntfs3";
	for (char &c : type)
		c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
	return type;
}

std::vector<std::string> lacking_options(const std::string &format, Bytes image,
					 const Config &config)
{
	std::vector<std::string> lacking;

	if (!config.known())
		return lacking;
	for (const std::string &option : options_of(format, image, config))
		if (!config.built_in(option))
			lacking.push_back("CONFIG_" + option);
	return lacking;
}

} // namespace inspect
