/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NUL-terminated strings.
 */
#ifndef INITRD_SUPPORT_TEXT_H
#define INITRD_SUPPORT_TEXT_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"

namespace initrd {

INLINE constexpr bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

INLINE constexpr bool starts_with(const char *text, const char *start)
{
	while (*start && *text == *start) {
		text++;
		start++;
	}
	return !*start;
}

/*
 * Copies a name into `to`, of `size` bytes, with '?' for what would spoil a line of text;
 * up to a NUL or `length` bytes, and cut off where there is no more room.
 */
INLINE void copy_printable(char *to, size_t size, const char *name, size_t length)
{
	size_t i = 0;

	for (; i < length && name[i] && i < size - 1; i++) {
		const u8 byte = static_cast<u8>(name[i]);

		to[i] = byte < ' ' || byte == 0x7f ? '?' : name[i];
	}
	to[i] = 0;
}

} // namespace initrd

#endif
