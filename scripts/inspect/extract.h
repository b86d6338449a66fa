/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a root file system that was unpacked in memory to a folder.
 */
#ifndef INSPECT_EXTRACT_H
#define INSPECT_EXTRACT_H

#include <string>
#include <vector>

#include "initrd/hosted/files.h"

namespace inspect {

struct Extracted {
	std::string error;		   /* why nothing, or not all, was written; "" */
	u64 made = 0;			   /* files, folders and links */
	std::vector<std::string> left_out; /* device nodes, sockets and FIFOs */
};

/*
 * Writes what is in `tree` below `folder`, which must not exist yet or be empty. Each
 * folder is made and then opened by its one name in the folder above it, links are not
 * followed and no file is written that was there before: whatever the names and links
 * in the tree are, nothing outside `folder` changes. Owners, set-user-ID and set-group-ID
 * bits are set, and device nodes made, with `nodes` only, which takes root.
 */
Extracted extract(const host::Node &tree, const std::string &folder, bool nodes);

} // namespace inspect

#endif
