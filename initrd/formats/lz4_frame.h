/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The frames that lz4 writes unless it is told to write the legacy format.
 */
#ifndef INITRD_FORMATS_LZ4_FRAME_H
#define INITRD_FORMATS_LZ4_FRAME_H

#include "initrd/formats/decoder.h"

namespace initrd {

/* Whether `in` begins with the magic number of such a frame. */
INLINE bool is_lz4_frame(Bytes in)
{
	return holds(in, 0, "\x04\x22\x4d\x18");
}

/*
 * Shows what the first block of a file, `stored` as it is or compressed, begins with to a
 * sink that may not want the rest; not at all to others.
 */
Result<void> show_lz4_head(Bytes block, bool stored, Sink &out);

/* One frame: a Decoder, called by that of lz4.cc. */
Result<size_t> decode_lz4_frame(Bytes in, Sink &out);

} // namespace initrd

#endif
