/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam of the RAM disk: pages, the map of pages, read-side sections.
 */
#ifndef INITRD_SEAM_PAGES_H
#define INITRD_SEAM_PAGES_H

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
	RAMDISK_MAY_SLEEP, /* but not start I/O */
	RAMDISK_NO_WAIT,   /* fails rather than sleep */
	RAMDISK_AT_BOOT,   /* fails where nothing can be reclaimed or killed yet */
};

/* How many pages are taken away or freed without a pause. */
enum { RAMDISK_AT_ONCE = 64 };

size_t ramdisk_page_size(void);

/* All memory that the kernel manages, in bytes. */
u64 ramdisk_memory_total(void);
/*
 * Whether so many bytes could be had now, with what the page cache could give back at
 * once and what could be swapped out; an estimate. Cheap where memory is plenty.
 */
int ramdisk_memory_has(u64 bytes);

/* A page owned by the caller, with anything in it, or NULL. */
struct ramdisk_page *ramdisk_page_new(enum ramdisk_wait wait);
/* Frees a page that no reader has ever seen. */
void ramdisk_page_free(struct ramdisk_page *page);
/*
 * Calls ramdisk_on_retired() for `count` mapped pages side by side, which the boot
 * allocator had reserved, once every read-side section of now has ended; RAMDISK_AT_ONCE
 * at most.
 */
void ramdisk_pages_retire_adopted(u8 *mapped, size_t count);
/* In the C++: nobody reads them any more, and they can be freed. May not sleep. */
void ramdisk_on_retired(u8 *mapped, size_t count);
/* As seam_page_number(), seam_most_order() and seam_is_one_block() of image.h. */
size_t ramdisk_page_number(u8 *page);
u32 ramdisk_most_order(void);
int ramdisk_is_one_block(u8 *start, u32 order);
/* Frees a block of such pages, which the kernel has counted since they were adopted. */
void ramdisk_block_free(u8 *start, u32 order);
/* Waits until all retired pages are free. */
void ramdisk_pages_settle(void);

/* Copies inside one page; at + size is at most the page's size. */
void ramdisk_page_write(struct ramdisk_page *page, size_t at, const void *from, size_t size);
void ramdisk_page_zero(struct ramdisk_page *page, size_t at, size_t size);

/* An empty map, or NULL when there is no memory. */
struct ramdisk_map *ramdisk_map_new(void);
/* The map must be empty. */
void ramdisk_map_free(struct ramdisk_map *map);
/* Copies the bytes at `offset`, counted from page number 0; zeros where there is no page. */
void ramdisk_map_read(struct ramdisk_map *map, u64 offset, void *to, size_t size);
/* Copies to `offset` up to the first page that is not there; returns how many bytes. */
size_t ramdisk_map_write(struct ramdisk_map *map, u64 offset, const void *from, size_t size);
/* 0, -EEXIST when there is one already, -ENOMEM. The map owns the page then. */
int ramdisk_map_add(struct ramdisk_map *map, u64 number, struct ramdisk_page *page,
		    enum ramdisk_wait wait);
/*
 * The same for `count` pages with numbers from `first` on, in order. Returns how
 * many the map owns now; `*status` says why it is not all: 0, -EEXIST, -ENOMEM.
 */
size_t ramdisk_map_add_many(struct ramdisk_map *map, u64 first, struct ramdisk_page **pages,
			    size_t count, enum ramdisk_wait wait, int *status);
/*
 * Takes the first pages with numbers from `*number` to `last` out of the map,
 * RAMDISK_AT_ONCE at most, to be freed once every read-side section of now has
 * ended. Returns how many; `*number` is behind the last one then.
 */
size_t ramdisk_map_retire(struct ramdisk_map *map, u64 *number, u64 last);
void ramdisk_map_count(struct ramdisk_map *map, long change);
u64 ramdisk_map_counted(const struct ramdisk_map *map);

/* A section in which pages that others take out of the map stay readable. */
void ramdisk_read_begin(void);
void ramdisk_read_end(void);

/* Bits that several CPUs set at once; all clear at first. NULL: no memory. */
unsigned long *ramdisk_bits_new(u64 count);
void ramdisk_bits_free(unsigned long *bits);
/*
 * The first bit from `first` up to and without `end` that is set, or clear; else `end`.
 * What is clear stays of use for the read-side section that asking for a set one needs.
 */
u64 ramdisk_bits_next_set(const unsigned long *bits, u64 first, u64 end);
u64 ramdisk_bits_next_clear(const unsigned long *bits, u64 first, u64 end);
/* Sets the bit; returns whether it was set before. */
int ramdisk_bit_set(unsigned long *bits, u64 number);

/* Plain memory, zeroed, or NULL; and giving it back. */
void *ramdisk_alloc(size_t size);
void ramdisk_free(void *memory);

/* Lets others run, in a loop that may be long. */
void ramdisk_cond_resched(void);

#ifdef __cplusplus
}
#endif

#endif
