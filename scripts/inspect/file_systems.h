/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel needs for the file systems of the table of formats.
 */
#ifndef INSPECT_FILE_SYSTEMS_H
#define INSPECT_FILE_SYSTEMS_H

#include <string>
#include <vector>

#include "initrd/support/bytes.h"
#include "inspect/config.h"

namespace inspect {

/* What mount -t calls the file system of this row of the table, for these bytes. */
std::string mount_type(const std::string &format, initrd::Bytes image);

/*
 * The options that a kernel lacks to mount it, each with its CONFIG_; empty when it
 * lacks none, or when its configuration is not known.
 */
std::vector<std::string> lacking_options(const std::string &format, initrd::Bytes image,
					 const Config &config);

} // namespace inspect

#endif
