// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's ways into the C++: initcalls, parameters, exported functions.
 */
#include <linux/async.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "do_mounts.h"
#include "initrd/seam/boot.h"
#include "initrd/seam/log.h"
#include "initrd/linux/series.h"

static ASYNC_DOMAIN_EXCLUSIVE(initramfs_domain);
static async_cookie_t initramfs_cookie;
static bool initramfs_async __initdata = true;

static DEFINE_MUTEX(verification);
static bool verified;
static const char *halted;

void __init seam_halt(const char *reason)
{
	halted = reason;
}

/* Boot code, whose memory is freed when the image has been judged. */
static void __init verify(void)
{
	mutex_lock(&verification);
	initrd_verify();
	mutex_unlock(&verification);
	smp_store_release(&verified, true);
}

static void __init populate(void *unused, async_cookie_t cookie)
{
	verify();
	initrd_populate_rootfs();
	SERIES_ROOTFS_IS_POPULATED();
}

static void wait(void)
{
	async_synchronize_cookie_domain(initramfs_cookie + 1, &initramfs_domain);
}

static void halt_if_unwanted(void)
{
	if (halted)
		panic("%s", halted);
}

/*
 * Whoever uses the root file system calls this first, and the kernel itself before it
 * runs init or mounts a root: also where initcall_blacklist= kept the image from
 * being looked at, which a boot configuration inside it can ask for.
 */
void __ref wait_for_initramfs(void)
{
	if (initramfs_cookie) {
		wait();
	} else {
		/* Too early: waiting would be for ever, the access will fail. */
		pr_warn_once("%s() called before rootfs_initcalls\n", __func__);
		if (!smp_load_acquire(&verified))
			verify();
	}
	halt_if_unwanted();
}
EXPORT_SYMBOL_GPL(wait_for_initramfs);

static int __init see_parameter(char *name, char *value, const char *doing, void *unused)
{
	initrd_see(name, value ?: "");
	return 0;
}

/* Parameters of init/main.c and init/do_mounts.c, which keep them to themselves. */
static void __init see_parameters(void)
{
	char *line = kstrdup(saved_command_line, GFP_KERNEL);

	if (line)
		parse_args("initrd", line, NULL, 0, 0, 0, NULL, see_parameter);
	else
		pr_err("initrd: out of memory for the command line: rdinit=, root= and others unseen\n");
	kfree(line);
}

static int __init populate_rootfs(void)
{
	see_parameters();
	initramfs_cookie = async_schedule_domain(populate, NULL, &initramfs_domain);
	usermodehelper_enable();
	if (!initramfs_async)
		wait();
	return 0;
}
rootfs_initcall(populate_rootfs);

/*
 * After the drivers of consoles, some of which are probed by a late_initcall; and before
 * a suspended system is resumed, on the same level but linked behind init/.
 */
static int __init halt_before_resume(void)
{
	verify();
	halt_if_unwanted();
	return 0;
}
late_initcall_sync(halt_before_resume);

bool __init initrd_load(SERIES_INITRD_LOAD_ARGUMENT)
{
	return initrd_load_root(SERIES_ROOT_NAME);
}

void __init reserve_initrd_mem(void)
{
	initrd_reserve();
}

static int __init set_async(char *value)
{
	return kstrtobool(value, &initramfs_async) == 0;
}
__setup("initramfs_async=", set_async);

/*
 * Early parameters are read before a boot configuration at the image's end can add to
 * them.
 */
#define EARLY(id, name, ...)                                      \
	static int __init early_##id(char *value)                 \
	{                                                         \
		initrd_set(INITRD_PARAMETER_##id, value ?: "");   \
		return 0;                                         \
	}                                                         \
	early_param(name, early_##id);
#define SETUP(id, name, ...)                                            \
	static int __init setup_##id(char *value)                       \
	{                                                               \
		return initrd_set(INITRD_PARAMETER_##id, value ?: "");  \
	}                                                               \
	__setup(name, setup_##id);
#define SEEN(...)
#include "initrd/seam/parameters.inc"
