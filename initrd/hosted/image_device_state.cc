// SPDX-License-Identifier: GPL-2.0
// /dev/initrd as it is, with a way to begin anew: its state is its own.

#include "initrd/hosted/world.h"
#include "ramdisk/image_device.cc"

namespace host {

void reset_image_device()
{
	ramdisk::device = {};
}

} // namespace host
