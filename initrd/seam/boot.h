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

/* Parameters; `value` is what follows the name, NUL-terminated. */
int initrd_set_retain(const char *value); /* 1 when taken */
void initrd_set_noinitrd(void);
void initrd_set_image(const char *value);
void initrd_set_start_block(const char *value);
/* These three must come from the boot loader's command line, not from the image. */
void initrd_add_digests(const char *value);
void initrd_set_verification(const char *value);
void initrd_set_unnamed(const char *value);
/* Any other parameter, once, before initrd_populate_rootfs(); `value` may be "". */
void initrd_see_parameter(const char *name, const char *value);

#ifdef __cplusplus
}
#endif

#endif
