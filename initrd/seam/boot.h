/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel calls: the outside of the C++, one function for each way in.
 * The shims in linux/boot.c and linux/root.c are the only callers.
 */
#ifndef INITRD_SEAM_BOOT_H
#define INITRD_SEAM_BOOT_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From reserve_initrd_mem(): keep the image's physical memory from other uses. */
void initrd_reserve(void);

/*
 * Before anything of the image is looked at: whether it may be used, if that was
 * asked. Once only; initrd_populate_rootfs() does it where nobody else has.
 */
void initrd_verify(void);

/*
 * At rootfs_initcall, beside other initcalls: unpack what is an archive and
 * give its memory back, or keep it. What is an image waits.
 */
void initrd_populate_rootfs(void);

/*
 * From prepare_namespace(), when no init was unpacked: put what is an image
 * into /dev/ram0. `root_name` is what root= says, or NULL. Returns 1 when the
 * root is mounted already (by way of linuxrc), else 0.
 */
int initrd_load_root(const char *root_name);

/* In the process that becomes linuxrc: make the initrd its root. */
void initrd_enter_linuxrc(void);

/* The rows of parameters.inc. */
enum initrd_parameter {
#define INITRD_ROW(id, ...) INITRD_PARAMETER_##id,
#define EARLY INITRD_ROW
#define SETUP INITRD_ROW
#define SEEN INITRD_ROW
#include "initrd/seam/parameters.inc"
#undef EARLY
#undef SETUP
#undef SEEN
#undef INITRD_ROW
};

/*
 * A parameter of the kinds EARLY and SETUP; `value`, NUL-terminated, is what follows its
 * name. 1 when it is taken, else 0.
 */
int initrd_set(enum initrd_parameter parameter, const char *value);
/*
 * Any parameter by its name, once each, before initrd_populate_rootfs(); `value` may be
 * "". Those of the kind SEEN have an effect.
 */
void initrd_see(const char *name, const char *value);

#ifdef __cplusplus
}
#endif

#endif
