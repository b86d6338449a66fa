/* SPDX-License-Identifier: GPL-2.0 */
/*
 * C++ owners of what the seam hands out: each frees its resource once.
 */
#ifndef INITRD_KERNEL_HANDLES_H
#define INITRD_KERNEL_HANDLES_H

#include "initrd/kernel/files.h"
#include "initrd/kernel/memory.h"
#include "initrd/kernel/nodes.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd {

/* A pointer that `Free` takes back; move-only. */
template <typename T, void (*Free)(T *)> class Owned {
public:
	INLINE explicit Owned(T *resource = nullptr) : resource_(resource) {}
	INLINE Owned(Owned &&other) noexcept : resource_(other.release()) {}
	INLINE Owned &operator=(Owned &&other) noexcept
	{
		T *const taken = other.release();

		if (resource_)
			Free(resource_);
		resource_ = taken;
		return *this;
	}
	INLINE ~Owned()
	{
		if (resource_)
			Free(resource_);
	}
	Owned(const Owned &) = delete;
	Owned &operator=(const Owned &) = delete;

	INLINE T *get() const { return resource_; }
	INLINE explicit operator bool() const { return resource_; }
	/* Gives up the resource; the caller owns it now. */
	INLINE T *release()
	{
		T *const resource = resource_;

		resource_ = nullptr;
		return resource;
	}

private:
	T *resource_;
};

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

using File = Owned<seam_file, seam_file_close>;
using Directory = Owned<seam_directory, seam_directory_close>;
using Node = Owned<seam_node, seam_node_release>;

} // namespace initrd

#endif
