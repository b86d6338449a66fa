/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When RAM disks have had all the memory that they may have.
 */
#ifndef RAMDISK_MEMORY_LEFT_H
#define RAMDISK_MEMORY_LEFT_H

#include "initrd/seam/pages.h"
#include "initrd/support/memory.h"

namespace ramdisk {

/*
 * Whether `wanted` bytes more leave others what they need. A RAM disk may be larger than
 * memory, and its pages cannot be taken back.
 */
INLINE bool may_have(u64 wanted)
{
	return ramdisk_memory_has(wanted + initrd::memory_for_others(ramdisk_memory_total()));
}

} // namespace ramdisk

#endif
