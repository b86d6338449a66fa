/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one file at a time, from an archive into the root file system.
 */
#ifndef INITRD_ROOTFS_FILE_DATA_H
#define INITRD_ROOTFS_FILE_DATA_H

#include "initrd/image/region.h"
#include "initrd/rootfs/handles.h"
#include "initrd/seam/cache.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

/*
 * Writes to an open file, at `position`; `written` is how many bytes. 0 or -errno:
 * -kNoMemory where hardly any memory is left.
 */
int write_file(seam_file *file, Bytes data, u64 position, size_t &written);

/*
 * Where a file is nothing but its pages (ramfs, tmpfs), data becomes pages of the
 * file: whole pages of the boot loader's image become the file's own without a
 * copy, all else is copied once. Elsewhere, and into a file that has data, it is
 * written.
 */
class FileData {
public:
	/* Pages are taken from `image`, where that gives its pages away. */
	INLINE explicit FileData(Region &image) : image_(image) {}
	INLINE ~FileData()
	{
		close();
		drop_pages();
	}
	FileData(const FileData &) = delete;
	FileData &operator=(const FileData &) = delete;

	/*
	 * Begins with `node`, a regular file, which stays there until finish() or
	 * close(). 0 or -errno.
	 */
	int open(seam_directory *folder, seam_node *node);
	/* The next piece. kNoSpace, kNoMemory: close() is all that can follow. */
	Result<void> append(Bytes piece);
	/* All has come: the file is as long as it is to be. */
	Result<void> finish();
	/* Forgets what has not become the file's. */
	void close();

	/* Bytes that came since open(). */
	INLINE u64 position() const { return position_; }

private:
	/* Pages that are filled before they become the file's, all at once. */
	static constexpr size_t kBatch = 64;

	Result<void> take_pages(MutableBytes whole);
	Result<void> write(Bytes piece);
	Result<void> allocate();
	Result<void> add(seam_page **pages, size_t count);
	Result<void> flush();
	void drop_pages();

	Region &image_;
	seam_node *node_ = nullptr; /* null unless the file takes pages */
	bool pages_can_move_ = false;
	File file_; /* none unless it is written to */
	u64 position_ = 0;
	u64 first_ = 0; /* the number of the file's next page */
	/* pages_[begin_, count_) are ours; their first used_ bytes are the file's next. */
	seam_page *pages_[kBatch] = {};
	size_t begin_ = 0;
	size_t count_ = 0;
	size_t used_ = 0;
};

} // namespace initrd::rootfs

#endif
