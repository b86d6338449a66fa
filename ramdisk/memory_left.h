/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When RAM disks have had all the memory that they may have.
 */
#ifndef RAMDISK_MEMORY_LEFT_H
#define RAMDISK_MEMORY_LEFT_H

#include "initrd/support/utility.h"
#include "ramdisk/kernel/pages.h"

namespace ramdisk {

/*
 * Whether `wanted` bytes more leave others what they need: a 64th of memory, but 1 MiB at
 * least and 64 MiB at most.
 *
 * A RAM disk may be larger than memory, and its pages cannot be taken back. Without this,
 * whoever asks next is killed, and where nobody may be killed the kernel panics.
 */
INLINE bool may_have(u64 wanted)
{
	constexpr u64 kLeast = u64{1} << 20;
	constexpr u64 kMost = u64{64} << 20;
	const u64 others = initrd::max(kLeast, initrd::min(kMost, ramdisk_memory_total() / 64));

	return ramdisk_memory_has(wanted + others);
}

} // namespace ramdisk

#endif
