// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/blkdev.h>
#include <linux/buffer_head.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/initrd.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/namei.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/uidgid.h>

#include "initrd/seam/blkdev.h"
#include "tests/kunit/support.h"

void __init initrd_kunit_fail(struct kunit *test, const char *file, int line, const char *what)
{
	KUNIT_FAIL(test, "%s:%d: %s\n", kbasename(file), line, what);
}

void __init initrd_kunit_differ(struct kunit *test, const char *file, int line, const char *what,
				u64 found, u64 expected)
{
	KUNIT_FAIL(test, "%s:%d: %s is %llu (%#llx), not %llu (%#llx)\n", kbasename(file), line,
		   what, found, found, expected, expected);
}

void __init initrd_kunit_skip(struct kunit *test, const char *why)
{
	kunit_mark_skipped(test, "%s", why);
}

const void * __init initrd_kunit_task(void)
{
	return current;
}

void __init initrd_kunit_remove(const char *path)
{
	if (init_unlink(path) < 0)
		init_rmdir(path);
}

int __init initrd_kunit_stat(const char *path, struct initrd_kunit_node *node)
{
	struct kstat stat;
	int status = init_stat(path, &stat, AT_SYMLINK_NOFOLLOW);

	if (status)
		return status;
	*node = (struct initrd_kunit_node){
		.mode = stat.mode,
		.uid = from_kuid(&init_user_ns, stat.uid),
		.gid = from_kgid(&init_user_ns, stat.gid),
		.nlink = stat.nlink,
		.rdev_major = MAJOR(stat.rdev),
		.rdev_minor = MINOR(stat.rdev),
		.mtime = stat.mtime.tv_sec,
		.size = stat.size,
		.ino = stat.ino,
	};
	return 0;
}

s64 __init initrd_kunit_read(const char *path, void *to, size_t size)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t at = 0;
	s64 got;

	if (IS_ERR(file))
		return PTR_ERR(file);
	got = kernel_read(file, to, size, &at);
	fput(file);
	return got;
}

int __init initrd_kunit_leads_to(const char *path, const char *target)
{
	DEFINE_DELAYED_CALL(done);
	const char *found;
	struct path at;
	int same;

	if (kern_path(path, 0, &at))
		return false;
	found = vfs_get_link(at.dentry, &done);
	same = !IS_ERR(found) && strcmp(found, target) == 0;
	do_delayed_call(&done);
	path_put(&at);
	return same;
}

int __init initrd_kunit_buffers_left(u32 minor)
{
	static const char path[] = "/initrd_kunit_disk";
	struct ramdisk_gendisk *gendisk;
	struct buffer_head *buffer;
	struct block_device *disk;
	struct file *file;
	struct page *page;
	int left;

	init_mknod(path, S_IFBLK | 0600, new_encode_dev(MKDEV(RAMDISK_MAJOR, minor)));
	file = filp_open(path, O_RDONLY, 0);
	init_unlink(path);
	if (IS_ERR(file))
		return PTR_ERR(file);
	disk = I_BDEV(file->f_mapping->host);
	buffer = __bread(disk, 0, PAGE_SIZE);
	if (!buffer) {
		fput(file);
		return -EIO;
	}
	page = buffer->b_page;
	get_page(page);
	brelse(buffer);
	gendisk = (struct ramdisk_gendisk *)disk->bd_disk;
	ramdisk_gendisk_lock(gendisk);
	ramdisk_gendisk_drop_cache(gendisk);
	ramdisk_gendisk_unlock(gendisk);
	left = !!PagePrivate(page);
	put_page(page);
	fput(file);
	return left;
}

int __init initrd_kunit_wait(struct kunit_suite *suite)
{
	wait_for_initramfs();
	return 0;
}
