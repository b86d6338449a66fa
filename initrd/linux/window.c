// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/cacheflush.h>

#include "initrd/linux/fault.h"
#include "initrd/linux/series.h"
#include "initrd/seam/window.h"

/* 64 KiB with pages of 4 KiB: seldom missing, also in memory that is not new. */
#define BLOCK_ORDER 4

/* A block of pages costs hardly more than one, where there is one. */
static size_t __init block_of_pages(struct page **pages, gfp_t gfp)
{
	struct page *block = alloc_pages(gfp | __GFP_NORETRY | __GFP_NOWARN, BLOCK_ORDER);
	size_t i;

	if (!block)
		return 0;
	split_page(block, BLOCK_ORDER);
	for (i = 0; i < 1 << BLOCK_ORDER; i++)
		pages[i] = block + i;
	return 1 << BLOCK_ORDER;
}

size_t __init ramdisk_window_pages(struct ramdisk_page **pages, size_t count)
{
	struct page **list = (struct page **)pages;
	size_t there = 0, more;

	if (seam_fault())
		return 0;
	do {
		more = count - there < 1 << BLOCK_ORDER ? 0 :
			block_of_pages(list + there, GFP_KERNEL | __GFP_HIGHMEM);
		there += more;
	} while (more);
	memset(list + there, 0, (count - there) * sizeof(*list));
	/* It may stop early while there is memory, but not at once. */
	do {
		more = SERIES_BULK_PAGES(GFP_KERNEL | __GFP_HIGHMEM | __GFP_RETRY_MAYFAIL |
					 __GFP_NOWARN, count - there, list + there);
		there += more;
	} while (more && there < count);
	return there;
}

u8 * __init ramdisk_window_map(struct ramdisk_page **pages, size_t count)
{
	return seam_fault() ? NULL : vmap((struct page **)pages, count, VM_MAP, PAGE_KERNEL);
}

void __init ramdisk_window_unmap(u8 *window)
{
	vunmap(window);
}

/* A ramdisk_range is the kernel's struct vm_struct under another name. */
static struct vm_struct *to_area(const struct ramdisk_range *range)
{
	return (struct vm_struct *)range;
}

struct ramdisk_range * __init ramdisk_range_reserve(void)
{
	if (!IS_ENABLED(CONFIG_64BIT) || seam_fault())
		return NULL;
	/* Also for those that the image gives back while it is read. */
	return (struct ramdisk_range *)get_vm_area(get_num_physpages() << PAGE_SHIFT, VM_MAP);
}

u8 * __init ramdisk_range_start(const struct ramdisk_range *range)
{
	return to_area(range)->addr;
}

size_t __init ramdisk_range_pages(const struct ramdisk_range *range)
{
	return get_vm_area_size(to_area(range)) >> PAGE_SHIFT;
}

static int __init map_page(pte_t *pte, unsigned long address, void *next)
{
	struct page ***page = next;

	set_pte_at(&init_mm, address, pte, mk_pte(**page, PAGE_KERNEL));
	(*page)++;
	return 0;
}

int __init ramdisk_range_map(struct ramdisk_range *range, size_t first,
			     struct ramdisk_page **pages, size_t count)
{
	unsigned long start = (unsigned long)to_area(range)->addr + (first << PAGE_SHIFT);
	unsigned long size = count << PAGE_SHIFT;
	struct page **next = (struct page **)pages;

	if (seam_fault() || apply_to_page_range(&init_mm, start, size, map_page, &next)) {
		vunmap_range(start, start + size);
		return -ENOMEM;
	}
	flush_cache_vmap(start, start + size);
	return 0;
}

void __init ramdisk_range_free(struct ramdisk_range *range)
{
	free_vm_area(to_area(range));
}
