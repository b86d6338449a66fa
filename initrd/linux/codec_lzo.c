// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/lzo.h>

#include "initrd/seam/codec.h"

s64 __init seam_lzo_block(const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	size_t made = out_size;

	return lzo1x_decompress_safe(in, in_size, out, &made) == LZO_E_OK ? made : -1;
}
