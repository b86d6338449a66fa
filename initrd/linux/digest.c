// SPDX-License-Identifier: GPL-2.0
#include <crypto/sha2.h>
#include <linux/build_bug.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "initrd/seam/digest.h"
#include "initrd/linux/series.h"

static_assert(SEAM_SHA256_SIZE == SHA256_DIGEST_SIZE);

static_assert(sizeof(SERIES_SHA256_STATE) <= sizeof(struct seam_sha256_state));

void __init seam_sha256_start(struct seam_sha256_state *state)
{
	sha256_init((SERIES_SHA256_STATE *)state);
}

void __init seam_sha256_add(struct seam_sha256_state *state, const u8 *data, size_t size)
{
	while (size) {
		const size_t part = min_t(size_t, size, SZ_1M);

		sha256_update((SERIES_SHA256_STATE *)state, data, part);
		data += part;
		size -= part;
		cond_resched();
	}
}

void __init seam_sha256_finish(struct seam_sha256_state *state, u8 *digest)
{
	sha256_final((SERIES_SHA256_STATE *)state, digest);
}

void __init seam_sha256(const u8 *data, size_t size, u8 *digest)
{
	struct seam_sha256_state state;

	seam_sha256_start(&state);
	seam_sha256_add(&state, data, size);
	seam_sha256_finish(&state, digest);
}
