/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The limits of the in-memory root file system, as tmpfs has them.
 */
#ifndef INITRD_HOSTED_LIMITS_H
#define INITRD_HOSTED_LIMITS_H

#include <utility>
#include <vector>

#include "initrd/support/types.h"

namespace host {

/* How many names of nodes may still be made. (set_room() is for bytes.) */
void set_nodes(u64 number);
/* The size of the pages that files take, where it is not kPage; a multiple of it. */
void set_file_page(u64 size);
/* The limits, bytes and nodes, that the root file system was given one after another. */
const std::vector<std::pair<u64, u64>> &limits();

} // namespace host

#endif
