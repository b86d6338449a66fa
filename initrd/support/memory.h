/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much memory is left to others.
 */
#ifndef INITRD_SUPPORT_MEMORY_H
#define INITRD_SUPPORT_MEMORY_H

#include "initrd/support/utility.h"

namespace initrd {

/*
 * What nobody here takes of `total` bytes of memory: a 64th, but 1 MiB at least and
 * 64 MiB at most. Drivers start meanwhile, and the boot goes on: a kernel without memory
 * for that, and without processes that it could end, panics.
 */
INLINE constexpr u64 memory_for_others(u64 total)
{
	return max(u64{1} << 20, min(u64{64} << 20, total / 64));
}

} // namespace initrd

#endif
