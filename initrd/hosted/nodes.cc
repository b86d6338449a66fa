// SPDX-License-Identifier: GPL-2.0
// initrd/seam/nodes.h on the in-memory tree.

#include "initrd/seam/nodes.h"

#include <cerrno>
#include <cstring>

#include "initrd/hosted/open_file.h"
#include "initrd/hosted/tree.h"
#include "initrd/hosted/world.h"

using host::kFolder;
using host::kSymlink;
using host::NodePtr;

struct seam_directory {
	NodePtr node;
};

struct seam_node {
	NodePtr folder; // null: the node is a folder that was looked up as such
	std::string name;
	NodePtr node; // null: there is none of that name
};

namespace {

constexpr u32 kUmask = 022;

NodePtr make_node(u32 mode)
{
	return host::make_counted_node((mode & 0170000) | (mode & 07777 & ~kUmask));
}

int add(seam_node *node, const NodePtr &made)
{
	if (node->node)
		return -EEXIST;
	if (!host::may_allocate() || !made)
		return -ENOMEM;
	// A name costs as much as a node.
	if (!host::take_node())
		return -ENOSPC;
	node->folder->children[node->name] = made;
	node->folder->mtime = host::kNow;
	node->node = made;
	return 0;
}

} // namespace

struct seam_directory *seam_directory_open(const char *path, int *status)
{
	const host::Place place = host::resolve(path, true);

	*status = place.status			? place.status :
		  !place.node			? -ENOENT :
		  place.node->type() != kFolder ? -ENOTDIR :
		  !host::may_allocate()		? -ENOMEM :
						  0;
	if (*status)
		return nullptr;
	host::live().files++;
	return new seam_directory{place.node};
}

void seam_directory_close(struct seam_directory *directory)
{
	host::live().files--;
	delete directory;
}

struct seam_node *seam_directory_node(struct seam_directory *directory)
{
	host::live().files++;
	return new seam_node{nullptr, "", directory->node};
}

struct seam_node *seam_node_find(struct seam_directory *directory, const char *name, size_t length,
				 int *status)
{
	const std::string text(name, length);

	if (text.empty() || text == "." || text == ".." || text.find('/') != std::string::npos)
		host::complain("no name in a folder: \"" + text + "\"");
	*status = length > 255 ? -ENAMETOOLONG : !host::may_allocate() ? -ENOMEM : 0;
	if (*status)
		return nullptr;
	const auto child = directory->node->children.find(text);

	host::live().files++;
	return new seam_node{directory->node, text,
			     child == directory->node->children.end() ? nullptr : child->second};
}

void seam_node_release(struct seam_node *node)
{
	host::live().files--;
	delete node;
}

struct seam_node *seam_node_hold(const struct seam_node *node)
{
	host::live().files++;
	return new seam_node(*node);
}

int seam_node_same(const struct seam_node *a, const struct seam_node *b)
{
	return a->node && a->node == b->node;
}

u32 seam_node_mode(const struct seam_node *node)
{
	return node->node ? node->node->mode : 0;
}

u64 seam_node_size(const struct seam_node *node)
{
	return node->node->data.size();
}

int seam_node_remove(struct seam_directory *directory, struct seam_node *node)
{
	if (!node->node || !node->folder || node->folder != directory->node) {
		host::complain("a node is removed that is not in the folder");
		return -ENOENT;
	}
	if (!node->node->children.empty())
		return -ENOTEMPTY;
	node->node->nlink--;
	host::give_node();
	node->folder->children.erase(node->name);
	node->folder->mtime = host::kNow;
	node->node = nullptr;
	return 0;
}

int seam_node_create(struct seam_directory *directory, struct seam_node *node, u32 mode)
{
	if (host::creation_error())
		return -host::creation_error();
	return add(node, make_node(host::kRegular | (mode & 07777)));
}

int seam_node_mkdir(struct seam_directory *directory, struct seam_node *node, u32 mode)
{
	return add(node, make_node(kFolder | (mode & 07777)));
}

int seam_node_mknod(struct seam_directory *directory, struct seam_node *node, u32 mode, u32 major,
		    u32 minor)
{
	const NodePtr made = make_node(mode);

	if (made) {
		made->major = major;
		made->minor = minor;
	}
	return add(node, made);
}

int seam_node_symlink(struct seam_directory *directory, struct seam_node *node, const char *target)
{
	// (In tmpfs it lies beside the node.)
	constexpr size_t kShort = 128;
	const size_t length = std::strlen(target) + 1;
	NodePtr made = make_node(kSymlink);

	if (length > PATH_MAX)
		return -ENAMETOOLONG;
	if (made && length > kShort && !host::count_node(*made, length))
		made = nullptr;
	if (made) {
		made->mode |= 0777;
		made->target = target;
	}
	return add(node, made);
}

int seam_node_link(struct seam_directory *directory, struct seam_node *node,
		   const struct seam_node *existing)
{
	if (!existing->node || !existing->node->nlink)
		return -ENOENT;
	if (existing->node->type() == kFolder)
		return -EPERM;
	const int status = add(node, existing->node);

	existing->node->nlink += status == 0;
	return status;
}

int seam_node_set(struct seam_directory *directory, struct seam_node *node,
		  const struct seam_attributes *attributes)
{
	host::Node &of = *node->node;

	if (attributes->uid != ~0u)
		of.uid = attributes->uid;
	if (attributes->gid != ~0u)
		of.gid = attributes->gid;
	if (attributes->has_mode)
		of.mode = of.type() | (attributes->mode & 07777);
	if (attributes->has_mtime)
		of.mtime = attributes->mtime;
	return 0;
}

int seam_node_resize(struct seam_directory *directory, struct seam_node *node, u64 size)
{
	if (size < node->node->data.size())
		host::give_room(node->node->data.size() - size);
	// As sparse as a real one: a header may claim 4 GiB.
	if (size <= (16u << 20) && host::count_node(*node->node, size))
		node->node->data.resize(size);
	node->node->mtime = host::kNow;
	return 0;
}

struct seam_file *seam_node_open(struct seam_directory *directory, struct seam_node *node,
				 int *status)
{
	*status = host::may_allocate() ? 0 : -ENOMEM;
	return *status ? nullptr : host::open_file(node->node);
}

struct seam_file *seam_node_open_to_read(struct seam_directory *directory,
					 const struct seam_node *node, int *status)
{
	*status = host::may_allocate() ? 0 : -ENOMEM;
	return *status ? nullptr : host::open_file(node->node);
}

namespace host {

NodePtr node_of(const struct seam_node *node)
{
	return node->node;
}

} // namespace host
