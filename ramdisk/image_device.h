/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/initrd, block 1:250: the boot loader's bytes as they are, to be read
 * once (the document on noinitrd). The boot path fills it; the block layer's
 * side is initrd/seam/image_device.h.
 */
#ifndef RAMDISK_IMAGE_DEVICE_H
#define RAMDISK_IMAGE_DEVICE_H

#include "initrd/support/bytes.h"

namespace ramdisk {

/* What the device holds from now on. Sizes are in bytes. */
struct Holding {
	initrd::Bytes image; /* what is read, mapped for good */
	/*
	 * Given back when the last user has gone: whole pages that the boot
	 * allocator had reserved and knows of no more. Empty: none.
	 */
	initrd::MutableBytes pages;
	bool keep; /* retain_initrd: past the last close */
};

/* Hands `holding` to the device; once, at boot. */
void hold_image(const Holding &holding);

} // namespace ramdisk

#endif
