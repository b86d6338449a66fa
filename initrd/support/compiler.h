/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes that the project's C++ headers need, spelt once.
 *
 * INLINE marks every function that a header defines. Without LTO the kernel's
 * linker script has no place for COMDAT sections, so nothing in a header may
 * ever be emitted out of line.
 */
#ifndef INITRD_SUPPORT_COMPILER_H
#define INITRD_SUPPORT_COMPILER_H

#ifndef __cplusplus
#error "for C++ only"
#endif

#define INLINE __attribute__((__always_inline__)) inline

/* IS_ENABLED() comes with the kernel's kconfig.h or the host's stand-in. */
#ifndef IS_ENABLED
#error "kconfig.h must be included on the command line"
#endif

#endif
