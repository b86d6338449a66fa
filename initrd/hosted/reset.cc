// SPDX-License-Identifier: GPL-2.0

#include "initrd/hosted/files.h"
#include "initrd/hosted/world.h"

namespace host {

void reset_memory();
void reset_pages();
void reset_image();
void reset_log();
void reset_root();
void reset_blkdev();
void reset_cpus();
void reset_closings();

void reset()
{
	reset_boot();
	reset_verification();
	reset_image_device();
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
