/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hard links of one archive: the first name of every node that has several.
 */
#ifndef INITRD_ROOTFS_LINK_TABLE_H
#define INITRD_ROOTFS_LINK_TABLE_H

#include "initrd/cpio/reader.h"
#include "initrd/kernel/handles.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

/* Keyed by device, inode number and type; owns copies of the names. */
class LinkTable {
public:
	INLINE LinkTable() {}
	INLINE ~LinkTable() { clear(); }
	LinkTable(const LinkTable &) = delete;
	LinkTable &operator=(const LinkTable &) = delete;

	/*
	 * The name under which this node was entered, valid until clear(); null,
	 * and entered now under `entry.name`, when it is new. kNoMemory.
	 */
	Result<const char *> find_or_add(const cpio::Entry &entry);
	void clear();

private:
	struct Node;
	class Chains;
	Result<void> make_room();

	/* An array of chains; allocated with the first node, and larger ones later. */
	Buffer buckets_;
	size_t count_ = 0; /* nodes */
	u64 factors_[3];   /* of the hash */
};

} // namespace initrd::rootfs

#endif
