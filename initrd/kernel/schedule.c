// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/sched.h>

#include "initrd/kernel/schedule.h"

void __init seam_breathe(void)
{
	cond_resched();
}
