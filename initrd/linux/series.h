/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernel series, for the shims only.
 *
 * A new series is brought up here: one block for each change upstream, with
 * the version that made it.
 */
#ifndef INITRD_LINUX_SERIES_H
#define INITRD_LINUX_SERIES_H

#include <linux/version.h>

#define SERIES_AT_LEAST(major, minor) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, 0))

/* show_mem() lost its arguments in 6.6. */
#if SERIES_AT_LEAST(6, 6)
#define SERIES_SHOW_MEM() show_mem()
#else
#define SERIES_SHOW_MEM() show_mem(0, NULL)
#endif

/* The crash-kernel reservation got an option of its own in 6.9. */
#if SERIES_AT_LEAST(6, 9)
#define SERIES_HAS_CRASH_RESERVATION IS_ENABLED(CONFIG_CRASH_RESERVE)
#else
#define SERIES_HAS_CRASH_RESERVATION IS_ENABLED(CONFIG_KEXEC_CORE)
#endif

/* Series before 7.0 read header fields of an archive with strtoul(). */
#define SERIES_STRICT_HEX SERIES_AT_LEAST(7, 0)

/* The root's name became an argument of these two in 6.5. */
#if SERIES_AT_LEAST(6, 5)
#define SERIES_MOUNT_ROOT(name) mount_root(name)
#define SERIES_INITRD_LOAD_ARGUMENT char *root_name
#define SERIES_ROOT_NAME root_name
#else
#define SERIES_MOUNT_ROOT(name) mount_root()
#define SERIES_INITRD_LOAD_ARGUMENT void
#define SERIES_ROOT_NAME NULL
#endif

/* A page knows who allocated it from 6.10 on, with CONFIG_MEM_ALLOC_PROFILING. */
#if SERIES_AT_LEAST(6, 10)
#include <linux/mm_types.h>
#include <linux/pgalloc_tag.h>
/* Makes a page one that was allocated here. */
#define SERIES_TAG_PAGE(page)                                    \
	alloc_hooks(({                                           \
		pgalloc_tag_add(page, current, 1);               \
		0;                                               \
	}))
#else
#define clear_page_tag_ref(page) \
	do {                     \
	} while (0)
#define SERIES_TAG_PAGE(page) clear_page_tag_ref(page)
#endif

/* The queue for work on any processor has another name from 6.18 on. */
#if SERIES_AT_LEAST(6, 18)
#define SERIES_UNBOUND_QUEUE system_dfl_wq
#else
#define SERIES_UNBOUND_QUEUE system_unbound_wq
#endif

/* Mounts got an ID mapping instead of a user namespace in 6.3. */
#if SERIES_AT_LEAST(6, 3)
#define SERIES_IDMAP_TYPE struct mnt_idmap
#define SERIES_IDMAP(mount) mnt_idmap(mount)
#else
#define SERIES_IDMAP_TYPE struct user_namespace
#define SERIES_IDMAP(mount) mnt_user_ns(mount)
#endif

/* A name in a locked directory is looked up by another function from 6.16 on. */
#if SERIES_AT_LEAST(6, 16)
#define SERIES_LOOKUP(name, folder, length) lookup_noperm(&QSTR_LEN(name, length), folder)
#else
#define SERIES_LOOKUP(name, folder, length) lookup_one_len(name, folder, length)
#endif

/* Several pages are allocated at once under a shorter name from 6.14 on. */
#if SERIES_AT_LEAST(6, 14)
#define SERIES_BULK_PAGES(gfp, count, pages) alloc_pages_bulk(gfp, count, pages)
#else
#define SERIES_BULK_PAGES(gfp, count, pages) alloc_pages_bulk_array(gfp, count, pages)
#endif

/* A security module is told that the root file system is filled from 6.12. */
#if SERIES_AT_LEAST(6, 12)
#define SERIES_ROOTFS_IS_POPULATED() security_initramfs_populated()
#else
#define SERIES_ROOTFS_IS_POPULATED() \
	do {                         \
	} while (0)
#endif

/* The state of an SHA-256 is a context from 6.17 on. */
#if SERIES_AT_LEAST(6, 17)
#define SERIES_SHA256_STATE struct sha256_ctx
#else
#define SERIES_SHA256_STATE struct sha256_state
#endif

/* Tables of sysctls ended in an empty entry until 6.11. */
#if SERIES_AT_LEAST(6, 11)
#define SERIES_SYSCTL_END
#else
#define SERIES_SYSCTL_END \
	{                 \
	}
#endif

/* From 6.5 on a disk is opened as such, with a mode of the block layer's own. */
#if SERIES_AT_LEAST(6, 5)
#define SERIES_OPEN_ARGUMENTS struct gendisk *disk, blk_mode_t mode
#define SERIES_OPEN_WRITE BLK_OPEN_WRITE
#define SERIES_OPEN_EXCLUSIVE BLK_OPEN_EXCL
#define SERIES_RELEASE_ARGUMENTS struct gendisk *disk
#define SERIES_IOCTL_MODE blk_mode_t
#else
#define SERIES_OPEN_ARGUMENTS struct block_device *device, fmode_t mode
#define SERIES_OPEN_WRITE FMODE_WRITE
#define SERIES_OPEN_EXCLUSIVE FMODE_EXCL
#define SERIES_RELEASE_ARGUMENTS struct gendisk *disk, fmode_t mode
#define SERIES_IOCTL_MODE fmode_t
#endif

/* The limits of its queue became an argument of a disk's allocation in 6.9. */
#if SERIES_AT_LEAST(6, 9)
#define SERIES_ALLOC_DISK() blk_alloc_disk(NULL, NUMA_NO_NODE)
#else
#define SERIES_ALLOC_DISK() blk_alloc_disk(NUMA_NO_NODE)
#endif

/* A block device names its page cache since 6.10. */
#if SERIES_AT_LEAST(6, 10)
#define SERIES_BLOCK_CACHE(device) ((device)->bd_mapping)
#else
#define SERIES_BLOCK_CACHE(device) ((device)->bd_inode->i_mapping)
#endif

/* What root= says is looked up by a function with an error since 6.5. */
#if SERIES_AT_LEAST(6, 5)
#define SERIES_FIND_DEVICE(name, device) early_lookup_bdev(name, device)
#define SERIES_DRIVERS_ARE_BUSY() (!driver_probe_done())
#else
#define SERIES_FIND_DEVICE(name, device) ((*(device) = name_to_dev_t(name)) ? 0 : -ENODEV)
#define SERIES_DRIVERS_ARE_BUSY() (driver_probe_done() != 0)
#endif

#endif
