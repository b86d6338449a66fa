/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that the boot allocator had reserved, for the shims that free them.
 */
#ifndef INITRD_LINUX_RESERVED_H
#define INITRD_LINUX_RESERVED_H

#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page-flags.h>

#include "initrd/linux/series.h"

/*
 * How many of `count` pages, from this one on, are of one zone: to the end of its
 * pageblock, at most. (What a zone spans tells nothing: others may lie inside.)
 */
static inline size_t pages_of_one_zone(struct page *page, size_t count)
{
	size_t block = pageblock_nr_pages - (page_to_pfn(page) & (pageblock_nr_pages - 1));
	size_t most = min(count, block);

	return page_zone(page) == page_zone(page + most - 1) ? most : 1;
}

/* Whether memory failure has struck one of them: alone it is kept out of use. */
static inline bool any_is_poisoned(struct page *page, size_t count)
{
	while (IS_ENABLED(CONFIG_MEMORY_FAILURE) && count)
		if (PageHWPoison(page + --count))
			return true;
	return false;
}

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

	if (page_zone(page) != page_zone(page + (1UL << order) - 1) ||
	    any_is_poisoned(page, 1UL << order))
		order = 0;
	/* That of the first page stands for the block. */
	clear_page_tag_ref(page);
	for (i = 0; i < 1UL << order; i++) {
		__ClearPageReserved(page + i);
		set_page_count(page + i, 0);
	}
	set_page_count(page, 1);
	__free_pages(page, order);
	return 1UL << order;
}

#endif
