// SPDX-License-Identifier: GPL-2.0
// SHA-256 by OpenSSL, whose older functions have a state that can be copied as it is.

#define OPENSSL_SUPPRESS_DEPRECATED

#include "initrd/seam/digest.h"

#include <openssl/sha.h>

static_assert(sizeof(SHA256_CTX) <= sizeof(seam_sha256_state));

namespace {

SHA256_CTX *context(seam_sha256_state *state)
{
	return reinterpret_cast<SHA256_CTX *>(state);
}

} // namespace

void seam_sha256_start(seam_sha256_state *state)
{
	SHA256_Init(context(state));
}

void seam_sha256_add(seam_sha256_state *state, const u8 *data, size_t size)
{
	SHA256_Update(context(state), data, size);
}

void seam_sha256_finish(seam_sha256_state *state, u8 *digest)
{
	SHA256_Final(digest, context(state));
}

void seam_sha256(const u8 *data, size_t size, u8 *digest)
{
	seam_sha256_state state;

	seam_sha256_start(&state);
	seam_sha256_add(&state, data, size);
	seam_sha256_finish(&state, digest);
}
