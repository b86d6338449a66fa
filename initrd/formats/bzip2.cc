// SPDX-License-Identifier: GPL-2.0
// One bzip2 stream; the decompressor checks its CRCs.

#include "initrd/formats/boot_decompressor.h"
#include "initrd/support/text.h"

extern "C" BootDecompressor bunzip2;

namespace initrd {

Result<size_t> decode_bzip2(Bytes in, Sink &out)
{
	auto stream = decode_with(bunzip2, in, out, "truncated bzip2 data");

	// Its only words for a CRC that is wrong, and for nothing else.
	if (!stream && same_text(stream.error().reason, "Data integrity error when decompressing."))
		return Error{kBadMessage, "bad checksum (CRC-32) of bzip2 data",
			     stream.error().offset};
	return stream;
}

} // namespace initrd
