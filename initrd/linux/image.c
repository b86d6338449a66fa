// SPDX-License-Identifier: GPL-2.0
#include <linux/crash_dump.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kexec.h>
#include <linux/kobject.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

#include <asm/sections.h>

#ifdef CONFIG_ARM64
#include <linux/libfdt.h>
#include <linux/of_fdt.h>
#endif
#ifdef CONFIG_X86
#include <asm/e820/api.h>
#include <asm/setup.h>
#endif

#include "initrd/seam/image.h"
#include "initrd/linux/reserved.h"
#include "initrd/linux/series.h"

/* The architectures and the early readers of the image share these. */
unsigned long initrd_start, initrd_end;
int initrd_below_start_ok;
int rd_image_start __initdata;
phys_addr_t phys_initrd_start __initdata;
unsigned long phys_initrd_size __initdata;

struct seam_range __init seam_image(void)
{
	return (struct seam_range){ (u8 *)initrd_start, initrd_end - initrd_start };
}

/* What the x86 boot loader says; 0 elsewhere, or when a parameter has said it. */
static u64 __init loaders_size(void)
{
#ifdef CONFIG_X86
	return (u64)boot_params.ext_ramdisk_size << 32 | boot_params.hdr.ramdisk_size;
#else
	return 0;
#endif
}

/*
 * What the boot loader left, before bootconfig cut its own part off the end,
 * where the architecture tells; that part stays reserved elsewhere.
 */
struct seam_range __init seam_image_loaded(void)
{
	u64 size = loaders_size() ?: phys_initrd_size;

	return (struct seam_range){
		(u8 *)initrd_start, max_t(u64, initrd_end - initrd_start, size)
	};
}

/*
 * These architectures take the last page, and ARM the first one, for the image's alone, and
 * free it with the rest. Elsewhere a device tree may be in it, and be read to the end.
 */
int __init seam_image_owns(void)
{
	return (IS_ENABLED(CONFIG_ARM) ? SEAM_OWNS_FIRST_PAGE : 0) |
	       (IS_ENABLED(CONFIG_ARM) || IS_ENABLED(CONFIG_X86) ? SEAM_OWNS_LAST_PAGE : 0);
}

struct seam_range __init seam_builtin_archive(void)
{
	return (struct seam_range){ (u8 *)__initramfs_start, __initramfs_size };
}

struct seam_range __init seam_kernel(void)
{
	if (!IS_ENABLED(CONFIG_ARM64))
		return (struct seam_range){ NULL, 0 };
	return (struct seam_range){ lm_alias(_text), _end - _text };
}

struct seam_range __init seam_crash_reservation(void)
{
#if SERIES_HAS_CRASH_RESERVATION
	return (struct seam_range){ __va(crashk_res.start),
				    crashk_res.end ? resource_size(&crashk_res) : 0 };
#else
	return (struct seam_range){ NULL, 0 };
#endif
}

void __init seam_image_forget(void)
{
	initrd_start = 0;
	initrd_end = 0;
}

void __init seam_image_detach(u8 *start, size_t size)
{
	if (IS_ENABLED(CONFIG_ARCH_KEEP_MEMBLOCK))
		memblock_free(start, size);
}

size_t __init seam_pages_of_one_zone(u8 *start, size_t count)
{
	return pages_of_one_zone(virt_to_page(start), count);
}

int __init seam_page_is_movable(u8 *page)
{
	return is_zone_movable_page(virt_to_page(page));
}

void __init seam_pages_manage(u8 *start, size_t count)
{
	adjust_managed_page_count(virt_to_page(start), count);
}

size_t __init seam_page_number(u8 *page)
{
	return page_to_pfn(virt_to_page(page));
}

u32 __init seam_most_order(void)
{
	return pageblock_order;
}

int __init seam_is_one_block(u8 *start, u32 order)
{
	return is_one_block(virt_to_page(start), order);
}

void __init seam_block_free(u8 *start, u32 order)
{
	struct page *page = virt_to_page(start);

	free_reserved_block(page, order);
	adjust_managed_page_count(page, 1L << order);
}

static struct seam_range retained __ro_after_init;

static ssize_t read_retained(struct file *file, struct kobject *kobj,
			     struct bin_attribute *attr, char *to, loff_t at, size_t count)
{
	/* sysfs has bounded `at` and `count` by the attribute's size. */
	memcpy(to, retained.start + at, count);
	return count;
}

static struct bin_attribute retained_attribute __ro_after_init = {
	.attr = { .name = "initrd", .mode = 0440 },
	.read = read_retained,
};

int __init seam_image_publish(u8 *start, size_t size)
{
	retained = (struct seam_range){ start, size };
	retained_attribute.size = size;
	return sysfs_create_bin_file(firmware_kobj, &retained_attribute);
}

struct seam_physical_range __init seam_physical_image(void)
{
	return (struct seam_physical_range){ phys_initrd_start, phys_initrd_size };
}

int __init seam_set_physical_image(struct seam_physical_range range)
{
	phys_initrd_start = range.start;
	phys_initrd_size = range.size;
	return phys_initrd_start == range.start && phys_initrd_size == range.size;
}

#ifdef CONFIG_ARM64
/* UEFI says later what is memory, whatever a device tree says. */
int __init seam_believes_any_range(void)
{
	int chosen = fdt_path_offset(initial_boot_params, "/chosen");

	return chosen < 0 || !fdt_getprop(initial_boot_params, chosen, "linux,uefi-system-table", NULL);
}
#else
int __init seam_believes_any_range(void)
{
	return 0;
}
#endif

#ifdef CONFIG_X86
int __init seam_reserves_too_early(void)
{
	return !boot_params.hdr.ramdisk_size && !boot_params.ext_ramdisk_size;
}

/* The boot allocator does not know of memory yet when x86 asks. */
int __init seam_is_memory(struct seam_physical_range range)
{
	return e820__mapped_all(range.start, range.start + range.size, E820_TYPE_RAM);
}
#else
int __init seam_reserves_too_early(void)
{
	return 0;
}

int __init seam_is_memory(struct seam_physical_range range)
{
	return memblock_is_region_memory(range.start, range.size);
}
#endif

int __init seam_has_addresses(struct seam_physical_range range)
{
	return !IS_ENABLED(CONFIG_HIGHMEM) ||
	       range.start + range.size <= (u64)__pa(high_memory - 1) + 1;
}

int __init seam_is_reserved(struct seam_physical_range range)
{
	return memblock_is_region_reserved(range.start, range.size);
}

void __init seam_reserve(struct seam_physical_range range)
{
	memblock_reserve(range.start, range.size);
}

void __init seam_unreserve(struct seam_physical_range range)
{
	memblock_phys_free(range.start, range.size);
}

void __init seam_map_image(struct seam_physical_range range)
{
	initrd_start = range.size ? (unsigned long)__va(range.start) : 0;
	initrd_end = initrd_start + range.size;
	initrd_below_start_ok |= !!range.size;
}

int __init seam_image_start_block(void)
{
	return rd_image_start;
}

void __init seam_set_image_start_block(int block)
{
	rd_image_start = block;
}
