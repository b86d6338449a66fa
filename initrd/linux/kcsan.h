/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Clang has C++ call where it looks for data races (KCSAN) on the pointer in an
 * object to its table of virtual functions. No source calls them.
 */
#ifndef INITRD_LINUX_KCSAN_H
#define INITRD_LINUX_KCSAN_H

void __tsan_vptr_read(void **pointer);
/* Before `value` is stored. */
void __tsan_vptr_update(void **pointer, void *value);

#endif
