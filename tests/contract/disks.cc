// SPDX-License-Identifier: GPL-2.0
// initrd/seam/blkdev.h, image_device.h: block devices. (What is shown needs the driver
// behind it, so its own class stands here for that.)

#include "initrd/seam/blkdev.h"
#include "initrd/seam/files.h"
#include "initrd/seam/image_device.h"
#include "ramdisk/ramdisk.h"
#include "tests/contract/cases.h"
#include "tests/contract/expect.h"

namespace {

// No RAM disk of a user's has this number.
constexpr u32 kNumber = 3998;

} // namespace

// Made, which nobody sees, and freed without ever being shown.
void contract_disk(struct kunit *test)
{
	ramdisk_lock();
	ramdisk_gendisk *const gendisk = ramdisk_gendisk_new(nullptr, kNumber, {kNumber, 1},
							     u64{1} << 20);

	EXPECT(test, gendisk);
	if (gendisk) {
		ramdisk_gendisk_resize(gendisk, u64{1} << 30);
		ramdisk_gendisk_lock(gendisk);
		EXPECT_EQ(test, ramdisk_gendisk_users(gendisk), 0);
		EXPECT(test, !ramdisk_gendisk_claimed(gendisk));
		ramdisk_gendisk_unlock(gendisk);
		ramdisk_gendisk_free(gendisk);
	}
	ramdisk_unlock();
	EXPECT(test, ramdisk_max_part() >= 1);
	EXPECT(test, ramdisk_default_size() > 0);
}

// Who has looked for partitions as it was shown has closed it for real after the flush.
void contract_disk_closes_late(struct kunit *test)
{
	ramdisk_lock();
	auto made = ramdisk::Disk::create(kNumber);

	EXPECT(test, made.ok());
	if (made) {
		ramdisk::Disk &disk = *made.value();
		const bool shown = disk.show().ok();

		EXPECT(test, shown);
		seam_files_flush();
		disk.begin_load();
		disk.end_load();
		// BLKFLSBUF has one user, who asks for it: there is no other.
		EXPECT(test, disk.flush().ok());
		// Given back at once: nobody has it open.
		EXPECT(test, disk.retire());
		ramdisk::Disk::destroy(&disk);
	}
	ramdisk_unlock();
}

void contract_image_device_is_empty(struct kunit *test)
{
	EXPECT_EQ(test, ramdisk_image_size(), 0);
	EXPECT_EQ(test, ramdisk_image_open(false, false, nullptr), -initrd::kNoDevice);
	EXPECT_EQ(test, ramdisk_image_open(false, true, nullptr), -initrd::kNoDevice);
	ramdisk_image_lock();
	ramdisk_image_resize(0);
	ramdisk_image_unlock();
}
