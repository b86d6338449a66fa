// SPDX-License-Identifier: GPL-2.0
// initrd/seam/files.h on the in-memory tree.

#include "initrd/seam/files.h"

#include <algorithm>
#include <cerrno>

#include "initrd/hosted/open_file.h"
#include "initrd/hosted/tree.h"
#include "initrd/hosted/world.h"

using host::kFolder;
using host::kRegular;
using host::Node;
using host::NodePtr;
using host::Place;
using host::resolve;

struct seam_file {
	NodePtr node;
};

namespace {

constexpr u32 kUmask = 022;

// Files that nobody will use any more, but that still are open.
size_t closing = 0;

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
	if (!node)
		return -ENOMEM;
	place.folder->children[place.name] = node;
	place.folder->mtime = host::kNow;
	return 0;
}

NodePtr make_node(u32 mode)
{
	return host::make_counted_node((mode & 0170000) | (mode & 07777 & ~kUmask));
}

int unlink_node(const char *path)
{
	const Place place = resolve(path, false);

	if (place.status)
		return place.status;
	if (!place.node)
		return -ENOENT;
	if (place.node == host::top() || place.name == "." || place.name == "..")
		return -EBUSY;
	if (place.node->type() == kFolder)
		return -EISDIR;
	place.node->nlink--;
	place.folder->children.erase(place.name);
	place.folder->mtime = host::kNow;
	return 0;
}

} // namespace

namespace host {

struct seam_file *open_file(const NodePtr &node)
{
	live().files++;
	return new seam_file{node};
}

size_t files_closing()
{
	return closing;
}

void reset_closings()
{
	closing = 0;
}

} // namespace host

int seam_mkdir(const char *path, u32 mode)
{
	return add(path, make_node(kFolder | (mode & 07777)));
}

int seam_unlink(const char *path)
{
	return unlink_node(path);
}

int seam_set_mtime(const char *path, s64 seconds)
{
	int status;
	const NodePtr node = find(path, false, status);

	if (node)
		node->mtime = seconds;
	return status;
}

int seam_may_execute(const char *path)
{
	int status;

	// (The kernel asks for MAY_ACCESS, which anybody has.)
	find(path, true, status);
	return status;
}

struct seam_file *seam_file_create(const char *path, u32 mode, int *status)
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
		if (!place.node) {
			*status = -ENOMEM;
			return nullptr;
		}
		place.folder->children[place.name] = place.node;
		place.folder->mtime = host::kNow;
	}
	if (place.node->type() != kRegular) {
		*status = place.node->type() == kFolder ? -EISDIR : -ENXIO;
		return nullptr;
	}
	place.node->data.clear();
	host::count_node(*place.node, 0);
	return host::open_file(place.node);
}

s64 seam_file_write(struct seam_file *file, const void *data, size_t size, u64 offset)
{
	const u8 *const from = static_cast<const u8 *>(data);
	host::work_on(size);
	const size_t n = host::take_room(size);
	std::vector<u8> &to = file->node->data;

	if (to.size() < offset + n) {
		if (!host::count_node(*file->node, offset + n)) {
			host::give_room(n);
			return -ENOMEM;
		}
		to.resize(offset + n);
	}
	std::copy(from, from + n, to.begin() + static_cast<std::ptrdiff_t>(offset));
	file->node->mtime = host::kNow;
	return static_cast<s64>(n);
}

s64 seam_file_read(struct seam_file *file, void *data, size_t size, u64 offset)
{
	const std::vector<u8> &from = file->node->data;
	const size_t got = offset < from.size() ? std::min<size_t>(size, from.size() - offset) : 0;

	host::work_on(size);
	if (got)
		std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(offset), got,
			    static_cast<u8 *>(data));
	return static_cast<s64>(got);
}

void seam_file_close(struct seam_file *file)
{
	host::live().files--;
	closing++;
	delete file;
}

int seam_file_system_room(const char *path, struct seam_room *room)
{
	int status;

	if (!find(path, true, status))
		return status;
	*room = {host::total_room(), host::total_room() ? host::free_room() : 0,
		 host::total_nodes(), host::total_nodes() ? host::free_nodes() : 0};
	return 0;
}

int seam_set_root_limits(u64 size, u64 nodes)
{
	if (!host::may_allocate())
		return -ENOMEM;
	return host::set_limits(size, nodes);
}

void seam_files_flush(void)
{
	closing = 0;
	host::end_closings();
}
