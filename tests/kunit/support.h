/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between KUnit, whose macros are C, and the bodies of the cases, which are C++:
 * what the bodies call, and the bodies. A case is a function that gets its
 * struct kunit; the tables of cases are in initrd_*_kunit.c.
 */
#ifndef INITRD_TESTS_KUNIT_SUPPORT_H
#define INITRD_TESTS_KUNIT_SUPPORT_H

#include "tests/contract/expect.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kunit_suite;

/* In C. */

/* Who runs, to be compared with others. */
const void *initrd_kunit_task(void);

struct initrd_kunit_node {
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 rdev_major;
	u32 rdev_minor;
	s64 mtime;
	u64 size;
	u64 ino;
};

/* What is at `path`, not following a link at its end; 0 or -errno. */
int initrd_kunit_stat(const char *path, struct initrd_kunit_node *node);
/* Up to `size` bytes of a file's content; their number or -errno. */
s64 initrd_kunit_read(const char *path, void *to, size_t size);
/* Whether a symbolic link leads to `target`. */
int initrd_kunit_leads_to(const char *path, const char *target);
/* Removes a node, a directory only if it is empty. */
void initrd_kunit_remove(const char *path);

/*
 * Reads a block of a RAM disk, as a file system does, and drops the disk's page cache: whether
 * the page keeps its buffers all the same, for they are among those last used; or -errno.
 */
int initrd_kunit_buffers_left(u32 minor);

/* For suites that need the root file system: waits until it is filled. */
int initrd_kunit_wait(struct kunit_suite *suite);

/* In C++. */

#define INITRD_CPIO_CASES(X)                    \
	X(initrd_cpio_extract)                  \
	X(initrd_cpio_name_overrun)             \
	X(initrd_cpio_data)                     \
	X(initrd_cpio_checksum)                 \
	X(initrd_cpio_bad_checksum)             \
	X(initrd_cpio_many)                     \
	X(initrd_cpio_padded_names)             \
	X(initrd_cpio_path_max)                 \
	X(initrd_cpio_header_digits)            \
	X(initrd_cpio_truncated)                \
	X(initrd_cpio_not_cpio)                 \
	X(initrd_cpio_node_types)               \
	X(initrd_cpio_other_types_give_way)     \
	X(initrd_cpio_hardlinks)                \
	X(initrd_cpio_hardlinks_data_last)      \
	X(initrd_cpio_hardlinks_end_at_trailer) \
	X(initrd_cpio_directory_times)          \
	X(initrd_cpio_room)

#define INITRD_DECODE_CASES(X) \
	X(initrd_decode_gzip)  \
	X(initrd_decode_bzip2) \
	X(initrd_decode_lzma)  \
	X(initrd_decode_xz)    \
	X(initrd_decode_lzo)   \
	X(initrd_decode_lz4)   \
	X(initrd_decode_zstd)

#define INITRD_RAMDISK_CASES(X)                  \
	X(initrd_ramdisk_reads_zeros)            \
	X(initrd_ramdisk_reads_what_was_written) \
	X(initrd_ramdisk_reads_across_gaps)      \
	X(initrd_ramdisk_discards)               \
	X(initrd_ramdisk_inserts)                \
	X(initrd_ramdisk_writes_pages)           \
	X(initrd_ramdisk_waits_for_nobody)       \
	X(initrd_ramdisk_decodes_blocks)

#define INITRD_KUNIT_DECLARE(name) void name(struct kunit *test);
INITRD_CPIO_CASES(INITRD_KUNIT_DECLARE)
INITRD_DECODE_CASES(INITRD_KUNIT_DECLARE)
INITRD_RAMDISK_CASES(INITRD_KUNIT_DECLARE)

#ifdef __cplusplus
}
#endif

#endif
