// SPDX-License-Identifier: GPL-2.0

#include "initrd/support/guard.h"
#include "initrd/support/parse.h"
#include "ramdisk/memory_left.h"
#include "ramdisk/ramdisk.h"

namespace ramdisk {

using initrd::Error;

namespace {

constexpr u64 kKibibyte = 1024;
// Disks grow in these units, so that no file system's last block is cut off.
constexpr u64 kGrowth = 4096;
// Minor numbers of one major.
constexpr u32 kMinors = 1 << 20;
// More disks than anybody means are not made at start.
constexpr u32 kMostAtStart = 4096;
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

	// The one that was added last is taken out again.
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
	if (number >= kMinors / ramdisk_max_part())
		return Error{initrd::kTooBig, "no device number is left for it"};
	PageStore store = TRY(PageStore::create());

	void *const memory = ramdisk_alloc(sizeof(Disk));

	if (!memory)
		return Error{initrd::kNoMemory, "out of memory"};
	Disk *const disk = new (memory) Disk(number, initrd::move(store));
	const ramdisk_minors minors = disk->minors();

	if (!minors.count) {
		destroy(disk);
		return Error{initrd::kExists, "its device number is that of /dev/initrd"};
	}

	disk->size_ = ramdisk_default_size() * kKibibyte;
	disk->gendisk_ = ramdisk_gendisk_new(to_handle(disk), number, minors, disk->size_);
	if (!disk->gendisk_) {
		destroy(disk);
		return Error{initrd::kNoMemory, "out of memory"};
	}
	return disk;
}

// Users come before it returns: nothing of the disk is set afterwards that they need.
Result<void> Disk::show()
{
	const int status = ramdisk_gendisk_show(gendisk_);

	is_shown_ = status == 0;
	return initrd::check(status, "the block layer refused the RAM disk");
}

void Disk::destroy(Disk *disk)
{
	if (disk->is_shown_)
		ramdisk_gendisk_hide(disk->gendisk_);
	if (disk->gendisk_)
		ramdisk_gendisk_free(disk->gendisk_);
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
	auto shown = disk->show();

	if (!shown) {
		destroy(Registry::take_first());
		return shown.error();
	}
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

void Disk::begin_load()
{
	const UsersLock lock(gendisk_);

	ramdisk_gendisk_drop_cache(gendisk_);
	if (pages())
		clear();
	holds_initrd_.set(true);
}

void Disk::end_load()
{
	{
		const UsersLock lock(gendisk_);

		ramdisk_gendisk_drop_cache(gendisk_);
	}
	find_partitions();
}

// Whoever writes now has opened it, or mounted it, for something else. (Another writer
// may be here at the same time.)
void Disk::put_to_another_use()
{
	retired_.set(false);
	holds_initrd_.set(false);
	is_left_.set(false);
}

// Only brd.max_part= gives it device numbers for them.
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

	retired_.set(true);
	clear_if_retired();
	return !retired_.is_set();
}

Result<void> Disk::flush()
{
	const UsersLock lock(gendisk_);

	if (!holds_initrd_.is_set())
		return Error{initrd::kNotForIt, "holds no initrd"};
	if (ramdisk_gendisk_users(gendisk_) > 1)
		return Error{initrd::kBusy, "has other users"};
	// First, or it would be written back into a disk that is empty then.
	ramdisk_gendisk_drop_cache(gendisk_);
	put_to_another_use();
	clear();
	return {};
}

void Disk::closed()
{
	if (holds_initrd_.is_set() && ramdisk_boot_is_over() && !ramdisk_gendisk_claimed(gendisk_))
		is_left_.set(true);
	clear_if_retired();
}

void Disk::clear_if_retired()
{
	if (ramdisk_gendisk_users(gendisk_) || !retired_.is_set())
		return;
	put_to_another_use();
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

u32 ramdisk_create_first(int asked, int *status)
{
	const u32 wanted = asked > 0 ? static_cast<u32>(asked) : 0;
	u32 number = 0;

	for (*status = 0; number < wanted; number++) {
		if (number == kMostAtStart)
			*status = -initrd::kTooBig;
		else if (!may_have(ramdisk_page_size()))
			*status = -initrd::kNoMemory;
		else
			*status = ramdisk_create(number);
		// That number is /dev/initrd's.
		if (*status == -initrd::kExists)
			*status = 0;
		if (*status)
			break;
	}
	return number;
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
	u32 partitions = asked > 0 ? static_cast<u32>(asked) : 1;

	if (partitions > static_cast<u32>(most))
		return most;
	// Else two disks' partitions could meet in one device number.
	while (kMinors % partitions)
		partitions++;
	return static_cast<int>(partitions);
}
