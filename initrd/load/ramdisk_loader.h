/* SPDX-License-Identifier: GPL-2.0 */
/*
 * load/: the image → /dev/ram0, and from there the root file system.
 */
#ifndef INITRD_LOAD_RAMDISK_LOADER_H
#define INITRD_LOAD_RAMDISK_LOADER_H

#include "initrd/formats/segments.h"
#include "initrd/image/region.h"
#include "initrd/support/result.h"

namespace initrd::root {

/* /dev/ram0 as real-root-dev has it: 1:0. */
inline constexpr u32 kRam0 = 0x100;

/*
 * Puts the image that is at `place` in `region` into /dev/ram0
 * and makes the disk as large as it needs. An image that is not compressed is
 * taken over, page for page, unless `keep` says that the region is to stay as
 * it is. Afterwards the region holds what is still to be freed or kept.
 *
 * Says what it does in mainline's words and, at the end, in one line: format,
 * bytes in and out, how. A compressed image that breaks off leaves what came
 * before in the disk; the error is told and returned. `holds` looks for archives
 * behind a compressed image, which are no part of the disk.
 */
Result<void> load_ramdisk(Region &region, const ImagePlace &place, bool keep, HoldsArchive holds);

/*
 * The number of the device that is called `name`, "/dev/ram3" or a partition of it: the
 * RAM disk is made if there is none yet. 0: it is none.
 */
u32 find_ramdisk(const char *name);

/* Whether `device` (as in real-root-dev) is /dev/ram0 or a partition of it. */
bool on_ramdisk(u32 device);

/* Gives the memory of /dev/ram0 back as soon as nobody uses it, which may be now. */
void retire_ramdisk();

} // namespace initrd::root

#endif
