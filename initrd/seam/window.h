/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam of the RAM disk: loose pages mapped side by side, for decoders at boot.
 */
#ifndef INITRD_SEAM_WINDOW_H
#define INITRD_SEAM_WINDOW_H

#include "initrd/seam/pages.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Puts up to `count` pages, not zeroed, into `pages`; the caller owns them.
 * Returns how many; fewer than `count` when there is no memory.
 */
size_t ramdisk_window_pages(struct ramdisk_page **pages, size_t count);

/*
 * Maps `count` pages one behind the other until ramdisk_window_unmap(); NULL
 * when there is no room. The pages stay the caller's.
 */
u8 *ramdisk_window_map(struct ramdisk_page **pages, size_t count);
void ramdisk_window_unmap(u8 *window);

/*
 * Addresses for as many pages as the machine has, none of them mapped at first;
 * NULL where there are not enough addresses for that.
 */
struct ramdisk_range;
struct ramdisk_range *ramdisk_range_reserve(void);
/* The first address, and how many pages there is room for. */
u8 *ramdisk_range_start(const struct ramdisk_range *range);
size_t ramdisk_range_pages(const struct ramdisk_range *range);
/*
 * Maps `count` pages one behind the other from the range's page `first` on,
 * until ramdisk_range_free(): 0, or -ENOMEM and nothing is mapped. The pages
 * stay the caller's, and may change hands while they are mapped.
 */
int ramdisk_range_map(struct ramdisk_range *range, size_t first, struct ramdisk_page **pages,
		      size_t count);
/* Unmaps everything and gives the addresses back. */
void ramdisk_range_free(struct ramdisk_range *range);

#ifdef __cplusplus
}
#endif

#endif
