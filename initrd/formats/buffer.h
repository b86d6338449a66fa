/* SPDX-License-Identifier: GPL-2.0 */
/*
 * formats/: memory that is given back when its owner goes.
 */
#ifndef INITRD_FORMATS_BUFFER_H
#define INITRD_FORMATS_BUFFER_H

#include "initrd/seam/memory.h"
#include "initrd/support/bytes.h"
#include "initrd/support/owned.h"
#include "initrd/support/result.h"

namespace initrd {

/* Memory of a fixed size, not zeroed. */
class Buffer {
public:
	INLINE Buffer() : memory_(nullptr), size_(0) {}
	INLINE Buffer(Buffer &&other) noexcept : memory_(move(other.memory_)), size_(other.size_)
	{
		other.size_ = 0;
	}
	INLINE Buffer &operator=(Buffer &&other) noexcept
	{
		memory_ = move(other.memory_);
		size_ = other.size_;
		other.size_ = 0;
		return *this;
	}
	INLINE ~Buffer() {}

	/* `size` bytes, or kNoMemory. */
	INLINE static Result<Buffer> create(size_t size)
	{
		Buffer buffer(seam_alloc(size), size);

		if (!buffer.memory_)
			return Error{kNoMemory, "out of memory", 0, size};
		return move(buffer);
	}

	INLINE u8 *data() const { return static_cast<u8 *>(memory_.get()); }
	INLINE size_t size() const { return size_; }
	INLINE MutableBytes bytes() const { return {data(), size_}; }

private:
	INLINE Buffer(void *memory, size_t size) : memory_(memory), size_(size) {}

	Owned<void, seam_free> memory_;
	size_t size_;
};

} // namespace initrd

#endif
