/* SPDX-License-Identifier: GPL-2.0 */
/*
 * formats/: whether there is memory for what a decoder refers back to.
 */
#ifndef INITRD_FORMATS_WINDOW_H
#define INITRD_FORMATS_WINDOW_H

#include "initrd/seam/memory.h"
#include "initrd/support/memory.h"
#include "initrd/support/result.h"

namespace initrd {

/*
 * kNoMemory, with both sizes, where a window or dictionary of `size` bytes would leave
 * nothing to others; `offset` is where the data says that it needs one. The libraries
 * would rather end processes than say so, and the last page is missed by drivers that
 * start meanwhile: the kernel panics then.
 */
INLINE Result<void> expect_window(u64 size, const char *reason, u64 offset)
{
	// (A 32nd is for page tables and the library's own state.)
	const u64 others = memory_for_others(seam_memory_total()) + size / 32;
	const u64 available = seam_memory_available();

	if (others <= available && size <= available - others)
		return {};
	return Error{kNoMemory, reason, offset, size, available};
}

} // namespace initrd

#endif
