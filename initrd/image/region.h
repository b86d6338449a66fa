/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of the boot loader's memory: reserved, found, given back or kept.
 */
#ifndef INITRD_IMAGE_REGION_H
#define INITRD_IMAGE_REGION_H

#include "initrd/seam/image.h"
#include "initrd/seam/memory.h"
#include "initrd/support/bytes.h"
#include "initrd/support/loose_pages.h"
#include "initrd/support/result.h"

namespace initrd {

/* The unit of ramdisk_start=, in bytes. */
inline constexpr size_t kImageBlock = 1024;

/*
 * The image and the whole pages that only it uses. There is one; boot.cc owns
 * it until it is freed, kept or handed to the RAM disk.
 */
class Region {
public:
	/* Less than this is not worth being released while the image is being read, bytes. */
	static constexpr long kReleased = 1 << 20;

	/* What the boot loader left; empty() when that is nothing. */
	static Region locate();
	/* A region of nothing. */
	INLINE static constexpr Region none() { return Region({nullptr, 0}, {nullptr, 0}); }

	/* Move-only: the other one is empty afterwards. */
	INLINE Region(Region &&other) noexcept : Region({nullptr, 0}, {nullptr, 0})
	{
		*this = move(other);
	}
	INLINE Region &operator=(Region &&other) noexcept
	{
		data_ = other.data_;
		size_ = other.size_;
		pages_ = other.pages_;
		freed_ = other.freed_;
		releasable_ = other.releasable_;
		is_movable_ = other.is_movable_;
		other.data_ = nullptr;
		other.size_ = 0;
		other.pages_ = {nullptr, 0};
		other.freed_ = 0;
		other.releasable_ = false;
		other.is_movable_ = false;
		return *this;
	}
	Region(const Region &) = delete;
	Region &operator=(const Region &) = delete;

	INLINE Bytes bytes() const { return {data_, size_}; }
	INLINE bool empty() const { return size_ == 0; }

	/* The image without its first `count` bytes; their pages stay with it. */
	INLINE void drop_front(size_t count)
	{
		data_ += count;
		size_ -= count;
	}

	/* The image without what follows its first `count` bytes; their pages stay with it. */
	INLINE void cut_off(size_t count) { size_ = min(size_, count); }

	/*
	 * Whether its pages may become another owner's: not those that a crash
	 * kernel has reserved, nor those that others share.
	 */
	bool may_give_away() const;
	/*
	 * Whether its pages lie where only such may be that the kernel can move away: they
	 * may not become an owner's from whom it cannot.
	 */
	bool is_movable() const;
	/* Whether any of its pages are a crash kernel's. */
	bool overlaps_crash_kernel() const;

	/*
	 * Moves the image to the start of its own pages (a no-op when it is
	 * there) and returns as much of it as lies in them, with the rest of the
	 * last page zeroed. What does not fit, less than two pages, is passed to
	 * `spill` beforehand with its offset in the image.
	 */
	template <typename Spill> INLINE Result<Bytes> align(Spill spill);

	/*
	 * Its pages leave it in four ways: they are given away to a new owner, released
	 * while the rest is still being read, freed, or retained for good.
	 */

	/* The pages of the aligned image's first `size` bytes. Only where may_give_away(). */
	LoosePages give_away_front(size_t size);
	/*
	 * The whole pages of the image that `data` begins with; everything before them is
	 * released. None where it does not begin with a whole page, or where the pages are
	 * to stay; or to be moved some day (is_movable()), which `can_move` says that the
	 * owner's can be.
	 */
	INLINE LoosePages give_away(Bytes data, bool can_move = true)
	{
		// SAFETY: an address is compared, not read.
		const size_t address = reinterpret_cast<size_t>(data.data());

		if (!releasable_ || (is_movable_ && !can_move) ||
		    rest_of_unit(address, seam_page_size()))
			return {};
		return give_away_pages(data);
	}
	/*
	 * All of them, for an owner who gives them to the kernel himself, at any time: it
	 * does not count them until then. Only where may_give_away().
	 */
	LoosePages give_away_uncounted();

	/*
	 * From here on the image may be released as it is read: nobody will want
	 * to see its beginning again. Only where may_give_away(), not under
	 * retain_initrd.
	 */
	INLINE void allow_release()
	{
		releasable_ = may_give_away();
		is_movable_ = is_movable();
	}
	/*
	 * Everything before `end` has been read for good: gives back the pages that
	 * lie whole before it, once they are `least` bytes or more.
	 * Nothing where allow_release() was not called.
	 */
	INLINE void release_before(const u8 *end, long least = kReleased)
	{
		if (releasable_ && end - pages_.start >= least)
			release(end);
	}

	/*
	 * Gives back, once, every page that was not given away, and says in
	 * mainline's words how much of the image has been given back in all.
	 */
	void free();
	/* Keeps the memory and shows it as /sys/firmware/initrd. */
	void retain();

private:
	INLINE constexpr Region(seam_range image, seam_range pages)
		: data_(image.start), size_(image.size), pages_(pages)
	{
	}
	MutableBytes destination() const;
	LoosePages give_away_pages(Bytes data);
	void release(const u8 *end);
	void give_back(u8 *start, size_t size);
	LoosePages take_out(u8 *start, size_t size);

	u8 *data_;
	size_t size_;
	seam_range pages_; /* what is still the image's */
	size_t freed_ = 0; /* bytes given back so far */
	bool releasable_ = false;
	bool is_movable_ = false; /* is_movable(), where releasable_ */
};

template <typename Spill> INLINE Result<Bytes> Region::align(Spill spill)
{
	const MutableBytes whole = destination();
	const size_t fitting = min(size_, whole.size());

	if (fitting < size_)
		TRY(spill(fitting, Bytes(data_ + fitting, size_ - fitting)));
	if (whole.data() != data_)
		__builtin_memmove(whole.data(), data_, fitting);
	data_ = whole.data();
	size_ = fitting;

	const MutableBytes tail = whole.skip(fitting);
	const size_t page = seam_page_size();

	__builtin_memset(tail.data(), 0, tail.size() % page);
	return Bytes(data_, size_);
}

/*
 * initrd= and initrdmem=: "address,size", each with K, M, G suffixes; anything
 * else is ignored (early_initrdmem()).
 */
void set_physical_image(const char *argument);

/*
 * reserve_initrd_mem(): keeps the physical range from being used for anything
 * else, in whole pages, and maps it; says why when it cannot.
 */
void reserve_physical_image();

} // namespace initrd

#endif
