/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers on the kernel command line.
 */
#ifndef INITRD_SUPPORT_PARSE_H
#define INITRD_SUPPORT_PARSE_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"

namespace initrd {

/* The value of a digit in bases up to 16, or 16 when it is none. */
INLINE constexpr u32 digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return static_cast<u32>(c - '0');
	if (c >= 'a' && c <= 'f')
		return static_cast<u32>(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return static_cast<u32>(c - 'A' + 10);
	return 16;
}

/*
 * A number at `text`, decimal, 0x… or 0…; moves `text` behind it. False when
 * there is no digit or the number does not fit; `value` is then 0.
 */
INLINE constexpr bool parse_number(const char *&text, u64 &value)
{
	u32 base = 10;
	bool any = false;

	value = 0;
	if (text[0] == '0') {
		base = 8;
		if ((text[1] == 'x' || text[1] == 'X') && digit_value(text[2]) < 16) {
			base = 16;
			text += 2;
		}
	}
	for (u32 digit; (digit = digit_value(*text)) < base; text++) {
		any = true;
		if (__builtin_mul_overflow(value, u64{base}, &value) ||
		    __builtin_add_overflow(value, u64{digit}, &value)) {
			value = 0;
			return false;
		}
	}
	return any;
}

/*
 * A number with an optional suffix K, M, G, T, P or E (powers of 1024, either
 * case), as memparse() reads it. Moves `text` behind it.
 */
INLINE constexpr bool parse_size(const char *&text, u64 &value)
{
	constexpr const char *suffixes[] = {"kK", "mM", "gG", "tT", "pP", "eE"};
	u32 shift = 10;

	if (!parse_number(text, value))
		return false;
	for (const char *suffix : suffixes) {
		if (*text == suffix[0] || *text == suffix[1]) {
			text++;
			if (value > (~0ull >> shift)) {
				value = 0;
				return false;
			}
			value <<= shift;
			return true;
		}
		shift += 10;
	}
	return true;
}

} // namespace initrd

#endif
