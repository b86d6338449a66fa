/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries as "ls -l" prints files.
 */
#ifndef INSPECT_LISTING_H
#define INSPECT_LISTING_H

#include <string>
#include <vector>

#include "inspect/report.h"

namespace inspect {

/* file, directory, symlink, character, block, fifo, socket, or unknown. */
const char *type_name(u32 mode);
/* Such as "drwxr-xr-x". */
std::string mode_text(u32 mode);
/* One line for each entry, in columns; times are in UTC. */
std::string listing_of(const std::vector<Entry> &entries);

} // namespace inspect

#endif
