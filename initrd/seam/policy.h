/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: where the kernel series differ in what they accept.
 */
#ifndef INITRD_SEAM_POLICY_H
#define INITRD_SEAM_POLICY_H

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this series refuses archives whose header fields are not plain hex. */
int seam_strict_hex(void);

#ifdef __cplusplus
}
#endif

#endif
