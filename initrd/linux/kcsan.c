// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own runtime, kernel/kcsan/core.c, is for C, which has no such pointers.
 */
#include <linux/export.h>
#include <linux/kcsan-checks.h>

#include "initrd/linux/kcsan.h"

void __tsan_vptr_read(void **pointer)
{
	__kcsan_check_read(pointer, sizeof(*pointer));
}
EXPORT_SYMBOL_GPL(__tsan_vptr_read);

void __tsan_vptr_update(void **pointer, void *value)
{
	__kcsan_check_write(pointer, sizeof(*pointer));
}
EXPORT_SYMBOL_GPL(__tsan_vptr_update);
