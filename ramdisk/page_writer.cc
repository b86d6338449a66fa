// SPDX-License-Identifier: GPL-2.0

#include "ramdisk/page_writer.h"

namespace ramdisk {

using initrd::Buffer;
using initrd::Error;

namespace {

// A window has at least this many bytes: few mappings, little copied twice by
// decoders that keep a window of their own.
constexpr size_t kWindow = 1 << 20;

INLINE ramdisk_page **list(const Buffer &buffer)
{
	// SAFETY: allocated as an array of page pointers, aligned for them.
	return reinterpret_cast<ramdisk_page **>(buffer.data());
}

} // namespace

PageWriter::~PageWriter()
{
	drop_pages();
}

void PageWriter::drop_pages()
{
	if (window_)
		ramdisk_window_unmap(window_);
	window_ = nullptr;
	for (size_t i = 0; i < count_; i++)
		ramdisk_page_free(list(page_list_)[i]);
	count_ = 0;
	used_ = 0;
}

// Gives the disk what is full; the others wait in front of the list, a page
// begun among them. After an error the pages that are left are as before.
Result<void> PageWriter::close_window()
{
	const size_t page = ramdisk_page_size();
	ramdisk_page **const pages = list(page_list_);
	Result<void> result;
	size_t done = 0;

	if (window_)
		ramdisk_window_unmap(window_);
	window_ = nullptr;
	for (; done < used_ / page; done++) {
		result = disk_.insert(first_, pages[done]);
		if (!result)
			break;
		first_++;
	}
	for (size_t i = done; done && i < count_; i++)
		pages[i - done] = pages[i];
	count_ -= done;
	used_ -= done * page;
	return result;
}

Result<void> PageWriter::open_window(size_t pages)
{
	if (page_list_.size() < pages * sizeof(ramdisk_page *)) {
		Buffer longer = TRY(Buffer::create(pages * sizeof(ramdisk_page *)));

		initrd::copy(longer.bytes(),
			     page_list_.bytes().first(count_ * sizeof(ramdisk_page *)));
		page_list_ = initrd::move(longer);
	}
	while (count_ < pages) {
		ramdisk_page *const page = ramdisk_page_new(RAMDISK_AT_BOOT);

		if (!page)
			return Error{initrd::kNoMemory, "out of memory for the RAM disk", 0,
				     pages * ramdisk_page_size()};
		list(page_list_)[count_++] = page;
	}
	window_ = ramdisk_window_map(list(page_list_), count_);
	if (!window_)
		return Error{initrd::kNoMemory, "out of address space for the RAM disk", 0,
			     pages * ramdisk_page_size()};
	return {};
}

Result<MutableBytes> PageWriter::lend(size_t wanted)
{
	const size_t page = ramdisk_page_size();

	if (!window_ || count_ * page - used_ < wanted) {
		TRY(close_window());
		const size_t bytes = used_ + (wanted < kWindow ? kWindow : wanted);

		TRY(open_window((bytes + page - 1) / page));
	}
	return MutableBytes(window_ + used_, count_ * page - used_);
}

Result<void> PageWriter::commit(size_t made)
{
	used_ += made;
	size_ += made;
	return {};
}

Result<void> PageWriter::finish()
{
	const size_t page = ramdisk_page_size();
	auto closed = close_window();

	if (closed && used_) {
		ramdisk_page_zero(list(page_list_)[0], used_, page - used_);
		used_ = page;
		closed = close_window();
	}
	drop_pages();
	return closed;
}

} // namespace ramdisk
