/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether data that comes is what a file has already.
 */
#ifndef INITRD_ROOTFS_SAME_DATA_H
#define INITRD_ROOTFS_SAME_DATA_H

#include "initrd/formats/buffer.h"
#include "initrd/rootfs/file_data.h"
#include "initrd/rootfs/handles.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

/* One file at a time, from its start; it is not changed. */
class SameData {
public:
	INLINE SameData() {}
	INLINE ~SameData() {}

	/* Begins with `node`, a regular file on the file system of `folder`. */
	Result<void> open(seam_directory *folder, const seam_node *node);
	/*
	 * How many bytes of the piece are those that the file has next: all, or fewer,
	 * and then this one is not the same.
	 */
	size_t compare(Bytes piece);
	/* Gives what was the same to another file. */
	Result<void> copy_to(FileData &other);
	INLINE void close() { file_ = File(); }

	/* Whether it is open. */
	INLINE explicit operator bool() const { return static_cast<bool>(file_); }
	/* Bytes that were the same. */
	INLINE u64 position() const { return position_; }

private:
	Bytes read(u64 offset, u64 size);

	File file_;
	Buffer buffer_;
	u64 position_ = 0;
};

} // namespace initrd::rootfs

#endif
