/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: processors, work on several of them at once, and giving way on one.
 */
#ifndef INITRD_SEAM_CPUS_H
#define INITRD_SEAM_CPUS_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many processors there are to work on, 1 or more. */
size_t seam_cpus(void);

typedef void seam_work(void *context);

/*
 * Calls `work` here and, while that runs, on other processors: `calls` times at most in
 * all, as often as there are processors free. Returns when all calls that have begun have
 * returned; the one here has to be enough. May sleep.
 */
void seam_run_parallel(seam_work *work, void *context, size_t calls);

/*
 * Lets others run, in work that may be long: drivers start beside the unpacking
 * of an archive. Cheap when nobody waits.
 */
void seam_cond_resched(void);

#ifdef __cplusplus
}
#endif

#endif
