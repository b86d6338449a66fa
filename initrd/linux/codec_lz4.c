// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/lz4.h>
#include <linux/xxhash.h>

#include "initrd/seam/codec.h"

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

s64 __init seam_lz4_linked_block(const u8 *in, size_t in_size, u8 *out, size_t out_size,
				 const u8 *before, size_t before_size)
{
	int made;

	if (in_size > INT_MAX || out_size > INT_MAX || before_size > INT_MAX)
		return -1;
	made = LZ4_decompress_safe_usingDict(in, out, in_size, out_size, before, before_size);
	return made < 0 ? -1 : made;
}

static_assert(sizeof(struct seam_xxh32) >= sizeof(struct xxh32_state));

void __init seam_xxh32_start(struct seam_xxh32 *sum)
{
	xxh32_reset((struct xxh32_state *)sum, 0);
}

void __init seam_xxh32_add(struct seam_xxh32 *sum, const u8 *data, size_t size)
{
	xxh32_update((struct xxh32_state *)sum, data, size);
}

u32 __init seam_xxh32_value(const struct seam_xxh32 *sum)
{
	return xxh32_digest((const struct xxh32_state *)sum);
}
