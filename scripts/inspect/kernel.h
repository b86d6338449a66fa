/* SPDX-License-Identifier: GPL-2.0 */
/*
 * initrd/boot/boot.cc for each way in which a kernel can be configured, and what of the
 * configuration the other files look at.
 */
#ifndef INSPECT_KERNEL_H
#define INSPECT_KERNEL_H

#include "initrd/formats/segments.h"
#include "inspect/config.h"

namespace inspect {

/* The ways into one boot.cc; see initrd/boot.h. */
struct Kernel {
	void (*populate_rootfs)();
	int (*load_root)(const char *root_name);
	int (*set_retain)(const char *value);
	void (*set_noinitrd)();
	void (*set_image)(const char *value);
	void (*set_start_block)(const char *value);
	void (*see_parameter)(const char *name, const char *value);
	/* Where it has found a file system image; of a size of 0 where it has not. */
	initrd::ImagePlace (*image_place)();
};

/*
 * The kernel with this configuration. The tables of formats and decoders follow it, and
 * so does the verification, up to the next call. One at a time: there is one world
 * (host::reset()).
 */
const Kernel &configured_kernel(const Config &config);

/* For kernel.cc: which compressors count from now on. */
void configure_formats(const Config &config);
/* And whether images are verified, by what, and what happens to those that are refused. */
void configure_verification(const Config &config);

} // namespace inspect

#endif
