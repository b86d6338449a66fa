/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixed-width integers, valid in C and in C++, with the kernel's own names.
 *
 * The definitions are the same types that <linux/types.h> gives in C, so a
 * shim may include both. Knows nothing of Linux: the host uses it as it is.
 */
#ifndef INITRD_SUPPORT_TYPES_H
#define INITRD_SUPPORT_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed long long s64;

typedef __SIZE_TYPE__ size_t;

#endif
