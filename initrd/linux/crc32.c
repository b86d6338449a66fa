// SPDX-License-Identifier: GPL-2.0
#include <linux/crc32.h>
#include <linux/init.h>

#include "initrd/seam/codec.h"

u32 __init seam_crc32(u32 crc, const u8 *data, size_t size)
{
	return ~crc32_le(~crc, data, size);
}

int __init seam_crc32_is_fast(void)
{
	/* In all that have it arm64 uses the instructions, the others from 6.14 on. */
	return IS_ENABLED(CONFIG_ARM64) || IS_ENABLED(CONFIG_CRC32_ARCH) ||
	       !IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS);
}
