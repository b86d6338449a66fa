// SPDX-License-Identifier: GPL-2.0
// initrd/kernel/files.h on the in-memory tree.

#include "initrd/kernel/files.h"

#include <algorithm>
#include <cerrno>

#include "seam/tree.h"
#include "seam/world.h"

using host::kFolder;
using host::kRegular;
using host::kSymlink;
using host::Node;
using host::NodePtr;
using host::Place;
using host::resolve;

struct seam_file {
	NodePtr node;
	size_t taken = 0; /* of the file system's room */
};

namespace {

constexpr u32 kUmask = 022;

// The node at `path`, or null with -errno in `status`.
NodePtr find(const char *path, bool follow, int &status)
{
	const Place place = resolve(path, follow);

	status = place.status ? place.status : place.node ? 0 : -ENOENT;
	return status ? nullptr : place.node;
}

int add(const char *path, const NodePtr &node)
{
	const Place place = resolve(path, false);

	if (place.status)
		return place.status;
	if (place.node)
		return -EEXIST;
	place.folder->children[place.name] = node;
	place.folder->mtime = host::kNow;
	return 0;
}

NodePtr make_node(u32 mode)
{
	auto node = std::make_shared<Node>();

	node->mode = (mode & 0170000) | (mode & 07777 & ~kUmask);
	return node;
}

int remove(const char *path, bool folder)
{
	const Place place = resolve(path, false);

	if (place.status)
		return place.status;
	if (!place.node)
		return -ENOENT;
	if (place.node == host::top() || place.name == "." || place.name == "..")
		return -EBUSY;
	if ((place.node->type() == kFolder) != folder)
		return folder ? -ENOTDIR : -EISDIR;
	if (!place.node->children.empty())
		return -ENOTEMPTY;
	place.node->nlink--;
	place.folder->children.erase(place.name);
	place.folder->mtime = host::kNow;
	return 0;
}

int set_owner(const NodePtr &node, u32 uid, u32 gid)
{
	node->uid = uid;
	node->gid = gid;
	return 0;
}

int set_mode(const NodePtr &node, u32 mode)
{
	node->mode = (node->mode & 0170000) | (mode & 07777);
	return 0;
}

} // namespace

int seam_mkdir(const char *path, u32 mode)
{
	return add(path, make_node(kFolder | (mode & 07777)));
}

int seam_rmdir(const char *path)
{
	return remove(path, true);
}

int seam_unlink(const char *path)
{
	return remove(path, false);
}

int seam_link(const char *existing, const char *path)
{
	int status;
	const NodePtr node = find(existing, false, status);

	if (!node)
		return status;
	if (node->type() == kFolder)
		return -EPERM;
	status = add(path, node);
	node->nlink += status == 0;
	return status;
}

int seam_symlink(const char *target, const char *path)
{
	const NodePtr node = make_node(kSymlink | 0777);

	if (!*target)
		return -ENOENT;
	node->mode |= 0777;
	node->target = target;
	return add(path, node);
}

int seam_mknod(const char *path, u32 mode, u32 major, u32 minor)
{
	const NodePtr node = make_node(mode);

	node->major = major;
	node->minor = minor;
	return add(path, node);
}

int seam_chown(const char *path, u32 uid, u32 gid, int no_follow)
{
	int status;
	const NodePtr node = find(path, !no_follow, status);

	return node ? set_owner(node, uid, gid) : status;
}

int seam_chmod(const char *path, u32 mode)
{
	int status;
	const NodePtr node = find(path, true, status);

	return node ? set_mode(node, mode) : status;
}

int seam_set_mtime(const char *path, s64 seconds)
{
	int status;
	const NodePtr node = find(path, false, status);

	if (node)
		node->mtime = seconds;
	return status;
}

int seam_mode_of(const char *path, u32 *mode)
{
	int status;
	const NodePtr node = find(path, false, status);

	if (node)
		*mode = node->mode;
	return status;
}

int seam_may_execute(const char *path)
{
	int status;
	const NodePtr node = find(path, true, status);

	if (node && (node->type() != kRegular || !(node->mode & 0111)))
		return -EACCES;
	return status;
}

struct seam_file *seam_file_create(const char *path, u32 mode, int truncate, int *status)
{
	Place place = resolve(path, true);

	*status = place.status;
	if (place.status)
		return nullptr;
	if (!host::may_allocate()) {
		*status = -ENOMEM;
		return nullptr;
	}
	if (host::creation_error()) {
		*status = -host::creation_error();
		return nullptr;
	}
	if (!place.node) {
		place.node = make_node(kRegular | (mode & 07777));
		place.folder->children[place.name] = place.node;
		place.folder->mtime = host::kNow;
	}
	if (place.node->type() != kRegular) {
		*status = place.node->type() == kFolder ? -EISDIR : -ENXIO;
		return nullptr;
	}
	if (truncate)
		place.node->data.clear();
	host::live().files++;
	return new seam_file{place.node};
}

int seam_file_write(struct seam_file *file, const void *data, size_t size, u64 offset,
		    size_t *written)
{
	const u8 *const from = static_cast<const u8 *>(data);
	const size_t n = host::take_room(size);
	std::vector<u8> &to = file->node->data;

	if (to.size() < offset + n)
		to.resize(offset + n);
	std::copy(from, from + n, to.begin() + static_cast<std::ptrdiff_t>(offset));
	file->node->mtime = host::kNow;
	*written = n;
	file->taken += n;
	return n < size ? -ENOSPC : 0;
}

int seam_file_chown(struct seam_file *file, u32 uid, u32 gid)
{
	return set_owner(file->node, uid, gid);
}

int seam_file_chmod(struct seam_file *file, u32 mode)
{
	return set_mode(file->node, mode);
}

int seam_file_resize(struct seam_file *file, u64 size)
{
	if (size == 0) {
		host::give_room(file->taken);
		file->taken = 0;
	}
	// As sparse as a real one: a header may claim 4 GiB.
	if (size <= (16u << 20))
		file->node->data.resize(size);
	return 0;
}

int seam_file_set_mtime(struct seam_file *file, s64 seconds)
{
	file->node->mtime = seconds;
	return 0;
}

void seam_file_close(struct seam_file *file)
{
	host::live().files--;
	delete file;
}

int seam_file_system_room(const char *path, u64 *size, u64 *free)
{
	int status;

	if (!find(path, true, status))
		return status;
	*size = host::total_room();
	*free = *size ? host::free_room() : 0;
	return 0;
}

void seam_files_flush(void) {}
