/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: what else there is to run.
 */
#ifndef INITRD_KERNEL_SCHEDULE_H
#define INITRD_KERNEL_SCHEDULE_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Lets others run, in work that may be long: drivers start beside the unpacking
 * of an archive. Cheap when nobody waits.
 */
void seam_breathe(void);

#ifdef __cplusplus
}
#endif

#endif
