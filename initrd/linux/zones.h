/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For shims: pages that are free, but not for them.
 */
#ifndef INITRD_LINUX_ZONES_H
#define INITRD_LINUX_ZONES_H

#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/vmstat.h>

/*
 * Free pages that only those may have who can be moved away: of contiguous memory for
 * devices (CMA), and of movablecore=. Neither the kernel's own objects nor pages of a
 * ramfs or a RAM disk can.
 */
static inline unsigned long free_for_movable_only(void)
{
	unsigned long pages = global_zone_page_state(NR_FREE_CMA_PAGES);
	int node;

	for_each_online_node(node)
		pages += zone_page_state(&NODE_DATA(node)->node_zones[ZONE_MOVABLE], NR_FREE_PAGES);
	return pages;
}

/*
 * Pages that a zone may keep free for a while, above its watermarks, when it becomes
 * fragmented, which it does when memory becomes short.
 */
static inline unsigned long most_boost(void)
{
	unsigned long boost = 0;
	int i;

	for (i = 0; i < ZONE_MOVABLE; i++) {
		struct zone *zone = &NODE_DATA(first_online_node)->node_zones[i];

		/* Half as much again as the high one, and a block of pages at least. */
		if (zone_managed_pages(zone) >= 4 * pageblock_nr_pages)
			boost = max3(boost, pageblock_nr_pages,
				     zone->_watermark[WMARK_HIGH] / 2 * 3);
	}
	return boost;
}

/* Free pages that the kernel's own objects, a ramfs and a RAM disk do not get. */
static inline unsigned long free_for_others_only(void)
{
	return free_for_movable_only() + most_boost();
}

#endif
