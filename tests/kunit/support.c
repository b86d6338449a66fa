// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/initrd.h>
#include <linux/kdev_t.h>
#include <linux/namei.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/uidgid.h>

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

int __init initrd_kunit_wait(struct kunit_suite *suite)
{
	wait_for_initramfs();
	return 0;
}
