// SPDX-License-Identifier: GPL-2.0
// One .xz stream. The kernel's library checks CRC-32; it lacks CRC-64 and SHA-256.

#include "initrd/decode/decoder.h"
#include "initrd/kernel/handles.h"

namespace initrd {
namespace {

// Stream flags: the kind of integrity check, in the low half of byte 7.
constexpr size_t kCheckAt = 7;
constexpr u8 kCheckNone = 0;
constexpr u8 kCheckCrc32 = 1;

} // namespace

Result<size_t> decode_xz(Bytes in, Sink &out)
{
	if (!holds(in, 0, "\xfd\x37zXZ"))
		return Error{kInvalid, "Input is not in the XZ format (wrong magic bytes)"};
	if (in.has(kCheckAt, 1)) {
		const u8 check = in[kCheckAt] & 0x0f;

		if (check != kCheckNone && check != kCheckCrc32)
			return Error{kInvalid,
				     "xz check is not supported: compress with xz --check=crc32",
				     kCheckAt};
	}

	Owned<seam_xz, seam_xz_free> codec(seam_xz_new());

	if (!codec)
		return Error{kNoMemory, "XZ decompressor ran out of memory"};
	return run_stream(
		in, out, {"XZ-compressed data is corrupt (data or checksum)", "truncated xz data"},
		[&](seam_codec_io &io) { return seam_xz_step(codec.get(), &io); }, [](Bytes) {});
}

} // namespace initrd
