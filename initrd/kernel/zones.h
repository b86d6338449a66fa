/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For shims: pages that are free, but not for them.
 */
#ifndef INITRD_KERNEL_ZONES_H
#define INITRD_KERNEL_ZONES_H

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

#endif
