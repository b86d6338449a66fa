/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contents of one RAM disk: one extent of adopted pages, as the boot loader
 * left them side by side, over a map of pages of its own.
 *
 * A page number's page is the adopted one until it is discarded, and one of the
 * map afterwards. Where there is none, zeros are read. Reads, writes and
 * discards may run side by side.
 */
#ifndef RAMDISK_PAGE_STORE_H
#define RAMDISK_PAGE_STORE_H

#include "initrd/seam/pages.h"
#include "initrd/support/bytes.h"
#include "initrd/support/loose_pages.h"
#include "initrd/support/result.h"

namespace ramdisk {

using initrd::Bytes;
using initrd::MutableBytes;
using initrd::Result;

class PageStore {
public:
	/* An empty store; kNoMemory. */
	static Result<PageStore> create();
	INLINE PageStore(PageStore &&other) noexcept
		: map_(other.map_), adopted_(other.adopted_), gone_(other.gone_)
	{
		other.map_ = nullptr;
		other.adopted_ = {};
		other.gone_ = nullptr;
	}
	~PageStore();
	PageStore(const PageStore &) = delete;
	PageStore &operator=(const PageStore &) = delete;

	/* Copies what is at `offset` (bytes). */
	void read(u64 offset, MutableBytes to) const;
	/*
	 * Copies to `offset`; makes the pages that are missing, which are seen when
	 * they are filled. kNoMemory: partly done.
	 */
	Result<void> write(u64 offset, Bytes from, ramdisk_wait wait);

	/*
	 * Takes `pages` pages over, the disk's from number 0 on, which `give` hands out as
	 * LoosePages when all else is done. Before the disk has users. kNoMemory: `give` was
	 * not called.
	 */
	template <typename Give> INLINE Result<void> adopt(u64 pages, Give give)
	{
		TRY(clear_for(pages));
		take_over(give());
		return {};
	}
	/*
	 * At boot: makes `pages` the disk's from page number `first` on, in order.
	 * `done` is how many; kNoMemory or kExists: the others are still the caller's.
	 */
	Result<void> insert(u64 first, initrd::Span<ramdisk_page *> pages, size_t &done);

	/* Frees the pages from `first` up to and without `end`. */
	void discard(u64 first, u64 end);

	/* How many pages there are. */
	INLINE u64 pages() const { return ramdisk_map_counted(map_); }

private:
	INLINE explicit PageStore(ramdisk_map *map) : map_(map) {}
	struct Run;
	u64 adopted_pages() const;
	Run run_at(u64 offset, size_t size) const;
	void read_adopted(u64 offset, MutableBytes to) const;
	size_t write_adopted(u64 offset, Bytes from);
	Result<size_t> write_new(u64 offset, Bytes from, ramdisk_wait wait);
	void discard_adopted(u64 first, u64 end);
	Result<void> clear_for(u64 pages);
	void take_over(initrd::LoosePages pages);

	ramdisk_map *map_;
	MutableBytes adopted_;		/* mapped, whole pages */
	unsigned long *gone_ = nullptr; /* a bit for each of them: discarded */
};

} // namespace ramdisk

#endif
