// SPDX-License-Identifier: GPL-2.0
// What of ext2, ext3 and ext4 a kernel can mount.

#include "inspect/judgement.h"

#include <algorithm>

#include "inspect/crc32c.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::load_le16;
using initrd::load_le32;

struct Ext {
	explicit Ext(Bytes image)
		: compatible(load_le32(image, kSuperblock + 0x5c)),
		  incompatible(load_le32(image, kSuperblock + 0x60)),
		  read_only(load_le32(image, kSuperblock + 0x64))
	{
	}

	static constexpr u32 kJournal = 0x4; // compatible
	static constexpr u32 kRecover = 0x4; // incompatible, as all up to the next ones
	static constexpr u32 kOfExt2 = 0x12; // file types, meta block groups
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
	static constexpr Feature kNames[] = {
		{0x1, "compression"}, {0x8, "journal_dev"}, {0x1000, "dirdata"}};
	static constexpr Feature kReadOnlyNames[] = {
		{0x80, "snapshot"}, {0x800, "replica"}, {0x4000, "shared_blocks"}};
	const u32 unknown = ext.incompatible & ~Ext::kKnown;
	const u32 unknown_read_only = ext.read_only & ~(Ext::kReadOnlyKnown | Ext::kReadOnly);

	if (unknown)
		judgement.refuse("it has features that the kernel does not know: " +
					 names_of(unknown, kNames),
				 "make it without them (mke2fs -O)");
	if (ext.incompatible & Ext::kCasefold)
		judgement.need("UNICODE");
	if ((ext.incompatible & Ext::kEncrypt) && judgement.image[kSuperblock + 0x176])
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

} // namespace

void judge_ext(Judgement &judgement)
{
	constexpr u32 kLargeBlocks = 6019;
	const Bytes image = judgement.image;

	if (!image.has(kSuperblock, 0x180))
		return;
	const Ext ext(image);
	const bool ext4 = by_ext4(ext, judgement.config);

	judgement.need(ext4 ? "EXT4_FS" : "EXT2_FS");
	judgement.refuse_large_blocks(10 + std::min(load_le32(image, kSuperblock + 0x18), u32{54}),
				      ext4 && judgement.is_since(kLargeBlocks) &&
					      judgement.config.has("TRANSPARENT_HUGEPAGE"));
	if (!ext4)
		return;
	judge_ext4_features(ext, judgement);
	judge_ext4_superblock(ext, judgement);
}

std::string ext_type(Bytes image, const Config &config)
{
	const Ext ext(image);

	// In the order in which ext4's driver offers them; ext2's comes behind it.
	if (by_ext4(ext, config) && ext.is_ext3())
		return "ext3";
	return ext.is_ext2() && (!config.known() || config.built_in("EXT4_USE_FOR_EXT2") ||
				 !config.built_in("EXT4_FS")) ?
		       "ext2" :
		       "ext4";
}

} // namespace inspect
