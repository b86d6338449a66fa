// SPDX-License-Identifier: GPL-2.0
// Processors, as many as a test says, each of them a thread.

#include "initrd/seam/cpus.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "initrd/hosted/world.h"

namespace {
struct State {
	size_t cpus = 1;
	size_t most_cpus = 1; // that anybody was told of
	size_t runs = 0;
	bool no_helpers = false;
	std::atomic<bool> never_gave_way = false; // said once
	std::function<size_t()> count_cpus;
};
State state;

// Bytes since this processor was given away last. Much may be made at once; but then it
// is given away before more is done.
constexpr u64 kMostWork = 2 << 20;
thread_local u64 worked = 0;
// What is shared is bounded, and done by all of them at once.
thread_local bool in_batch = false;

void work_in_batch(seam_work *work, void *context)
{
	const u64 before = worked;

	in_batch = true;
	work(context);
	in_batch = false;
	worked = before;
}
} // namespace

namespace host {

void reset_cpus()
{
	state.cpus = 1;
	state.most_cpus = 1;
	state.runs = 0;
	state.no_helpers = false;
	state.never_gave_way = false;
	state.count_cpus = nullptr;
	worked = 0;
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

void work_on(u64 bytes)
{
	if (worked > kMostWork && !in_batch && !state.never_gave_way.exchange(true))
		complain("nobody else has run for " + std::to_string(worked) + " bytes of work");
	worked += bytes;
}

void give_way()
{
	worked = 0;
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
		others.emplace_back(work_in_batch, work, context);
	work_in_batch(work, context);
	for (std::thread &other : others)
		other.join();
}

void seam_cond_resched(void)
{
	host::give_way();
}
