// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/random.h>

#include "initrd/seam/random.h"

u64 __init seam_random(void)
{
	return get_random_u64();
}
