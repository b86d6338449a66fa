/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the seam: the tree of nodes and the way from a path to a node.
 */
#ifndef INITRD_HOSTED_TREE_H
#define INITRD_HOSTED_TREE_H

#include "initrd/hosted/files.h"

namespace host {

using NodePtr = std::shared_ptr<Node>;

inline constexpr u32 kFolder = 0040000;
inline constexpr u32 kRegular = 0100000;
inline constexpr u32 kSymlink = 0120000;

/* Where a path leads: its folder, the last name in it and the node, if any. */
struct Place {
	int status = 0; /* or -errno */
	NodePtr folder;
	std::string name;
	NodePtr node;
	/* The folders from / to `folder`. */
	std::vector<NodePtr> way;
};

/* Follows links in the middle of a path always, one at its end if asked to. */
Place resolve(const std::string &path, bool follow_last);

/* What the kernel keeps of a file or folder besides its data, bytes. */
inline constexpr u64 kNodeSize = 1024;

/*
 * A new node, with the memory that it takes; null where there is none. `mode` has
 * the type, and is not changed.
 */
NodePtr make_counted_node(u32 mode);
/*
 * Counts the memory that a node takes with `size` bytes of data, in whole pages;
 * false, and nothing has changed, where there is not so much.
 */
bool count_node(Node &node, u64 size);

/* The root folder, which is its own parent. */
const NodePtr &top();

/* Takes up to `size` bytes of the room for file data; returns how many. */
size_t take_room(size_t size);
void give_room(size_t size);
/* What is left of the last page of a file of `size` bytes; see set_file_page(). */
void take_rest_of_page(u64 size);
int creation_error();
bool files_are_pages();
bool pages_can_move();
/* All of it, 0 when there is no limit; what is left of it. */
u64 total_room();
u64 free_room();
/* The same of nodes. */
bool take_node();
void give_node();
u64 total_nodes();
u64 free_nodes();
/* Sets both limits as a remount of tmpfs does; 0 or -errno. */
int set_limits(u64 size, u64 nodes);

} // namespace host

#endif
