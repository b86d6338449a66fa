// SPDX-License-Identifier: GPL-2.0

#include "initrd/support/guard.h"
#include "initrd/support/parse.h"
#include "ramdisk/ramdisk.h"

namespace ramdisk {

using initrd::Error;

namespace {

constexpr u64 kKibibyte = 1024;
// Disks grow in these units, so that no file system's last block is cut off.
constexpr u64 kGrowth = 4096;
// What a block device can be: its last byte's offset is a signed 64-bit number.
constexpr u64 kLargest = ~0ull >> 1;

// SAFETY: the shim's handle of a disk is the disk; it comes from here only.
INLINE ramdisk_disk *to_handle(Disk *disk)
{
	return reinterpret_cast<ramdisk_disk *>(disk);
}

INLINE Disk *from_handle(ramdisk_disk *disk)
{
	return reinterpret_cast<Disk *>(disk);
}

using Lock = initrd::Guard<ramdisk_lock, ramdisk_unlock>;

// Inside it nobody opens or closes the disk.
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

} // namespace

// All disks; every function is called with the lock held.
class Registry {
public:
	static INLINE Disk *find(u32 number)
	{
		Disk *disk = first_;

		while (disk && disk->number_ != number)
			disk = disk->next_;
		return disk;
	}

	static INLINE void add(Disk *disk)
	{
		disk->next_ = first_;
		first_ = disk;
	}

	static INLINE Disk *take_first()
	{
		Disk *const disk = first_;

		if (disk)
			first_ = disk->next_;
		return disk;
	}

private:
	static Disk *first_;
};

constinit Disk *Registry::first_ = nullptr;

Result<Disk *> Disk::create(u32 number)
{
	auto store = PageStore::create();

	if (!store)
		return store.error();

	void *const memory = ramdisk_alloc(sizeof(Disk));

	if (!memory)
		return Error{initrd::kNoMemory, "out of memory"};
	Disk *const disk = new (memory) Disk(number, initrd::move(store).value());
	const ramdisk_minors minors = disk->minors();
	int status;

	if (!minors.count) {
		destroy(disk);
		return Error{initrd::kExists, "its device number is that of /dev/initrd"};
	}

	// Its size first: users may come as soon as it is visible.
	disk->size_ = ramdisk_default_size() * kKibibyte;
	disk->gendisk_ = ramdisk_gendisk_add(to_handle(disk), number, minors, disk->size_, &status);
	if (!disk->gendisk_) {
		destroy(disk);
		return Error{-status, "the block layer refused the RAM disk"};
	}
	return disk;
}

void Disk::destroy(Disk *disk)
{
	if (disk->gendisk_)
		ramdisk_gendisk_remove(disk->gendisk_);
	disk->~Disk();
	ramdisk_free(disk);
}

Result<Disk *> Disk::find_or_create(u32 number)
{
	const Lock lock;

	if (Disk *const disk = Registry::find(number))
		return disk;
	Disk *const disk = TRY(create(number));

	Registry::add(disk);
	return disk;
}

Result<void> Disk::grow(u64 size)
{
	if (size <= size_)
		return {};
	if (size > kLargest - kGrowth)
		return Error{initrd::kTooBig, "too large for a RAM disk"};
	size_ = initrd::round_up(size, kGrowth);
	ramdisk_gendisk_resize(gendisk_, size_);
	return {};
}

Result<void> Disk::adopt(Bytes image)
{
	const size_t page = ramdisk_page_size();

	// SAFETY: the caller hands over the pages; they are the disk's to write.
	return store_.adopt(const_cast<u8 *>(image.data()),
			    initrd::round_up(image.size(), page) / page);
}

void Disk::find_partitions()
{
	if (minors().count > 1)
		ramdisk_gendisk_rescan(gendisk_);
}

ramdisk_minors Disk::minors() const
{
	const u32 first = number_ * ramdisk_max_part();
	const u32 end = first + ramdisk_max_part();

	if (first <= RAMDISK_IMAGE_MINOR && RAMDISK_IMAGE_MINOR < end)
		return {first, RAMDISK_IMAGE_MINOR - first};
	return {first, end - first};
}

bool Disk::owns(u32 minor) const
{
	const ramdisk_minors own = minors();

	return minor >= own.first && minor - own.first < own.count;
}

void Disk::discard(u64 offset, u64 size)
{
	const size_t page = ramdisk_page_size();
	const u64 first = initrd::in_units(offset + page - 1, page);
	const u64 end = initrd::in_units(offset + size, page);

	if (first < end)
		store_.discard(first, end);
}

void Disk::clear()
{
	store_.discard(0, ~0ull);
	ramdisk_pages_settle();
}

bool Disk::retire()
{
	const UsersLock lock(gendisk_);

	retired_ = true;
	closed();
	return !retired_;
}

Result<void> Disk::flush()
{
	const UsersLock lock(gendisk_);

	if (!holds_initrd_)
		return Error{initrd::kNotForIt, "holds no initrd"};
	if (ramdisk_gendisk_users(gendisk_) > 1)
		return Error{initrd::kBusy, "has other users"};
	// First, or it would be written back into a disk that is empty then.
	ramdisk_gendisk_drop_cache(gendisk_);
	holds_initrd_ = false;
	clear();
	return {};
}

void Disk::closed()
{
	if (!retired_ || ramdisk_gendisk_users(gendisk_))
		return;
	retired_ = false;
	holds_initrd_ = false;
	clear();
}

} // namespace ramdisk

using namespace ramdisk;

int ramdisk_write(ramdisk_disk *disk, u64 offset, const void *from, size_t size, ramdisk_wait wait)
{
	// SAFETY: the block layer's buffer, `size` bytes, mapped during this call.
	auto written = from_handle(disk)->write(offset, Bytes(static_cast<const u8 *>(from), size),
						wait);

	return written ? 0 : -written.error().code;
}

void ramdisk_read(ramdisk_disk *disk, u64 offset, void *to, size_t size)
{
	// SAFETY: as in ramdisk_write().
	from_handle(disk)->read(offset, MutableBytes(static_cast<u8 *>(to), size));
}

void ramdisk_discard(ramdisk_disk *disk, u64 offset, u64 size)
{
	from_handle(disk)->discard(offset, size);
}

u64 ramdisk_pages(ramdisk_disk *disk)
{
	return from_handle(disk)->pages();
}

int ramdisk_create(u32 number)
{
	auto disk = Disk::find_or_create(number);

	return disk ? 0 : -disk.error().code;
}

int ramdisk_create_for_minor(u32 minor)
{
	return ramdisk_create(minor / ramdisk_max_part());
}

int ramdisk_flush(ramdisk_disk *disk)
{
	auto flushed = from_handle(disk)->flush();

	return flushed ? 0 : -flushed.error().code;
}

void ramdisk_closed(ramdisk_disk *disk)
{
	from_handle(disk)->closed();
}

void ramdisk_destroy_all(void)
{
	const Lock lock;

	while (Disk *const disk = Registry::take_first())
		Disk::destroy(disk);
}

u64 ramdisk_parse_kib(const char *text)
{
	const char *end = text;
	u64 number;
	u64 bytes;

	if (!initrd::parse_number(end, number))
		return 0;
	if (!*end)
		return number <= kLargest / kKibibyte ? number : 0;
	if (!initrd::parse_size(text, bytes) || *text || bytes > kLargest)
		return 0;
	return bytes / kKibibyte;
}

int ramdisk_sane_partitions(int asked, int most)
{
	constexpr u32 kMinors = 1 << 20;
	u32 partitions = asked > 0 ? static_cast<u32>(asked) : 1;

	if (partitions > static_cast<u32>(most))
		return most;
	// Else two disks' partitions could meet in one device number.
	while (kMinors % partitions)
		partitions++;
	return static_cast<int>(partitions);
}
