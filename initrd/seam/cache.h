/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: pages, and files that are nothing but their pages in the page cache, as
 * those of ramfs and tmpfs are.
 */
#ifndef INITRD_SEAM_CACHE_H
#define INITRD_SEAM_CACHE_H

#include "initrd/seam/nodes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A page of memory; not always mapped (highmem). */
struct seam_page;

/*
 * Whether the node is a regular file that keeps its data in the page cache only
 * and has none yet.
 */
int seam_node_takes_pages(const struct seam_node *node);
/* Whether the kernel can move the pages of such a file elsewhere: tmpfs, not ramfs. */
int seam_node_pages_can_move(const struct seam_node *node);

/*
 * Pages for data of such a file, not zeroed, owned by the caller: up to `count`,
 * which is not 0, and none where there is no memory; into `pages`, which holds
 * NULLs.
 */
size_t seam_pages_new(const struct seam_node *node, struct seam_page **pages, size_t count);
/*
 * The page at `mapped`, which the boot allocator had reserved and knows of no
 * more, as such a page.
 */
struct seam_page *seam_page_adopt(u8 *mapped);
void seam_page_free(struct seam_page *page);

/* Inside one page; at + size is at most the page's size. */
void seam_page_write(struct seam_page *page, size_t at, const void *from, size_t size);
void seam_page_zero(struct seam_page *page, size_t at, size_t size);

/*
 * Filled pages become a file's in steps; who takes one undoes it where a later one fails:
 *
 *   seam_node_take_room()     room in the file system          seam_node_give_room()
 *   seam_pages_prepare()      they are as if they were written  seam_page_unprepare(), each
 *   seam_node_store_pages()   they are the file's, and found by who looks for memory
 */

/* Room for `count` pages; 0: the file system is full, else 1. */
int seam_node_take_room(struct seam_node *node, size_t count);
void seam_node_give_room(struct seam_node *node, size_t count);
/*
 * To be the file's, from page number `first` on. They are still the caller's. Returns how
 * many are prepared; where that is not all, there is no memory.
 */
size_t seam_pages_prepare(struct seam_node *node, u64 first, struct seam_page **pages,
			  size_t count);
void seam_page_unprepare(struct seam_page *page);
/*
 * Makes `count` prepared pages the file's, from page number `first` on, where there are
 * none. Returns how many are the file's now; where that is not all, `status` says why:
 * -ENOMEM, -EEXIST, and the others are still the caller's.
 */
size_t seam_node_store_pages(struct seam_node *node, u64 first, struct seam_page **pages,
			     size_t count, int *status);
/* Says how long a file is whose pages were added, bytes. */
void seam_node_set_size(struct seam_node *node, u64 size);

#ifdef __cplusplus
}
#endif

#endif
