/* SPDX-License-Identifier: GPL-2.0 */
/*
 * support/: how a run of pages is cut into the blocks that a page allocator takes.
 */
#ifndef INITRD_SUPPORT_BLOCKS_H
#define INITRD_SUPPORT_BLOCKS_H

#include "initrd/support/utility.h"

namespace initrd {

/*
 * The order of the largest block that can begin at page `number` and has `count` pages, 1
 * or more, at most: 2 to its power many, at a multiple of as many; `most` at most.
 */
INLINE constexpr u32 largest_order(size_t number, size_t count, u32 most)
{
	const u32 fits = static_cast<u32>(8 * sizeof(long) - 1) -
			 static_cast<u32>(__builtin_clzl(count));
	const u32 aligned = number ? static_cast<u32>(__builtin_ctzl(number)) : fits;

	return min(most, min(fits, aligned));
}

/*
 * Calls `free(page, order)` for each block of `count` pages, the first of which has the
 * number `number`; `page` counts from 0. A block of which `is_one(page, order)` says no
 * goes page by page.
 */
template <typename IsOne, typename Free>
INLINE void free_in_blocks(size_t number, size_t count, u32 most, IsOne is_one, Free free)
{
	for (size_t page = 0; page < count;) {
		u32 order = largest_order(number + page, count - page, most);

		if (order && !is_one(page, order))
			order = 0;
		free(page, order);
		page += size_t{1} << order;
	}
}

} // namespace initrd

#endif
