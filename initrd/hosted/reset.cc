// SPDX-License-Identifier: GPL-2.0

#include "initrd/boot/boot.h"
#include "initrd/hosted/files.h"
#include "initrd/hosted/world.h"
#include "ramdisk/image_device.h"

namespace host {

void reset_memory();
void reset_pages();
void reset_image();
void reset_log();
void reset_root();
void reset_blkdev();
void reset_cpus();
void reset_closings();

void reboot()
{
	initrd::the_boot = initrd::Boot(initrd::the_boot.build());
}

void reset()
{
	reboot();
	ramdisk::image_device = {};
	reset_pages();
	reset_image();
	reset_files();
	reset_memory();
	reset_log();
	reset_root();
	reset_blkdev();
	reset_cpus();
	reset_closings();
	set_crc32_is_fast(false);
	set_xz_filters(kAllXzFilters);
	set_zstd_window_bits(kMostZstdWindowBits);
}

} // namespace host
