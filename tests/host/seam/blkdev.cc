// SPDX-License-Identifier: GPL-2.0
// The block layer: a record of its disks.

#include "ramdisk/kernel/blkdev.h"

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

void set_default_disk_kib(u64 kib)
{
	state.default_kib = kib;
}

} // namespace host

struct ramdisk_gendisk *ramdisk_gendisk_add(struct ramdisk_disk *, u32 number, u64 size,
					    int *status)
{
	*status = host::may_allocate() ? state.status : -12;
	if (*status)
		return nullptr;
	state.gendisks[number] = {size, true};
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

u32 ramdisk_minors(void)
{
	return state.minors;
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
