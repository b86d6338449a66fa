// SPDX-License-Identifier: GPL-2.0

#include "ramdisk/page_store.h"

namespace ramdisk {

using initrd::check;
using initrd::Error;
using initrd::min;

namespace {

// Inside it, pages that a discard takes away stay readable.
class ReadSection {
public:
	INLINE ReadSection() { ramdisk_read_begin(); }
	INLINE ~ReadSection() { ramdisk_read_end(); }
	ReadSection(const ReadSection &) = delete;
	ReadSection &operator=(const ReadSection &) = delete;
};

// Where a byte is: its page's number and its place in there.
struct Place {
	u64 number;
	size_t at;
	size_t left; // bytes to the page's end
};

INLINE Place place_of(u64 offset)
{
	const size_t page = ramdisk_page_size();
	const size_t at = initrd::rest_of_unit(offset, page);

	return {initrd::in_units(offset, page), at, page - at};
}

} // namespace

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

u8 *PageStore::adopted_page(u64 number) const
{
	if (number >= adopted_pages_ || ramdisk_bit_is_set(gone_, number))
		return nullptr;
	return adopted_ + number * ramdisk_page_size();
}

void PageStore::read(u64 offset, MutableBytes to) const
{
	while (!to.empty()) {
		const Place place = place_of(offset);
		const size_t n = min(to.size(), place.left);

		{
			const ReadSection section;

			if (const u8 *adopted = adopted_page(place.number))
				__builtin_memcpy(to.data(), adopted + place.at, n);
			else if (ramdisk_page *page = ramdisk_map_get(map_, place.number))
				ramdisk_page_read(page, place.at, to.data(), n);
			else
				__builtin_memset(to.data(), 0, n);
		}
		to = to.skip(n);
		offset += n;
	}
}

bool PageStore::write_existing(u64 number, size_t at, Bytes from)
{
	const ReadSection section;

	if (u8 *adopted = adopted_page(number))
		__builtin_memcpy(adopted + at, from.data(), from.size());
	else if (ramdisk_page *page = ramdisk_map_get(map_, number))
		ramdisk_page_write(page, at, from.data(), from.size());
	else
		return false;
	return true;
}

Result<void> PageStore::add_page(u64 number, ramdisk_wait wait)
{
	ramdisk_page *const page = ramdisk_page_new(wait);

	if (!page)
		return Error{initrd::kNoMemory, "out of memory"};

	const int status = ramdisk_map_add(map_, number, page, wait);

	if (status == 0) {
		ramdisk_map_count(map_, 1);
		return {};
	}
	ramdisk_page_free(page);
	// Another writer was faster: as good.
	return status == -initrd::kExists ? Result<void>() : check(status, "out of memory");
}

Result<void> PageStore::write(u64 offset, Bytes from, ramdisk_wait wait)
{
	while (!from.empty()) {
		const Place place = place_of(offset);
		const Bytes piece = from.first(place.left);

		// A discard may take the new page away before it is written.
		while (!write_existing(place.number, place.at, piece))
			TRY(add_page(place.number, wait));
		from = from.skip(piece.size());
		offset += piece.size();
	}
	return {};
}

Result<void> PageStore::adopt(u8 *first, u64 pages)
{
	unsigned long *const gone = ramdisk_bits_new(pages);

	if (!gone)
		return Error{initrd::kNoMemory, "out of memory"};
	discard(0, adopted_pages_ > pages ? adopted_pages_ : pages);
	ramdisk_pages_settle();
	ramdisk_bits_free(gone_);
	gone_ = gone;
	adopted_ = first;
	adopted_pages_ = pages;
	ramdisk_map_count(map_, static_cast<long>(pages));
	return {};
}

Result<void> PageStore::insert(u64 number, ramdisk_page *page)
{
	const int status = ramdisk_map_add(map_, number, page, RAMDISK_AT_BOOT);

	if (status == 0)
		ramdisk_map_count(map_, 1);
	return check(status, status == -initrd::kExists ? "page is there" : "out of memory");
}

void PageStore::discard(u64 first, u64 end)
{
	for (u64 number = first; number < min(end, adopted_pages_); number++) {
		if (ramdisk_bit_set(gone_, number))
			continue;
		ramdisk_page_retire_adopted(adopted_ + number * ramdisk_page_size());
		ramdisk_map_count(map_, -1);
		ramdisk_breathe();
	}
	for (u64 number = first; number < end; number++) {
		ramdisk_page *const page = ramdisk_map_take(map_, &number, end - 1);

		if (!page)
			break;
		ramdisk_page_retire(page);
		ramdisk_map_count(map_, -1);
		ramdisk_breathe();
	}
}

} // namespace ramdisk
