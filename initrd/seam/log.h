/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: the kernel's log and its clock.
 */
#ifndef INITRD_SEAM_LOG_H
#define INITRD_SEAM_LOG_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel's log levels. SEAM_LOG_CONT continues the line before it. */
enum seam_log_level {
	SEAM_LOG_EMERG = 0,
	SEAM_LOG_ERR = 3,
	SEAM_LOG_WARNING = 4,
	SEAM_LOG_NOTICE = 5,
	SEAM_LOG_INFO = 6,
	SEAM_LOG_CONT = 8,
};

/* printk() with a level; the formats are those of C's printf. */
void seam_log(enum seam_log_level level, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/*
 * Formats into `to`, NUL-terminated and cut off at `size`, which is not 0;
 * returns the number of characters without the NUL. `arguments` is a va_list.
 */
size_t seam_format(char *to, size_t size, const char *format, __builtin_va_list arguments);

/*
 * Stops the machine, as panic() does, after showing the memory's state. (Not
 * declared noreturn: objtool has a list of the functions that are, without it.)
 */
void seam_panic(const char *reason);
/*
 * Stops the machine before anything is run from the root file system or mounted over
 * it: where nobody runs anything before, when the drivers of consoles have had their
 * time to start. Returns, though.
 */
void seam_halt(const char *reason);

/* Nanoseconds on a clock that never goes back. */
u64 seam_now_ns(void);

#ifdef __cplusplus
}
#endif

#endif
