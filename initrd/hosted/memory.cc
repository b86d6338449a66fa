// SPDX-License-Identifier: GPL-2.0
// Memory, with every allocation counted and one of them failing if asked to.

#include "initrd/seam/memory.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "initrd/hosted/world.h"
#include "initrd/seam/pages.h"
#include "initrd/support/memory.h"

namespace {

constexpr int kGarbage = 0xa5;
// More than any boot would have, where nobody says how much there is.
constexpr u64 kMost = u64{1} << 30;

// What there is when nobody says otherwise: enough for every dictionary, too little
// for several processors.
constexpr u64 kAvailable = u64{32} << 20;

// What there is in all then: others need the least.
constexpr u64 kTotal = u64{64} << 20;

struct State {
	// Other processors allocate, too.
	std::atomic<uint64_t> count = 0;
	uint64_t fail_at = 0;
	u64 available = kAvailable;
	u64 for_objects = ~0ull;
	u64 for_pages = ~0ull;
	u64 limit = ~0ull;
	std::atomic<u64> used = 0;
	std::atomic<u64> peak = 0;
	std::atomic<bool> ran_out = false;
	host::Live live;
};
State state;

void *allocate(size_t size, int fill)
{
	if (!host::may_allocate() || size > host::most_at_once(kMost))
		return nullptr;

	void *const memory = host::counted_malloc(size ? size : 1);

	if (!memory)
		return nullptr;
	std::memset(memory, fill, size);
	++std::atomic_ref(state.live.blocks);
	return memory;
}

void free_block(void *memory)
{
	if (memory)
		--std::atomic_ref(state.live.blocks);
	host::counted_free(memory);
}

} // namespace

namespace host {

void reset_memory()
{
	state.count = 0;
	state.fail_at = 0;
	state.available = kAvailable;
	state.for_objects = ~0ull;
	state.for_pages = ~0ull;
	state.limit = ~0ull;
	state.used = 0;
	state.peak = 0;
	state.ran_out = false;
	state.live = {};
}

void fail_allocation(uint64_t number)
{
	state.count = 0;
	state.fail_at = number;
}

uint64_t allocations()
{
	return state.count;
}

bool may_allocate()
{
	return ++state.count != state.fail_at;
}

void set_memory_available(u64 bytes)
{
	state.available = bytes;
}

void set_memory_for_objects(u64 bytes)
{
	state.for_objects = bytes;
}

void set_memory_for_pages(u64 bytes)
{
	state.for_pages = bytes;
}

u64 most_at_once(u64 usual)
{
	return state.limit == ~0ull ? usual : state.limit;
}

u64 memory_limit()
{
	return state.limit;
}

void set_memory_limit(u64 bytes)
{
	state.limit = bytes;
}

bool take_memory(u64 bytes)
{
	u64 before = state.used;

	do {
		if (before > state.limit || state.limit - before < bytes) {
			state.ran_out = true;
			return false;
		}
	} while (!state.used.compare_exchange_weak(before, before + bytes));

	const u64 now = before + bytes;
	u64 peak = state.peak;

	while (peak < now && !state.peak.compare_exchange_weak(peak, now)) {
	}
	return true;
}

void give_memory(u64 bytes)
{
	u64 before = state.used;

	// What was taken before reset() is forgotten.
	while (!state.used.compare_exchange_weak(before, before - std::min(before, bytes))) {
	}
}

u64 memory_in_use()
{
	return state.used;
}

u64 memory_peak()
{
	return state.peak;
}

bool memory_ran_out()
{
	return state.ran_out;
}

void *counted_malloc(size_t size)
{
	void *const memory = std::malloc(size);

	if (memory && !take_memory(malloc_usable_size(memory))) {
		std::free(memory);
		return nullptr;
	}
	return memory;
}

void counted_free(void *memory)
{
	if (memory)
		give_memory(malloc_usable_size(memory));
	std::free(memory);
}

Live &live()
{
	return state.live;
}

} // namespace host

void *seam_alloc(size_t size)
{
	return allocate(size, kGarbage);
}

void seam_free(void *memory)
{
	free_block(memory);
}

u64 seam_memory_low(void)
{
	return seam_memory_total();
}

u64 seam_memory_total(void)
{
	return state.limit == ~0ull ? kTotal : state.limit;
}

u64 seam_memory_for_objects(void)
{
	if (state.limit == ~0ull)
		return state.for_objects;
	const u64 left = std::min(state.for_objects, seam_memory_available());

	// Who asks gives up then, and does not try.
	if (left < initrd::memory_for_others(seam_memory_total()) + host::kPage)
		state.ran_out = true;
	return left;
}

u64 seam_memory_available(void)
{
	if (state.limit == ~0ull)
		return state.available;
	return state.limit > state.used ? state.limit - state.used : 0;
}

u64 ramdisk_memory_total(void)
{
	return seam_memory_total();
}

int ramdisk_memory_has(u64 bytes)
{
	const u64 left = state.limit == ~0ull ? state.for_pages : seam_memory_available();

	// Who asks gives up then, and does not try.
	if (left < bytes)
		state.ran_out = true;
	return left >= bytes;
}

size_t seam_page_size(void)
{
	return host::kPage;
}

unsigned long *ramdisk_bits_new(u64 count)
{
	return static_cast<unsigned long *>(allocate((count + 63) / 64 * sizeof(long), 0));
}

void ramdisk_bits_free(unsigned long *bits)
{
	free_block(bits);
}

static std::atomic_ref<unsigned long> word_of(const unsigned long *bits, u64 number)
{
	return std::atomic_ref(const_cast<unsigned long *>(bits)[number / 64]);
}

static bool bit_is_set(const unsigned long *bits, u64 number)
{
	return word_of(bits, number).load() >> number % 64 & 1;
}

u64 ramdisk_bits_next_set(const unsigned long *bits, u64 first, u64 end)
{
	host::want_read_section("pages are looked for");
	while (first < end && !bit_is_set(bits, first))
		first++;
	if (host::page_rules().after_bits_look)
		host::page_rules().after_bits_look();
	return first;
}

u64 ramdisk_bits_next_clear(const unsigned long *bits, u64 first, u64 end)
{
	while (first < end && bit_is_set(bits, first))
		first++;
	return first;
}

int ramdisk_bit_set(unsigned long *bits, u64 number)
{
	return word_of(bits, number).fetch_or(1ul << number % 64) >> number % 64 & 1;
}

void *ramdisk_alloc(size_t size)
{
	return allocate(size, 0);
}

void ramdisk_free(void *memory)
{
	free_block(memory);
}
