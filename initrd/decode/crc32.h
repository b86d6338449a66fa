/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CRC-32 of what comes out of a decoder.
 *
 * The kernel's crc32_le() takes more than three instructions for a byte where the
 * processor has none for it: an eighth of the time of a gzip image, which is
 * what an unchecked one saves. Here most of the data is folded first, at less than
 * one instruction for a byte, and only what is left goes through the library.
 */
#ifndef INITRD_DECODE_CRC32_H
#define INITRD_DECODE_CRC32_H

#include "initrd/kernel/handles.h"
#include "initrd/support/bytes.h"

namespace initrd {

class Crc32 {
public:
	/* Of nothing yet; kNoMemory. */
	static Result<Crc32> create();
	INLINE Crc32(Crc32 &&other) noexcept : scratch_(move(other.scratch_)), value_(other.value_)
	{
	}
	INLINE ~Crc32() {}

	/* Of nothing again. */
	INLINE void restart() { value_ = 0; }
	/* The next piece of the data. */
	void add(Bytes piece);
	/* As gzip has it, of all that came so far. */
	INLINE u32 value() const { return value_; }

private:
	INLINE explicit Crc32(Buffer scratch) : scratch_(move(scratch)) {}
	void add_folded(Bytes piece);

	Buffer scratch_; /* empty where the library is as fast */
	u32 value_ = 0;
};

} // namespace initrd

#endif
