// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include <linux/fault-inject.h>
#include <linux/init.h>

#include "initrd/linux/fault.h"

static DECLARE_FAULT_ATTR(fail_initrd);

bool seam_fault(void)
{
	return should_fail(&fail_initrd, 1);
}
EXPORT_SYMBOL_GPL(seam_fault);

/* fail_initrd=<interval>,<probability>,<space>,<times>, as for failslab=. */
static int __init set_fail_initrd(char *value)
{
	/* A line for each, without a trace: that is for bugs. */
	fail_initrd.verbose = 1;
	return setup_fault_attr(&fail_initrd, value);
}
__setup("fail_initrd=", set_fail_initrd);
