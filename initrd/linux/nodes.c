// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "initrd/linux/fault.h"
#include "initrd/seam/nodes.h"
#include "initrd/linux/series.h"

/*
 * A seam_directory is a path under another name, a seam_node a dentry. To them it goes by
 * way of void *, as the compiler wants it where the layout of structures is random.
 */
static struct path *to_path(struct seam_directory *directory)
{
	return (struct path *)directory;
}

static struct dentry *to_dentry(const struct seam_node *node)
{
	return (struct dentry *)node;
}

static struct path path_of(struct seam_directory *directory, const struct seam_node *node)
{
	return (struct path){ .mnt = to_path(directory)->mnt, .dentry = to_dentry(node) };
}

struct seam_directory * __init seam_directory_open(const char *path, int *status)
{
	struct path *found = seam_fault() ? NULL :
			     kmalloc(sizeof(*found), GFP_KERNEL | __GFP_NOWARN);

	*status = found ? kern_path(path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, found) : -ENOMEM;
	if (*status) {
		kfree(found);
		return NULL;
	}
	return (void *)found;
}

void __init seam_directory_close(struct seam_directory *directory)
{
	path_put(to_path(directory));
	kfree(directory);
}

struct seam_node * __init seam_directory_node(struct seam_directory *directory)
{
	return (void *)dget(to_path(directory)->dentry);
}

static struct inode *to_folder(struct seam_directory *directory)
{
	return d_inode(to_path(directory)->dentry);
}

static SERIES_IDMAP_TYPE *to_idmap(struct seam_directory *directory)
{
	return SERIES_IDMAP(to_path(directory)->mnt);
}

struct seam_node * __init seam_node_find(struct seam_directory *directory, const char *name,
					 size_t length, int *status)
{
	struct dentry *dentry;

	if (seam_fault()) {
		*status = -ENOMEM;
		return NULL;
	}
	inode_lock_nested(to_folder(directory), I_MUTEX_PARENT);
	dentry = SERIES_LOOKUP(name, to_path(directory)->dentry, length);
	inode_unlock(to_folder(directory));
	*status = PTR_ERR_OR_ZERO(dentry);
	return *status ? NULL : (void *)dentry;
}

void __init seam_node_release(struct seam_node *node)
{
	dput(to_dentry(node));
}

struct seam_node * __init seam_node_hold(const struct seam_node *node)
{
	return (void *)dget(to_dentry(node));
}

int __init seam_node_same(const struct seam_node *a, const struct seam_node *b)
{
	return d_really_is_positive(to_dentry(a)) &&
	       d_inode(to_dentry(a)) == d_inode(to_dentry(b));
}

u32 __init seam_node_mode(const struct seam_node *node)
{
	return d_is_negative(to_dentry(node)) ? 0 : d_inode(to_dentry(node))->i_mode;
}

u64 __init seam_node_size(const struct seam_node *node)
{
	return i_size_read(d_inode(to_dentry(node)));
}

/* Between the two the directory's names are ours to change. */
static int __init begin_change(struct seam_directory *directory)
{
	int status = seam_fault() ? -ENOMEM : mnt_want_write(to_path(directory)->mnt);

	if (!status)
		inode_lock_nested(to_folder(directory), I_MUTEX_PARENT);
	return status;
}

static int __init end_change(struct seam_directory *directory, int status)
{
	inode_unlock(to_folder(directory));
	mnt_drop_write(to_path(directory)->mnt);
	return status;
}

int __init seam_node_remove(struct seam_directory *directory, struct seam_node *node)
{
	struct inode *folder = to_folder(directory);
	struct dentry *dentry = to_dentry(node);
	int status = begin_change(directory);

	if (!status)
		status = end_change(directory,
				    d_is_dir(dentry) ?
				    vfs_rmdir(to_idmap(directory), folder, dentry) :
				    vfs_unlink(to_idmap(directory), folder, dentry, NULL));
	return status;
}

int __init seam_node_create(struct seam_directory *directory, struct seam_node *node, u32 mode)
{
	umode_t regular = S_IFREG | (mode & S_IALLUGO);
	struct dentry *dentry = to_dentry(node);
	int status = begin_change(directory);

	if (!status)
		status = end_change(directory,
				    security_path_mknod(to_path(directory), dentry, regular, 0) ?:
				    vfs_create(to_idmap(directory), to_folder(directory), dentry,
					       regular, true));
	return status;
}

int __init seam_node_mkdir(struct seam_directory *directory, struct seam_node *node, u32 mode)
{
	struct dentry *dentry = to_dentry(node);
	int status = begin_change(directory);

	if (!status)
		status = end_change(directory,
				    security_path_mkdir(to_path(directory), dentry, mode) ?:
				    vfs_mkdir(to_idmap(directory), to_folder(directory), dentry,
					      mode));
	return status;
}

int __init seam_node_mknod(struct seam_directory *directory, struct seam_node *node, u32 mode,
			   u32 major, u32 minor)
{
	dev_t device = S_ISBLK(mode) || S_ISCHR(mode) ? MKDEV(major, minor) : 0;
	struct dentry *dentry = to_dentry(node);
	int status = begin_change(directory);

	if (!status)
		status = end_change(directory,
				    security_path_mknod(to_path(directory), dentry, mode,
							new_encode_dev(device)) ?:
				    vfs_mknod(to_idmap(directory), to_folder(directory), dentry,
					      mode, device));
	return status;
}

int __init seam_node_symlink(struct seam_directory *directory, struct seam_node *node,
			     const char *target)
{
	struct dentry *dentry = to_dentry(node);
	size_t length = strlen(target);
	/* What a system call says of such a name. */
	int status = length >= PATH_MAX ? -ENAMETOOLONG : begin_change(directory);

	if (!status)
		status = end_change(directory,
				    security_path_symlink(to_path(directory), dentry, target) ?:
				    vfs_symlink(to_idmap(directory), to_folder(directory), dentry,
						target));
	return status;
}

int __init seam_node_link(struct seam_directory *directory, struct seam_node *node,
			  const struct seam_node *existing)
{
	struct dentry *dentry = to_dentry(node);
	int status = begin_change(directory);

	if (!status)
		status = end_change(directory,
				    security_path_link(to_dentry(existing), to_path(directory),
						       dentry) ?:
				    vfs_link(to_dentry(existing), to_idmap(directory),
					     to_folder(directory), dentry, NULL));
	return status;
}

int __init seam_node_set(struct seam_directory *directory, struct seam_node *node,
			 const struct seam_attributes *attributes)
{
	struct inode *inode = d_inode(to_dentry(node));
	struct iattr change = {
		.ia_uid = make_kuid(current_user_ns(), attributes->uid),
		.ia_gid = make_kgid(current_user_ns(), attributes->gid),
		.ia_mode = (inode->i_mode & S_IFMT) | (attributes->mode & S_IALLUGO),
		.ia_atime = { .tv_sec = attributes->mtime },
		.ia_mtime = { .tv_sec = attributes->mtime },
	};
	int status = mnt_want_write(to_path(directory)->mnt);

	if (status)
		return status;
	/* As for chown(2), -1 leaves the owner as it is. */
	if (uid_valid(change.ia_uid))
		change.ia_valid |= ATTR_UID;
	if (gid_valid(change.ia_gid))
		change.ia_valid |= ATTR_GID;
	if (attributes->has_mode)
		change.ia_valid |= ATTR_MODE;
	if (attributes->has_mtime)
		change.ia_valid |= ATTR_ATIME | ATTR_ATIME_SET | ATTR_MTIME | ATTR_MTIME_SET;
	inode_lock(inode);
	status = notify_change(to_idmap(directory), to_dentry(node), &change, NULL);
	inode_unlock(inode);
	mnt_drop_write(to_path(directory)->mnt);
	return status;
}

int __init seam_node_resize(struct seam_directory *directory, struct seam_node *node, u64 size)
{
	struct path path = path_of(directory, node);

	return vfs_truncate(&path, size);
}

static struct seam_file * __init open_node(struct path path, int flags, int *status)
{
	struct file *file = seam_fault() ? ERR_PTR(-ENOMEM) :
			    dentry_open(&path, flags | O_LARGEFILE, current_cred());

	*status = PTR_ERR_OR_ZERO(file);
	return *status ? NULL : (void *)file;
}

struct seam_file * __init seam_node_open(struct seam_directory *directory, struct seam_node *node,
					 int *status)
{
	return open_node(path_of(directory, node), O_WRONLY, status);
}

struct seam_file * __init seam_node_open_to_read(struct seam_directory *directory,
						 const struct seam_node *node, int *status)
{
	return open_node(path_of(directory, node), O_RDONLY | O_NOATIME, status);
}
