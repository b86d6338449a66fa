// SPDX-License-Identifier: GPL-2.0
/*
 * The RAM disk's driver of block major 1, in brd's place and with its names.
 */
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/initrd.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/major.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>

#include "initrd/linux/fault.h"
#include "initrd/linux/series.h"
#include "initrd/seam/blkdev.h"

/* brd.rd_nr= and /sys/module/brd/parameters are what users know. */
#ifndef MODULE
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "brd."
#endif

static int rd_nr = CONFIG_BLK_DEV_RAM_COUNT;
module_param(rd_nr, int, 0444);
MODULE_PARM_DESC(rd_nr, "Number of RAM disks made at start");

unsigned long rd_size = CONFIG_BLK_DEV_RAM_SIZE;
module_param(rd_size, ulong, 0444);
MODULE_PARM_DESC(rd_size, "Size of each RAM disk in KiB");

static int max_part = 1;
module_param(max_part, int, 0444);
MODULE_PARM_DESC(max_part, "Minor numbers of each RAM disk, for partitions");

MODULE_DESCRIPTION("RAM disk that takes over the pages of an initrd");
MODULE_LICENSE("GPL");
MODULE_ALIAS_BLOCKDEV_MAJOR(RAMDISK_MAJOR);
MODULE_ALIAS("rd");
MODULE_ALIAS("brd");

#ifndef MODULE
static int __init set_ramdisk_size(char *value)
{
	u64 kib = ramdisk_parse_kib(value);

	if (kib && kib <= ULONG_MAX)
		rd_size = kib;
	else
		pr_err("initrd: ramdisk_size=%s: not a size, ignored\n", value);
	return 1;
}
__setup("ramdisk_size=", set_ramdisk_size);
#endif

static DEFINE_MUTEX(disks_mutex);
static struct dentry *debugfs_folder;

void ramdisk_lock(void)
{
	mutex_lock(&disks_mutex);
}

void ramdisk_unlock(void)
{
	mutex_unlock(&disks_mutex);
}

u64 ramdisk_default_size(void)
{
	return rd_size;
}

static enum ramdisk_wait to_wait(blk_opf_t operation)
{
	return operation & REQ_NOWAIT ? RAMDISK_NO_WAIT : RAMDISK_MAY_SLEEP;
}

/*
 * What comes next of a bio: pages side by side, but one at a time where they
 * have to be mapped for it. (The last one of several is the highest.)
 */
static struct bio_vec next_part(struct bio *bio, struct bvec_iter at)
{
	struct bio_vec part = mp_bvec_iter_bvec(bio->bi_io_vec, at);
	unsigned long last = (part.bv_offset + part.bv_len - 1) >> PAGE_SHIFT;

	if (IS_ENABLED(CONFIG_DEBUG_KMAP_LOCAL_FORCE_MAP) ||
	    PageHighMem(pfn_to_page(page_to_pfn(part.bv_page) + last)))
		return bio_iter_iovec(bio, at);
	return part;
}

/* For caches that may have the same memory twice. */
static void flush_pages(const struct bio_vec *part)
{
	unsigned long first = page_to_pfn(part->bv_page) + (part->bv_offset >> PAGE_SHIFT);
	unsigned long end = page_to_pfn(part->bv_page) +
			    DIV_ROUND_UP(part->bv_offset + part->bv_len, PAGE_SIZE);

	if (ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE)
		for (; first < end; first++)
			flush_dcache_page(pfn_to_page(first));
}

static int transfer(struct ramdisk_disk *disk, struct bio *bio, struct bio_vec *part, u64 offset)
{
	void *data = bvec_kmap_local(part);
	int status = 0;

	if (op_is_write(bio_op(bio))) {
		flush_pages(part);
		status = ramdisk_write(disk, offset, data, part->bv_len, to_wait(bio->bi_opf));
	} else {
		ramdisk_read(disk, offset, data, part->bv_len);
		flush_pages(part);
	}
	kunmap_local(data);
	return status;
}

static void ramdisk_submit_bio(struct bio *bio)
{
	struct ramdisk_disk *disk = bio->bi_bdev->bd_disk->private_data;
	u64 offset = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;
	struct bvec_iter at = bio->bi_iter;

	if (op_is_discard(bio->bi_opf)) {
		ramdisk_discard(disk, offset, bio->bi_iter.bi_size);
		bio_endio(bio);
		return;
	}
	while (at.bi_size) {
		struct bio_vec part = next_part(bio, at);
		int status = transfer(disk, bio, &part, offset);

		if (status == -ENOMEM && (bio->bi_opf & REQ_NOWAIT)) {
			bio_wouldblock_error(bio);
			return;
		}
		if (status) {
			bio->bi_status = errno_to_blk_status(status);
			break;
		}
		bio_advance_iter_single(bio, &at, part.bv_len);
		offset += part.bv_len;
	}
	bio_endio(bio);
}

/* For BLKFLSBUF block/ioctl.c has seen to CAP_SYS_ADMIN. */
static int ramdisk_ioctl(struct block_device *device, SERIES_IOCTL_MODE mode, unsigned int command,
			 unsigned long argument)
{
	int status;

	if (command != BLKFLSBUF || bdev_is_partition(device))
		return -ENOTTY;
	sync_blockdev(device);
	status = ramdisk_flush(device->bd_disk->private_data);
	if (!status)
		pr_info("initrd: memory of /dev/%s given back\n", device->bd_disk->disk_name);
	return status;
}

static void ramdisk_release(SERIES_RELEASE_ARGUMENTS)
{
	lockdep_assert_held(&disk->open_mutex);
	ramdisk_closed(disk->private_data);
}

static const struct block_device_operations operations = {
	.owner = THIS_MODULE,
	.submit_bio = ramdisk_submit_bio,
	.ioctl = ramdisk_ioctl,
	.release = ramdisk_release,
};

/* A queue that wants whole pages discarded and completes in submit_bio(). */
#if SERIES_AT_LEAST(6, 11)
static struct gendisk *alloc_gendisk(void)
{
	struct queue_limits limits = {
		.physical_block_size = PAGE_SIZE,
		.max_hw_discard_sectors = UINT_MAX,
		.max_discard_segments = 1,
		.discard_granularity = PAGE_SIZE,
		.features = BLK_FEAT_SYNCHRONOUS | BLK_FEAT_NOWAIT,
	};
	struct gendisk *gendisk = blk_alloc_disk(&limits, NUMA_NO_NODE);

	return IS_ERR(gendisk) ? NULL : gendisk;
}
#else
static struct gendisk *alloc_gendisk(void)
{
	struct gendisk *gendisk = blk_alloc_disk(NUMA_NO_NODE);

	if (!gendisk)
		return NULL;
	blk_queue_physical_block_size(gendisk->queue, PAGE_SIZE);
	blk_queue_max_discard_sectors(gendisk->queue, UINT_MAX);
	gendisk->queue->limits.discard_granularity = PAGE_SIZE;
	blk_queue_flag_set(QUEUE_FLAG_NONROT, gendisk->queue);
	blk_queue_flag_set(QUEUE_FLAG_NOWAIT, gendisk->queue);
	return gendisk;
}
#endif

static int show_pages(void *disk, u64 *pages)
{
	*pages = ramdisk_pages(disk);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pages_file, show_pages, NULL, "%llu\n");

/* A ramdisk_gendisk is the block layer's struct gendisk under another name. */
static struct gendisk *to_gendisk(struct ramdisk_gendisk *gendisk)
{
	return (struct gendisk *)gendisk;
}

struct ramdisk_gendisk *ramdisk_gendisk_new(struct ramdisk_disk *disk, u32 number,
					    struct ramdisk_minors minors, u64 size)
{
	struct gendisk *gendisk;

	lockdep_assert_held(&disks_mutex);
	gendisk = seam_fault() ? NULL : alloc_gendisk();
	if (!gendisk)
		return NULL;
	gendisk->major = RAMDISK_MAJOR;
	gendisk->first_minor = minors.first;
	gendisk->minors = minors.count;
	gendisk->fops = &operations;
	gendisk->private_data = disk;
	snprintf(gendisk->disk_name, DISK_NAME_LEN, "ram%u", number);
	set_capacity(gendisk, size >> SECTOR_SHIFT);
	return (struct ramdisk_gendisk *)gendisk;
}

int ramdisk_gendisk_show(struct ramdisk_gendisk *gendisk)
{
	struct gendisk *disk = to_gendisk(gendisk);
	int status;

	lockdep_assert_held(&disks_mutex);
	status = add_disk(disk);
	if (!status)
		debugfs_create_file_unsafe(disk->disk_name, 0444, debugfs_folder,
					   disk->private_data, &pages_file);
	return status;
}

void ramdisk_gendisk_hide(struct ramdisk_gendisk *gendisk)
{
	lockdep_assert_held(&disks_mutex);
	debugfs_lookup_and_remove(to_gendisk(gendisk)->disk_name, debugfs_folder);
	del_gendisk(to_gendisk(gendisk));
}

void ramdisk_gendisk_free(struct ramdisk_gendisk *gendisk)
{
	lockdep_assert_held(&disks_mutex);
	put_disk(to_gendisk(gendisk));
}

void ramdisk_gendisk_resize(struct ramdisk_gendisk *gendisk, u64 size)
{
	set_capacity(to_gendisk(gendisk), size >> SECTOR_SHIFT);
}

void ramdisk_gendisk_rescan(struct ramdisk_gendisk *gendisk)
{
	struct gendisk *disk = to_gendisk(gendisk);

	mutex_lock(&disk->open_mutex);
	bdev_disk_changed(disk, false);
	mutex_unlock(&disk->open_mutex);
}

void ramdisk_gendisk_lock(struct ramdisk_gendisk *gendisk)
{
	mutex_lock(&to_gendisk(gendisk)->open_mutex);
}

void ramdisk_gendisk_unlock(struct ramdisk_gendisk *gendisk)
{
	mutex_unlock(&to_gendisk(gendisk)->open_mutex);
}

u32 ramdisk_gendisk_users(struct ramdisk_gendisk *gendisk)
{
	lockdep_assert_held(&to_gendisk(gendisk)->open_mutex);
	return disk_openers(to_gendisk(gendisk));
}

int ramdisk_gendisk_claimed(struct ramdisk_gendisk *gendisk)
{
	/* (It changes with the lock held, too. Of a partition's holder the disk knows.) */
	lockdep_assert_held(&to_gendisk(gendisk)->open_mutex);
	return to_gendisk(gendisk)->part0->bd_holder != NULL;
}

static void drop_pages(struct address_space *cache)
{
	lockdep_assert_held_write(&cache->invalidate_lock);
	/* Of those last used every processor keeps some, and with them their pages. */
	invalidate_bh_lrus();
	truncate_inode_pages(cache, 0);
}

void ramdisk_gendisk_drop_cache(struct ramdisk_gendisk *gendisk)
{
	struct address_space *cache = SERIES_BLOCK_CACHE(to_gendisk(gendisk)->part0);

	lockdep_assert_held(&to_gendisk(gendisk)->open_mutex);
	filemap_invalidate_lock(cache);
	drop_pages(cache);
	filemap_invalidate_unlock(cache);
}

int ramdisk_boot_is_over(void)
{
	return system_state >= SYSTEM_RUNNING;
}

u32 ramdisk_max_part(void)
{
	return max_part;
}

static void create_for_minor(dev_t device)
{
	ramdisk_create_for_minor(MINOR(device));
}

static int __init ramdisk_start(void)
{
	int status;
	u32 made;

	max_part = ramdisk_sane_partitions(max_part, DISK_MAX_PARTS);
	debugfs_folder = debugfs_create_dir("ramdisk_pages", NULL);
	if (__register_blkdev(RAMDISK_MAJOR, "ramdisk", create_for_minor)) {
		debugfs_remove(debugfs_folder);
		pr_info("brd: module NOT loaded !!!\n");
		return -EIO;
	}
	made = ramdisk_create_first(rd_nr, &status);
	if (status)
		pr_warn("brd: rd_nr=%d: %u RAM disks are made, not more: error %d\n", rd_nr, made,
			-status);
	pr_info("brd: module loaded\n");
	return 0;
}
module_init(ramdisk_start);

static void __exit ramdisk_stop(void)
{
	unregister_blkdev(RAMDISK_MAJOR, "ramdisk");
	ramdisk_destroy_all();
	debugfs_remove(debugfs_folder);
	pr_info("brd: module unloaded\n");
}
module_exit(ramdisk_stop);
