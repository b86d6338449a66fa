// SPDX-License-Identifier: GPL-2.0
#include <crypto/sha2.h>
#include <linux/build_bug.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "initrd/kernel/digest.h"
#include "initrd/kernel/series.h"

static_assert(SEAM_SHA256_SIZE == SHA256_DIGEST_SIZE);

void __init seam_sha256(const u8 *data, size_t size, u8 *digest)
{
	SERIES_SHA256_STATE state;

	sha256_init(&state);
	while (size) {
		const size_t part = min_t(size_t, size, SZ_1M);

		sha256_update(&state, data, part);
		data += part;
		size -= part;
		cond_resched();
	}
	sha256_final(&state, digest);
}
