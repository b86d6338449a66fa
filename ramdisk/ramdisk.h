/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ramdisk/: the block driver of major 1, /dev/ram0 and on, whose owner of pages
 * can take them over instead of copying them.
 *
 * This is the side that the boot path uses; kernel/blkdev.h is the one that the
 * block layer's shim uses.
 */
#ifndef RAMDISK_RAMDISK_H
#define RAMDISK_RAMDISK_H

#include "ramdisk/kernel/blkdev.h"
#include "ramdisk/page_store.h"

namespace ramdisk {

/* One RAM disk; lives until the driver is unloaded. */
class Disk {
public:
	/* The disk with this number, made if there is none yet. */
	static Result<Disk *> find_or_create(u32 number);

	INLINE void read(u64 offset, MutableBytes to) const { store_.read(offset, to); }
	INLINE Result<void> write(u64 offset, Bytes from, ramdisk_wait wait)
	{
		return store_.write(offset, from, wait);
	}
	/* Makes it hold at least `size` bytes, in units of 4 KiB. Never smaller. */
	Result<void> grow(u64 size);
	/*
	 * An initrd was loaded into it: BLKFLSBUF gives its memory back, as the
	 * document has it. Other disks keep their data then.
	 */
	INLINE void mark_as_initrd() { holds_initrd_ = true; }
	/* Takes over the whole pages that `image`, page-aligned, lies in. */
	Result<void> adopt(Bytes image);
	/* PageStore::insert(). */
	INLINE Result<void> insert(u64 first, initrd::Span<ramdisk_page *> pages, size_t &done)
	{
		return store_.insert(first, pages, done);
	}
	/* Finds the partitions of what was loaded; with brd.max_part= only. */
	void find_partitions();
	/* Whether the minor number is the disk's or one of its partitions'. */
	bool owns(u32 minor) const;
	/* Frees the pages that lie whole in the range (bytes). */
	void discard(u64 offset, u64 size);
	/* Frees all pages and waits until they are free. */
	void clear();
	/* The same as soon as nobody has it open; returns whether that is now. */
	bool retire();
	/*
	 * clear() for its only user, and what the page cache holds of it; kBusy
	 * when there are others, kNotForIt when it holds no initrd (any more).
	 */
	Result<void> flush();
	/* A user may have gone; to be called with the gendisk's lock held. */
	void closed();

	INLINE u64 pages() const { return store_.pages(); }
	INLINE u32 number() const { return number_; }

	/* Its device numbers; one that /dev/initrd would share is left to that. */
	ramdisk_minors minors() const;

	/* For the list of disks only: to be called with the registry's lock held. */
	static Result<Disk *> create(u32 number);
	static void destroy(Disk *disk);

private:
	friend class Registry;
	INLINE Disk(u32 number, PageStore store) : store_(initrd::move(store)), number_(number) {}
	INLINE ~Disk() {}

	PageStore store_;
	Disk *next_ = nullptr;
	ramdisk_gendisk *gendisk_ = nullptr;
	u64 size_ = 0; /* bytes */
	u32 number_;
	bool holds_initrd_ = false;
	bool retired_ = false; /* to be cleared when the last user goes */
};

/* /dev/ram0, for the image that was loaded at boot. */
INLINE Result<Disk *> boot_disk()
{
	return Disk::find_or_create(0);
}

} // namespace ramdisk

#endif
