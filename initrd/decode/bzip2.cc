// SPDX-License-Identifier: GPL-2.0
// One bzip2 stream; the decompressor checks its CRCs.

#include "initrd/decode/boot_decompressor.h"

extern "C" BootDecompressor bunzip2;

namespace initrd {

Result<size_t> decode_bzip2(Bytes in, Sink &out)
{
	// Told that its input has ended, bunzip2() goes on reading behind it.
	return decode_with(bunzip2, in, out, AtEnd::kReadAgain);
}

} // namespace initrd
