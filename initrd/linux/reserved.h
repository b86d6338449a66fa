/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that the boot allocator had reserved, for the shims that free them.
 */
#ifndef INITRD_LINUX_RESERVED_H
#define INITRD_LINUX_RESERVED_H

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

/* Whether the pages of a block are of one zone, and none is kept out of use. */
static inline bool is_one_block(struct page *page, unsigned int order)
{
	return page_zone(page) == page_zone(page + (1UL << order) - 1) &&
	       !any_is_poisoned(page, 1UL << order);
}

/*
 * Makes a block of reserved pages free ones, as the boot allocator frees. Who calls it keeps
 * the count of managed pages.
 */
static inline void free_reserved_block(struct page *page, unsigned int order)
{
	size_t i;

	/* That of the first page stands for the block. */
	clear_page_tag_ref(page);
	for (i = 0; i < 1UL << order; i++) {
		__ClearPageReserved(page + i);
		set_page_count(page + i, 0);
	}
	set_page_count(page, 1);
	__free_pages(page, order);
}

#endif
