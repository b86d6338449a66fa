// SPDX-License-Identifier: GPL-2.0
// The block layer: a record of its disks.

#include <atomic>
#include <mutex>
#include <thread>

#include "initrd/seam/blkdev.h"
#include "initrd/seam/image_device.h"

#include "initrd/hosted/open_file.h"
#include "initrd/hosted/world.h"

namespace {

// A lock of the kernel's: who takes it twice is dead, and others wait.
class Lock {
public:
	explicit Lock(const char *name) : name_(name) {}

	void take()
	{
		if (held())
			host::complain(std::string(name_) + " is taken twice: dead");
		else
			mutex_.lock();
		owner_ = std::this_thread::get_id();
	}
	void give()
	{
		if (!held()) {
			host::complain(std::string(name_) + " is given back by who has not got it");
			return;
		}
		owner_ = std::thread::id();
		mutex_.unlock();
	}
	bool held() const { return owner_ == std::this_thread::get_id(); }
	void want(const char *what) const
	{
		if (!held())
			host::complain(std::string(what) + " without " + name_);
	}

private:
	const char *name_;
	std::mutex mutex_;
	std::atomic<std::thread::id> owner_ = std::thread::id();
};

Lock disks("the disks' lock");
Lock image("the lock of /dev/initrd");

struct State {
	std::map<u32, host::GendiskRecord> gendisks;
	int status = 0;
	u64 default_kib = 4096;
	u32 minors = 1;
	bool boot_is_over = false;
	u64 image_device_size = 0;
	ramdisk_call *watched = nullptr;
	std::function<void(ramdisk_disk *)> on_show;
};
State state;

// Others may make a disk meanwhile.
host::GendiskRecord &record_of(u32 number)
{
	static std::mutex mutex;
	const std::lock_guard lock(mutex);

	return state.gendisks[number];
}

} // namespace

struct ramdisk_gendisk {
	u32 number;
	host::GendiskRecord &of;
	Lock lock{"a disk's lock"};

	host::GendiskRecord &record() const { return of; }
};

namespace host {

void reset_blkdev()
{
	state = {};
}

std::map<u32, GendiskRecord> &gendisks()
{
	return state.gendisks;
}

void set_gendisk_status(int status)
{
	state.status = status;
}

void set_minors(u32 minors)
{
	state.minors = minors;
}

void set_boot_is_over(bool over)
{
	state.boot_is_over = over;
}

void set_on_show(std::function<void(ramdisk_disk *)> user)
{
	state.on_show = std::move(user);
}

void open_disk(u32 number)
{
	ramdisk_gendisk *const gendisk = record_of(number).gendisk;

	ramdisk_gendisk_lock(gendisk);
	gendisk->record().users++;
	ramdisk_gendisk_unlock(gendisk);
}

void close_disk(u32 number)
{
	ramdisk_gendisk *const gendisk = record_of(number).gendisk;

	ramdisk_gendisk_lock(gendisk);
	gendisk->record().users--;
	ramdisk_closed(gendisk->record().disk);
	ramdisk_gendisk_unlock(gendisk);
}

void leave_disk_closing(u32 number)
{
	GendiskRecord &record = record_of(number);

	++std::atomic_ref(record.closing);
}

void end_closings()
{
	for (auto &[number, record] : state.gendisks) {
		record.let_go = false;
		for (; record.closing; record.closing--) {
			record.users++;
			close_disk(number);
		}
	}
}

void want_image_lock(const char *what)
{
	image.want(what);
}

void end_system_call()
{
	while (state.watched) {
		state.watched = nullptr;
		ramdisk_image_call_ends();
	}
}

u64 image_device_size()
{
	return state.image_device_size;
}

void set_default_disk_kib(u64 kib)
{
	state.default_kib = kib;
}

} // namespace host

struct ramdisk_gendisk *ramdisk_gendisk_new(struct ramdisk_disk *disk, u32 number,
					    struct ramdisk_minors minors, u64 size)
{
	disks.want("a disk is made");
	if (!host::may_allocate())
		return nullptr;
	host::GendiskRecord &record = record_of(number);
	auto *const gendisk = new ramdisk_gendisk{number, record};

	record = {};
	record.size = size;
	record.first_minor = minors.first;
	record.minors = minors.count;
	record.disk = disk;
	record.gendisk = gendisk;
	++std::atomic_ref(host::live().blocks);
	return gendisk;
}

int ramdisk_gendisk_show(struct ramdisk_gendisk *gendisk)
{
	disks.want("a disk is shown");
	if (state.status)
		return state.status;
	gendisk->record().visible = true;
	// It was looked at for partitions.
	host::leave_disk_closing(gendisk->number);
	if (state.on_show)
		state.on_show(gendisk->record().disk);
	return 0;
}

void ramdisk_gendisk_hide(struct ramdisk_gendisk *gendisk)
{
	disks.want("a disk is hidden");
	if (!gendisk->record().visible)
		host::complain("a disk is hidden that was not shown");
	gendisk->record().visible = false;
}

void ramdisk_gendisk_free(struct ramdisk_gendisk *gendisk)
{
	disks.want("a disk is freed");
	if (gendisk->record().visible)
		host::complain("a disk is freed that can be seen");
	gendisk->record().disk = nullptr;
	gendisk->record().gendisk = nullptr;
	--std::atomic_ref(host::live().blocks);
	delete gendisk;
}

void ramdisk_gendisk_resize(struct ramdisk_gendisk *gendisk, u64 size)
{
	gendisk->record().size = size;
}

void ramdisk_gendisk_rescan(struct ramdisk_gendisk *gendisk)
{
	gendisk->lock.take();
	gendisk->record().rescans++;
	gendisk->lock.give();
}

void ramdisk_gendisk_lock(struct ramdisk_gendisk *gendisk)
{
	gendisk->lock.take();
	gendisk->record().locked = true;
}

void ramdisk_gendisk_unlock(struct ramdisk_gendisk *gendisk)
{
	gendisk->record().locked = false;
	gendisk->lock.give();
}

u32 ramdisk_gendisk_users(struct ramdisk_gendisk *gendisk)
{
	gendisk->lock.want("users are counted");
	return gendisk->record().users + std::atomic_ref(gendisk->record().closing);
}

int ramdisk_gendisk_claimed(struct ramdisk_gendisk *gendisk)
{
	gendisk->lock.want("mounts are looked for");
	return gendisk->record().claimed;
}

void ramdisk_gendisk_drop_cache(struct ramdisk_gendisk *gendisk)
{
	host::GendiskRecord &record = gendisk->record();

	gendisk->lock.want("the page cache is dropped");
	record.cache_drops++;
	if (record.on_cache_drop)
		record.on_cache_drop();
}

int ramdisk_boot_is_over(void)
{
	return state.boot_is_over;
}

u32 ramdisk_max_part(void)
{
	return state.minors;
}

void ramdisk_image_lock(void)
{
	image.take();
}

void ramdisk_image_unlock(void)
{
	image.give();
}

void ramdisk_image_resize(u64 size)
{
	image.want("/dev/initrd gets a size");
	state.image_device_size = size;
}

struct ramdisk_call {};

struct ramdisk_call *ramdisk_call_new(void)
{
	if (!host::may_allocate())
		return nullptr;
	++std::atomic_ref(host::live().blocks);
	return new ramdisk_call;
}

void ramdisk_call_free(struct ramdisk_call *call)
{
	if (state.watched == call)
		host::complain("a watch is freed that is kept");
	--std::atomic_ref(host::live().blocks);
	delete call;
}

int ramdisk_call_watch(struct ramdisk_call *call)
{
	if (state.watched)
		host::complain("two watches");
	state.watched = call;
	return 0;
}

void ramdisk_lock(void)
{
	disks.take();
}

void ramdisk_unlock(void)
{
	disks.give();
}

u64 ramdisk_default_size(void)
{
	return state.default_kib;
}
