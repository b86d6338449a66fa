// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/printk.h>

#include "initrd/seam/log.h"
#include "initrd/linux/series.h"

void __init seam_log(enum seam_log_level level, const char *format, ...)
{
	const char prefix[] = {
		KERN_SOH_ASCII, level == SEAM_LOG_CONT ? 'c' : '0' + level, '\0'
	};
	struct va_format text = { .fmt = format };
	va_list args;

	va_start(args, format);
	text.va = &args;
	printk("%s%pV", prefix, &text);
	va_end(args);
}

size_t __init seam_format(char *to, size_t size, const char *format, va_list arguments)
{
	return vscnprintf(to, size, format, arguments);
}

void __init seam_panic(const char *reason)
{
	SERIES_SHOW_MEM();
	panic("%s", reason);
}

u64 __init seam_now_ns(void)
{
	return ktime_get_ns();
}
