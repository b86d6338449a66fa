// SPDX-License-Identifier: GPL-2.0
// Processors, as many as a test says, each of them a thread.

#include "initrd/kernel/cpus.h"

#include <algorithm>
#include <thread>
#include <vector>

#include "seam/world.h"

namespace {
struct State {
	size_t cpus = 1;
	size_t most_cpus = 1; // that anybody was told of
	size_t runs = 0;
	bool no_helpers = false;
	std::function<size_t()> count_cpus;
};
State state;
} // namespace

namespace host {

void reset_cpus()
{
	state = {};
}

void set_cpus(size_t count)
{
	state.cpus = count;
	state.most_cpus = std::max(state.most_cpus, count);
	state.count_cpus = nullptr;
}

void set_cpus(std::function<size_t()> count)
{
	state.count_cpus = std::move(count);
}

void set_no_helpers(bool none)
{
	state.no_helpers = none;
}

size_t parallel_runs()
{
	return state.runs;
}

} // namespace host

size_t seam_cpus(void)
{
	if (state.count_cpus)
		state.cpus = state.count_cpus();
	state.most_cpus = std::max(state.most_cpus, state.cpus);
	return state.cpus;
}

void seam_run_parallel(seam_work *work, void *context, size_t calls)
{
	std::vector<std::thread> others;

	if (calls < 1 || calls > state.most_cpus)
		host::complain("work for more processors than there are");
	state.runs++;
	for (size_t i = 1; i < calls && !state.no_helpers; i++)
		others.emplace_back(work, context);
	work(context);
	for (std::thread &other : others)
		other.join();
}

void seam_breathe(void) {}
