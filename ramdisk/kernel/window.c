// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/vmalloc.h>

#include "ramdisk/kernel/window.h"

u8 * __init ramdisk_window_map(struct ramdisk_page **pages, size_t count)
{
	return vmap((struct page **)pages, count, VM_MAP, PAGE_KERNEL);
}

void __init ramdisk_window_unmap(u8 *window)
{
	vunmap(window);
}
