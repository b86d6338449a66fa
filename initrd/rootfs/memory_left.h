/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When an archive has had all the memory that it may have: a root file system that is a
 * ramfs has no limit, and its pages, and what the kernel keeps of each file, cannot be
 * taken back.
 */
#ifndef INITRD_ROOTFS_MEMORY_LEFT_H
#define INITRD_ROOTFS_MEMORY_LEFT_H

#include "initrd/seam/memory.h"
#include "initrd/support/compiler.h"
#include "initrd/support/memory.h"

namespace initrd::rootfs {

INLINE bool hardly_any_memory_left()
{
	return seam_memory_for_objects() < memory_for_others(seam_memory_total());
}

/* How many pages more an archive may have, up to `count`. */
INLINE size_t pages_left(size_t count)
{
	const u64 left = seam_memory_for_objects();
	const u64 others = memory_for_others(seam_memory_total());

	if (left < others)
		return 0;
	return static_cast<size_t>(min<u64>(count, in_units(left - others, seam_page_size())));
}

} // namespace initrd::rootfs

#endif
