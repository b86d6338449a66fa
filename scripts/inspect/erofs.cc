// SPDX-License-Identifier: GPL-2.0
// What of erofs a kernel can mount.

#include "inspect/judgement.h"

#include <algorithm>

#include "inspect/crc32c.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::load_le16;
using initrd::load_le32;

void judge_erofs_checksum(Judgement &judgement, u32 block_bits)
{
	const size_t block = size_t{1} << block_bits;
	const size_t size = block > kSuperblock ? block - kSuperblock : block;
	const Bytes covered = judgement.image.skip(kSuperblock).first(size);
	std::vector<u8> bytes(covered.begin(), covered.end());

	if (bytes.size() < size)
		return;
	std::fill_n(bytes.begin() + 4, 4, u8{0});
	if (crc32c(~0u, {bytes.data(), bytes.size()}) != load_le32(covered, 4))
		judgement.refuse("the checksum of its superblock is wrong", "make it again");
}

void judge_erofs_compression(Judgement &judgement, u32 features)
{
	static constexpr Algorithm kAlgorithms[] = {{"lz4", "EROFS_FS_ZIP"},
						    {"lzma", "EROFS_FS_ZIP_LZMA"},
						    {"deflate", "EROFS_FS_ZIP_DEFLATE"},
						    {"zstd", "EROFS_FS_ZIP_ZSTD"}};
	constexpr u32 kPadding = 0x1;
	constexpr u32 kConfigurations = 0x2;
	const u32 algorithms = load_le16(judgement.image, kSuperblock + 84);

	if (!(features & kConfigurations)) {
		// It is the distance of lz4 then.
		if (algorithms || (features & kPadding))
			judgement.need("EROFS_FS_ZIP");
		return;
	}
	if (algorithms)
		judgement.need("EROFS_FS_ZIP");
	for (u32 i = 1; i < std::size(kAlgorithms); i++)
		if (algorithms & (1u << i))
			judgement.need(kAlgorithms[i].option);
	if (const u32 unknown = algorithms >> std::size(kAlgorithms))
		judgement.refuse("it is compressed in a way that the kernel does not know: " +
					 hex(unknown << std::size(kAlgorithms)),
				 "compress it with lz4 (mkfs.erofs -zlz4hc)");
}

} // namespace

void judge_erofs(Judgement &judgement)
{
	static constexpr Feature kNames[] = {
		{0x40, "xattr_prefixes"}, {0x80, "48bit"}, {0x100, "metabox"}};
	constexpr u32 kPrefixes = 6004;
	constexpr u32 k48Bit = 6015;
	constexpr u32 kMetabox = 6017;
	constexpr u32 kDevices = 0x8;
	const Bytes image = judgement.image;

	judgement.need("EROFS_FS");
	if (!image.has(kSuperblock, 128))
		return;
	const u32 bits = image[kSuperblock + 12];
	const u32 features = load_le32(image, kSuperblock + 80);
	u32 known = 0x3f;

	if (judgement.is_since(kPrefixes))
		known |= 0x40;
	if (judgement.is_since(k48Bit))
		known |= 0x80;
	if (judgement.is_since(kMetabox))
		known |= 0x100;
	if (bits < 9)
		judgement.refuse("its blocks are too small");
	judgement.refuse_large_blocks(bits, false);
	if (image[kSuperblock + 90])
		judgement.refuse("the size of its folders' blocks is not known");
	if (bits >= 9 && bits <= 16 && (load_le32(image, kSuperblock + 8) & 1))
		judge_erofs_checksum(judgement, bits);
	if (features & ~known)
		judgement.refuse("it has features that the kernel does not know: " +
					 names_of(features & ~known, kNames),
				 "make it without them (mkfs.erofs -E, -m)");
	if ((features & kDevices) && load_le16(image, kSuperblock + 86))
		judgement.refuse("a part of it is on other devices", "make it in one piece");
	judge_erofs_compression(judgement, features);
}

} // namespace inspect
