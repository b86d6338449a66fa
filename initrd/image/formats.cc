// SPDX-License-Identifier: GPL-2.0
// The table of formats. A new compressor is a row here and a file in decode/.

#include "initrd/image/formats.h"

namespace initrd {
namespace {

// Where ext2, minix, erofs and f2fs keep their superblock.
constexpr u32 kSuperblock = 1024;

// count << shift, or the largest value where it does not fit.
u64 scaled(u64 count, u32 shift)
{
	if (shift > 63 || count > (~0ull >> shift))
		return ~0ull;
	return count << shift;
}

u64 romfs_size(Bytes image, size_t)
{
	return image.has(8, 4) ? load_be32(image, 8) : 0;
}

u64 cramfs_size(Bytes image, size_t offset)
{
	return image.has(offset + 4, 4) ? load_native32(image, offset + 4) : 0;
}

u64 squashfs_size(Bytes image, size_t)
{
	return image.has(40, 8) ? load_le64(image, 40) : 0;
}

// Version 1 counts its zones in 16 bits, version 2 in 32.
u64 minix_size(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 32))
		return 0;
	const u16 magic = load_native16(image, kSuperblock + 16);
	const bool version_1 = magic == 0x137f || magic == 0x138f;
	const u64 zones = version_1 ? load_native16(image, kSuperblock + 2) :
				      load_native32(image, kSuperblock + 20);

	return scaled(zones, 10 + load_native16(image, kSuperblock + 10));
}

u64 minix3_size(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 32))
		return 0;
	const u64 size = u64{load_native32(image, kSuperblock + 20)} *
			 load_native16(image, kSuperblock + 28);

	return scaled(size, load_native16(image, kSuperblock + 12));
}

u64 ext2_size(Bytes image, size_t)
{
	constexpr u32 kIncompat64Bit = 0x80;

	if (!image.has(kSuperblock, 0x158))
		return 0;
	u64 blocks = load_le32(image, kSuperblock + 4);

	if (load_le32(image, kSuperblock + 0x60) & kIncompat64Bit)
		blocks |= u64{load_le32(image, kSuperblock + 0x150)} << 32;
	const u64 log_block_size = load_le32(image, kSuperblock + 24);

	return scaled(blocks, log_block_size > 53 ? 64 : 10 + static_cast<u32>(log_block_size));
}

u64 erofs_size(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 40))
		return 0;
	return scaled(load_le32(image, kSuperblock + 36), image[kSuperblock + 12]);
}

u64 xfs_size(Bytes image, size_t)
{
	constexpr size_t kBlockLogAt = 120;

	if (!image.has(0, kBlockLogAt + 1))
		return 0;
	return scaled(load_be64(image, 8), image[kBlockLogAt]);
}

// Sectors of bytes as the boot sector has them, in FAT and NTFS.
u64 sectors(Bytes image, u64 count)
{
	u64 size;

	return checked_multiply(count, u64{load_le16(image, 11)}, size) ? size : ~0ull;
}

u64 ntfs_size(Bytes image, size_t)
{
	return image.has(40, 8) ? sectors(image, load_le64(image, 40)) : 0;
}

u64 exfat_size(Bytes image, size_t)
{
	return image.has(72, 37) ? scaled(load_le64(image, 72), image[108]) : 0;
}

u64 vfat_size(Bytes image, size_t)
{
	if (!image.has(0, 36))
		return 0;
	const u16 few = load_le16(image, 19);

	return sectors(image, few ? few : load_le32(image, 32));
}

u64 f2fs_size(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 44))
		return 0;
	return scaled(load_le64(image, kSuperblock + 36), load_le32(image, kSuperblock + 16));
}

u64 jfs_size(Bytes image, size_t offset)
{
	if (!image.has(offset, 30))
		return 0;
	return scaled(load_le64(image, offset + 8), load_le16(image, offset + 28));
}

// `offset` is that of "CD001", one byte into the volume descriptor.
u64 iso9660_size(Bytes image, size_t offset)
{
	if (!image.has(offset, 129))
		return 0;
	return u64{load_le32(image, offset + 79)} * load_le16(image, offset + 127);
}

// `offset` is that of the magic number, 64 bytes into the superblock.
u64 btrfs_size(Bytes image, size_t offset)
{
	return image.has(offset, 56) ? load_le64(image, offset + 48) : 0;
}

template <size_t N>
INLINE constexpr Format row(const char *name, Kind kind, u32 offset, const char (&magic)[N])
{
	Format format = {name, kind, offset, N - 1, {}, nullptr, nullptr};

	for (size_t i = 0; i < N - 1; i++)
		format.magic[i] = static_cast<u8>(magic[i]);
	return format;
}

template <size_t N> INLINE constexpr Format archive(const char *name, const char (&magic)[N])
{
	return row(name, Kind::kArchive, 0, magic);
}

template <size_t N>
INLINE constexpr Format compressed(const char *name, const char (&magic)[N], Decoder decode,
				   u32 offset = 0)
{
	Format format = row(name, Kind::kCompressed, offset, magic);

	format.decode = decode;
	return format;
}

template <size_t N>
INLINE constexpr Format file_system(const char *name, u32 offset, const char (&magic)[N],
				    u64 (*size)(Bytes, size_t) = nullptr)
{
	Format format = row(name, Kind::kFileSystem, offset, magic);

	format.size = size;
	return format;
}

// Whose numbers, the magic one among them, have the order of the kernel's own.
template <size_t N>
INLINE constexpr Format native_file_system(const char *name, u32 offset, const char (&magic)[N],
					   u64 (*size)(Bytes, size_t))
{
	Format format = file_system(name, offset, magic, size);

	for (size_t i = 0; kBigMachine && i < N - 1; i++)
		format.magic[i] = static_cast<u8>(magic[N - 2 - i]);
	return format;
}

// Declares decode_NAME() of decode/NAME.cc; null where CONFIG_RD_* leaves it out.
#define DECODER(name, option)                                        \
	[]() -> Decoder {                                            \
		Result<size_t> decode_##name(Bytes, Sink &);         \
		return IS_ENABLED(option) ? decode_##name : nullptr; \
	}()

} // namespace

// The table; in this namespace since DECODER() declares functions of it.
static constexpr Format formats[] = {
	archive("cpio", "070701"),
	archive("cpio", "070702"),
	archive("cpio", "070707"), // refused by the reader, with the reason

	compressed("gzip", "\x1f\x8b", DECODER(gzip, CONFIG_RD_GZIP)),
	compressed("gzip", "\x1f\x9e", DECODER(gzip, CONFIG_RD_GZIP)),
	compressed("bzip2", "BZ", DECODER(bzip2, CONFIG_RD_BZIP2)),
	compressed("lzma", "\x5d\x00", DECODER(lzma, CONFIG_RD_LZMA)),
	compressed("xz", "\xfd\x37", DECODER(xz, CONFIG_RD_XZ)),
	compressed("lzo", "\x89L", DECODER(lzo, CONFIG_RD_LZO)),
	compressed("lz4", "\x02\x21", DECODER(lz4, CONFIG_RD_LZ4)),
	compressed("lz4", "\x04\x22\x4d\x18", DECODER(lz4, CONFIG_RD_LZ4)),
	compressed("zstd", "\x28\xb5", DECODER(zstd, CONFIG_RD_ZSTD)),
	// A skippable frame, as pzstd has it in front; its first byte is 0x50 to 0x5f.
	compressed("zstd", "\x2a\x4d\x18", DECODER(zstd, CONFIG_RD_ZSTD), 1),

	// In the order of init/do_mounts_rd.c, as far as it knows them.
	file_system("romfs", 0, "-rom1fs-", romfs_size),
	native_file_system("cramfs", 0, "\x45\x3d\xcd\x28", cramfs_size),
	file_system("squashfs", 0, "hsqs", squashfs_size),
	native_file_system("cramfs", 512, "\x45\x3d\xcd\x28", cramfs_size),
	native_file_system("Minix", kSuperblock + 16, "\x7f\x13", minix_size),
	native_file_system("Minix", kSuperblock + 16, "\x8f\x13", minix_size),
	file_system("ext2", kSuperblock + 56, "\x53\xef", ext2_size),
	file_system("xfs", 0, "XFSB", xfs_size),
	file_system("ntfs", 3, "NTFS    ", ntfs_size),
	file_system("exfat", 3, "EXFAT   ", exfat_size),
	file_system("vfat", 54, "FAT1", vfat_size),
	file_system("vfat", 82, "FAT32", vfat_size),
	file_system("erofs", kSuperblock, "\xe2\xe1\xf5\xe0", erofs_size),
	file_system("f2fs", kSuperblock, "\x10\x20\xf5\xf2", f2fs_size),
	native_file_system("Minix", kSuperblock + 16, "\x68\x24", minix_size),
	native_file_system("Minix", kSuperblock + 16, "\x78\x24", minix_size),
	native_file_system("Minix", kSuperblock + 24, "\x5a\x4d", minix3_size),
	file_system("jfs", 32768, "JFS1", jfs_size),
	file_system("iso9660", 32769, "CD001", iso9660_size),
	file_system("btrfs", 65600, "_BHRfS_M", btrfs_size),
};

namespace {

bool fits(const Format &format, Bytes image)
{
	return image.has(format.offset, format.magic_size) &&
	       !__builtin_memcmp(image.data() + format.offset, format.magic, format.magic_size);
}

} // namespace

const Format *identify(Bytes image)
{
	for (const Format &format : formats)
		if (fits(format, image))
			return &format;
	return nullptr;
}

const Format *identify_compressed(Bytes segment)
{
	for (const Format &format : formats)
		if (format.kind == Kind::kCompressed && fits(format, segment))
			return &format;
	return nullptr;
}

Span<const Format> known_formats()
{
	return {formats, sizeof(formats) / sizeof(formats[0])};
}

const char *hint_for(Bytes image)
{
	if (holds(image, 0, "\xc7\x71") || holds(image, 0, "\x71\xc7"))
		return "a cpio archive of the old binary format: use -H newc";
	if (holds(image, 0, "070707"))
		return "a cpio archive of the old portable format: use -H newc";
	if (holds(image, 0, "070701") || holds(image, 0, "070702"))
		return "a cpio archive, truncated in its first header";
	if (holds(image, 257, "ustar"))
		return "a tar archive: use cpio -H newc";
	if (holds(image, 0, "PK\x03\x04"))
		return "a zip archive: use cpio -H newc";
	if (holds(image, 514, "HdrS") || holds(image, 0, "MZ"))
		return "a kernel or EFI program";
	if (holds(image, 0,
		  "\x7f"
		  "ELF"))
		return "an ELF program";
	if (holds(image, 0, "\x27\x05\x19\x56"))
		return "a U-Boot image: load what is in it";
	if (holds(image, 0, "\xd0\x0d\xfe\xed"))
		return "a device tree or FIT image: load what is in it";
	if (holds(image, 510, "\x55\xaa"))
		return "a disk with partitions or a boot sector";
	return nullptr;
}

u64 claimed_size(const Format &format, Bytes image)
{
	return format.size ? format.size(image, format.offset) : 0;
}

} // namespace initrd
