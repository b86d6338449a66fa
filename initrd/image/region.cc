// SPDX-License-Identifier: GPL-2.0

#include "initrd/image/region.h"

#include "initrd/seam/log.h"
#include "initrd/seam/memory.h"
#include "initrd/support/blocks.h"
#include "initrd/support/parse.h"
#include "initrd/support/utility.h"

namespace initrd {
namespace {

// SAFETY of the casts below: addresses are compared and rounded, never read.
size_t address(const u8 *pointer)
{
	return reinterpret_cast<size_t>(pointer);
}

size_t in_pages(size_t size)
{
	return static_cast<size_t>(in_units(size, seam_page_size()));
}

bool overlaps(seam_range a, seam_range b)
{
	return a.size && b.size && address(a.start) < address(b.start) + b.size &&
	       address(b.start) < address(a.start) + a.size;
}

// The part of `pages` that the crash kernel has reserved, in whole pages.
seam_range crash_part(seam_range pages)
{
	const seam_range crash = seam_crash_reservation();
	const size_t page = seam_page_size();

	if (!overlaps(pages, crash))
		return {nullptr, 0};
	const size_t start = round_down(max(address(pages.start), address(crash.start)), page);
	const size_t end = round_up(
		min(address(pages.start) + pages.size, address(crash.start) + crash.size), page);

	return {pages.start + (start - address(pages.start)), end - start};
}

// The whole pages that belong to the image and to nobody else. They may begin after its
// first byte (a page that it shares with others), and end after its last one: a boot
// configuration that was cut off is in them.
seam_range own_pages(seam_range image)
{
	const seam_range loaded = seam_image_loaded();
	const size_t page = seam_page_size();
	const int owns = seam_image_owns();
	const size_t first = owns & SEAM_OWNS_FIRST_PAGE ? round_down(address(image.start), page) :
							   round_up(address(image.start), page);
	const size_t end = owns & SEAM_OWNS_LAST_PAGE ?
				   round_up(address(loaded.start) + loaded.size, page) :
				   round_down(address(image.start) + image.size, page);

	// SAFETY: up to less than a page before the image's start, or behind it.
	const long before = static_cast<long>(first) - static_cast<long>(address(image.start));

	return {image.start + before, end > first ? end - first : 0};
}

// The pages that a range of bytes lies in; empty when it wraps around.
seam_physical_range whole_pages(seam_physical_range bytes)
{
	const u64 page = seam_page_size();
	const u64 start = round_down(bytes.start, page);
	u64 end;

	if (!checked_add(bytes.start, bytes.size, end) || !checked_add(end, page - 1, end))
		return {start, 0};
	return {start, round_down(end, page) - start};
}

// Whether a parameter's range is reserved when it is parsed. Memory that the
// kernel may not use needs no protection from it.
bool is_reserved_at_once(seam_physical_range image)
{
	return image.size && seam_reserves_too_early() && seam_is_memory(whole_pages(image));
}

constexpr const char *kNotMemory = "is not a memory region";
constexpr const char *kInUse = "overlaps in-use memory region";

void say_unusable(seam_physical_range range, const char *why)
{
	seam_log(SEAM_LOG_ERR, "INITRD: 0x%08llx+0x%08llx %s - disabling initrd\n", range.start,
		 range.size, why);
}

bool is_memory(seam_physical_range pages)
{
	return pages.size && seam_is_memory(pages);
}

// Keeps pages from all other uses; says why when that cannot be. `readable`: they
// are not going to be moved to where the kernel has addresses for them.
bool reserve_pages(seam_physical_range pages, bool readable)
{
	const char *trouble = nullptr;

	if (!is_memory(pages))
		trouble = kNotMemory;
	else if (readable && !seam_has_addresses(pages))
		trouble = "is high memory: let the boot loader put it lower";
	else if (seam_is_reserved(pages))
		trouble = kInUse;
	if (trouble) {
		say_unusable(pages, trouble);
		return false;
	}
	seam_reserve(pages);
	return true;
}

// Notes what a parameter says; says why when it can be seen already that there is no
// image: what is noted is of no use then.
bool set_usable_image(seam_physical_range image)
{
	const bool fits = seam_set_physical_image(image);
	const seam_physical_range pages = whole_pages(image);

	if (!fits || (image.size && seam_believes_any_range() && !is_memory(pages))) {
		say_unusable(fits ? pages : image, kNotMemory);
		return false;
	}
	return !is_reserved_at_once(image) || reserve_pages(pages, false);
}

} // namespace

Region Region::locate()
{
	const seam_range image = seam_image();

	if (!image.start || !image.size)
		return none();
	if (overlaps(image, seam_kernel())) {
		say_unusable(whole_pages(seam_physical_image()), kInUse);
		seam_image_forget();
		return none();
	}
	return Region(image, own_pages(image));
}

bool Region::overlaps_crash_kernel() const
{
	return overlaps(pages_, seam_crash_reservation());
}

bool Region::may_give_away() const
{
	return pages_.size && !overlaps_crash_kernel();
}

bool Region::is_movable() const
{
	const size_t page = seam_page_size();

	for (size_t at = 0; at < pages_.size;) {
		u8 *const start = pages_.start + at;

		if (seam_page_is_movable(start))
			return true;
		at += seam_pages_of_one_zone(start, in_pages(pages_.size - at)) * page;
	}
	return false;
}

// The image's own pages from the first one that it may begin in.
MutableBytes Region::destination() const
{
	const size_t start = max(address(pages_.start),
				 round_down(address(data_), seam_page_size()));
	const size_t skipped = start - address(pages_.start);

	return MutableBytes(pages_.start, pages_.size).skip(skipped);
}

// Pages that are out of the boot allocator's books, and counted as the kernel's.
LoosePages Region::take_out(u8 *start, size_t size)
{
	const size_t page = seam_page_size();

	seam_image_detach(start, size);
	for (size_t at = 0; at < size;) {
		const size_t count = seam_pages_of_one_zone(start + at, in_pages(size - at));

		seam_pages_manage(start + at, count);
		at += count * page;
	}
	return LoosePages({start, size});
}

LoosePages Region::give_away_front(size_t size)
{
	u8 *const start = data_;
	const size_t taken = round_up(size, seam_page_size());
	const size_t before = address(start) - address(pages_.start);

	give_back(pages_.start, before);
	pages_.start = start + taken;
	pages_.size -= before + taken;
	data_ = nullptr;
	size_ = 0;
	return take_out(start, taken);
}

LoosePages Region::give_away_uncounted()
{
	const MutableBytes pages(pages_.start, pages_.size);

	if (!pages.empty())
		seam_image_detach(pages.data(), pages.size());
	*this = none();
	return LoosePages(pages);
}

void Region::give_back(u8 *start, size_t size)
{
	const size_t page = seam_page_size();

	if (!size)
		return;
	seam_image_detach(start, size);
	free_in_blocks(
		seam_page_number(start), in_pages(size), seam_most_order(),
		[&](size_t at, u32 order) { return seam_is_one_block(start + at * page, order); },
		[&](size_t at, u32 order) { seam_block_free(start + at * page, order); });
	freed_ += size;
}

void Region::release(const u8 *end)
{
	const size_t read = round_down(address(end), seam_page_size()) - address(pages_.start);
	const size_t size = min(read, pages_.size);

	give_back(pages_.start, size);
	pages_.start += size;
	pages_.size -= size;
}

// `data` begins with a page, whole or not.
LoosePages Region::give_away_pages(Bytes data)
{
	const size_t before = address(data.data()) - address(pages_.start);

	if (address(data.data()) < address(pages_.start) || before >= pages_.size)
		return {};
	const size_t size = round_down(min(data.size(), pages_.size - before), seam_page_size());
	u8 *const start = pages_.start + before;

	if (!size)
		return {};
	release(start);
	pages_.start += size;
	pages_.size -= size;
	return take_out(start, size);
}

void Region::free()
{
	const seam_range crash = crash_part(pages_);

	if (crash.size) {
		// A crash kernel may not find secrets there: it does not clear it.
		__builtin_memset(pages_.start, 0, pages_.size);
		const size_t before = address(crash.start) - address(pages_.start);

		give_back(pages_.start, before);
		give_back(crash.start + crash.size, pages_.size - before - crash.size);
	} else {
		give_back(pages_.start, pages_.size);
	}
	if (freed_)
		seam_log(SEAM_LOG_INFO, "Freeing initrd memory: %zuK\n", freed_ / 1024);
	*this = none();
}

void Region::retain()
{
	if (empty())
		return;
	if (seam_image_publish(data_, size_) < 0)
		seam_log(SEAM_LOG_ERR, "Failed to create initrd sysfs file\n");
	*this = none();
}

void set_physical_image(const char *argument)
{
	seam_physical_range image;

	if (!argument || !parse_size(argument, image.start) || *argument != ',')
		return;
	argument++;
	parse_size(argument, image.size);

	const seam_physical_range before = seam_physical_image();

	if (before.start == image.start && before.size == image.size)
		return;
	if (is_reserved_at_once(before))
		seam_unreserve(whole_pages(before));
	if (!set_usable_image(image))
		seam_set_physical_image({0, 0});
}

void reserve_physical_image()
{
	const seam_physical_range image = seam_physical_image();

	// An address that a device tree gave before is not valid any more.
	seam_map_image({0, 0});
	if (image.size && reserve_pages(whole_pages(image), true))
		seam_map_image(image);
}

} // namespace initrd
