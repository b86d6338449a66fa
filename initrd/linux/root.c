// SPDX-License-Identifier: GPL-2.0
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/device/driver.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/initrd.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/sysctl.h>
#include <linux/umh.h>
#include <uapi/linux/mount.h>

#include "do_mounts.h"
#include "initrd/seam/boot.h"
#include "initrd/linux/fault.h"
#include "initrd/seam/root.h"
#include "initrd/linux/series.h"

static unsigned int real_root_dev;

#ifdef CONFIG_SYSCTL
static struct ctl_table real_root_dev_table[] = {
	{
		.procname = "real-root-dev",
		.data = &real_root_dev,
		.maxlen = sizeof(int),
		.mode = 0644,
		.proc_handler = proc_dointvec,
	},
	SERIES_SYSCTL_END
};

static int __init register_real_root_dev(void)
{
	register_sysctl_init("kernel", real_root_dev_table);
	return 0;
}
late_initcall(register_real_root_dev);
#endif

u32 __init seam_root_device(void)
{
	return new_encode_dev(ROOT_DEV);
}

void __init seam_set_root_device(u32 device)
{
	ROOT_DEV = new_decode_dev(device);
}

u32 __init seam_real_root_device(void)
{
	return real_root_dev;
}

void __init seam_set_real_root_device(u32 device)
{
	real_root_dev = device;
}

int __init seam_find_device(const char *name, u32 *device)
{
	dev_t found;
	int status = SERIES_FIND_DEVICE(name, &found);

	*device = status ? 0 : new_encode_dev(found);
	return status;
}

void __init seam_wait_for_drivers(void)
{
	wait_for_device_probe();
}

int __init seam_drivers_are_busy(void)
{
	return SERIES_DRIVERS_ARE_BUSY();
}

void __init seam_sleep_ms(u32 milliseconds)
{
	msleep(milliseconds);
}

int __init seam_make_block_node(const char *path, u32 device)
{
	return create_dev((char *)path, new_decode_dev(device));
}

int __init seam_mount(const char *source, const char *target, const char *type, u32 flags)
{
	return init_mount(source, target, type, flags, NULL);
}

int __init seam_unmount_detached(const char *target)
{
	return init_umount(target, MNT_DETACH);
}

int __init seam_change_directory(const char *path)
{
	return init_chdir(path);
}

int __init seam_change_root(const char *path)
{
	return init_chroot(path);
}

int __init seam_block_file_systems(char *names, size_t size)
{
	return IS_ENABLED(CONFIG_BLOCK) ? list_bdev_fs_names(names, size) : 0;
}

void __init seam_mount_real_root(const char *root_name)
{
	SERIES_MOUNT_ROOT((char *)root_name);
}

static int __init enter_linuxrc(struct subprocess_info *info, struct cred *credentials)
{
	initrd_enter_linuxrc();
	return 0;
}

int __init seam_run_linuxrc(void)
{
	static char *arguments[] = { "linuxrc", NULL };
	extern char *envp_init[];
	struct subprocess_info *process;

	process = seam_fault() ? NULL :
		  call_usermodehelper_setup("/linuxrc", arguments, envp_init, GFP_KERNEL,
					    enter_linuxrc, NULL, NULL);
	if (!process)
		return -ENOMEM;
	return call_usermodehelper_exec(process, UMH_WAIT_PROC | UMH_FREEZABLE);
}

void __init seam_own_files(void)
{
	ksys_unshare(CLONE_FS | CLONE_FILES);
}

void __init seam_own_console(void)
{
	console_on_rootfs();
}

void __init seam_own_session(void)
{
	ksys_setsid();
}
