// SPDX-License-Identifier: GPL-2.0

#include "ramdisk/page_store.h"

#include "initrd/support/blocks.h"
#include "ramdisk/memory_left.h"

namespace ramdisk {

using initrd::check;
using initrd::Error;
using initrd::max;
using initrd::min;

namespace {

// No run is longer, in bytes: others get the processor before long.
constexpr u64 kLongestRun = 2 << 20;

// Inside it, pages that a discard takes away stay readable.
class ReadSection {
public:
	INLINE ReadSection() { ramdisk_read_begin(); }
	INLINE ~ReadSection() { ramdisk_read_end(); }
	ReadSection(const ReadSection &) = delete;
	ReadSection &operator=(const ReadSection &) = delete;
};

} // namespace

// The beginning of a range: either in adopted pages that are there, or in the map.
struct PageStore::Run {
	u8 *adopted; // the range's first byte, or null
	size_t size; // bytes
};

Result<PageStore> PageStore::create()
{
	ramdisk_map *const map = ramdisk_map_new();

	if (!map)
		return Error{initrd::kNoMemory, "out of memory"};
	return PageStore(map);
}

PageStore::~PageStore()
{
	if (!map_)
		return;
	discard(0, ~0ull);
	ramdisk_pages_settle();
	ramdisk_bits_free(gone_);
	ramdisk_map_free(map_);
}

INLINE u64 PageStore::adopted_pages() const
{
	return initrd::in_units(adopted_.size(), ramdisk_page_size());
}

// `offset` is one of the adopted pages', which are there until the end of the
// read-side section. What was discarded never comes back, so a run of the map
// is one for good.
INLINE PageStore::Run PageStore::run_at(u64 offset, size_t size) const
{
	const size_t page = ramdisk_page_size();
	const u64 at = initrd::rest_of_unit(offset, page);
	const u64 first = initrd::in_units(offset, page);
	const u64 end = initrd::in_units(min(at + size, kLongestRun) + page - 1, page) + first;
	const u64 last = min(end, adopted_pages());
	const u64 gone = ramdisk_bits_next_set(gone_, first, last);
	u64 next = gone;

	if (gone == first) {
		next = ramdisk_bits_next_clear(gone_, first, last);
		if (next == adopted_pages())
			next = end;
	}
	return {gone == first ? nullptr : adopted_.data() + offset,
		static_cast<size_t>(min(at + size, (next - first) * page) - at)};
}

void PageStore::read_adopted(u64 offset, MutableBytes to) const
{
	while (!to.empty() && offset < adopted_.size()) {
		const ReadSection section;
		const Run run = run_at(offset, to.size());

		if (run.adopted)
			__builtin_memcpy(to.data(), run.adopted, run.size);
		else
			ramdisk_map_read(map_, offset, to.data(), run.size);
		to = to.skip(run.size);
		offset += run.size;
	}
	if (!to.empty())
		ramdisk_map_read(map_, offset, to.data(), to.size());
}

void PageStore::read(u64 offset, MutableBytes to) const
{
	if (offset < adopted_.size())
		read_adopted(offset, to);
	else
		ramdisk_map_read(map_, offset, to.data(), to.size());
}

// Writes the beginning of `from` as far as there are pages; returns its size.
size_t PageStore::write_adopted(u64 offset, Bytes from)
{
	const ReadSection section;
	const Run run = run_at(offset, from.size());

	if (!run.adopted)
		return ramdisk_map_write(map_, offset, from.data(), run.size);
	__builtin_memcpy(run.adopted, from.data(), run.size);
	return run.size;
}

// Makes the page at `offset` with the beginning of `from` in it, whose size is
// returned; 0 when another writer was faster.
Result<size_t> PageStore::write_new(u64 offset, Bytes from, ramdisk_wait wait)
{
	ramdisk_page *const page = may_have(ramdisk_page_size()) ? ramdisk_page_new(wait) : nullptr;

	if (!page)
		return Error{initrd::kNoMemory, "out of memory"};

	const size_t page_size = ramdisk_page_size();
	const size_t at = initrd::rest_of_unit(offset, page_size);
	const Bytes piece = from.first(page_size - at);
	const size_t end = at + piece.size();

	// All of it: others see it as soon as it is in the map.
	if (at)
		ramdisk_page_zero(page, 0, at);
	ramdisk_page_write(page, at, piece.data(), piece.size());
	if (end < page_size)
		ramdisk_page_zero(page, end, page_size - end);

	const int status = ramdisk_map_add(map_, initrd::in_units(offset, page_size), page, wait);

	if (status == 0) {
		ramdisk_map_count(map_, 1);
		return piece.size();
	}
	ramdisk_page_free(page);
	if (status != -initrd::kExists)
		return Error{-status, "out of memory"};
	return size_t{0};
}

Result<void> PageStore::write(u64 offset, Bytes from, ramdisk_wait wait)
{
	while (!from.empty()) {
		size_t done = offset < adopted_.size() ?
				      write_adopted(offset, from) :
				      ramdisk_map_write(map_, offset, from.data(), from.size());

		if (!done)
			done = TRY(write_new(offset, from, wait));
		from = from.skip(done);
		offset += done;
	}
	return {};
}

Result<void> PageStore::clear_for(u64 pages)
{
	unsigned long *const gone = ramdisk_bits_new(pages);

	if (!gone)
		return Error{initrd::kNoMemory, "out of memory"};
	discard(0, max(adopted_pages(), pages));
	adopted_ = {};
	ramdisk_bits_free(gone_);
	gone_ = gone;
	return {};
}

void PageStore::take_over(initrd::LoosePages pages)
{
	adopted_ = pages.release();
	ramdisk_map_count(map_, static_cast<long>(adopted_pages()));
}

Result<void> PageStore::insert(u64 first, initrd::Span<ramdisk_page *> pages, size_t &done)
{
	int status;

	done = ramdisk_map_add_many(map_, first, pages.data(), pages.size(), RAMDISK_AT_BOOT,
				    &status);
	ramdisk_map_count(map_, static_cast<long>(done));
	return check(status, status == -initrd::kExists ? "page is there" : "out of memory");
}

// A page is retired by the one who sets its bit.
void PageStore::discard_adopted(u64 first, u64 end)
{
	while ((first = ramdisk_bits_next_clear(gone_, first, end)) < end) {
		const u64 most = min(end, first + RAMDISK_AT_ONCE);
		u64 next = first;

		while (next < most && !ramdisk_bit_set(gone_, next))
			next++;
		if (const u64 count = next - first) {
			ramdisk_pages_retire_adopted(adopted_.data() + first * ramdisk_page_size(),
						     static_cast<size_t>(count));
			ramdisk_map_count(map_, -static_cast<long>(count));
			ramdisk_cond_resched();
		}
		first = next;
	}
}

void PageStore::discard(u64 first, u64 end)
{
	if (first < adopted_pages())
		discard_adopted(first, min(end, adopted_pages()));
	while (first < end) {
		const size_t count = ramdisk_map_retire(map_, &first, end - 1);

		if (!count)
			break;
		ramdisk_map_count(map_, -static_cast<long>(count));
		ramdisk_cond_resched();
	}
}

} // namespace ramdisk

// From RCU: pages whose bits in gone_ were set, and that no read-side section sees any more.
void ramdisk_on_retired(u8 *mapped, size_t count)
{
	const size_t page = ramdisk_page_size();

	initrd::free_in_blocks(
		ramdisk_page_number(mapped), count, ramdisk_most_order(),
		[&](size_t at, u32 order) {
			return ramdisk_is_one_block(mapped + at * page, order);
		},
		[&](size_t at, u32 order) { ramdisk_block_free(mapped + at * page, order); });
}
