/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel needs for the file systems of the table of formats, and what of them
 * none can mount.
 */
#ifndef INSPECT_FILE_SYSTEMS_H
#define INSPECT_FILE_SYSTEMS_H

#include <string>
#include <vector>

#include "initrd/support/bytes.h"
#include "inspect/config.h"

namespace inspect {

/* What the kernel calls the file system of this row of the table, for these bytes. */
std::string mount_type(const std::string &format, initrd::Bytes image, const Config &config);

/* One reason why a kernel cannot mount a file system. */
struct Obstacle {
	/* What the kernel lacks, with its CONFIG_; "" when no option would help. */
	std::string option;
	/* What it is that nobody can mount, where there is no such option. */
	std::string reason;
	/* What to do then. */
	std::string advice;
	/* Read-only it can be mounted. */
	bool only_for_writing = false;
};

/*
 * Why the kernel of this configuration could not mount `image`, which is the start of a
 * file system of this row of the table. Where the configuration is not known it has all
 * options, and what all series have.
 */
std::vector<Obstacle> obstacles(const std::string &format, initrd::Bytes image,
				const Config &config);

/* Whether its driver refuses it on a device that is smaller than it says it is. */
bool wants_its_size(const std::string &format);

} // namespace inspect

#endif
