/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam of the RAM disk: the block layer on one side, the C++ on the other.
 */
#ifndef INITRD_SEAM_BLKDEV_H
#define INITRD_SEAM_BLKDEV_H

#include "initrd/seam/pages.h"
#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The C++ object of a disk, and the block layer's. */
struct ramdisk_disk;
struct ramdisk_gendisk;

/* Where a disk's device numbers (minors of block major 1) begin, how many there are. */
struct ramdisk_minors {
	u32 first;
	u32 count;
};

/* The minor number of /dev/initrd, which no RAM disk gets. */
enum { RAMDISK_IMAGE_MINOR = 250 };

/* In the shim: what the C++ calls. */

/*
 * The life of a block device, with ramdisk_lock() held: made, which nobody sees,
 * shown, hidden, freed.
 */

/* A ram<number> of `size` bytes; NULL when there is no memory. */
struct ramdisk_gendisk *ramdisk_gendisk_new(struct ramdisk_disk *disk, u32 number,
					    struct ramdisk_minors minors, u64 size);
/*
 * Shows it as /dev/ram<number>, to be used, before this returns, by anybody. 0, or
 * -errno: nobody has seen it.
 */
int ramdisk_gendisk_show(struct ramdisk_gendisk *gendisk);
/* Takes away what was shown and waits for its users' requests. */
void ramdisk_gendisk_hide(struct ramdisk_gendisk *gendisk);
void ramdisk_gendisk_free(struct ramdisk_gendisk *gendisk);

void ramdisk_gendisk_resize(struct ramdisk_gendisk *gendisk, u64 size);
/* Reads the partition table again. */
void ramdisk_gendisk_rescan(struct ramdisk_gendisk *gendisk);
/*
 * Keeps users from coming and going; the C++ is called with it held where it
 * is told so.
 */
void ramdisk_gendisk_lock(struct ramdisk_gendisk *gendisk);
void ramdisk_gendisk_unlock(struct ramdisk_gendisk *gendisk);
/* How often the disk and its partitions are open; with the lock held. */
u32 ramdisk_gendisk_users(struct ramdisk_gendisk *gendisk);
/*
 * Whether somebody has it, or a partition, for himself: as one who mounts it has; with the
 * lock held.
 */
int ramdisk_gendisk_claimed(struct ramdisk_gendisk *gendisk);
/* Forgets what the page cache holds of the disk, written back or not; with the lock held. */
void ramdisk_gendisk_drop_cache(struct ramdisk_gendisk *gendisk);
/* How many minor numbers each disk has: brd.max_part=. */
u32 ramdisk_max_part(void);
/* Serialises everything that makes, finds or destroys disks. */
void ramdisk_lock(void);
void ramdisk_unlock(void);
/* brd.rd_size= and ramdisk_size=, in KiB. */
u64 ramdisk_default_size(void);
/* Whether the kernel has come so far that it runs init. */
int ramdisk_boot_is_over(void);

/* In the C++: what the shim calls. Sizes and offsets are in bytes. */

/* 0 or -errno; -ENOMEM when there is no page (with RAMDISK_NO_WAIT: none at once). */
int ramdisk_write(struct ramdisk_disk *disk, u64 offset, const void *from, size_t size,
		  enum ramdisk_wait wait);
void ramdisk_read(struct ramdisk_disk *disk, u64 offset, void *to, size_t size);
void ramdisk_discard(struct ramdisk_disk *disk, u64 offset, u64 size);
/* How many pages the disk has (debugfs ramdisk_pages/ram<number>). */
u64 ramdisk_pages(struct ramdisk_disk *disk);
/* Makes the disk with this number if there is none; 0 or -errno. */
int ramdisk_create(u32 number);
/*
 * The same for the disks from number 0 on, `asked` in all, as far as there are numbers and
 * memory for them; none below 0. Returns how many numbers that is; `*status` is 0, or the
 * -errno that was the end.
 */
u32 ramdisk_create_first(int asked, int *status);
/* The same for the disk that a device number belongs to. */
int ramdisk_create_for_minor(u32 minor);
/*
 * BLKFLSBUF, when all that was written to the page cache has come through: gives the
 * memory of the disk back that the initrd was loaded into. 0; -EBUSY when there are users beside the caller; -ENOTTY for another disk.
 */
int ramdisk_flush(struct ramdisk_disk *disk);
/* A user has closed the disk or a partition of it; with the lock held. */
void ramdisk_closed(struct ramdisk_disk *disk);
/* Destroys all disks. */
void ramdisk_destroy_all(void);
/* A number of KiB, or bytes with K, M, G; 0 when it is not a size. */
u64 ramdisk_parse_kib(const char *text);
/* What brd makes of max_part=: a divisor of 1 << 20, 1 to `most`. */
int ramdisk_sane_partitions(int asked, int most);

#ifdef __cplusplus
}
#endif

#endif
