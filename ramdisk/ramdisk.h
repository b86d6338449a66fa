/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ramdisk/: the block driver of major 1, /dev/ram0 and on, whose owner of pages
 * can take them over instead of copying them.
 *
 * This is the side that the boot path uses; initrd/seam/blkdev.h is the one that the
 * block layer's shim uses.
 */
#ifndef RAMDISK_RAMDISK_H
#define RAMDISK_RAMDISK_H

#include "initrd/seam/blkdev.h"
#include "ramdisk/page_store.h"

namespace ramdisk {

/* What is set with the gendisk's lock held, and read without it by who writes. */
class Flag {
public:
	INLINE bool is_set() const { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
	INLINE void set(bool value) { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }

private:
	bool value_ = false;
};

/* Inside it nobody opens or closes the disk. */
class UsersLock {
public:
	INLINE explicit UsersLock(ramdisk_gendisk *gendisk) : gendisk_(gendisk)
	{
		ramdisk_gendisk_lock(gendisk_);
	}
	INLINE ~UsersLock() { ramdisk_gendisk_unlock(gendisk_); }
	UsersLock(const UsersLock &) = delete;
	UsersLock &operator=(const UsersLock &) = delete;

private:
	ramdisk_gendisk *gendisk_;
};

/* One RAM disk; lives until the driver is unloaded. */
class Disk {
public:
	/* The disk with this number, made and shown if there is none yet. */
	static Result<Disk *> find_or_create(u32 number);

	INLINE void read(u64 offset, MutableBytes to) const { store_.read(offset, to); }
	INLINE Result<void> write(u64 offset, Bytes from, ramdisk_wait wait)
	{
		if (is_left_.is_set())
			put_to_another_use();
		return store_.write(offset, from, wait);
	}
	/* Makes it hold at least `size` bytes, in units of 4 KiB. Never smaller. */
	Result<void> grow(u64 size);
	/*
	 * An initrd is going to be loaded into it: it is emptied, and so is the page cache of
	 * those who have it open. From now on BLKFLSBUF gives its memory back, as the document
	 * has it; until the disk is put to another use, which is the first write after boot
	 * when nobody has it mounted any more. Other disks keep their data then.
	 */
	void begin_load();
	/* It is loaded, whole or not: what was read meanwhile is forgotten. */
	void end_load();
	/*
	 * Takes over the whole pages that `size` bytes lie in: PageStore::adopt(). kBusy:
	 * somebody has the disk open, and its pages cannot be exchanged; `give` was not called.
	 */
	template <typename Give> INLINE Result<void> adopt(size_t size, Give give)
	{
		const UsersLock lock(gendisk_);

		if (ramdisk_gendisk_users(gendisk_))
			return initrd::Error{initrd::kBusy, "has users"};
		return store_.adopt(
			initrd::in_units(size + ramdisk_page_size() - 1, ramdisk_page_size()),
			give);
	}
	/* PageStore::insert(). */
	INLINE Result<void> insert(u64 first, initrd::Span<ramdisk_page *> pages, size_t &done)
	{
		return store_.insert(first, pages, done);
	}
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

	/*
	 * For the list of disks only: to be called with the registry's lock held. A disk is
	 * created whole, and nobody sees it; kTooBig, kExists: it has no device number.
	 */
	static Result<Disk *> create(u32 number);
	Result<void> show();
	static void destroy(Disk *disk);

private:
	friend class Registry;
	INLINE Disk(u32 number, PageStore store) : store_(initrd::move(store)), number_(number) {}
	INLINE ~Disk() {}
	void put_to_another_use();
	void clear_if_retired();
	void find_partitions();

	PageStore store_;
	Disk *next_ = nullptr;
	ramdisk_gendisk *gendisk_ = nullptr;
	u64 size_ = 0; /* bytes */
	u32 number_;
	bool is_shown_ = false;
	Flag holds_initrd_;
	Flag is_left_; /* by those who had the initrd mounted */
	Flag retired_; /* to be cleared when the last user goes */
};

/* /dev/ram0, for the image that was loaded at boot. */
INLINE Result<Disk *> boot_disk()
{
	return Disk::find_or_create(0);
}

} // namespace ramdisk

#endif
