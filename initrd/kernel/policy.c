// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>

#include "initrd/kernel/policy.h"
#include "initrd/kernel/series.h"

int __init seam_strict_hex(void)
{
	return SERIES_STRICT_HEX;
}
