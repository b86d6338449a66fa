// SPDX-License-Identifier: GPL-2.0
// In place of ramdisk_loader.cc in a kernel without a built-in RAM disk.

#include "initrd/load/ramdisk_loader.h"

namespace initrd::root {

Result<void> load_ramdisk(Region &, const ImagePlace &, bool, HoldsArchive)
{
	return Error{kNoDevice, "the RAM disk driver is not built into the kernel"};
}

u32 find_ramdisk(const char *)
{
	return 0;
}

bool on_ramdisk(u32 device)
{
	return device == kRam0;
}

void retire_ramdisk() {}

} // namespace initrd::root
