// SPDX-License-Identifier: GPL-2.0
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "initrd/linux/fault.h"
#include "initrd/seam/memory.h"
#include "initrd/linux/zones.h"

void * __init seam_alloc(size_t size)
{
	/* At boot there is no process to kill: fail rather than panic. */
	return seam_fault() ? NULL :
	       kvmalloc(size, GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

void __init seam_free(void *memory)
{
	kvfree(memory);
}

size_t __init seam_page_size(void)
{
	return PAGE_SIZE;
}

u64 __init seam_memory_total(void)
{
	return (u64)totalram_pages() << PAGE_SHIFT;
}

u64 __init seam_memory_low(void)
{
	return (u64)(totalram_pages() - totalhigh_pages()) << PAGE_SHIFT;
}

u64 __init seam_memory_available(void)
{
	long pages = si_mem_available() - (long)free_for_others_only();

	return (u64)max(pages, 0L) << PAGE_SHIFT;
}

u64 __init seam_memory_for_objects(void)
{
	unsigned long free = global_zone_page_state(NR_FREE_PAGES);
	unsigned long others = nr_free_highpages() + totalreserve_pages + free_for_others_only();

	return free > others ? (u64)(free - others) << PAGE_SHIFT : 0;
}
