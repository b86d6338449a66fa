// SPDX-License-Identifier: GPL-2.0
// The table of formats. A new compressor is a row here and a file beside it.

#include "initrd/formats/formats.h"

#include "initrd/support/parse.h"

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

// What else a superblock has to say, for those who look for one. `offset` is that of the
// magic bytes.

// All 32-bit numbers of its first bytes add up to 0.
bool romfs_sound(Bytes image, size_t)
{
	if (!image.has(0, 16))
		return false;
	const size_t size = min(min(image.size(), size_t{load_be32(image, 8)}), size_t{512});
	u32 sum = 0;

	for (size_t at = 0; at + 4 <= size; at += 4)
		sum += load_be32(image, at);
	return size >= 16 && sum == 0;
}

// The root's files begin behind its superblock, counted from the image's start.
bool cramfs_sound(Bytes image, size_t offset)
{
	constexpr size_t kSuper = 76;

	if (!image.has(offset, kSuper) || !holds(image, offset + 16, "Compressed ROMFS"))
		return false;
	const u32 last = load_native32(image, offset + 72);
	const size_t root = size_t{kBigMachine ? last & 0x3ffffff : last >> 6} << 2;

	return root == 0 || root == offset + kSuper;
}

bool squashfs_sound(Bytes image, size_t)
{
	if (!image.has(0, 96))
		return false;
	const u16 log = load_le16(image, 22);

	return load_le16(image, 28) == 4 && load_le16(image, 30) == 0 && log >= 12 && log <= 20 &&
	       load_le32(image, 12) == u32{1} << log && load_le64(image, 40) >= 96;
}

// Its two maps have a bit for each inode and zone, and the inodes follow them.
bool minix_sound(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 32))
		return false;
	const u16 magic = load_native16(image, kSuperblock + 16);
	const bool version_1 = magic == 0x137f || magic == 0x138f;
	const u32 inodes = load_native16(image, kSuperblock);
	const u32 zones = version_1 ? load_native16(image, kSuperblock + 2) :
				      load_native32(image, kSuperblock + 20);
	const u32 inode_map = load_native16(image, kSuperblock + 4);
	const u32 zone_map = load_native16(image, kSuperblock + 6);
	const u32 first = load_native16(image, kSuperblock + 8);
	const u32 inodes_in_block = version_1 ? 32 : 16;

	return inodes && inode_map && zone_map && inodes <= inode_map * 8192 && first < zones &&
	       first >= 2 + inode_map + zone_map + inodes / inodes_in_block &&
	       load_native16(image, kSuperblock + 10) < 10;
}

bool minix3_sound(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 32))
		return false;
	const u32 first = load_native16(image, kSuperblock + 10);

	return load_native32(image, kSuperblock) && load_native16(image, kSuperblock + 6) &&
	       load_native16(image, kSuperblock + 8) && first > 2 &&
	       first < load_native32(image, kSuperblock + 20) &&
	       load_native16(image, kSuperblock + 12) < 10 &&
	       is_power_of_two(load_native16(image, kSuperblock + 28), 1024, 32768);
}

bool ext2_sound(Bytes image, size_t)
{
	if (!image.has(kSuperblock, 1024))
		return false;
	const u32 inodes = load_le32(image, kSuperblock);
	const u32 blocks = load_le32(image, kSuperblock + 4);
	const u32 log = load_le32(image, kSuperblock + 24);
	const u32 inodes_per_group = load_le32(image, kSuperblock + 40);

	return inodes && log <= 6 && load_le32(image, kSuperblock + 20) <= 1 &&
	       load_le32(image, kSuperblock + 32) && inodes_per_group &&
	       inodes_per_group <= inodes && load_le32(image, kSuperblock + 16) <= inodes &&
	       load_le32(image, kSuperblock + 76) <= 1 &&
	       (blocks || load_le32(image, kSuperblock + 0x150));
}

bool xfs_sound(Bytes image, size_t)
{
	if (!image.has(0, 124))
		return false;
	const u32 version = load_be16(image, 100) & 0xf;

	return is_power_of_two(load_be32(image, 4), 512, 65536) && image[120] < 17 &&
	       load_be32(image, 4) == u32{1} << image[120] && (version == 4 || version == 5);
}

// What a boot sector ends in.
bool has_boot_signature(Bytes image)
{
	return image.has(510, 2) && image[510] == 0x55 && image[511] == 0xaa;
}

bool ntfs_sound(Bytes image, size_t)
{
	return has_boot_signature(image) && is_power_of_two(load_le16(image, 11), 256, 4096) &&
	       load_le64(image, 40);
}

bool exfat_sound(Bytes image, size_t)
{
	return has_boot_signature(image) && image[108] >= 9 && image[108] <= 12 &&
	       load_le64(image, 72);
}

bool vfat_sound(Bytes image, size_t)
{
	return has_boot_signature(image) && (image[0] == 0xeb || image[0] == 0xe9) &&
	       is_power_of_two(load_le16(image, 11), 512, 4096) &&
	       is_power_of_two(image[13], 1, 128) && load_le16(image, 14) &&
	       (image[16] == 1 || image[16] == 2);
}

bool erofs_sound(Bytes image, size_t)
{
	return image.has(kSuperblock, 128) && image[kSuperblock + 12] >= 9 &&
	       image[kSuperblock + 12] <= 16 && load_le32(image, kSuperblock + 36);
}

bool f2fs_sound(Bytes image, size_t)
{
	return image.has(kSuperblock, 44) && load_le16(image, kSuperblock + 4) == 1 &&
	       load_le32(image, kSuperblock + 8) >= 9 && load_le32(image, kSuperblock + 8) <= 16 &&
	       load_le32(image, kSuperblock + 16) >= 12 &&
	       load_le32(image, kSuperblock + 16) <= 16 && load_le64(image, kSuperblock + 36);
}

bool jfs_sound(Bytes image, size_t offset)
{
	return image.has(offset, 30) && load_le32(image, offset + 4) - 1 < 2 &&
	       load_le32(image, offset + 16) == 4096;
}

bool iso9660_sound(Bytes image, size_t offset)
{
	return image.has(offset, 129) && image[offset - 1] == 1 && image[offset + 5] == 1 &&
	       is_power_of_two(load_le16(image, offset + 127), 512, 2048);
}

// The superblock says where it is.
bool btrfs_sound(Bytes image, size_t offset)
{
	return image.has(offset, 92) && load_le64(image, offset - 16) == offset - 64 &&
	       is_power_of_two(load_le32(image, offset + 80), 512, 65536);
}

template <size_t N>
INLINE constexpr Format row(const char *name, Kind kind, u32 offset, const char (&magic)[N])
{
	Format format = {name, kind, offset, N - 1, {}, nullptr, nullptr, nullptr, false, nullptr};

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

enum class End : bool { kLater, kThere };

// `end`: whether nothing behind its size belongs to it.
template <size_t N>
INLINE constexpr Format file_system(const char *name, u32 offset, const char (&magic)[N],
				    u64 (*size)(Bytes, size_t), bool (*sound)(Bytes, size_t),
				    End end = End::kThere)
{
	Format format = row(name, Kind::kFileSystem, offset, magic);

	format.size = size;
	format.sound = sound;
	format.ends_there = end == End::kThere;
	return format;
}

// Whose numbers, the magic one among them, have the order of the kernel's own.
template <size_t N>
INLINE constexpr Format native_file_system(const char *name, u32 offset, const char (&magic)[N],
					   u64 (*size)(Bytes, size_t), bool (*sound)(Bytes, size_t))
{
	Format format = file_system(name, offset, magic, size, sound);

	for (size_t i = 0; kBigMachine && i < N - 1; i++)
		format.magic[i] = static_cast<u8>(magic[N - 2 - i]);
	return format;
}

/*
 * Whether it begins like an .lzma file of any properties, as `xz` tells it: a dictionary
 * of 2^n or 3 * 2^n bytes, a size that is unknown or below 256 GiB, the range coder's
 * zero.
 */
bool is_lzma(Bytes image)
{
	constexpr size_t kCoderAt = 13;
	constexpr u64 kTooLarge = u64{1} << 38;

	if (!image.has(0, kCoderAt + 1) || image[0] >= 9 * 5 * 5 || image[kCoderAt])
		return false;
	const u32 dictionary = load_le32(image, 1);
	const u64 size = load_le64(image, 5);
	const u32 lowest = dictionary & (0 - dictionary);
	const u32 rest = dictionary - lowest;

	return dictionary >= 4096 && (!rest || rest == lowest << 1) &&
	       (size == ~0ull || (size && size < kTooLarge));
}

// What bzip3 writes begins like what bzip2 does.
bool is_bzip2(Bytes image)
{
	return !holds(image, 0, "BZ3v1");
}

INLINE constexpr Format bzip2(Decoder decode)
{
	Format format = compressed("bzip2", "BZ", decode);

	format.looks_right = is_bzip2;
	return format;
}

INLINE constexpr Format any_lzma(Decoder decode)
{
	Format format = compressed("lzma", "", decode);

	format.looks_right = is_lzma;
	return format;
}

// Declares decode_NAME() of NAME.cc; null where CONFIG_RD_* leaves it out.
#define DECODER(name, option)                                        \
	[]() -> Decoder {                                            \
		Result<size_t> decode_##name(Bytes, Sink &);         \
		return IS_ENABLED(option) ? decode_##name : nullptr; \
	}()

} // namespace

// The table; in this namespace since DECODER() declares functions of it.
static constexpr Format table[] = {
	archive("cpio", "070701"),
	archive("cpio", "070702"),
	archive("cpio", "070707"), // refused by the reader, with the reason

	compressed("gzip", "\x1f\x8b", DECODER(gzip, CONFIG_RD_GZIP)),
	compressed("gzip", "\x1f\x9e", DECODER(gzip, CONFIG_RD_GZIP)),
	bzip2(DECODER(bzip2, CONFIG_RD_BZIP2)),
	compressed("lzma", "\x5d\x00", DECODER(lzma, CONFIG_RD_LZMA)),
	compressed("xz", "\xfd\x37", DECODER(xz, CONFIG_RD_XZ)),
	compressed("lzo", "\x89L", DECODER(lzo, CONFIG_RD_LZO)),
	compressed("lz4", "\x02\x21", DECODER(lz4, CONFIG_RD_LZ4)),
	compressed("lz4", "\x04\x22\x4d\x18", DECODER(lz4, CONFIG_RD_LZ4)),
	compressed("zstd", "\x28\xb5", DECODER(zstd, CONFIG_RD_ZSTD)),
	// A skippable frame, as pzstd has it in front; its first byte is 0x50 to 0x5f.
	compressed("zstd", "\x2a\x4d\x18", DECODER(zstd, CONFIG_RD_ZSTD), 1),

	// In the order of init/do_mounts_rd.c, as far as it knows them.
	file_system("romfs", 0, "-rom1fs-", romfs_size, romfs_sound),
	native_file_system("cramfs", 0, "\x45\x3d\xcd\x28", cramfs_size, cramfs_sound),
	file_system("squashfs", 0, "hsqs", squashfs_size, squashfs_sound),
	native_file_system("cramfs", 512, "\x45\x3d\xcd\x28", cramfs_size, cramfs_sound),
	native_file_system("Minix", kSuperblock + 16, "\x7f\x13", minix_size, minix_sound),
	native_file_system("Minix", kSuperblock + 16, "\x8f\x13", minix_size, minix_sound),
	file_system("ext2", kSuperblock + 56, "\x53\xef", ext2_size, ext2_sound),
	file_system("xfs", 0, "XFSB", xfs_size, xfs_sound),
	// (Behind it: a copy of its boot sector.)
	file_system("ntfs", 3, "NTFS    ", ntfs_size, ntfs_sound, End::kLater),
	file_system("exfat", 3, "EXFAT   ", exfat_size, exfat_sound),
	file_system("vfat", 54, "FAT1", vfat_size, vfat_sound),
	file_system("vfat", 82, "FAT32", vfat_size, vfat_sound),
	file_system("erofs", kSuperblock, "\xe2\xe1\xf5\xe0", erofs_size, erofs_sound),
	file_system("f2fs", kSuperblock, "\x10\x20\xf5\xf2", f2fs_size, f2fs_sound),
	native_file_system("Minix", kSuperblock + 16, "\x68\x24", minix_size, minix_sound),
	native_file_system("Minix", kSuperblock + 16, "\x78\x24", minix_size, minix_sound),
	native_file_system("Minix", kSuperblock + 24, "\x5a\x4d", minix3_size, minix3_sound),
	// (Its log; another session, or more of UDF.)
	file_system("jfs", 32768, "JFS1", jfs_size, jfs_sound, End::kLater),
	file_system("iso9660", 32769, "CD001", iso9660_size, iso9660_sound, End::kLater),
	file_system("btrfs", 65600, "_BHRfS_M", btrfs_size, btrfs_sound),

	// Has no magic number: what nothing else fits.
	any_lzma(DECODER(lzma, CONFIG_RD_LZMA)),
};

constinit Span<const Format> known_formats = table;

namespace {

bool fits(const Format &format, Bytes image)
{
	return image.has(format.offset, format.magic_size) &&
	       !__builtin_memcmp(image.data() + format.offset, format.magic, format.magic_size) &&
	       (!format.looks_right || format.looks_right(image));
}

} // namespace

const Format *identify(Bytes image)
{
	for (const Format &format : known_formats)
		if (fits(format, image))
			return &format;
	return nullptr;
}

const Format *identify_compressed(Bytes segment)
{
	for (const Format &format : known_formats)
		if (format.kind == Kind::kCompressed && fits(format, segment))
			return &format;
	return nullptr;
}

namespace {

// What people take for an initrd and is none, and what to do.
struct Hint {
	u16 offset;
	u8 magic_size;
	char magic[12];
	const char *text;
};

template <size_t N> INLINE constexpr Hint hint(u16 offset, const char (&magic)[N], const char *text)
{
	Hint hint = {offset, N - 1, {}, text};

	for (size_t i = 0; i < N - 1; i++)
		hint.magic[i] = magic[i];
	return hint;
}

constexpr const char *kPage = "a page of HTML: the server sent that instead of the file";
constexpr const char *kJffs2 = "a JFFS2 image, which needs flash (MTD): make ext2 or squashfs";

constexpr Hint hints[] = {
	hint(0, "\xc7\x71", "a cpio archive of the old binary format: use -H newc"),
	hint(0, "\x71\xc7", "a cpio archive of the old binary format: use -H newc"),
	hint(0, "070707", "a cpio archive of the old portable format: use -H newc"),
	hint(0, "070701", "a cpio archive, truncated in its first header"),
	hint(0, "070702", "a cpio archive, truncated in its first header"),
	hint(257, "ustar", "a tar archive: use cpio -H newc"),
	hint(0, "PK\x03\x04", "a zip archive: use cpio -H newc"),
	hint(0, "7z\xbc\xaf\x27\x1c", "a 7z archive: use cpio -H newc, and compress with xz"),
	hint(0, "!<arch>\n", "an ar archive or Debian package: load what is in it"),
	hint(0, "BZ3v1", "bzip3 data: compress with bzip2, zstd or xz --check=crc32"),
	hint(0, "LZIP", "lzip data: compress with xz --check=crc32"),
	hint(0, "\x1f\x9d", "data of compress (.Z): compress with gzip"),
	hint(514, "HdrS", "a kernel or EFI program"),
	hint(0, "MZ", "a kernel or EFI program"),
	hint(0,
	     "\x7f"
	     "ELF",
	     "an ELF program"),
	hint(0, "\x27\x05\x19\x56", "a U-Boot image (mkimage): load what is in it"),
	hint(0, "\xd0\x0d\xfe\xed", "a device tree or FIT image: load what is in it"),
	hint(0, "ANDROID!", "an Android boot image: load the ramdisk in it (unpack_bootimg)"),
	hint(0, "VNDRBOOT",
	     "an Android vendor_boot image: load the ramdisk in it (unpack_bootimg)"),
	hint(0, "\x3a\xff\x26\xed", "an Android sparse image: make it whole with simg2img"),
	hint(0, "QFI\xfb", "a qcow2 disk image: qemu-img convert -O raw"),
	hint(0, "UBI#", "a UBI image, which needs flash (MTD): make ext2 or squashfs"),
	hint(0, "\x31\x18\x10\x06",
	     "a UBIFS image, which needs flash (MTD): make ext2 or squashfs"),
	hint(0, "\x85\x19", kJffs2),
	hint(0, "\x19\x85", kJffs2),
	hint(32769, "BEA01", "a UDF image: make ext2 or squashfs"),
	hint(0, kBigMachine ? "\x45\x3d\xcd\x28" : "\x28\xcd\x3d\x45",
	     "a cramfs of the other byte order: mkfs.cramfs -N"),
	hint(512, kBigMachine ? "\x45\x3d\xcd\x28" : "\x28\xcd\x3d\x45",
	     "a cramfs of the other byte order: mkfs.cramfs -N"),
	hint(0, "version http", "a Git LFS pointer: git lfs pull brings the file itself"),
	hint(0, "<!DOCTYPE", kPage),
	hint(0, "<!doctype", kPage),
	hint(0, "<html", kPage),
	hint(0, "<HTML", kPage),
	hint(510, "\x55\xaa", "a disk with partitions or a boot sector"),
};

// What compressed data of zlib begins with: a window of 32 KiB, and a check of 5 bits.
bool is_zlib(Bytes image)
{
	return image.has(0, 2) && image[0] == 0x78 && load_be16(image, 0) % 31 == 0 &&
	       !(image[1] & 0x20);
}

// Whether it begins with some words that anybody can read.
bool is_text(Bytes image)
{
	constexpr size_t kWords = 16;

	if (image.size() < kWords)
		return false;
	for (const u8 byte : image.first(4 * kWords))
		if ((byte < ' ' && (byte < '\t' || byte > '\r')) || byte >= 0x7f)
			return false;
	return true;
}

} // namespace

const char *hint_for(Bytes image)
{
	for (const Hint &hint : hints)
		if (image.has(hint.offset, hint.magic_size) &&
		    !__builtin_memcmp(image.data() + hint.offset, hint.magic, hint.magic_size))
			return hint.text;
	if (is_zlib(image))
		return "zlib data without gzip's header: compress with gzip";
	return is_text(image) ? "text: the loader or a server took another file" : nullptr;
}

u64 claimed_size(const Format &format, Bytes image)
{
	return format.size ? format.size(image, format.offset) : 0;
}

bool is_sound(const Format &format, Bytes image)
{
	return format.sound && format.sound(image, format.offset);
}

const Format *identify_file_system(Bytes image)
{
	for (const Format &format : known_formats)
		if (format.kind == Kind::kFileSystem && fits(format, image) &&
		    is_sound(format, image))
			return &format;
	return nullptr;
}

bool is_archive(Bytes bytes)
{
	constexpr size_t kHeader = 110;
	constexpr size_t kMagic = 6;

	if (!bytes.has(0, kHeader) || (!holds(bytes, 0, "070701") && !holds(bytes, 0, "070702")))
		return false;
	for (const u8 byte : bytes.first(kHeader).skip(kMagic))
		if (digit_value(static_cast<char>(byte)) >= 16)
			return false;
	return true;
}

} // namespace initrd
