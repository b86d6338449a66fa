// SPDX-License-Identifier: GPL-2.0
// Random numbers, the same in every run.

#include "initrd/seam/random.h"

#include <random>

u64 seam_random(void)
{
	static std::mt19937_64 numbers(1);

	return numbers();
}
