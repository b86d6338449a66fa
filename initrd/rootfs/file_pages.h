/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data that becomes pages of a file, where a file is nothing but its pages: ramfs, tmpfs.
 * With CONFIG_INITRD_CXX_FILE_PAGES; without it no file takes any.
 */
#ifndef INITRD_ROOTFS_FILE_PAGES_H
#define INITRD_ROOTFS_FILE_PAGES_H

#include "initrd/image/region.h"
#include "initrd/seam/cache.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

#if IS_ENABLED(CONFIG_INITRD_CXX_FILE_PAGES)

/*
 * Whole pages of the boot loader's image become the file's own without a copy, all else
 * is copied once.
 */
class FilePages {
public:
	/* Pages are taken from `image`, where that gives its pages away. */
	INLINE explicit FilePages(Region &image) : image_(image) {}
	INLINE ~FilePages() { drop(); }
	FilePages(const FilePages &) = delete;
	FilePages &operator=(const FilePages &) = delete;

	/* Begins with `node`, which stays there until finish() or close(); whether it can be. */
	bool open(seam_node *node);
	/*
	 * The next piece; `appended` is how many bytes of it. kNoSpace, kNoMemory: close() is
	 * all that can follow.
	 */
	Result<void> append(Bytes piece, size_t &appended);
	/* All has come: the file is `size` bytes long. */
	Result<void> finish(u64 size);
	/* Forgets what has not become the file's. */
	INLINE void close()
	{
		used_ = 0;
		node_ = nullptr;
	}
	INLINE bool is_open() const { return node_; }

private:
	/* Pages that are filled before they become the file's, all at once. */
	static constexpr size_t kBatch = 64;

	Result<void> take(LoosePages whole);
	Result<void> allocate();
	size_t store(seam_page **pages, size_t count, int &status);
	Result<void> add(seam_page **pages, size_t count);
	Result<void> flush();
	void drop();

	Region &image_;
	seam_node *node_ = nullptr; /* the file */
	bool can_move_ = false;
	u64 first_ = 0; /* the number of the file's next page */
	/* pages_[begin_, count_) are ours; their first used_ bytes are the file's next. */
	seam_page *pages_[kBatch] = {};
	size_t begin_ = 0;
	size_t count_ = 0;
	size_t used_ = 0;
};

#else

class FilePages {
public:
	INLINE explicit FilePages(Region &) {}
	INLINE bool open(seam_node *) { return false; }
	INLINE Result<void> append(Bytes, size_t &) { return {}; }
	INLINE Result<void> finish(u64) { return {}; }
	INLINE void close() {}
	INLINE bool is_open() const { return false; }
};

#endif

} // namespace initrd::rootfs

#endif
