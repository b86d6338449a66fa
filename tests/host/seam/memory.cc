// SPDX-License-Identifier: GPL-2.0
// Memory, with every allocation counted and one of them failing if asked to.

#include "initrd/kernel/memory.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "ramdisk/kernel/pages.h"
#include "seam/world.h"

namespace {

constexpr int kGarbage = 0xa5;
// More than any boot would have.
constexpr u64 kMost = u64{1} << 30;

// What there is when nobody says otherwise: enough for every dictionary, too little
// for several processors.
constexpr u64 kAvailable = u64{32} << 20;

struct State {
	// Other processors allocate, too.
	std::atomic<uint64_t> count = 0;
	uint64_t fail_at = 0;
	u64 available = kAvailable;
	u64 limit = kMost;
	host::Live live;
};
State state;

void *allocate(size_t size, int fill)
{
	if (!host::may_allocate() || size > state.limit)
		return nullptr;

	void *const memory = std::malloc(size ? size : 1);

	std::memset(memory, fill, size);
	++std::atomic_ref(state.live.blocks);
	return memory;
}

void free_block(void *memory)
{
	if (memory)
		--std::atomic_ref(state.live.blocks);
	std::free(memory);
}

} // namespace

namespace host {

void reset_memory()
{
	state.count = 0;
	state.fail_at = 0;
	state.available = kAvailable;
	state.limit = kMost;
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

void limit_memory(u64 bytes)
{
	state.limit = bytes;
}

u64 memory_limit()
{
	return state.limit;
}

bool has_page_left()
{
	return state.live.pages < state.limit / kPage;
}

void set_memory_available(u64 bytes)
{
	state.available = bytes;
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

u64 seam_memory_available(void)
{
	return state.available;
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

static bool bit_is_set(const unsigned long *bits, u64 number)
{
	return bits[number / 64] >> number % 64 & 1;
}

u64 ramdisk_bits_next_set(const unsigned long *bits, u64 first, u64 end)
{
	while (first < end && !bit_is_set(bits, first))
		first++;
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
	const bool before = bit_is_set(bits, number);

	bits[number / 64] |= 1ul << number % 64;
	return before;
}

void *ramdisk_alloc(size_t size)
{
	return allocate(size, 0);
}

void ramdisk_free(void *memory)
{
	free_block(memory);
}
