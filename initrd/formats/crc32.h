/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CRC-32 of what comes out of a decoder.
 *
 * The kernel's crc32_le() takes more than three instructions for a byte where the
 * processor has none for it: an eighth of the time of a gzip image, which is
 * what an unchecked one saves. Here the data is folded first, at less than one
 * instruction for a byte, and only what is left at its end goes through the library.
 */
#ifndef INITRD_FORMATS_CRC32_H
#define INITRD_FORMATS_CRC32_H

#include "initrd/formats/buffer.h"
#include "initrd/support/bytes.h"

namespace initrd {

class Crc32 {
public:
	/* Of nothing yet; kNoMemory. */
	static Result<Crc32> create();
	INLINE Crc32(Crc32 &&other) noexcept
		: scratch_(move(other.scratch_)), end_(other.end_), sum_(other.sum_)
	{
	}
	INLINE ~Crc32() {}

	/* Of nothing again. */
	void restart();
	/* The next piece of the data. */
	void add(Bytes piece);
	/* As gzip and .xz have it, of all that came; restart() before anything else. */
	u32 value();

private:
	INLINE explicit Crc32(Buffer scratch) : scratch_(move(scratch)) {}
	void keep_last();

	Buffer scratch_; /* empty where the library is as fast */
	size_t end_ = 0; /* behind what is folded */
	u32 sum_ = 0;
};

} // namespace initrd

#endif
