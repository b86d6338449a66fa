/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few pieces of a standard library that the project uses: move, min, max,
 * placement new, checked arithmetic, alignment. Knows nothing of Linux.
 */
#ifndef INITRD_SUPPORT_UTILITY_H
#define INITRD_SUPPORT_UTILITY_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"

/* Placement new; a hosted build gets the one in its standard library. */
#if __STDC_HOSTED__
#include <new>
#else
INLINE void *operator new(size_t, void *where) noexcept
{
	return where;
}
#endif

namespace initrd {

inline constexpr u64 kNanosecondsPerMillisecond = 1000000;
inline constexpr u64 kNanosecondsPerSecond = 1000000000;

template <typename T> struct RemoveReference {
	using Type = T;
};
template <typename T> struct RemoveReference<T &> {
	using Type = T;
};
template <typename T> struct RemoveReference<T &&> {
	using Type = T;
};

template <typename T> INLINE constexpr typename RemoveReference<T>::Type &&move(T &&value)
{
	return static_cast<typename RemoveReference<T>::Type &&>(value);
}

template <typename T> INLINE constexpr T min(T a, T b)
{
	return b < a ? b : a;
}

template <typename T> INLINE constexpr T max(T a, T b)
{
	return a < b ? b : a;
}

/* Rounds up to a multiple of `unit`, a power of two; wraps at the type's end. */
template <typename T> INLINE constexpr T round_up(T value, T unit)
{
	return (value + (unit - 1)) & ~(unit - 1);
}

template <typename T> INLINE constexpr T round_down(T value, T unit)
{
	return value & ~(unit - 1);
}

/* a * b into `out`; false when the product does not fit. */
template <typename T> [[nodiscard]] INLINE constexpr bool checked_multiply(T a, T b, T &out)
{
	return !__builtin_mul_overflow(a, b, &out);
}

template <typename T> [[nodiscard]] INLINE constexpr bool checked_add(T a, T b, T &out)
{
	return !__builtin_add_overflow(a, b, &out);
}

} // namespace initrd

#endif
