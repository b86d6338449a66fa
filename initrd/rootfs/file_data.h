/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The data of one file at a time, from an archive into the root file system.
 */
#ifndef INITRD_ROOTFS_FILE_DATA_H
#define INITRD_ROOTFS_FILE_DATA_H

#include "initrd/rootfs/file_pages.h"
#include "initrd/rootfs/handles.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

inline constexpr const char *kWriteError = "write error"; // mainline's

/*
 * Writes to an open file, at `position`; `written` is how many bytes. 0 or -errno:
 * -kNoMemory where hardly any memory is left.
 */
int write_file(seam_file *file, Bytes data, u64 position, size_t &written);

/* Data becomes pages of the file where it can be (FilePages), and is written elsewhere. */
class FileData {
public:
	/* Pages are taken from `image`, where that gives its pages away. */
	INLINE explicit FileData(Region &image) : pages_(image) {}
	INLINE ~FileData() { close(); }
	FileData(const FileData &) = delete;
	FileData &operator=(const FileData &) = delete;

	/*
	 * Begins with `node`, a regular file, which stays there until finish() or
	 * close(). 0 or -errno.
	 */
	INLINE int open(seam_directory *folder, seam_node *node)
	{
		close();
		position_ = 0;
		return pages_.open(node) ? 0 : open_file(folder, node);
	}
	/* The next piece. kNoSpace, kNoMemory: close() is all that can follow. */
	INLINE Result<void> append(Bytes piece)
	{
		size_t done = 0;
		auto result = pages_.is_open() ? pages_.append(piece, done) : write(piece, done);

		position_ += done;
		return result;
	}
	/* All has come: the file is as long as it is to be. */
	INLINE Result<void> finish()
	{
		if (pages_.is_open())
			return pages_.finish(position_);
		close();
		return {};
	}
	/* Forgets what has not become the file's. */
	INLINE void close()
	{
		pages_.close();
		file_ = File();
	}

	/* Bytes that came since open(). */
	INLINE u64 position() const { return position_; }

private:
	int open_file(seam_directory *folder, seam_node *node);
	Result<void> write(Bytes piece, size_t &written);

	FilePages pages_;
	File file_; /* none unless it is written to */
	u64 position_ = 0;
};

} // namespace initrd::rootfs

#endif
