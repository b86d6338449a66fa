// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/syscalls.h>
#include <linux/task_work.h>
#include <uapi/linux/mount.h>

#include "do_mounts.h"
#include "initrd/linux/fault.h"
#include "initrd/seam/files.h"

int __init seam_mkdir(const char *path, u32 mode)
{
	return init_mkdir(path, mode);
}

int __init seam_unlink(const char *path)
{
	return init_unlink(path);
}

int __init seam_set_mtime(const char *path, s64 seconds)
{
	struct timespec64 times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

	return init_utimes((char *)path, times);
}

int __init seam_may_execute(const char *path)
{
	return init_eaccess(path);
}

/* A seam_file is the kernel's struct file under another name; by way of void *: see nodes.c. */
static struct file *to_file(struct seam_file *file)
{
	return (struct file *)file;
}

struct seam_file * __init seam_file_create(const char *path, u32 mode, int *status)
{
	struct file *file = seam_fault() ? ERR_PTR(-ENOMEM) :
			    filp_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_LARGEFILE, mode);

	*status = PTR_ERR_OR_ZERO(file);
	return *status ? NULL : (void *)file;
}

s64 __init seam_file_write(struct seam_file *file, const void *data, size_t size, u64 offset)
{
	loff_t at = offset;

	return seam_fault() ? -ENOMEM : kernel_write(to_file(file), data, size, &at);
}

s64 __init seam_file_read(struct seam_file *file, void *data, size_t size, u64 offset)
{
	loff_t at = offset;

	return kernel_read(to_file(file), data, size, &at);
}

void __init seam_file_close(struct seam_file *file)
{
	fput(to_file(file));
}

int __init seam_file_system_room(const char *path, struct seam_room *room)
{
	struct kstatfs found;
	struct path at;
	int status = kern_path(path, 0, &at);

	if (status)
		return status;
	status = vfs_statfs(&at, &found);
	path_put(&at);
	if (status)
		return status;
	*room = (struct seam_room){
		.size = found.f_blocks * found.f_bsize,
		.free = found.f_bfree * found.f_bsize,
		.nodes = found.f_files,
		.free_nodes = found.f_ffree,
	};
	return 0;
}

int __init seam_set_root_limits(u64 size, u64 nodes)
{
	unsigned long flags = MS_REMOUNT;
	struct path root;
	char *options;
	int status = kern_path("/", 0, &root);

	if (status)
		return status;
	/* What else was said of the file system, stays said. */
	flags |= root.mnt->mnt_sb->s_flags & MS_RMT_MASK;
	path_put(&root);
	/* A mount takes a whole page of options. */
	options = seam_fault() ? NULL : (char *)get_zeroed_page(GFP_KERNEL | __GFP_NOWARN);
	if (!options)
		return -ENOMEM;
	snprintf(options, PAGE_SIZE, "size=%llu,nr_inodes=%llu", size, nodes);
	status = init_mount(NULL, "/", NULL, flags, options);
	free_page((unsigned long)options);
	return status;
}

void __init seam_files_flush(void)
{
	flush_delayed_fput();
	task_work_run();
}
