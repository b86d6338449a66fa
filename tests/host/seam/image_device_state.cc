// SPDX-License-Identifier: GPL-2.0
// /dev/initrd as it is, with a way to begin anew: its state is its own.

#include "ramdisk/image_device.cc"
#include "seam/world.h"

namespace host {

void reset_image_device()
{
	ramdisk::device = {};
}

} // namespace host
