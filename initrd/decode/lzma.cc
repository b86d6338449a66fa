// SPDX-License-Identifier: GPL-2.0
// One .lzma file (LZMA_alone); the format has no checksum.

#include "initrd/decode/boot_decompressor.h"

extern "C" BootDecompressor unlzma;

namespace initrd {

Result<size_t> decode_lzma(Bytes in, Sink &out)
{
	return decode_with(unlzma, in, out);
}

} // namespace initrd
