/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: nodes in the root file system that the kernel starts with, each named by
 * a directory that was looked up before and a name in it.
 *
 * Functions that return int return 0 or more, or -errno.
 */
#ifndef INITRD_SEAM_NODES_H
#define INITRD_SEAM_NODES_H

#include "initrd/seam/files.h"
#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A directory; owned by the caller until seam_directory_close(). */
struct seam_directory;
/*
 * A name in a directory, whether there is a node of that name or not; owned by
 * the caller until seam_node_release().
 */
struct seam_node;

/*
 * The directory at `path`, symbolic links followed. NULL with -errno in `status`
 * on failure.
 */
struct seam_directory *seam_directory_open(const char *path, int *status);
void seam_directory_close(struct seam_directory *directory);
/* The directory itself, as a node. */
struct seam_node *seam_directory_node(struct seam_directory *directory);

/*
 * The name of `length` characters, neither "." nor ".." and without a slash.
 * NULL with -errno in `status` on failure.
 */
struct seam_node *seam_node_find(struct seam_directory *directory, const char *name, size_t length,
				 int *status);
void seam_node_release(struct seam_node *node);
/* The same once more, released by itself; it stays what it is when the name goes. */
struct seam_node *seam_node_hold(const struct seam_node *node);
/* Whether both are names of one node that is there. */
int seam_node_same(const struct seam_node *a, const struct seam_node *b);

/* The type and permission bits; 0 when there is no node of that name. */
u32 seam_node_mode(const struct seam_node *node);
/* The size of a regular file in bytes. */
u64 seam_node_size(const struct seam_node *node);

/* Unlinks the node, or removes it if it is an empty directory. Find it anew then. */
int seam_node_remove(struct seam_directory *directory, struct seam_node *node);

/*
 * Make the node, which must not be there. The type in `mode` counts for
 * seam_node_mknod() only, the device number for block and character nodes.
 */
int seam_node_create(struct seam_directory *directory, struct seam_node *node, u32 mode);
int seam_node_mkdir(struct seam_directory *directory, struct seam_node *node, u32 mode);
int seam_node_mknod(struct seam_directory *directory, struct seam_node *node, u32 mode, u32 major,
		    u32 minor);
/* The target may be empty: such a link leads nowhere. */
int seam_node_symlink(struct seam_directory *directory, struct seam_node *node, const char *target);
/* Another name for what `existing` is; -ENOENT when that has lost its last name. */
int seam_node_link(struct seam_directory *directory, struct seam_node *node,
		   const struct seam_node *existing);

/* What of a node is set in one go. */
struct seam_attributes {
	u32 uid;
	u32 gid;
	u32 mode; /* permission bits */
	u8 has_mode;
	u8 has_mtime;
	s64 mtime; /* seconds after 1970, of the last access, too */
};

int seam_node_set(struct seam_directory *directory, struct seam_node *node,
		  const struct seam_attributes *attributes);
int seam_node_resize(struct seam_directory *directory, struct seam_node *node, u64 size);

/* Open a regular file for writing, or for reading. NULL with -errno in `status` on failure. */
struct seam_file *seam_node_open(struct seam_directory *directory, struct seam_node *node,
				 int *status);
struct seam_file *seam_node_open_to_read(struct seam_directory *directory,
					 const struct seam_node *node, int *status);

#ifdef __cplusplus
}
#endif

#endif
