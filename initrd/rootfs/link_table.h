/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hard links of one archive: which names are those of one node.
 *
 * An inode number alone does not tell. Some writers cut it to 32 bits, leave it 0, or
 * count anew where another archive was joined on. But all that is known write the same
 * type, permissions, owner, time and number of links with each of a node's names, and
 * data of one size with those names that have data: with one of them, mostly the last
 * (GNU cpio, libarchive, busybox, 3cpio) or the first (u-root), with each (pax, toybox),
 * or with none. So a group of names is complete when there are as many as the number of
 * links says, and what does not agree begins another group.
 */
#ifndef INITRD_ROOTFS_LINK_TABLE_H
#define INITRD_ROOTFS_LINK_TABLE_H

#include "initrd/formats/buffer.h"
#include "initrd/formats/cpio_reader.h"
#include "initrd/rootfs/handles.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

/* So many of something, and what the first of them is called. */
class Tally {
public:
	/* One more. */
	void add(const char *name);

	INLINE u64 count() const { return count_; }
	/* Cut off and printable; "" where there was no memory for it. */
	INLINE const char *first() const
	{
		return first_.size() ? reinterpret_cast<const char *>(first_.data()) : "";
	}

private:
	u64 count_ = 0;
	Buffer first_;
};

/* A symbolic link of which the writer may have known the target only later. */
struct NamedLink {
	NamedLink *next;
	Node node;
	const char *target;
	char name[]; /* and the target */
};

/* Names of one node. */
struct LinkGroup {
	LinkGroup *next;
	Node node; /* what was made under the first name; none: that failed */
	u32 ino;
	u32 dev_major;
	u32 dev_minor;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 mtime;
	u32 rdev_major;
	u32 rdev_minor;
	u32 left; /* names that have not come yet */
	u32 size; /* of its data; 0 until there is some */
	bool shares_number;
	u32 kept; /* links in `links` with a target */
	NamedLink *links;
};

class LinkTable {
public:
	INLINE LinkTable() {}
	INLINE ~LinkTable() { clear(); }
	LinkTable(const LinkTable &) = delete;
	LinkTable &operator=(const LinkTable &) = delete;

	/*
	 * The group that this name, one of several, belongs to, which is a new one where
	 * none takes it. `there` is what has the name already. The pointer is good until
	 * the next call. kNoMemory.
	 */
	Result<LinkGroup *> join(const cpio::Entry &entry, const seam_node *there);
	/* A group of its own for a name that turned out not to be one of `joined`. */
	Result<LinkGroup *> part(const cpio::Entry &entry, LinkGroup &joined);

	/* Remembers a symbolic link of a group for as long as names are missing. */
	Result<void> remember(LinkGroup &group, const char *name, const char *target,
			      const seam_node *node);
	/* Forgets one that has been mended. */
	static void forget_link(LinkGroup &group, NamedLink **at);
	/* The target that one of a group's links has; or "". */
	static const char *target_of(const LinkGroup &group);

	/* Forgets all groups: what comes later belongs to none of them. */
	void clear();

	/* Names that began a group though their number was another one's already. */
	INLINE const Tally &collisions() const { return collisions_; }
	/* Files of these that have no data, whether they should or not. */
	INLINE u64 doubtful() const { return doubtful_; }
	/* Symbolic links whose target never came. */
	INLINE Tally &targetless() { return targetless_; }

private:
	struct Found;
	class Chains;
	Found find(const cpio::Entry &entry, const seam_node *there);
	Result<LinkGroup *> add(const cpio::Entry &entry, bool shares_number);
	Result<void> make_room();
	void forget_links(LinkGroup &group);
	void drop(LinkGroup *group);

	/* An array of chains; allocated with the first group, and larger ones later. */
	Buffer buckets_;
	size_t count_ = 0; /* groups */
	u64 factors_[3];   /* of the hash */
	Tally collisions_;
	Tally targetless_;
	u64 doubtful_ = 0;
};

} // namespace initrd::rootfs

#endif
