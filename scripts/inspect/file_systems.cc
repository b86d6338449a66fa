// SPDX-License-Identifier: GPL-2.0

#include "inspect/file_systems.h"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "initrd/image/formats.h"
#include "inspect/crc32c.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::load_be16;
using initrd::load_be32;
using initrd::load_le16;
using initrd::load_le32;

constexpr size_t kSuperblock = 1024;

// What is found out about one image.
class Judgement {
public:
	Judgement(Bytes image, const Config &config) : image(image), config(config) {}

	// It needs this option, which has no CONFIG_.
	void need(const std::string &option)
	{
		if (!config.may_be_built_in(option))
			found.push_back({"CONFIG_" + option, "", ""});
	}
	void refuse(const std::string &reason, const std::string &advice = "")
	{
		found.push_back({"", reason, advice});
	}
	void need_for_writing(const std::string &option)
	{
		if (!config.may_be_built_in(option))
			found.push_back({"CONFIG_" + option, "", "", true});
	}
	void refuse_writing(const std::string &reason)
	{
		found.push_back({"", reason, "", true});
	}
	// Blocks of 2^bits bytes.
	void refuse_large_blocks(u32 bits, bool are_taken)
	{
		if (bits >= 32 || u64{1} << bits > config.page_size())
			if (!are_taken)
				refuse("its blocks of " +
					       (bits < 32 ? std::to_string(u64{1} << bits) :
							    "2^" + std::to_string(bits)) +
					       " bytes are larger than a page, which has " +
					       std::to_string(config.page_size()),
				       "make it with blocks of " +
					       std::to_string(config.page_size()) +
					       " bytes, or smaller ones");
	}
	// Whether the kernel is of this series or a newer one, as far as is known.
	bool is_since(u32 series) const { return config.series() >= series; }

	const Bytes image;
	const Config &config;
	std::vector<Obstacle> found;
};

std::string hex(u32 value)
{
	char text[16];

	std::snprintf(text, sizeof(text), "%#x", value);
	return text;
}

// Bits of a superblock, and what they are.
struct Feature {
	u32 bit;
	const char *name;
};

template <size_t N> std::string names_of(u32 bits, const Feature (&features)[N])
{
	std::string names;

	for (const Feature &feature : features) {
		if (bits & feature.bit)
			names += (names.empty() ? "" : ", ") + std::string(feature.name);
		bits &= ~feature.bit;
	}
	if (bits)
		names += (names.empty() ? "" : ", ") + hex(bits);
	return names;
}

// --- ext2, ext3, ext4 --------------------------------------------------------------------

struct Ext {
	explicit Ext(Bytes image)
		: compatible(load_le32(image, kSuperblock + 0x5c)),
		  incompatible(load_le32(image, kSuperblock + 0x60)),
		  read_only(load_le32(image, kSuperblock + 0x64))
	{
	}

	static constexpr u32 kJournal = 0x4;	    // compatible
	static constexpr u32 kRecover = 0x4;	    // incompatible, as all up to the next ones
	static constexpr u32 kOfExt2 = 0x12;	    // file types, meta block groups
	static constexpr u32 kExtents = 0x40;
	static constexpr u32 kEncrypt = 0x10000;
	static constexpr u32 kCasefold = 0x20000;
	static constexpr u32 kKnown = 0x3e7d6;
	static constexpr u32 kReadOnlyOfExt2 = 0x7; // sparse superblocks, large files, B-trees
	static constexpr u32 kQuota = 0x100;
	static constexpr u32 kBigalloc = 0x200;
	static constexpr u32 kChecksums = 0x400;
	static constexpr u32 kReadOnly = 0x1000;
	static constexpr u32 kProject = 0x2000;
	static constexpr u32 kReadOnlyKnown = 0x1a77f;

	// Whether ext2's driver takes it, or ext4's when it is asked for an ext2.
	bool is_ext2() const
	{
		return !(incompatible & ~kOfExt2) && !(read_only & ~kReadOnlyOfExt2);
	}
	bool has_journal() const { return compatible & kJournal; }
	bool is_ext3() const
	{
		return has_journal() && !(incompatible & ~(kOfExt2 | kRecover)) &&
		       !(read_only & ~kReadOnlyOfExt2);
	}

	u32 compatible;
	u32 incompatible;
	u32 read_only;
};

// ext4's driver comes first.
bool by_ext4(const Ext &ext, const Config &config)
{
	if (!config.known() || config.built_in("EXT4_FS"))
		return true;
	return !ext.is_ext2() || !config.built_in("EXT2_FS");
}

void judge_ext4_features(const Ext &ext, Judgement &judgement)
{
	static constexpr Feature kNames[] = {{0x1, "compression"},
					     {0x8, "journal_dev"},
					     {0x1000, "dirdata"}};
	static constexpr Feature kReadOnlyNames[] = {{0x80, "snapshot"},
						     {0x800, "replica"},
						     {0x4000, "shared_blocks"}};
	const u32 unknown = ext.incompatible & ~Ext::kKnown;
	const u32 unknown_read_only = ext.read_only & ~(Ext::kReadOnlyKnown | Ext::kReadOnly);

	if (unknown)
		judgement.refuse("it has features that the kernel does not know: " +
					 names_of(unknown, kNames),
				 "make it without them (mke2fs -O)");
	if (ext.incompatible & Ext::kCasefold)
		judgement.need("UNICODE");
	if ((ext.incompatible & Ext::kEncrypt) &&
	    judgement.image[kSuperblock + 0x176])
		judgement.refuse("its level of encryption is not known");
	if (ext.read_only & Ext::kReadOnly)
		judgement.refuse_writing("it is marked as read-only");
	if (unknown_read_only)
		judgement.refuse_writing("it has features that can only be read: " +
					 names_of(unknown_read_only, kReadOnlyNames));
	if ((ext.read_only & Ext::kBigalloc) && !(ext.incompatible & Ext::kExtents))
		judgement.refuse_writing("it has bigalloc without extents");
	if (ext.read_only & (Ext::kQuota | Ext::kProject)) {
		judgement.need_for_writing("QUOTA");
		judgement.need_for_writing("QFMT_V2");
	}
}

void judge_ext4_superblock(const Ext &ext, Judgement &judgement)
{
	constexpr size_t kSize = 1024;
	constexpr size_t kSum = kSize - 4;
	const Bytes superblock = judgement.image.skip(kSuperblock);

	if (ext.read_only & Ext::kChecksums) {
		if (superblock[0x175] != 1)
			judgement.refuse("its kind of checksums is not known");
		else if (superblock.has(0, kSize) &&
			 crc32c(~0u, superblock.first(kSum)) != load_le32(superblock, kSum))
			judgement.refuse("the checksum of its superblock is wrong",
					 "e2fsck it, or make it again");
	}
	if (ext.has_journal() && !load_le32(superblock, 0xe0) && load_le32(superblock, 0xe4))
		judgement.refuse("its journal is on another device",
				 "make it with a journal of its own, or with none");
}

void judge_ext(Judgement &judgement)
{
	constexpr u32 kLargeBlocks = 6019;
	const Bytes image = judgement.image;

	if (!image.has(kSuperblock, 0x180))
		return;
	const Ext ext(image);
	const bool ext4 = by_ext4(ext, judgement.config);

	judgement.need(ext4 ? "EXT4_FS" : "EXT2_FS");
	judgement.refuse_large_blocks(
		10 + std::min(load_le32(image, kSuperblock + 0x18), u32{54}),
		ext4 && judgement.is_since(kLargeBlocks) &&
			judgement.config.has("TRANSPARENT_HUGEPAGE"));
	if (!ext4)
		return;
	judge_ext4_features(ext, judgement);
	judge_ext4_superblock(ext, judgement);
}

// --- erofs -------------------------------------------------------------------------------

struct Algorithm {
	const char *name;
	const char *option;
};

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

// --- the others --------------------------------------------------------------------------

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
		{"none", nullptr},	{"gzip", "SQUASHFS_ZLIB"}, {"lzma", nullptr},
		{"lzo", "SQUASHFS_LZO"}, {"xz", "SQUASHFS_XZ"},	  {"lz4", "SQUASHFS_LZ4"},
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
	const Bytes covered = image.first(
		image.has(8, 4) ? std::min<u32>(load_be32(image, 8), 512) / 4 * 4 : 0);
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
	static constexpr Feature kNames[] = {{0x40, "exchange"},
					     {0x80, "parent"},
					     {0x100, "metadir"},
					     {0x200, "zoned"}};
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
	judgement.refuse_large_blocks(image[120], version == 5 && judgement.is_since(6012) &&
							  judgement.config.has(
								  "TRANSPARENT_HUGEPAGE"));
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
	{"ext2", judge_ext},	   {"erofs", judge_erofs}, {"squashfs", judge_squashfs},
	{"cramfs", judge_cramfs}, {"romfs", judge_romfs}, {"Minix", judge_minix},
	{"xfs", judge_xfs},	   {"f2fs", judge_f2fs},
};

} // namespace

std::string mount_type(const std::string &format, Bytes image, const Config &config)
{
	std::string type = format;

	if (format == "ntfs")
		return "ntfs3";
	if (format == "ext2" && image.has(kSuperblock, 0x180)) {
		const Ext ext(image);

		// In the order in which ext4's driver offers them; ext2's comes behind it.
		if (by_ext4(ext, config) && ext.is_ext3())
			return "ext3";
		return ext.is_ext2() && (!config.known() || config.built_in("EXT4_USE_FOR_EXT2") ||
					 !config.built_in("EXT4_FS")) ?
			       "ext2" :
			       "ext4";
	}
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
