// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>

#include "initrd/seam/policy.h"
#include "initrd/linux/series.h"

int __init seam_strict_hex(void)
{
	return SERIES_STRICT_HEX;
}
