/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam of the RAM disk: loose pages mapped side by side, for decoders at boot.
 */
#ifndef RAMDISK_KERNEL_WINDOW_H
#define RAMDISK_KERNEL_WINDOW_H

#include "ramdisk/kernel/pages.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Maps `count` pages one behind the other until ramdisk_window_unmap(); NULL
 * when there is no room. The pages stay the caller's.
 */
u8 *ramdisk_window_map(struct ramdisk_page **pages, size_t count);
void ramdisk_window_unmap(u8 *window);

#ifdef __cplusplus
}
#endif

#endif
