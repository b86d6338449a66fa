/* SPDX-License-Identifier: GPL-2.0 */
/*
 * support/: one owner of what has to be given back once.
 */
#ifndef INITRD_SUPPORT_OWNED_H
#define INITRD_SUPPORT_OWNED_H

#include "initrd/support/compiler.h"

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

} // namespace initrd

#endif
