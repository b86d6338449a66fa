/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: SHA-256, with CONFIG_INITRD_CXX_VERIFY.
 */
#ifndef INITRD_SEAM_DIGEST_H
#define INITRD_SEAM_DIGEST_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SEAM_SHA256_SIZE 32

/* The SHA-256 of `data`, as SEAM_SHA256_SIZE bytes. Cannot fail; may sleep. */
void seam_sha256(const u8 *data, size_t size, u8 *digest);

/* The same of data that comes in pieces. A copy of it goes on by itself. */
struct seam_sha256_state {
	u64 space[16];
};
void seam_sha256_start(struct seam_sha256_state *state);
/* May sleep. */
void seam_sha256_add(struct seam_sha256_state *state, const u8 *data, size_t size);
/* Nothing can be added afterwards. */
void seam_sha256_finish(struct seam_sha256_state *state, u8 *digest);

#ifdef __cplusplus
}
#endif

#endif
