/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where an entry of an archive goes: a folder of the root file system, a name in
 * it, and what is there.
 */
#ifndef INITRD_ROOTFS_PLACE_H
#define INITRD_ROOTFS_PLACE_H

#include "initrd/formats/buffer.h"
#include "initrd/rootfs/handles.h"

namespace initrd::rootfs {

/*
 * One place at a time. The folder that was looked up last is kept with the name
 * that led to it, as long as nothing is removed, which may have been on the way to
 * it: the next entry is nearly always in it, too.
 */
class Place {
public:
	INLINE Place() {}
	INLINE ~Place() {}

	/*
	 * Goes to `path`, which must stay as it is until the next call; `type` is what
	 * is to be there, of kTypeMask. 0 or -errno; afterwards there are a folder and
	 * a node, or, after an error, perhaps neither.
	 */
	int look_up(const char *path, u32 type);
	/*
	 * clean_path(): what is there goes unless it is of this type (0: in any case),
	 * or cannot be removed. False when the name cannot be looked up any more.
	 */
	bool remove_unless(u32 type);
	/*
	 * Goes to a node that has been made elsewhere, to fill it; it cannot be removed
	 * from here. 0 or -errno.
	 */
	int go_to(const seam_node *elsewhere);
	/* Removes what is there, and leaves the place. */
	void remove();
	/* Somebody else removes something: the folder is looked up again. */
	INLINE void forget_folder() { folder_length_ = 0; }
	/* Leaves the place; the folder is still kept. */
	INLINE void leave() { node_ = Node(); }

	INLINE seam_directory *folder() const { return folder_.get(); }
	INLINE seam_node *node() const { return node_.get(); }
	/* The mode of what is there, with its type; 0 when nothing is. */
	INLINE u32 mode() const { return seam_node_mode(node_.get()); }
	/* The folder's path; null while there is none. */
	INLINE const char *folder_path() const
	{
		return folder_ ? reinterpret_cast<const char *>(folder_name_.data()) : nullptr;
	}

private:
	int open_folder(const char *path, size_t length);
	int remove_node();
	int find();

	Directory folder_;
	Buffer folder_name_;	   /* NUL-terminated, of folder_length_ */
	size_t folder_length_ = 0; /* 0: it is to be looked up again */
	/* The last part of the path that was looked up; not terminated. */
	const char *name_ = nullptr;
	size_t name_length_ = 0;
	Node node_;
	bool is_elsewhere_ = false; /* node_ is the folder itself, or not in it */
};

} // namespace initrd::rootfs

#endif
