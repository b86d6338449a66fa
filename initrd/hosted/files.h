/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The in-memory root file system behind initrd/seam/files.h.
 */
#ifndef INITRD_HOSTED_FILES_H
#define INITRD_HOSTED_FILES_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "initrd/support/types.h"

namespace host {

/* What new nodes get as their time, and directories when they are changed. */
inline constexpr s64 kNow = 5000000000;

struct Node {
	u32 mode = 0; /* with the type */
	u32 uid = 0;
	u32 gid = 0;
	u32 nlink = 1;
	u32 major = 0;
	u32 minor = 0;
	s64 mtime = kNow;
	std::vector<u8> data;
	std::string target;
	std::map<std::string, std::shared_ptr<Node>> children;
	u64 counted = 0; /* bytes of memory that it has taken */

	Node() = default;
	Node(const Node &) = delete;
	Node &operator=(const Node &) = delete;
	~Node();

	u32 type() const { return mode & 0170000; }
	u32 permissions() const { return mode & 07777; }
	std::string text() const { return {data.begin(), data.end()}; }
};

/* The root folder. */
const Node *top_node();
/* The node at `path` without following a link at its end, or null. */
const Node *node_at(const std::string &path);
/* Every path below /, sorted, "dev dev/console …", for comparisons. */
std::string tree();
/* Makes a node with all folders above it; `type` and permissions in `mode`. */
Node *plant(const std::string &path, u32 mode, const std::string &content = "");
/* Every creation of a file fails with this errno; 0: none. */
void fail_file_creation(int error);
/* Whether files are nothing but their pages, as in ramfs and tmpfs; so at first. */
void set_files_are_pages(bool are);
/* Whether these can be moved, as in tmpfs and not in ramfs; not so at first. */
void set_pages_can_move(bool can);
/* Bytes of file data that may still be written. */
void set_room(u64 bytes);

void reset_files();

} // namespace host

#endif
