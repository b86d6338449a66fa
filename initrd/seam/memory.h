/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: memory for boot-time buffers.
 */
#ifndef INITRD_SEAM_MEMORY_H
#define INITRD_SEAM_MEMORY_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `size` bytes, not zeroed, aligned for any type; NULL when there is no memory.
 * The caller owns them. May sleep.
 */
void *seam_alloc(size_t size);

/* Gives back what seam_alloc() gave; NULL is ignored. */
void seam_free(void *memory);

/* The size of a page in bytes, a power of two. */
size_t seam_page_size(void);

/* All memory that the kernel manages, in bytes. */
u64 seam_memory_total(void);
/* What of it the kernel has addresses for at any time. */
u64 seam_memory_low(void);
/* How much memory could be had now, in bytes; an estimate. */
u64 seam_memory_available(void);
/*
 * How many bytes the kernel could take now for objects of its own, without taking
 * any back from others.
 */
u64 seam_memory_for_objects(void);

#ifdef __cplusplus
}
#endif

#endif
