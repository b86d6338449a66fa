/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: the boot loader's image in memory, and the archive inside the kernel.
 */
#ifndef INITRD_SEAM_IMAGE_H
#define INITRD_SEAM_IMAGE_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A range of mapped memory in bytes; size is 0 when there is none. */
struct seam_range {
	u8 *start;
	size_t size;
};

/* A range of physical memory in bytes. */
struct seam_physical_range {
	u64 start;
	u64 size;
};

/* The image that the boot loader left, as it is now mapped. */
struct seam_range seam_image(void);

/*
 * All that the boot loader left: the image, and a boot configuration behind it that
 * has been cut off its end, where the architecture tells.
 */
struct seam_range seam_image_loaded(void);

/*
 * Which of the pages that it lies in only in part belong to it, and to nobody else: the
 * one that seam_image() begins in, the one that seam_image_loaded() ends in. Bits.
 */
enum seam_image_ends {
	SEAM_OWNS_FIRST_PAGE = 1,
	SEAM_OWNS_LAST_PAGE = 2,
};
int seam_image_owns(void);

/* The archive that was linked into the kernel (CONFIG_INITRAMFS_SOURCE). */
struct seam_range seam_builtin_archive(void);

/*
 * The kernel itself, as it is mapped where memory is: where the architecture does not
 * look before it takes an image. Else nothing.
 */
struct seam_range seam_kernel(void);

/* The part of the crash kernel's reservation that is mapped, or nothing. */
struct seam_range seam_crash_reservation(void);

/* Tells the architecture that there is no image any more. */
void seam_image_forget(void);

/*
 * Takes whole pages of the image (a range in bytes) out of the boot allocator's books.
 * They stay reserved until their owner gives them to the kernel.
 */
void seam_image_detach(u8 *start, size_t size);

/*
 * Pages that are out of the boot allocator's books, side by side. A zone is memory of one
 * kind, on one node; zones may lie one inside the other.
 */

/* How many of `count` pages, from the one at `start` on, are of one zone; 1 or more. */
size_t seam_pages_of_one_zone(u8 *start, size_t count);
/*
 * Whether the page is where only what can be moved away may be: movablecore=,
 * kernelcore=, memory that may be taken out.
 */
int seam_page_is_movable(u8 *page);
/*
 * Makes the kernel count `count` pages, of one zone, among those that it manages: somebody
 * has them, and frees each one as a reserved page some day.
 */
void seam_pages_manage(u8 *start, size_t count);

/* The number of a page in physical memory: blocks begin at multiples of their size. */
size_t seam_page_number(u8 *page);
/* The largest order of a block. */
u32 seam_most_order(void);
/*
 * Whether 2 to the power of `order` pages may be freed as one block: all of one zone, and
 * none of them kept out of use for a memory failure.
 */
int seam_is_one_block(u8 *start, u32 order);
/*
 * Gives a block to the kernel, which counts its pages from now on. They are poisoned,
 * cleared or unmapped as the kernel's settings for any freed page say, and not otherwise.
 */
void seam_block_free(u8 *start, u32 order);

/* Shows a retained image as /sys/firmware/initrd (0440); 0 or -errno. */
int seam_image_publish(u8 *start, size_t size);

/*
 * The early boot allocator: what reserve_initrd_mem() asks and does. The range
 * is in whole pages.
 */
struct seam_physical_range seam_physical_image(void);
/* False when the range does not fit into the kernel's own types: 32 bits. */
int seam_set_physical_image(struct seam_physical_range range);
/*
 * Whether the architecture makes memory of whatever range it is told to be the image's,
 * and knows already, when it parses the parameters, what is memory.
 */
int seam_believes_any_range(void);
/*
 * Whether the architecture looks for images to reserve before it has parsed the
 * parameters and has found none yet: the range is then to be reserved at once.
 */
int seam_reserves_too_early(void);
/* Whether all of the range is memory that the kernel may use. */
int seam_is_memory(struct seam_physical_range range);
/* Whether the kernel has addresses for all of the range: not for high memory. */
int seam_has_addresses(struct seam_physical_range range);
int seam_is_reserved(struct seam_physical_range range);
void seam_reserve(struct seam_physical_range range);
void seam_unreserve(struct seam_physical_range range);
void seam_map_image(struct seam_physical_range range);

/* The block (1 KiB) at which the image starts: ramdisk_start= or ATAG. */
int seam_image_start_block(void);
void seam_set_image_start_block(int block);

#ifdef __cplusplus
}
#endif

#endif
