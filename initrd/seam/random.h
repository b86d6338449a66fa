/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: numbers that an image cannot know.
 */
#ifndef INITRD_SEAM_RANDOM_H
#define INITRD_SEAM_RANDOM_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As random as the kernel can make it this early. */
u64 seam_random(void);

#ifdef __cplusplus
}
#endif

#endif
