/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few pieces of a standard library that the project uses: move, min, max,
 * placement new, checked arithmetic, alignment, division. Knows nothing of Linux.
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

/* Whether it is one of the powers of two from `least` to `most`. */
INLINE constexpr bool is_power_of_two(u64 value, u64 least, u64 most)
{
	return value >= least && value <= most && !(value & (value - 1));
}

template <typename T> INLINE constexpr T round_down(T value, T unit)
{
	return value & ~(unit - 1);
}

/*
 * A 32-bit kernel has no run-time function that divides 64 bits, and a compiler
 * would call one even for a constant. So these stand for / and %: the first two
 * with a `unit` that is a power of two, as page and sector sizes are.
 */
INLINE constexpr u64 in_units(u64 value, size_t unit)
{
	return value >> __builtin_ctzl(unit);
}

INLINE constexpr size_t rest_of_unit(u64 value, size_t unit)
{
	return static_cast<size_t>(value) & (unit - 1);
}

/* value / by, with the long division of school in digits of 16 bits. */
INLINE constexpr u64 divide(u64 value, u16 by)
{
	u64 quotient = 0;
	u32 rest = 0;

	for (int shift = 48; shift >= 0; shift -= 16) {
		const u32 part = rest << 16 | static_cast<u16>(value >> shift);

		quotient = quotient << 16 | part / by;
		rest = part % by;
	}
	return quotient;
}

INLINE constexpr u64 to_milliseconds(u64 nanoseconds)
{
	return divide(divide(nanoseconds, 1000), 1000);
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
