// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/initrd: a disk of its own that is always there, with or without data.
 */
#include <linux/blkdev.h>
#include <linux/init.h>
#include <linux/highmem.h>
#include <linux/initrd.h>
#include <linux/lockdep.h>
#include <linux/major.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/poison.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/task_work.h>

#include "initrd/linux/series.h"
#include "initrd/seam/blkdev.h"
#include "initrd/seam/image_device.h"

static DEFINE_MUTEX(image_mutex);
static struct gendisk *image_disk;

void ramdisk_image_lock(void)
{
	mutex_lock(&image_mutex);
}

void ramdisk_image_unlock(void)
{
	mutex_unlock(&image_mutex);
}

void ramdisk_image_resize(u64 size)
{
	lockdep_assert_held(&image_mutex);
	if (image_disk)
		set_capacity(image_disk, DIV_ROUND_UP_ULL(size, SECTOR_SIZE));
}

void ramdisk_image_free(u8 *pages, size_t size)
{
	lockdep_assert_held(&image_mutex);
	free_reserved_area(pages, pages + size, POISON_FREE_INITMEM, NULL);
	cond_resched();
}

void ramdisk_image_say_freed(size_t size)
{
	pr_info("Freeing initrd memory: %zuK\n", size >> 10);
}

/* A ramdisk_call is work of the task's, under another name. */
static struct callback_head *to_work(struct ramdisk_call *call)
{
	return (struct callback_head *)call;
}

struct ramdisk_call *ramdisk_call_new(void)
{
	return kzalloc(sizeof(struct callback_head), GFP_KERNEL);
}

void ramdisk_call_free(struct ramdisk_call *call)
{
	kfree(call);
}

static void call_ends(struct callback_head *work)
{
	ramdisk_image_call_ends();
}

int ramdisk_call_watch(struct ramdisk_call *call)
{
	init_task_work(to_work(call), call_ends);
	return task_work_add(current, to_work(call), TWA_RESUME);
}

/* A kernel thread never returns to user space. */
static const void *program(void)
{
	return current->flags & PF_KTHREAD ? NULL : current;
}

static int image_open(SERIES_OPEN_ARGUMENTS)
{
	return ramdisk_image_open(!!(mode & SERIES_OPEN_WRITE), !!(mode & SERIES_OPEN_EXCLUSIVE),
				  program());
}

static void image_release(SERIES_RELEASE_ARGUMENTS)
{
	ramdisk_image_close(program());
}

static void image_submit_bio(struct bio *bio)
{
	u64 offset = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;
	struct bvec_iter at;
	struct bio_vec part;

	if (bio_op(bio) != REQ_OP_READ) {
		bio_io_error(bio);
		return;
	}
	bio_for_each_segment(part, bio, at) {
		void *to = bvec_kmap_local(&part);

		ramdisk_image_read(offset, to, part.bv_len);
		flush_dcache_page(part.bv_page);
		kunmap_local(to);
		offset += part.bv_len;
	}
	bio_endio(bio);
}

static char *image_devnode(struct gendisk *disk, umode_t *mode)
{
	/* NULL as the node is removed. */
	if (mode)
		*mode = 0400;
	return NULL;
}

static const struct block_device_operations image_operations = {
	.owner = THIS_MODULE,
	.open = image_open,
	.release = image_release,
	.submit_bio = image_submit_bio,
	.devnode = image_devnode,
};

static ssize_t image_size_show(struct device *device, struct device_attribute *attribute, char *to)
{
	return sysfs_emit(to, "%llu\n", ramdisk_image_size());
}
static DEVICE_ATTR_RO(image_size);

static struct attribute *image_attrs[] = {
	&dev_attr_image_size.attr,
	NULL
};
ATTRIBUTE_GROUPS(image);

static int __init add_image_disk(void)
{
	struct gendisk *disk = SERIES_ALLOC_DISK();
	int status;

	if (IS_ERR_OR_NULL(disk))
		return -ENOMEM;
	disk->major = RAMDISK_MAJOR;
	disk->first_minor = RAMDISK_IMAGE_MINOR;
	disk->minors = 1;
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &image_operations;
	strscpy(disk->disk_name, "initrd", DISK_NAME_LEN);
	set_disk_ro(disk, true);
	status = device_add_disk(NULL, disk, image_groups);
	if (status) {
		put_disk(disk);
		return status;
	}
	/* Not even a request from user space makes an event that has it probed. */
	dev_set_uevent_suppress(disk_to_dev(disk), 1);

	ramdisk_image_lock();
	image_disk = disk;
	ramdisk_image_unlock();
	return 0;
}

/*
 * The disk is there with and without an image: so its number is nobody else's,
 * and opening it fails with ENODEV. It is empty, and cannot be opened, until
 * ramdisk_image_start(), so that nothing reads it, or uses the image up, before.
 */
static int __init start_image_disk(void)
{
	int status = add_image_disk();

	if (status) {
		pr_err("initrd: no /dev/initrd, error %d\n", -status);
		ramdisk_image_give_up();
		return status;
	}
	ramdisk_image_start();
	return 0;
}
device_initcall(start_image_disk);
