// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/find.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <linux/xarray.h>

#include "initrd/linux/fault.h"
#include "initrd/linux/reserved.h"
#include "initrd/linux/series.h"
#include "initrd/linux/zones.h"
#include "initrd/seam/pages.h"

struct ramdisk_map {
	struct xarray pages;
	atomic_long_t count;
};

/*
 * A ramdisk_page is the kernel's struct page under another name. Its page_private() means
 * nothing while it is a disk's; and once it is retired, which page->rcu_head is for as well:
 *
 *   adopted, the first of several     how many they are
 *   of the map                        the page that was retired before it, or NULL
 */
static struct page *to_page(struct ramdisk_page *page)
{
	return (struct page *)page;
}

static gfp_t to_gfp(enum ramdisk_wait wait)
{
	switch (wait) {
	case RAMDISK_NO_WAIT:
		return GFP_NOWAIT | __GFP_NOWARN;
	case RAMDISK_AT_BOOT:
		return GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	default:
		/* Else it would be tried for ever: nobody is killed for GFP_NOIO. */
		return GFP_NOIO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	}
}

size_t ramdisk_page_size(void)
{
	return PAGE_SIZE;
}

u64 ramdisk_memory_total(void)
{
	return (u64)totalram_pages() << PAGE_SHIFT;
}

int ramdisk_memory_has(u64 bytes)
{
	unsigned long pages = PFN_UP(bytes);
	unsigned long movable = free_for_movable_only();
	unsigned long anonymous;
	long available;

	/* Asked for each new page. By default less is kept free for all, boost and all. */
	if (nr_free_pages() >= pages + movable + totalram_pages() / 4)
		return 1;
	/* Dirty pages may be a RAM disk's own: they go when it has had new ones. */
	anonymous = global_node_page_state(NR_INACTIVE_ANON) +
		    global_node_page_state(NR_ACTIVE_ANON);
	available = si_mem_available() - (long)(movable + most_boost()) -
		    (long)global_node_page_state(NR_FILE_DIRTY) +
		    min_t(long, get_nr_swap_pages(), anonymous);
	return available > 0 && (unsigned long)available >= pages;
}

struct ramdisk_page *ramdisk_page_new(enum ramdisk_wait wait)
{
	return seam_fault() ? NULL : (struct ramdisk_page *)alloc_page(to_gfp(wait) | __GFP_HIGHMEM);
}

void ramdisk_page_free(struct ramdisk_page *page)
{
	__free_page(to_page(page));
}

/* The first of adopted pages that are retired has their number in its private field. */
static void end_retirement(struct rcu_head *head)
{
	struct page *page = container_of(head, struct page, rcu_head);

	ramdisk_on_retired(page_address(page), page_private(page));
}

void ramdisk_pages_retire_adopted(u8 *mapped, size_t count)
{
	struct page *page = virt_to_page(mapped);

	set_page_private(page, count);
	call_rcu(&page->rcu_head, end_retirement);
}

size_t ramdisk_page_number(u8 *page)
{
	return page_to_pfn(virt_to_page(page));
}

u32 ramdisk_most_order(void)
{
	return pageblock_order;
}

int ramdisk_is_one_block(u8 *start, u32 order)
{
	return is_one_block(virt_to_page(start), order);
}

void ramdisk_block_free(u8 *start, u32 order)
{
	free_reserved_block(virt_to_page(start), order);
}

void ramdisk_pages_settle(void)
{
	might_sleep();
	rcu_barrier();
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
	struct ramdisk_map *map = seam_fault() ? NULL : kzalloc(sizeof(*map), GFP_KERNEL);

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

/* What the walk has found, looked up again where the map changed meanwhile. */
static struct page *found(struct xa_state *walk, void *entry)
{
	while (xas_retry(walk, entry))
		entry = xas_load(walk);
	return entry;
}

/* A page of the map is there until the end of the section in which it was found. */
static void assert_reading(void)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a RAM disk's page may be gone");
}

static void read_page(struct page *page, size_t at, void *to, size_t size)
{
	assert_reading();
	if (page)
		memcpy_from_page(to, page, at, size);
	else
		memset(to, 0, size);
}

static void read_pages(struct ramdisk_map *map, u64 offset, void *to, size_t size)
{
	XA_STATE(walk, &map->pages, offset >> PAGE_SHIFT);
	struct page *page = found(&walk, xas_load(&walk));
	size_t at = offset_in_page(offset);

	while (size > PAGE_SIZE - at) {
		read_page(page, at, to, PAGE_SIZE - at);
		to += PAGE_SIZE - at;
		size -= PAGE_SIZE - at;
		at = 0;
		page = found(&walk, xas_next(&walk));
	}
	read_page(page, at, to, size);
}

void ramdisk_map_read(struct ramdisk_map *map, u64 offset, void *to, size_t size)
{
	size_t at = offset_in_page(offset);

	rcu_read_lock();
	if (size <= PAGE_SIZE - at)
		read_page(xa_load(&map->pages, offset >> PAGE_SHIFT), at, to, size);
	else
		read_pages(map, offset, to, size);
	rcu_read_unlock();
}

static size_t write_pages(struct ramdisk_map *map, u64 offset, const void *from, size_t size)
{
	XA_STATE(walk, &map->pages, offset >> PAGE_SHIFT);
	struct page *page = found(&walk, xas_load(&walk));
	size_t at = offset_in_page(offset);
	size_t done = 0;

	assert_reading();
	while (page && done < size) {
		size_t n = min_t(size_t, size - done, PAGE_SIZE - at);

		memcpy_to_page(page, at, from + done, n);
		done += n;
		at = 0;
		page = found(&walk, xas_next(&walk));
	}
	return done;
}

size_t ramdisk_map_write(struct ramdisk_map *map, u64 offset, const void *from, size_t size)
{
	size_t at = offset_in_page(offset);
	size_t done = 0;

	rcu_read_lock();
	if (size <= PAGE_SIZE - at) {
		struct page *page = xa_load(&map->pages, offset >> PAGE_SHIFT);

		assert_reading();
		if (page) {
			memcpy_to_page(page, at, from, size);
			done = size;
		}
	} else {
		done = write_pages(map, offset, from, size);
	}
	rcu_read_unlock();
	return done;
}

int ramdisk_map_add(struct ramdisk_map *map, u64 number, struct ramdisk_page *page,
		    enum ramdisk_wait wait)
{
	int status = xa_insert(&map->pages, number, page, to_gfp(wait));

	/* xa_insert() says -EBUSY for what is there already. */
	return status == -EBUSY ? -EEXIST : status;
}

size_t ramdisk_map_add_many(struct ramdisk_map *map, u64 first, struct ramdisk_page **pages,
			    size_t count, enum ramdisk_wait wait, int *status)
{
	XA_STATE(xas, &map->pages, first);
	size_t added = 0;

	/* One descent for the pages of a node, and no lock between them. */
	do {
		xas_lock(&xas);
		while (added < count) {
			if (xas_load(&xas)) {
				xas_set_err(&xas, -EEXIST);
				break;
			}
			xas_store(&xas, pages[added]);
			if (xas_error(&xas))
				break;
			added++;
			xas_next(&xas);
		}
		xas_unlock(&xas);
	} while (xas_nomem(&xas, to_gfp(wait)));
	*status = xas_error(&xas);
	return added;
}

/* Retired pages lead one to the next by page_private(). */
static void free_retired(struct rcu_head *head)
{
	struct page *page = container_of(head, struct page, rcu_head);

	while (page) {
		struct page *next = (struct page *)page_private(page);

		__free_page(page);
		page = next;
	}
}

size_t ramdisk_map_retire(struct ramdisk_map *map, u64 *number, u64 last)
{
	XA_STATE(walk, &map->pages, *number);
	struct page *first = NULL;
	struct page *page;
	size_t count = 0;

	xas_lock(&walk);
	xas_for_each(&walk, page, min_t(u64, last, ULONG_MAX)) {
		xas_store(&walk, NULL);
		set_page_private(page, (unsigned long)first);
		first = page;
		*number = (u64)walk.xa_index + 1;
		if (++count == RAMDISK_AT_ONCE)
			break;
	}
	xas_unlock(&walk);
	if (first)
		call_rcu(&first->rcu_head, free_retired);
	return count;
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
	return seam_fault() ? NULL : kvcalloc(BITS_TO_LONGS(count), sizeof(long), GFP_KERNEL | __GFP_NOWARN);
}

void ramdisk_bits_free(unsigned long *bits)
{
	kvfree(bits);
}

u64 ramdisk_bits_next_set(const unsigned long *bits, u64 first, u64 end)
{
	assert_reading();
	return find_next_bit(bits, end, first);
}

u64 ramdisk_bits_next_clear(const unsigned long *bits, u64 first, u64 end)
{
	return find_next_zero_bit(bits, end, first);
}

int ramdisk_bit_set(unsigned long *bits, u64 number)
{
	return test_and_set_bit(number, bits);
}

void *ramdisk_alloc(size_t size)
{
	return seam_fault() ? NULL : kzalloc(size, GFP_KERNEL | __GFP_NOWARN);
}

void ramdisk_free(void *memory)
{
	kfree(memory);
}

void ramdisk_cond_resched(void)
{
	cond_resched();
}
