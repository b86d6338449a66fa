/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Result<T>: a value or an Error; the only way a failure travels in the C++.
 *
 * A Result cannot be dropped silently and cannot be read before it was asked.
 * TRY(expr) hands the value on or returns the error from the caller.
 */
#ifndef INITRD_SUPPORT_RESULT_H
#define INITRD_SUPPORT_RESULT_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"
#include "initrd/support/utility.h"

namespace initrd {

/* errno values that the project itself raises; the kernel's numbers. */
enum Errno : int {
	kNoEntry = 2,
	kInterrupted = 4,
	kUnknownFormat = 8, /* ENOEXEC */
	kTryAgain = 11,
	kNoMemory = 12,
	kNoAccess = 13,
	kBusy = 16,
	kExists = 17,
	kNoDevice = 19,
	kInvalid = 22,
	kNotForIt = 25, /* ENOTTY: the device has no such operation */
	kTooBig = 27,
	kNoSpace = 28,
	kReadOnly = 30,
	kNoData = 61,	  /* the input ends too early: truncated */
	kBadMessage = 74, /* a checksum is wrong */
	kNotSupported = 95,
};

/*
 * What went wrong. `code` is a positive errno, `reason` a string that is never
 * freed (a literal, or a decompressor's own words), `offset` the position in
 * the input in bytes, or 0 where a position means nothing. `expected` and
 * `there` are the two sizes in bytes where sizes are what is wrong: what a
 * header says and what was found, or what is needed and what is free; 0 and 0
 * where they mean nothing.
 */
struct Error {
	int code;
	const char *reason;
	u64 offset = 0;
	u64 expected = 0;
	u64 there = 0;

	/* The same error, `base` bytes further on: for nested inputs. */
	INLINE constexpr Error after(u64 base) const
	{
		return {code, reason, offset + base, expected, there};
	}
};

template <typename T> class [[nodiscard]] Result {
public:
	INLINE constexpr Result(T value) : value_(initrd::move(value)), ok_(true) {}
	INLINE constexpr Result(Error error) : error_(error), ok_(false) {}
	INLINE Result(Result &&other) noexcept : ok_(other.ok_)
	{
		if (ok_)
			new (&value_) T(initrd::move(other.value_));
		else
			error_ = other.error_;
	}
	INLINE ~Result()
	{
		if (ok_)
			value_.~T();
	}
	Result(const Result &) = delete;
	Result &operator=(const Result &) = delete;
	Result &operator=(Result &&) = delete;

	INLINE constexpr bool ok() const { return ok_; }
	INLINE constexpr explicit operator bool() const { return ok_; }
	INLINE constexpr const Error &error() const
	{
		if (ok_)
			__builtin_trap();
		return error_;
	}
	/* The value; traps when there is none. */
	INLINE constexpr T &value() &
	{
		if (!ok_)
			__builtin_trap();
		return value_;
	}
	INLINE constexpr T &&value() &&
	{
		if (!ok_)
			__builtin_trap();
		return initrd::move(value_);
	}

private:
	union {
		T value_;
		Error error_;
	};
	bool ok_;
};

template <> class [[nodiscard]] Result<void> {
public:
	INLINE constexpr Result() : error_{0, nullptr} {}
	INLINE constexpr Result(Error error) : error_(error) {}
	INLINE constexpr bool ok() const { return !error_.code; }
	INLINE constexpr explicit operator bool() const { return ok(); }
	INLINE constexpr const Error &error() const
	{
		if (ok())
			__builtin_trap();
		return error_;
	}
	INLINE constexpr void value() const {}

private:
	Error error_;
};

/* Turns a seam call's return value (0 or more, else -errno) into a Result. */
INLINE constexpr Result<void> check(int status, const char *reason)
{
	if (status >= 0)
		return {};
	return Error{-status, reason};
}

} // namespace initrd

#define TRY(expr)                                    \
	({                                           \
		auto &&try_result_ = (expr);         \
		if (!try_result_.ok())               \
			return try_result_.error();  \
		::initrd::move(try_result_).value(); \
	})

#endif
