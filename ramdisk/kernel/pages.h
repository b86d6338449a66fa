/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam of the RAM disk: pages, the map of pages, read-side sections.
 */
#ifndef RAMDISK_KERNEL_PAGES_H
#define RAMDISK_KERNEL_PAGES_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A page of memory; not always mapped (highmem). */
struct ramdisk_page;
/* Page number → page, and a count of pages that its user keeps. */
struct ramdisk_map;

/* How an allocation may behave. */
enum ramdisk_wait {
	RAMDISK_MAY_SLEEP,	/* but not start I/O */
	RAMDISK_NO_WAIT,	/* fails rather than sleep */
	RAMDISK_AT_BOOT,	/* fails where nothing can be reclaimed or killed yet */
};

size_t ramdisk_page_size(void);

/* A zeroed page owned by the caller, or NULL. */
struct ramdisk_page *ramdisk_page_new(enum ramdisk_wait wait);
/* Frees a page that no reader has ever seen. */
void ramdisk_page_free(struct ramdisk_page *page);
/* Frees a page once every read-side section of now has ended. */
void ramdisk_page_retire(struct ramdisk_page *page);
/* The same for a mapped page that the boot allocator had reserved. */
void ramdisk_page_retire_adopted(u8 *mapped);
/* Waits until all retired pages are free. */
void ramdisk_pages_settle(void);

/* Copies inside one page; at + size is at most the page's size. */
void ramdisk_page_read(struct ramdisk_page *page, size_t at, void *to, size_t size);
void ramdisk_page_write(struct ramdisk_page *page, size_t at, const void *from, size_t size);
void ramdisk_page_zero(struct ramdisk_page *page, size_t at, size_t size);

/* An empty map, or NULL when there is no memory. */
struct ramdisk_map *ramdisk_map_new(void);
/* The map must be empty. */
void ramdisk_map_free(struct ramdisk_map *map);
/* The page with this number, or NULL; stays valid inside the read-side section. */
struct ramdisk_page *ramdisk_map_get(struct ramdisk_map *map, u64 number);
/* 0, -EEXIST when there is one already, -ENOMEM. The map owns the page then. */
int ramdisk_map_add(struct ramdisk_map *map, u64 number, struct ramdisk_page *page,
		    enum ramdisk_wait wait);
/*
 * Takes the first page with a number from `*number` to `last` out of the map
 * and puts its number into `*number`; NULL when there is none.
 */
struct ramdisk_page *ramdisk_map_take(struct ramdisk_map *map, u64 *number, u64 last);
void ramdisk_map_count(struct ramdisk_map *map, long change);
u64 ramdisk_map_counted(const struct ramdisk_map *map);

/* A section in which pages that others take out of the map stay readable. */
void ramdisk_read_begin(void);
void ramdisk_read_end(void);

/* Bits that several CPUs set at once; all clear at first. NULL: no memory. */
unsigned long *ramdisk_bits_new(u64 count);
void ramdisk_bits_free(unsigned long *bits);
int ramdisk_bit_is_set(const unsigned long *bits, u64 number);
/* Sets the bit; returns whether it was set before. */
int ramdisk_bit_set(unsigned long *bits, u64 number);

/* Plain memory, zeroed, or NULL; and giving it back. */
void *ramdisk_alloc(size_t size);
void ramdisk_free(void *memory);

/* Lets others run, in a loop that may be long. */
void ramdisk_breathe(void);

#ifdef __cplusplus
}
#endif

#endif
