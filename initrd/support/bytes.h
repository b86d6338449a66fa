/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Span<T>: a borrowed range of objects, with every access bounded.
 * Bytes and MutableBytes are what the parsers pass around.
 */
#ifndef INITRD_SUPPORT_BYTES_H
#define INITRD_SUPPORT_BYTES_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"
#include "initrd/support/utility.h"

namespace initrd {

template <typename T> class Span {
public:
	INLINE constexpr Span() = default;
	INLINE constexpr Span(T *data, size_t size) : data_(data), size_(size) {}
	template <size_t N> INLINE constexpr Span(T (&array)[N]) : data_(array), size_(N) {}
	/* A mutable span may always be read as a constant one. */
	template <typename U>
		requires(__is_same(const U, T))
	INLINE constexpr Span(Span<U> other) : data_(other.data()), size_(other.size())
	{
	}

	INLINE constexpr T *data() const { return data_; }
	INLINE constexpr size_t size() const { return size_; }
	INLINE constexpr bool empty() const { return size_ == 0; }
	INLINE constexpr T *begin() const { return data_; }
	INLINE constexpr T *end() const { return data_ + size_; }

	/* One element; traps outside the range. */
	INLINE constexpr T &operator[](size_t index) const
	{
		if (index >= size_)
			__builtin_trap();
		return data_[index];
	}

	/* The first `count` elements, or all of them when there are fewer. */
	INLINE constexpr Span first(size_t count) const { return {data_, min(count, size_)}; }

	/* All but the first `count` elements; empty when there are fewer. */
	INLINE constexpr Span skip(size_t count) const
	{
		const size_t n = min(count, size_);

		return {data_ + n, size_ - n};
	}

	/* Whether `count` elements exist at `offset`. */
	INLINE constexpr bool has(size_t offset, size_t count) const
	{
		return offset <= size_ && size_ - offset >= count;
	}

private:
	T *data_ = nullptr;
	size_t size_ = 0;
};

using Bytes = Span<const u8>;
using MutableBytes = Span<u8>;

/* Copies as much of `from` as `to` holds; returns the number of bytes. */
INLINE size_t copy(MutableBytes to, Bytes from)
{
	const size_t n = min(to.size(), from.size());

	if (n)
		__builtin_memcpy(to.data(), from.data(), n);
	return n;
}

/* Whether `bytes` holds `text` (without its NUL) at `offset`. */
template <size_t N> INLINE constexpr bool holds(Bytes bytes, size_t offset, const char (&text)[N])
{
	if (!bytes.has(offset, N - 1))
		return false;
	for (size_t i = 0; i < N - 1; i++)
		if (bytes[offset + i] != static_cast<u8>(text[i]))
			return false;
	return true;
}

/* How many bytes at the start of `bytes` are NUL. */
INLINE constexpr size_t leading_zeros(Bytes bytes)
{
	size_t n = 0;

	while (n < bytes.size() && bytes.data()[n] == 0)
		n++;
	return n;
}

inline constexpr bool kBigMachine = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

namespace detail {
INLINE u16 swapped(u16 value)
{
	return __builtin_bswap16(value);
}
INLINE u32 swapped(u32 value)
{
	return __builtin_bswap32(value);
}
INLINE u64 swapped(u64 value)
{
	return __builtin_bswap64(value);
}

template <typename T, bool Big> INLINE T load(Bytes bytes, size_t offset)
{
	T value;

	if (!bytes.has(offset, sizeof(T)))
		__builtin_trap();
	__builtin_memcpy(&value, bytes.data() + offset, sizeof(T));
	return Big == kBigMachine ? value : swapped(value);
}
} // namespace detail

/* Integers of either byte order at any alignment; trap outside the range. */
INLINE u16 load_le16(Bytes b, size_t at)
{
	return detail::load<u16, false>(b, at);
}
INLINE u32 load_le32(Bytes b, size_t at)
{
	return detail::load<u32, false>(b, at);
}
INLINE u64 load_le64(Bytes b, size_t at)
{
	return detail::load<u64, false>(b, at);
}
INLINE u16 load_be16(Bytes b, size_t at)
{
	return detail::load<u16, true>(b, at);
}
INLINE u32 load_be32(Bytes b, size_t at)
{
	return detail::load<u32, true>(b, at);
}
INLINE u64 load_be64(Bytes b, size_t at)
{
	return detail::load<u64, true>(b, at);
}

/* Those that have the order of the machine's own. */
INLINE u16 load_native16(Bytes b, size_t at)
{
	return detail::load<u16, kBigMachine>(b, at);
}
INLINE u32 load_native32(Bytes b, size_t at)
{
	return detail::load<u32, kBigMachine>(b, at);
}

/* The reverse: four bytes at `to`. */
INLINE void store_le32(u8 *to, u32 value)
{
	for (size_t i = 0; i < sizeof(value); i++)
		to[i] = static_cast<u8>(value >> 8 * i);
}

} // namespace initrd

#endif
