// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "initrd/kernel/series.h"
#include "ramdisk/kernel/pages.h"

struct ramdisk_map {
	struct xarray pages;
	atomic_long_t count;
};

/* A ramdisk_page is the kernel's struct page under another name. */
static struct page *to_page(struct ramdisk_page *page)
{
	return (struct page *)page;
}

static gfp_t to_gfp(enum ramdisk_wait wait)
{
	switch (wait) {
	case RAMDISK_NO_WAIT:
		return GFP_NOWAIT;
	case RAMDISK_AT_BOOT:
		return GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	default:
		return GFP_NOIO;
	}
}

size_t ramdisk_page_size(void)
{
	return PAGE_SIZE;
}

struct ramdisk_page *ramdisk_page_new(enum ramdisk_wait wait)
{
	return (struct ramdisk_page *)alloc_page(to_gfp(wait) | __GFP_ZERO | __GFP_HIGHMEM);
}

void ramdisk_page_free(struct ramdisk_page *page)
{
	__free_page(to_page(page));
}

static void free_retired(struct rcu_head *head)
{
	__free_page(container_of(head, struct page, rcu_head));
}

void ramdisk_page_retire(struct ramdisk_page *page)
{
	call_rcu(&to_page(page)->rcu_head, free_retired);
}

static void free_retired_adopted(struct rcu_head *head)
{
	struct page *page = container_of(head, struct page, rcu_head);

	/* free_reserved_page(), but for the count that the adoption made. */
	clear_page_tag_ref(page);
	ClearPageReserved(page);
	init_page_count(page);
	__free_page(page);
}

void ramdisk_page_retire_adopted(u8 *mapped)
{
	call_rcu(&virt_to_page(mapped)->rcu_head, free_retired_adopted);
}

void ramdisk_pages_settle(void)
{
	rcu_barrier();
}

void ramdisk_page_read(struct ramdisk_page *page, size_t at, void *to, size_t size)
{
	memcpy_from_page(to, to_page(page), at, size);
}

void ramdisk_page_write(struct ramdisk_page *page, size_t at, const void *from, size_t size)
{
	memcpy_to_page(to_page(page), at, from, size);
}

void ramdisk_page_zero(struct ramdisk_page *page, size_t at, size_t size)
{
	memzero_page(to_page(page), at, size);
}

struct ramdisk_map *ramdisk_map_new(void)
{
	struct ramdisk_map *map = kzalloc(sizeof(*map), GFP_KERNEL);

	if (map)
		xa_init(&map->pages);
	return map;
}

void ramdisk_map_free(struct ramdisk_map *map)
{
	if (map)
		xa_destroy(&map->pages);
	kfree(map);
}

struct ramdisk_page *ramdisk_map_get(struct ramdisk_map *map, u64 number)
{
	return xa_load(&map->pages, number);
}

int ramdisk_map_add(struct ramdisk_map *map, u64 number, struct ramdisk_page *page,
		    enum ramdisk_wait wait)
{
	int status = xa_insert(&map->pages, number, page, to_gfp(wait));

	/* xa_insert() says -EBUSY for what is there already. */
	return status == -EBUSY ? -EEXIST : status;
}

struct ramdisk_page *ramdisk_map_take(struct ramdisk_map *map, u64 *number, u64 last)
{
	unsigned long index = *number;

	while (xa_find(&map->pages, &index, min_t(u64, last, ULONG_MAX), XA_PRESENT)) {
		struct ramdisk_page *page = xa_erase(&map->pages, index);

		/* Another one may have taken it in between. */
		if (page) {
			*number = index;
			return page;
		}
	}
	return NULL;
}

void ramdisk_map_count(struct ramdisk_map *map, long change)
{
	atomic_long_add(change, &map->count);
}

u64 ramdisk_map_counted(const struct ramdisk_map *map)
{
	return atomic_long_read(&map->count);
}

void ramdisk_read_begin(void) __acquires(RCU)
{
	rcu_read_lock();
}

void ramdisk_read_end(void) __releases(RCU)
{
	rcu_read_unlock();
}

unsigned long *ramdisk_bits_new(u64 count)
{
	return kvcalloc(BITS_TO_LONGS(count), sizeof(long), GFP_KERNEL | __GFP_NOWARN);
}

void ramdisk_bits_free(unsigned long *bits)
{
	kvfree(bits);
}

int ramdisk_bit_is_set(const unsigned long *bits, u64 number)
{
	return test_bit(number, bits);
}

int ramdisk_bit_set(unsigned long *bits, u64 number)
{
	return test_and_set_bit(number, bits);
}

void *ramdisk_alloc(size_t size)
{
	return kzalloc(size, GFP_KERNEL | __GFP_NOWARN);
}

void ramdisk_free(void *memory)
{
	kfree(memory);
}

void ramdisk_breathe(void)
{
	cond_resched();
}
