// SPDX-License-Identifier: GPL-2.0
// The boot loader's image, page by page, and the early boot allocator.

#include "initrd/seam/image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sanitizer/asan_interface.h>

#include "initrd/hosted/world.h"
#include "initrd/seam/image_device.h"

namespace {

using host::kPage;

constexpr u8 kOthers = 0xc5;
constexpr u8 kFreed = 0x6b;
constexpr u32 kMostOrder = 9;

// A page of others', the image's pages, a page of others'.
struct Block {
	u8 *start = nullptr;
	size_t size = 0;
	std::vector<u8> before; // as it was at first
	seam_range image = {};
	size_t loaded = 0;   // the image's size before its end was cut off
	seam_range own = {}; // what seam_image_owns() comes to
	host::Own ends = host::Own::kNeither;
	seam_range crash = {};
	seam_range kernel = {};
	std::string pages;
	std::vector<u8> published;
};
Block block;

struct State {
	int publish_status = 0;
	bool forgotten = false;
	bool is_movable = false;
	std::vector<size_t> zones; // pages of each, one zone after the other
	std::vector<size_t> poisoned;
	std::vector<u32> blocks_freed; // their orders
	int start_block = 0;
	std::vector<u8> builtin;
	host::Physical physical;
};
State state;

size_t number_of(const u8 *page)
{
	return static_cast<size_t>(page - block.start) / kPage - 1;
}

u8 *address_of(size_t number)
{
	return block.start + (number + 1) * kPage;
}

// Moves whole pages from one owner to the next.
void pass(u8 *start, size_t size, const std::string &from, char to)
{
	static std::mutex mutex;
	const std::lock_guard lock(mutex);

	if (!start || start < block.start || start + size > block.start + block.size ||
	    static_cast<size_t>(start - block.start) % kPage || size % kPage || !size) {
		host::complain("no whole pages of the image");
		return;
	}
	for (size_t i = 0; i < size / kPage; i++) {
		const size_t number = number_of(start) + i;

		if (number >= block.pages.size() ||
		    from.find(block.pages[number]) == std::string::npos) {
			host::complain("page " + std::to_string(number) + " of the image (" +
				       block.pages + ") goes to " + to);
			return;
		}
		block.pages[number] = to;
		if (to == 'H' || to == 'd')
			continue;
		host::give_memory(kPage);
		std::memset(address_of(number), kFreed, kPage);
		ASAN_POISON_MEMORY_REGION(address_of(number), kPage);
	}
}

// How many pages, from one on, are of its zone.
size_t left_of_zone(size_t number)
{
	for (const size_t pages : state.zones) {
		if (number < pages)
			return pages - number;
		number -= pages;
	}
	return ~size_t{0};
}

bool is_one_block(u8 *start, u32 order)
{
	const size_t first = number_of(start);
	const size_t count = size_t{1} << order;

	return count <= left_of_zone(first) &&
	       std::none_of(state.poisoned.begin(), state.poisoned.end(),
			    [&](size_t page) { return page >= first && page - first < count; });
}

// A block as the page allocator takes it.
void free_block(u8 *start, u32 order, const std::string &from, char to)
{
	if (order > kMostOrder || seam_page_number(start) % (size_t{1} << order) ||
	    (order && !is_one_block(start, order)))
		host::complain("no block of order " + std::to_string(order));
	pass(start, kPage << order, from, to);
	static std::mutex mutex;
	const std::lock_guard lock(mutex);

	state.blocks_freed.push_back(order);
}

bool overlap(seam_physical_range a, seam_physical_range b)
{
	return a.start < b.start + b.size && b.start < a.start + a.size;
}

} // namespace

namespace host {

void free_image()
{
	if (block.start)
		ASAN_UNPOISON_MEMORY_REGION(block.start, block.size);
	std::free(block.start);
	block = {};
}

void reset_image()
{
	free_image();
	state = {};
}

void set_image(const std::vector<u8> &content, size_t misalignment, Own own)
{
	const size_t pages = (misalignment + content.size() + kPage - 1) / kPage;

	free_image();
	// It is there before anybody can count.
	take_memory(pages * kPage);
	block.size = (pages + 2) * kPage;
	block.start = static_cast<u8 *>(std::aligned_alloc(kPage, block.size));
	std::memset(block.start, kOthers, block.size);
	block.image = {address_of(0) + misalignment, content.size()};
	block.loaded = content.size();
	std::copy(content.begin(), content.end(), block.image.start);
	block.before.assign(block.start, block.start + block.size);

	const size_t first = misalignment && own != Own::kBoth ? 1 : 0;
	const bool partly = (misalignment + content.size()) % kPage;
	const size_t end = partly && own == Own::kNeither ? pages - 1 : pages;

	block.ends = own;
	block.own = {address_of(first), end > first ? (end - first) * kPage : 0};
	block.pages.assign(pages, '-');
	for (size_t i = first; i < end; i++)
		block.pages[i] = 'o';
}

void cut_image(size_t size)
{
	block.image.size -= size;
}

void set_crash_reservation(size_t first_page, size_t pages)
{
	block.crash = {address_of(first_page), pages * kPage};
	for (size_t i = first_page; i < first_page + pages && i < block.pages.size(); i++)
		if (block.pages[i] == 'o')
			block.pages[i] = 'c';
}

void set_kernel(size_t pages)
{
	block.kernel = {address_of(0), pages * kPage};
}

std::string image_pages()
{
	return block.pages;
}

bool surroundings_intact()
{
	for (size_t i = 0; i < block.size; i++) {
		const u8 *const at = block.start + i;

		if (at >= block.own.start && at < block.own.start + block.own.size)
			continue;
		if (*at != block.before[i])
			return false;
	}
	return true;
}

std::vector<u8> image_page(size_t number)
{
	const u8 *const page = address_of(number);

	return {page, page + kPage};
}

std::vector<u8> published()
{
	return block.published;
}

void set_publish_status(int status)
{
	state.publish_status = status;
}

void set_image_is_movable(bool movable)
{
	state.is_movable = movable;
}

bool image_forgotten()
{
	return state.forgotten;
}

void image_page_freed(u8 *mapped)
{
	pass(mapped, kPage, "H", 'R');
}

seam_range image_own_pages()
{
	return block.own;
}

initrd::LoosePages give_image_away()
{
	seam_image_detach(block.own.start, block.own.size);
	seam_pages_manage(block.own.start, block.own.size / kPage);
	return initrd::LoosePages({block.own.start, block.own.size});
}

void set_zones(const std::vector<size_t> &pages)
{
	state.zones = pages;
}

void poison_page(size_t number)
{
	state.poisoned.push_back(number);
}

const std::vector<u32> &blocks_freed()
{
	return state.blocks_freed;
}

void adopted_block_freed(u8 *start, u32 order)
{
	free_block(start, order, "H", 'R');
}

Physical &physical()
{
	return state.physical;
}

void set_builtin_archive(const std::vector<u8> &archive)
{
	state.builtin = archive;
}

int image_start_block()
{
	return state.start_block;
}

} // namespace host

void ramdisk_image_free(u8 *pages, size_t size)
{
	host::want_image_lock("the pages of /dev/initrd are freed");
	pass(pages, size, "d", 'D');
}

void ramdisk_image_say_freed(size_t size)
{
	seam_log(SEAM_LOG_INFO, "Freeing initrd memory: %zuK\n", size / 1024);
}

struct seam_range seam_image(void)
{
	return block.image;
}

struct seam_range seam_image_loaded(void)
{
	return {block.image.start, block.loaded};
}

int seam_image_owns(void)
{
	return (block.ends == host::Own::kBoth ? SEAM_OWNS_FIRST_PAGE : 0) |
	       (block.ends == host::Own::kNeither ? 0 : SEAM_OWNS_LAST_PAGE);
}

struct seam_range seam_builtin_archive(void)
{
	return {state.builtin.data(), state.builtin.size()};
}

struct seam_range seam_kernel(void)
{
	return block.kernel;
}

struct seam_range seam_crash_reservation(void)
{
	return block.crash;
}

void seam_image_forget(void)
{
	state.forgotten = true;
}

void seam_image_detach(u8 *start, size_t size)
{
	pass(start, size, "o", 'd');
}

size_t seam_pages_of_one_zone(u8 *start, size_t count)
{
	return std::min(count, left_of_zone(number_of(start)));
}

int seam_page_is_movable(u8 *)
{
	return state.is_movable;
}

void seam_pages_manage(u8 *start, size_t count)
{
	if (count > left_of_zone(number_of(start)))
		host::complain("pages of two zones are counted as one's");
	pass(start, count * kPage, "d", 'H');
}

size_t seam_page_number(u8 *page)
{
	return reinterpret_cast<size_t>(page) / kPage;
}

u32 seam_most_order(void)
{
	return kMostOrder;
}

int seam_is_one_block(u8 *start, u32 order)
{
	return is_one_block(start, order);
}

void seam_block_free(u8 *start, u32 order)
{
	free_block(start, order, "d", 'F');
}

int seam_image_publish(u8 *start, size_t size)
{
	if (state.publish_status == 0)
		block.published.assign(start, start + size);
	return state.publish_status;
}

struct seam_physical_range seam_physical_image(void)
{
	return state.physical.image;
}

int seam_set_physical_image(struct seam_physical_range range)
{
	const u64 most = state.physical.most;

	state.physical.image = range;
	return range.start <= most && range.size <= most;
}

int seam_believes_any_range(void)
{
	return state.physical.believes_any_range;
}

int seam_reserves_too_early(void)
{
	return state.physical.reserves_too_early;
}

int seam_is_memory(struct seam_physical_range range)
{
	const seam_physical_range memory = state.physical.memory;

	return range.start >= memory.start && range.start - memory.start <= memory.size &&
	       memory.size - (range.start - memory.start) >= range.size;
}

int seam_has_addresses(struct seam_physical_range range)
{
	return !state.physical.high_memory ||
	       range.start + range.size <= state.physical.high_memory;
}

int seam_is_reserved(struct seam_physical_range range)
{
	return std::any_of(state.physical.reserved.begin(), state.physical.reserved.end(),
			   [&](seam_physical_range other) { return overlap(range, other); });
}

void seam_reserve(struct seam_physical_range range)
{
	state.physical.reserved.push_back(range);
}

void seam_unreserve(struct seam_physical_range range)
{
	std::erase_if(state.physical.reserved, [&](seam_physical_range other) {
		return other.start == range.start && other.size == range.size;
	});
}

void seam_map_image(struct seam_physical_range range)
{
	state.physical.mapped.push_back(range);
}

int seam_image_start_block(void)
{
	return state.start_block;
}

void seam_set_image_start_block(int block)
{
	state.start_block = block;
}
