// SPDX-License-Identifier: GPL-2.0
// The block layer: a record of its disks.

#include "ramdisk/kernel/blkdev.h"
#include "ramdisk/kernel/image_device.h"

#include "seam/world.h"

struct ramdisk_gendisk {
	u32 number;
};

namespace {

struct State {
	std::map<u32, host::GendiskRecord> gendisks;
	int status = 0;
	u64 default_kib = 4096;
	u32 minors = 1;
	int locks = 0;
	int image_locks = 0;
	u64 image_device_size = 0;
};
State state;

} // namespace

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

u64 image_device_size()
{
	return state.image_device_size;
}

void set_default_disk_kib(u64 kib)
{
	state.default_kib = kib;
}

} // namespace host

struct ramdisk_gendisk *ramdisk_gendisk_add(struct ramdisk_disk *, u32 number,
					    struct ramdisk_minors minors, u64 size, int *status)
{
	*status = host::may_allocate() ? state.status : -12;
	if (*status)
		return nullptr;
	host::GendiskRecord &record = state.gendisks[number];

	record = {};
	record.size = size;
	record.visible = true;
	record.first_minor = minors.first;
	record.minors = minors.count;
	host::live().blocks++;
	return new ramdisk_gendisk{number};
}

void ramdisk_gendisk_remove(struct ramdisk_gendisk *gendisk)
{
	state.gendisks[gendisk->number].visible = false;
	host::live().blocks--;
	delete gendisk;
}

void ramdisk_gendisk_resize(struct ramdisk_gendisk *gendisk, u64 size)
{
	state.gendisks[gendisk->number].size = size;
}

void ramdisk_gendisk_rescan(struct ramdisk_gendisk *gendisk)
{
	state.gendisks[gendisk->number].rescans++;
}

void ramdisk_gendisk_lock(struct ramdisk_gendisk *gendisk)
{
	host::GendiskRecord &record = state.gendisks[gendisk->number];

	if (record.locked)
		host::complain("a disk's lock is taken twice: dead");
	record.locked = true;
}

void ramdisk_gendisk_unlock(struct ramdisk_gendisk *gendisk)
{
	state.gendisks[gendisk->number].locked = false;
}

u32 ramdisk_gendisk_users(struct ramdisk_gendisk *gendisk)
{
	const host::GendiskRecord &record = state.gendisks[gendisk->number];

	if (!record.locked)
		host::complain("users are counted while they may come and go");
	return record.users;
}

void ramdisk_gendisk_drop_cache(struct ramdisk_gendisk *gendisk)
{
	host::GendiskRecord &record = state.gendisks[gendisk->number];

	record.cache_drops++;
	if (record.on_cache_drop)
		record.on_cache_drop();
}

u32 ramdisk_max_part(void)
{
	return state.minors;
}

void ramdisk_image_lock(void)
{
	if (state.image_locks++)
		host::complain("the lock of /dev/initrd is taken twice: dead");
}

void ramdisk_image_unlock(void)
{
	state.image_locks--;
}

void ramdisk_image_resize(u64 size)
{
	state.image_device_size = size;
}

void ramdisk_lock(void)
{
	if (state.locks++)
		host::complain("the disks' lock is taken twice: dead");
}

void ramdisk_unlock(void)
{
	state.locks--;
}

u64 ramdisk_default_size(void)
{
	return state.default_kib;
}
