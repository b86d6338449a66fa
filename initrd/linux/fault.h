/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the shims: allocations that fail when a test wants them to, by the kernel's
 * own fault injection.
 */
#ifndef INITRD_LINUX_FAULT_H
#define INITRD_LINUX_FAULT_H

#include <linux/types.h>

#ifdef CONFIG_INITRD_CXX_FAULT_INJECTION
/* Whether what is allocated now is to fail: fail_initrd= counts the calls. */
bool seam_fault(void);
#else
static inline bool seam_fault(void)
{
	return false;
}
#endif

#endif
