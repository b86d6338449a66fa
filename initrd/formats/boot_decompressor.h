/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's boot decompressors (decompress_fn of lib/decompress_*.c) as
 * decoders: for formats that have no other library in the kernel.
 */
#ifndef INITRD_FORMATS_BOOT_DECOMPRESSOR_H
#define INITRD_FORMATS_BOOT_DECOMPRESSOR_H

#include "initrd/formats/decoder.h"

extern "C" {

/* What a decompress_fn calls with each window of output; what it took. */
using BootFlush = long(void *window, unsigned long size);
/* What a decompress_fn calls with what went wrong, a literal. */
using BootError = void(char *reason);

/*
 * decompress_fn: with neither `in` nor `out`, decodes what `fill` puts into a
 * buffer of its own, through `flush`, and leaves in `used` the number of bytes
 * that it used of what it was given last.
 */
using BootDecompressor = int(unsigned char *in, long size, long (*fill)(void *, unsigned long),
			     BootFlush *flush, unsigned char *out, long *used, BootError *error);
}

namespace initrd {

/*
 * Decodes one member of `in` with `decompress` into `out`, copying each piece
 * of input and each window once; `truncated` is the reason when `in` ends too
 * early. A decompress_fn that wants more input than there is gets the last piece again
 * and fails later: told of the end, bunzip2() would go on reading behind it. Not
 * reentrant: a decompress_fn hands no context to its callbacks.
 */
Result<size_t> decode_with(BootDecompressor *decompress, Bytes in, Sink &out,
			   const char *truncated);

} // namespace initrd

#endif
