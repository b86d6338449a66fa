// SPDX-License-Identifier: GPL-2.0

#include "initrd/image/region.h"

#include "initrd/kernel/log.h"
#include "initrd/kernel/memory.h"
#include "initrd/support/parse.h"
#include "initrd/support/utility.h"

namespace initrd {
namespace {

// SAFETY of the casts below: addresses are compared and rounded, never read.
size_t address(const u8 *pointer)
{
	return reinterpret_cast<size_t>(pointer);
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

} // namespace

Region Region::locate()
{
	const seam_range image = seam_image();

	if (!image.start || !image.size)
		return none();
	return Region(image, seam_image_pages());
}

bool Region::may_hand_over() const
{
	return pages_.size && !overlaps(pages_, seam_crash_reservation());
}

// The image's own pages from the first one that it may begin in.
MutableBytes Region::destination() const
{
	const size_t start = max(address(pages_.start),
				 round_down(address(data_), seam_page_size()));
	const size_t skipped = start - address(pages_.start);

	return MutableBytes(pages_.start, pages_.size).skip(skipped);
}

void Region::hand_over(size_t size)
{
	const size_t taken = round_up(size, seam_page_size());
	const size_t before = address(data_) - address(pages_.start);

	if (before)
		seam_image_free(pages_.start, before);
	seam_image_hand_over(data_, taken);
	pages_.start = data_ + taken;
	pages_.size -= before + taken;
	data_ = nullptr;
	size_ = 0;
}

void Region::free()
{
	const seam_range crash = crash_part(pages_);

	if (crash.size) {
		// A crash kernel may not find secrets there: it does not clear it.
		__builtin_memset(pages_.start, 0, pages_.size);
		const size_t before = address(crash.start) - address(pages_.start);
		const size_t after = pages_.size - before - crash.size;

		if (before)
			seam_image_free(pages_.start, before);
		if (after)
			seam_image_free(crash.start + crash.size, after);
	} else if (pages_.size) {
		seam_image_free(pages_.start, pages_.size);
	}
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
	u64 start;
	u64 size;

	if (!argument || !parse_size(argument, start) || *argument != ',')
		return;
	argument++;
	parse_size(argument, size);
	seam_set_physical_image({start, size});
}

void reserve_physical_image()
{
	const seam_physical_range image = seam_physical_image();
	const u64 page = seam_page_size();

	// An address that a device tree gave before is not valid any more.
	seam_map_image({0, 0});
	if (!image.size)
		return;

	const u64 start = round_down(image.start, page);
	const seam_physical_range pages = {start, round_up(image.start - start + image.size, page)};
	const char *trouble = nullptr;

	if (!seam_is_memory(pages))
		trouble = "is not a memory region";
	else if (seam_is_reserved(pages))
		trouble = "overlaps in-use memory region";
	if (trouble) {
		seam_log(SEAM_LOG_ERR, "INITRD: 0x%08llx+0x%08llx %s - disabling initrd\n",
			 pages.start, pages.size, trouble);
		return;
	}
	seam_reserve(pages);
	seam_map_image(image);
}

} // namespace initrd
