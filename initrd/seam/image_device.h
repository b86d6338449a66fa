/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam of /dev/initrd: the block layer on one side, the C++ on the other.
 */
#ifndef INITRD_SEAM_IMAGE_DEVICE_H
#define INITRD_SEAM_IMAGE_DEVICE_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In the shim: what the C++ calls. */

/* Serialises everything but reading. May sleep. */
void ramdisk_image_lock(void);
void ramdisk_image_unlock(void);
/* Makes the device as large as the sectors that `size` bytes lie in; with the lock held. */
void ramdisk_image_resize(u64 size);
/*
 * Gives whole pages that the boot allocator had reserved to the kernel, poisoned
 * as the generic free_initrd_mem() does (an architecture's own is gone after
 * boot); with the lock held. Lets others run.
 */
void ramdisk_image_free(u8 *pages, size_t size);
/* Says, in mainline's words, how much that was in all. */
void ramdisk_image_say_freed(size_t size);

/* Somebody who wants to know when a system call ends; NULL: no memory. */
struct ramdisk_call;
struct ramdisk_call *ramdisk_call_new(void);
void ramdisk_call_free(struct ramdisk_call *call);
/*
 * Has ramdisk_image_call_ends() called, once, by the task that is here, as it returns to user
 * space, behind all that it has put off until then; 0, or -errno where it returns no more.
 */
int ramdisk_call_watch(struct ramdisk_call *call);

/* In the C++: what the shim calls. */

/* The disk is there and complete: from now on it has its size, and may be opened. */
void ramdisk_image_start(void);
/* There will be no disk: what it holds, or is going to, is of no use. */
void ramdisk_image_give_up(void);

/*
 * A new user: 0; -errno when there is nothing to read, or when it wants to write.
 * An exclusive one may be a mount. `task` is the program's, or NULL when it is the
 * kernel's own, which returns to no user space.
 */
int ramdisk_image_open(int writes, int exclusive, const void *task);
/* `task` closes it. */
void ramdisk_image_close(const void *task);
/* For ramdisk_call_watch(). */
void ramdisk_image_call_ends(void);
/* Any part of the device, which must have users. */
void ramdisk_image_read(u64 offset, void *to, size_t size);
/* The image's exact size in bytes; 0 when there is none, or no more. */
u64 ramdisk_image_size(void);

#ifdef __cplusplus
}
#endif

#endif
