// SPDX-License-Identifier: GPL-2.0

#include "initrd/load/page_writer.h"

#include "ramdisk/memory_left.h"

namespace ramdisk {

using initrd::Buffer;
using initrd::Error;
using initrd::max;
using initrd::min;
using initrd::Span;

namespace {

// A window grows by at least this many bytes: few mappings, little copied twice
// by decoders that keep a window of their own.
constexpr size_t kWindow = 1 << 20;

Error no_memory(size_t pages)
{
	return {initrd::kNoMemory, "out of memory for the RAM disk", 0,
		pages * ramdisk_page_size()};
}

} // namespace

PageWriter::PageWriter(Disk &disk) : disk_(disk), range_(ramdisk_range_reserve())
{
	set_joins_members();
	if (range_)
		set_keeps();
}

PageWriter::~PageWriter()
{
	drop_pages();
}

ramdisk_page **PageWriter::pages() const
{
	// SAFETY: allocated as an array of page pointers, aligned for them.
	return reinterpret_cast<ramdisk_page **>(page_list_.data());
}

// Unmaps everything, and frees the pages that are not the disk's.
void PageWriter::drop_pages()
{
	if (window_ && !range_)
		ramdisk_window_unmap(window_);
	window_ = nullptr;
	range_ = Range();
	for (size_t i = 0; i < count_; i++)
		ramdisk_page_free(pages()[i]);
	count_ = 0;
	used_ = 0;
}

// Gives the disk what is full; the others wait in front of the list, a page
// begun among them. After an error the pages that are left are as before.
Result<void> PageWriter::close_window()
{
	const size_t page = ramdisk_page_size();

	if (window_ && !range_)
		ramdisk_window_unmap(window_);
	window_ = nullptr;
	size_t done = 0;
	auto given = disk_.insert(first_, Span(pages(), used_ / page), done);

	for (size_t i = done; done && i < count_; i++)
		pages()[i - done] = pages()[i];
	first_ += done;
	count_ -= done;
	used_ -= done * page;
	return given;
}

// Makes the list of pages that long.
Result<void> PageWriter::make_list(size_t count)
{
	if (page_list_.size() >= count * sizeof(ramdisk_page *))
		return {};
	Buffer longer = TRY(Buffer::create(count * sizeof(ramdisk_page *)));

	initrd::copy(longer.bytes(), page_list_.bytes().first(count_ * sizeof(ramdisk_page *)));
	page_list_ = initrd::move(longer);
	return {};
}

// Maps the first `count` pages of the list, of which count_ were there before.
Result<void> PageWriter::map(size_t count)
{
	const Error none = {initrd::kNoMemory, "out of address space for the RAM disk", 0,
			    count * ramdisk_page_size()};

	if (!range_) {
		window_ = ramdisk_window_map(pages(), count);
		return window_ ? Result<void>() : none;
	}
	const size_t first = static_cast<size_t>(first_);

	if (ramdisk_range_pages(range_.get()) - first < count)
		return none;
	if (count > count_ &&
	    ramdisk_range_map(range_.get(), first + count_, pages() + count_, count - count_) < 0)
		return none;
	window_ = ramdisk_range_start(range_.get()) + first * ramdisk_page_size();
	return {};
}

Result<void> PageWriter::open_window(size_t count)
{
	if (count > count_ && !may_have((count - count_) * ramdisk_page_size()))
		return no_memory(count);
	TRY(make_list(count));
	size_t there = count_ + ramdisk_window_pages(pages() + count_, count - count_);
	auto mapped = there < count ? no_memory(count) : map(count);

	if (mapped) {
		count_ = count;
		return {};
	}
	while (there > count_)
		ramdisk_page_free(pages()[--there]);
	return mapped;
}

Result<MutableBytes> PageWriter::lend(size_t wanted)
{
	const size_t page = ramdisk_page_size();

	if (!window_ || count_ * page - used_ < wanted) {
		TRY(close_window());
		const size_t bytes = used_ + max(wanted, kWindow);

		// There may be more after one that could not be opened.
		TRY(open_window(max((bytes + page - 1) / page, count_)));
	}
	return MutableBytes(window_ + used_, count_ * page - used_);
}

Result<void> PageWriter::commit(size_t made)
{
	used_ += made;
	size_ += made;
	ramdisk_cond_resched();
	return {};
}

Result<void> PageWriter::finish()
{
	const size_t page = ramdisk_page_size();
	auto closed = close_window();

	range_ = Range();
	if (closed && used_) {
		ramdisk_page_zero(pages()[0], used_, page - used_);
		used_ = page;
		closed = close_window();
	}
	drop_pages();
	return closed;
}

Result<void> PageWriter::take_back(u64 size)
{
	static constexpr u8 kZeros[256] = {};
	const u64 end = initrd::round_up(size_, u64{ramdisk_page_size()});
	const u64 rest = min(end, initrd::round_up(size, u64{ramdisk_page_size()}));

	if (size >= size_)
		return {};
	disk_.discard(size, end - size);
	size_ = size;
	while (size < rest) {
		const size_t left = static_cast<size_t>(rest - size);
		const Bytes piece = Bytes(kZeros).first(left);

		TRY(disk_.write(size, piece, RAMDISK_AT_BOOT));
		size += piece.size();
	}
	return {};
}

} // namespace ramdisk
