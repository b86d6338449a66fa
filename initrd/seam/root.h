/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seam: mounts, devices and the process that a root file system needs.
 *
 * Functions that return int return 0 or more, or -errno.
 */
#ifndef INITRD_SEAM_ROOT_H
#define INITRD_SEAM_ROOT_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* mount(2)'s flags, as far as they are used here. */
enum seam_mount_flags {
	SEAM_MOUNT_READ_ONLY = 1,
	SEAM_MOUNT_MOVE = 8192,
	SEAM_MOUNT_SILENT = 32768,
};

/* Device numbers in the user-space encoding (0x100 is 1:0). */
u32 seam_root_device(void);
void seam_set_root_device(u32 device);

/* /proc/sys/kernel/real-root-dev, in the same encoding. */
u32 seam_real_root_device(void);
void seam_set_real_root_device(u32 device);

/*
 * The device that `name` means in root=: 0 and its number in `device`; -ENODEV
 * when it is not there (yet), or another -errno.
 */
int seam_find_device(const char *name, u32 *device);
/* Waits until drivers have looked at all devices that are known now. */
void seam_wait_for_drivers(void);
/* Whether they are still looking. */
int seam_drivers_are_busy(void);
void seam_sleep_ms(u32 milliseconds);

/* Makes a block node with mode 0600 in place of what is there. */
int seam_make_block_node(const char *path, u32 device);

int seam_mount(const char *source, const char *target, const char *type, u32 flags);
/* Takes it away at once, lets go of it when the last user has. */
int seam_unmount_detached(const char *target);
int seam_change_directory(const char *path);
int seam_change_root(const char *path);

/*
 * The types that can be mounted from a block device, NUL-terminated one after
 * the other in `names`; returns how many there are.
 */
int seam_block_file_systems(char *names, size_t size);

/* Mounts the root device on /root as root=, rootfstype=, … say. */
void seam_mount_real_root(const char *root_name);

/*
 * Runs /linuxrc of the current directory's file system as a process of its own
 * (uid 0, not PID 1), which first calls initrd_enter_linuxrc(), and waits for
 * it. Returns its wait status, or -errno when it could not be run.
 */
int seam_run_linuxrc(void);

/* For that process: own file table, a console on 0, 1 and 2, own session. */
void seam_own_files(void);
void seam_own_console(void);
void seam_own_session(void);

#ifdef __cplusplus
}
#endif

#endif
