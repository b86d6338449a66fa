// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/lz4.h>

#include "initrd/kernel/codec.h"

s64 __init seam_lz4_block(const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	int made;

	if (in_size > INT_MAX || out_size > INT_MAX)
		return -1;
	made = LZ4_decompress_safe(in, out, in_size, out_size);
	return made < 0 ? -1 : made;
}

s64 __init seam_lz4_head(const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	int made;

	if (in_size > INT_MAX || out_size > INT_MAX)
		return -1;
	made = LZ4_decompress_safe_partial(in, out, in_size, out_size, out_size);
	return made < 0 ? -1 : made;
}
