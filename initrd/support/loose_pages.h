/* SPDX-License-Identifier: GPL-2.0 */
/*
 * support/: pages between two owners.
 *
 *    the boot allocator's      image/region.h: reserved, and in its books
 *        │ give_away()
 *        ▼
 *    nobody's: LoosePages      out of the books; who holds this has to pass them on
 *        │ release()
 *        ├──────────────► a RAM disk's      ramdisk/page_store.h, freed when discarded
 *        ├──────────────► a file's          rootfs/file_data.cc, freed with the file
 *        └──────────────► /dev/initrd's     ramdisk/image_device.h, freed when read
 *
 * What is not given away goes back to the kernel: Region::release_before(), free().
 */
#ifndef INITRD_SUPPORT_LOOSE_PAGES_H
#define INITRD_SUPPORT_LOOSE_PAGES_H

#include "initrd/support/bytes.h"

namespace initrd {

/*
 * Whole mapped pages side by side, which nobody knows of but who holds this. Move-only. One
 * that is dropped with pages in it stops everything: they would be lost for good.
 */
class LoosePages {
public:
	INLINE constexpr LoosePages() = default;
	INLINE constexpr explicit LoosePages(MutableBytes pages) : pages_(pages) {}
	INLINE constexpr LoosePages(LoosePages &&other) noexcept : pages_(other.release()) {}
	INLINE constexpr LoosePages &operator=(LoosePages &&other) noexcept
	{
		const MutableBytes taken = other.release();

		if (!pages_.empty())
			__builtin_trap();
		pages_ = taken;
		return *this;
	}
	INLINE constexpr ~LoosePages()
	{
		if (!pages_.empty())
			__builtin_trap();
	}
	LoosePages(const LoosePages &) = delete;
	LoosePages &operator=(const LoosePages &) = delete;

	INLINE constexpr bool empty() const { return pages_.empty(); }
	/* Bytes. */
	INLINE constexpr size_t size() const { return pages_.size(); }

	/* The pages are the caller's from now on: all of them, or the first `size` bytes. */
	INLINE constexpr MutableBytes release() { return release(pages_.size()); }
	INLINE constexpr MutableBytes release(size_t size)
	{
		const MutableBytes first = pages_.first(size);

		pages_ = pages_.skip(size);
		return first;
	}

private:
	MutableBytes pages_ = {};
};

} // namespace initrd

#endif
