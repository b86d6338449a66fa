/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: files in the root file system that the kernel starts with, by their path.
 * nodes.h has what an archive is unpacked with.
 *
 * Every function returns 0 or more, or -errno. Paths are NUL-terminated and
 * are looked up without following a symbolic link at their end, unless said.
 */
#ifndef INITRD_SEAM_FILES_H
#define INITRD_SEAM_FILES_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An open file; owned by the caller until seam_file_close(). */
struct seam_file;

int seam_mkdir(const char *path, u32 mode);
int seam_unlink(const char *path);
/* Sets access and modification time to `seconds` after 1970. */
int seam_set_mtime(const char *path, s64 seconds);
/*
 * Whether there is something at `path`, which is all that the kernel wants to know of
 * init before it goes on to mount a root: 0, or -errno.
 */
int seam_may_execute(const char *path);

/*
 * Opens for writing an empty file, which is made if there is none. A negative
 * errno is put into `status` and NULL returned on failure.
 */
struct seam_file *seam_file_create(const char *path, u32 mode, int *status);
/*
 * Writes, or reads, `size` bytes at `offset`, or as many of them as go at once: their number,
 * 0 where the file system is full, or the file at its end; or -errno. -EINTR, -EAGAIN: nothing
 * yet, to be tried again.
 */
s64 seam_file_write(struct seam_file *file, const void *data, size_t size, u64 offset);
s64 seam_file_read(struct seam_file *file, void *data, size_t size, u64 offset);
void seam_file_close(struct seam_file *file);

/*
 * How much a file system may hold and how much more there is room for, of bytes and
 * of nodes; of what has no limit of its own, both are 0.
 */
struct seam_room {
	u64 size;
	u64 free;
	u64 nodes;
	u64 free_nodes;
};

/* Of the file system that `path` is in. */
int seam_file_system_room(const char *path, struct seam_room *room);
/*
 * Sets both limits of the root file system, which has them already: neither is 0, or
 * less than what is used.
 */
int seam_set_root_limits(u64 size, u64 nodes);

/* Waits until closed files are closed for real and no longer busy. */
void seam_files_flush(void);

#ifdef __cplusplus
}
#endif

#endif
