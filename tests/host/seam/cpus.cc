// SPDX-License-Identifier: GPL-2.0
// Processors, as many as a test says, each of them a thread.

#include "initrd/kernel/cpus.h"

#include <thread>
#include <vector>

#include "seam/world.h"

namespace {
size_t cpus = 1;
size_t runs = 0;
} // namespace

namespace host {

void reset_cpus()
{
	cpus = 1;
	runs = 0;
}

void set_cpus(size_t count)
{
	cpus = count;
}

size_t parallel_runs()
{
	return runs;
}

} // namespace host

size_t seam_cpus(void)
{
	return cpus;
}

void seam_run_parallel(seam_work *work, void *context, size_t calls)
{
	std::vector<std::thread> others;

	if (calls < 1 || calls > cpus)
		host::complain("work for more processors than there are");
	runs++;
	for (size_t i = 1; i < calls; i++)
		others.emplace_back(work, context);
	work(context);
	for (std::thread &other : others)
		other.join();
}

void seam_breathe(void) {}
