/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that the boot allocator had reserved, for the shims that free them.
 */
#ifndef INITRD_KERNEL_RESERVED_H
#define INITRD_KERNEL_RESERVED_H

#include <linux/log2.h>
#include <linux/mm.h>

#include "initrd/kernel/series.h"

/*
 * Makes the first of `count` reserved pages side by side free ones, in as large
 * a block as may begin there, as the boot allocator frees; returns how many
 * these are. `count` is at most a pageblock's. Who calls it keeps the count of
 * managed pages.
 */
static inline size_t free_reserved_block(struct page *page, size_t count)
{
	/* (Page 0 may begin a block of any order.) */
	unsigned long number = page_to_pfn(page) | 1UL << (BITS_PER_LONG - 1);
	unsigned int order = min_t(unsigned int, ilog2(count), __ffs(number));
	size_t i;

	if (page_zone(page) != page_zone(page + (1UL << order) - 1))
		order = 0;
	for (i = 0; i < 1UL << order; i++) {
		clear_page_tag_ref(page + i);
		__ClearPageReserved(page + i);
		set_page_count(page + i, 0);
	}
	set_page_count(page, 1);
	__free_pages(page, order);
	return 1UL << order;
}

#endif
