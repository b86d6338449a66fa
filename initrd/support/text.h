/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NUL-terminated strings.
 */
#ifndef INITRD_SUPPORT_TEXT_H
#define INITRD_SUPPORT_TEXT_H

#include "initrd/support/compiler.h"

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

} // namespace initrd

#endif
