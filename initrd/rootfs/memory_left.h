/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When an archive has had all the memory that it may have.
 */
#ifndef INITRD_ROOTFS_MEMORY_LEFT_H
#define INITRD_ROOTFS_MEMORY_LEFT_H

#include "initrd/kernel/memory.h"
#include "initrd/support/compiler.h"
#include "initrd/support/utility.h"

namespace initrd::rootfs {

/* Bytes that an archive leaves to others. */
inline constexpr u64 kLeastMemoryLeft = u64{1} << 20;

/*
 * A root file system that is a ramfs has no limit, and its pages, and what the kernel
 * keeps of each file, cannot be taken back. Drivers start meanwhile, and a kernel without
 * memory for them, and without processes that it could end, panics.
 */
INLINE bool hardly_any_memory_left()
{
	return seam_memory_for_objects() < kLeastMemoryLeft;
}

/* How many pages more an archive may have, up to `count`. */
INLINE size_t pages_left(size_t count)
{
	const u64 left = seam_memory_for_objects();

	if (left < kLeastMemoryLeft)
		return 0;
	return static_cast<size_t>(
		min<u64>(count, in_units(left - kLeastMemoryLeft, seam_page_size())));
}

} // namespace initrd::rootfs

#endif
