/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: work on several processors at once.
 */
#ifndef INITRD_KERNEL_CPUS_H
#define INITRD_KERNEL_CPUS_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many processors there are to work on, 1 or more. */
size_t seam_cpus(void);

typedef void seam_work(void *context);

/*
 * Calls `work` `calls` times, here and on other processors, as many at once as
 * there are processors free; returns when all calls have returned. May sleep.
 */
void seam_run_parallel(seam_work *work, void *context, size_t calls);

#ifdef __cplusplus
}
#endif

#endif
