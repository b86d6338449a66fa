// SPDX-License-Identifier: GPL-2.0
// Zstandard frames (RFC 8878). The library checks the content's checksum.

#include "initrd/decode/decoder.h"
#include "initrd/kernel/handles.h"

namespace initrd {

Result<size_t> decode_zstd(Bytes in, Sink &out)
{
	seam_codec_status status = SEAM_CODEC_CORRUPT;
	Owned<seam_zstd, seam_zstd_free> codec(seam_zstd_new(in.data(), in.size(), &status));

	if (!codec) {
		if (status == SEAM_CODEC_NO_MEMORY)
			return Error{kNoMemory, "ZSTD decompressor ran out of memory"};
		return Error{kInvalid, "ZSTD-compressed data has an incomplete frame header"};
	}
	return run_stream(
		in, out, "ZSTD-compressed data is corrupt",
		[&](seam_codec_io &io) { return seam_zstd_step(codec.get(), &io); }, [](Bytes) {});
}

} // namespace initrd
