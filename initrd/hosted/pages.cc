// SPDX-License-Identifier: GPL-2.0
// Pages, the map of pages, the read-side sections and the decoders' window.

#include "initrd/seam/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "initrd/hosted/world.h"
#include "initrd/seam/window.h"

struct ramdisk_page {
	u8 bytes[host::kPage];
	/* Where it is mapped in a range: that counts then. */
	u8 *mapped = nullptr;

	u8 *content() { return mapped ? mapped : bytes; }
};

struct ramdisk_map {
	std::map<u64, ramdisk_page *> pages;
	std::atomic<long> count = 0;
};

namespace {

constexpr int kGarbage = 0xa5;

struct Retired {
	ramdisk_page *page;
	u8 *adopted; // the first of `count`, where there is no page
	size_t count;
};

// A window is a copy of its pages, so that its bounds can be watched.
struct Window {
	std::vector<ramdisk_page *> pages;
};

// What is common to all processors. (A map has a lock of its own in the kernel, where the
// copies are not made under it.)
std::mutex mutex;
using Guard = std::lock_guard<std::mutex>;

// The read-side sections that this processor is in.
thread_local size_t depth = 0;

struct State {
	host::PageRules rules;
	size_t sections = 0;
	size_t settled = 0;
	std::vector<Retired> retired;
	std::map<u8 *, Window> windows;
};
State state;

void free_page(ramdisk_page *page)
{
	if (page->mapped)
		host::complain("a page is freed while it is mapped");
	host::give_memory(host::kPage);
	host::live().pages--;
	delete page;
}

// With the mutex held, as retire().
void free_retired()
{
	for (const Retired &retired : state.retired) {
		if (retired.page)
			free_page(retired.page);
		if (retired.count)
			ramdisk_on_retired(retired.adopted, retired.count);
	}
	state.retired.clear();
}

void retire(Retired retired)
{
	state.retired.push_back(retired);
	if (!state.sections && !state.rules.retire_late)
		free_retired();
}

} // namespace

namespace host {

void reset_pages()
{
	const Guard guard(mutex);

	free_retired();
	state = {};
}

PageRules &page_rules()
{
	return state.rules;
}

void want_read_section(const char *what)
{
	if (!depth)
		complain(std::string(what) + " outside a read-side section");
}

size_t settled()
{
	return state.settled;
}

} // namespace host

size_t ramdisk_page_size(void)
{
	return host::kPage;
}

struct ramdisk_page *ramdisk_page_new(enum ramdisk_wait wait)
{
	if (wait == RAMDISK_NO_WAIT && state.rules.no_page_at_once)
		return nullptr;
	if (!host::may_allocate() || !host::take_memory(host::kPage))
		return nullptr;

	auto *const page = new ramdisk_page;

	std::memset(page->bytes, kGarbage, sizeof(page->bytes));
	const Guard guard(mutex);

	host::live().pages++;
	return page;
}

void ramdisk_page_free(struct ramdisk_page *page)
{
	const Guard guard(mutex);

	free_page(page);
}

void ramdisk_pages_retire_adopted(u8 *mapped, size_t count)
{
	if (!count || count > RAMDISK_AT_ONCE)
		host::complain("adopted pages are freed at one go, but not so many");
	const Guard guard(mutex);

	retire({nullptr, mapped, count});
}

size_t ramdisk_page_number(u8 *page)
{
	return seam_page_number(page);
}

u32 ramdisk_most_order(void)
{
	return seam_most_order();
}

int ramdisk_is_one_block(u8 *start, u32 order)
{
	return seam_is_one_block(start, order);
}

void ramdisk_block_free(u8 *start, u32 order)
{
	host::adopted_block_freed(start, order);
}

void ramdisk_pages_settle(void)
{
	if (depth) {
		host::complain("settle inside a read-side section: waits for ever");
		return;
	}
	// Sections of other processors end, too.
	for (;;) {
		{
			const Guard guard(mutex);

			if (!state.sections) {
				state.settled++;
				free_retired();
				return;
			}
		}
		std::this_thread::yield();
	}
}

void ramdisk_page_write(struct ramdisk_page *page, size_t at, const void *from, size_t size)
{
	if (at + size > host::kPage)
		host::complain("write behind a page's end");
	std::memcpy(page->content() + at, from, size);
}

void ramdisk_page_zero(struct ramdisk_page *page, size_t at, size_t size)
{
	if (at + size > host::kPage)
		host::complain("zeros behind a page's end");
	std::memset(page->content() + at, 0, size);
}

struct ramdisk_map *ramdisk_map_new(void)
{
	if (!host::may_allocate())
		return nullptr;
	host::live().maps++;
	return new ramdisk_map;
}

void ramdisk_map_free(struct ramdisk_map *map)
{
	if (!map)
		return;
	if (!map->pages.empty() || map->count)
		host::complain("a map is freed that is not empty");
	host::live().maps--;
	delete map;
}

void ramdisk_map_read(struct ramdisk_map *map, u64 offset, void *to, size_t size)
{
	u8 *out = static_cast<u8 *>(to);
	const Guard guard(mutex);

	for (size_t n; size; size -= n, offset += n, out += n) {
		const size_t at = offset % host::kPage;
		const auto found = map->pages.find(offset / host::kPage);

		n = std::min(size, host::kPage - at);
		if (found == map->pages.end())
			std::memset(out, 0, n);
		else
			std::memcpy(out, found->second->bytes + at, n);
	}
}

size_t ramdisk_map_write(struct ramdisk_map *map, u64 offset, const void *from, size_t size)
{
	const u8 *const in = static_cast<const u8 *>(from);
	size_t done = 0;
	const Guard guard(mutex);

	for (size_t n; done < size; done += n) {
		const size_t at = (offset + done) % host::kPage;
		const auto found = map->pages.find((offset + done) / host::kPage);

		if (found == map->pages.end())
			break;
		n = std::min(size - done, host::kPage - at);
		std::memcpy(found->second->bytes + at, in + done, n);
	}
	return done;
}

int ramdisk_map_add(struct ramdisk_map *map, u64 number, struct ramdisk_page *page,
		    enum ramdisk_wait)
{
	if (!page)
		host::complain("no page is added to a map");
	if (state.rules.before_map_add)
		state.rules.before_map_add(number);
	if (!host::may_allocate())
		return -12;
	{
		const Guard guard(mutex);

		if (!map->pages.emplace(number, page).second)
			return -17;
	}
	if (state.rules.after_map_add)
		state.rules.after_map_add(number);
	return 0;
}

size_t ramdisk_map_add_many(struct ramdisk_map *map, u64 first, struct ramdisk_page **pages,
			    size_t count, enum ramdisk_wait wait, int *status)
{
	size_t added = 0;

	*status = 0;
	while (added < count) {
		*status = ramdisk_map_add(map, first + added, pages[added], wait);
		if (*status)
			break;
		added++;
	}
	return added;
}

size_t ramdisk_map_retire(struct ramdisk_map *map, u64 *number, u64 last)
{
	size_t count = 0;
	const Guard guard(mutex);

	for (; count < RAMDISK_AT_ONCE; count++) {
		const auto found = map->pages.lower_bound(*number);

		if (found == map->pages.end() || found->first > last)
			break;
		*number = found->first + 1;
		retire({found->second, nullptr, 0});
		map->pages.erase(found);
	}
	return count;
}

void ramdisk_map_count(struct ramdisk_map *map, long change)
{
	map->count += change;
}

u64 ramdisk_map_counted(const struct ramdisk_map *map)
{
	return static_cast<u64>(map->count);
}

void ramdisk_read_begin(void)
{
	const Guard guard(mutex);

	depth++;
	state.sections++;
}

void ramdisk_read_end(void)
{
	const Guard guard(mutex);

	if (!depth--)
		host::complain("a read-side section ends that has not begun");
	if (--state.sections == 0 && !state.rules.retire_late)
		free_retired();
}

void ramdisk_cond_resched(void)
{
	if (depth)
		host::complain("the processor is given away inside a read-side section");
	host::give_way();
}

size_t ramdisk_window_pages(struct ramdisk_page **pages, size_t count)
{
	size_t there = 0;

	while (there < count) {
		pages[there] = ramdisk_page_new(RAMDISK_AT_BOOT);
		if (!pages[there])
			break;
		there++;
	}
	return there;
}

u8 *ramdisk_window_map(struct ramdisk_page **pages, size_t count)
{
	if (!host::may_allocate())
		return nullptr;

	u8 *const window = static_cast<u8 *>(std::malloc(count * host::kPage));

	for (size_t i = 0; i < count; i++)
		std::memcpy(window + i * host::kPage, pages[i]->bytes, host::kPage);
	state.windows[window].pages.assign(pages, pages + count);
	host::live().windows++;
	return window;
}

void ramdisk_window_unmap(u8 *window)
{
	const auto found = state.windows.find(window);

	if (found == state.windows.end()) {
		host::complain("a window is taken down that is not there");
		return;
	}
	for (size_t i = 0; i < found->second.pages.size(); i++)
		std::memcpy(found->second.pages[i]->bytes, window + i * host::kPage, host::kPage);
	state.windows.erase(found);
	host::live().windows--;
	std::free(window);
}

// What is not mapped cannot be touched.
struct ramdisk_range {
	u8 *start;
	size_t count;
	std::map<size_t, ramdisk_page *> pages;
};

struct ramdisk_range *ramdisk_range_reserve(void)
{
	// Enough for the tests, or for a machine with so much memory.
	constexpr size_t kLeast = size_t{1} << 16;
	const u64 limit = host::memory_limit();
	const size_t count = limit == ~0ull ? kLeast :
					      std::max<size_t>(kLeast, limit / host::kPage + 1);

	// Addresses are no memory: doing without them is no failure.
	if (state.rules.no_range)
		return nullptr;
	void *const start = mmap(nullptr, count * host::kPage, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return nullptr;
	host::live().windows++;
	return new ramdisk_range{static_cast<u8 *>(start), count, {}};
}

u8 *ramdisk_range_start(const struct ramdisk_range *range)
{
	return range->start;
}

size_t ramdisk_range_pages(const struct ramdisk_range *range)
{
	return range->count;
}

int ramdisk_range_map(struct ramdisk_range *range, size_t first, struct ramdisk_page **pages,
		      size_t count)
{
	u8 *const start = range->start + first * host::kPage;

	if (!host::may_allocate())
		return -12;
	if (!count || first + count > range->count)
		host::complain("pages are mapped outside their range");
	if (mprotect(start, count * host::kPage, PROT_READ | PROT_WRITE))
		return -12;
	for (size_t i = 0; i < count; i++) {
		if (pages[i]->mapped || !range->pages.emplace(first + i, pages[i]).second)
			host::complain("a page is mapped twice");
		pages[i]->mapped = start + i * host::kPage;
		std::memcpy(pages[i]->mapped, pages[i]->bytes, host::kPage);
	}
	return 0;
}

void ramdisk_range_free(struct ramdisk_range *range)
{
	for (const auto &[number, page] : range->pages) {
		std::memcpy(page->bytes, page->mapped, host::kPage);
		page->mapped = nullptr;
	}
	munmap(range->start, range->count * host::kPage);
	host::live().windows--;
	delete range;
}
