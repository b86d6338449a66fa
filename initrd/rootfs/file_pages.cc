// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/file_pages.h"

#include "initrd/rootfs/file_data.h"
#include "initrd/rootfs/memory_left.h"
#include "initrd/seam/cpus.h"

namespace initrd::rootfs {

bool FilePages::open(seam_node *node)
{
	if (!seam_node_takes_pages(node))
		return false;
	node_ = node;
	can_move_ = seam_node_pages_can_move(node);
	first_ = 0;
	return true;
}

// How many pages have become the file's next ones; the others are as they were.
size_t FilePages::store(seam_page **pages, size_t count, int &status)
{
	size_t stored = 0;

	status = -kNoSpace;
	if (!seam_node_take_room(node_, count))
		return 0;
	const size_t ready = seam_pages_prepare(node_, first_, pages, count);

	status = -kNoMemory;
	if (ready == count)
		stored = seam_node_store_pages(node_, first_, pages, count, &status);
	for (size_t i = stored; i < ready; i++)
		seam_page_unprepare(pages[i]);
	if (stored < count)
		seam_node_give_room(node_, count - stored);
	return stored;
}

// Makes filled pages the file's next ones. They are gone then, in any case.
Result<void> FilePages::add(seam_page **pages, size_t count)
{
	int status = 0;
	const size_t added = store(pages, count, status);

	first_ += added;
	for (size_t i = added; i < count; i++)
		seam_page_free(pages[i]);
	seam_cond_resched();
	return check(added < count ? status : 0, kWriteError);
}

// The pages of the image that `whole` is become the file's next ones.
Result<void> FilePages::take(LoosePages whole)
{
	const size_t page = seam_page_size();
	seam_page *taken[kBatch];
	Result<void> result = flush();

	// They are nobody else's any more: whatever happens, none is forgotten.
	while (!whole.empty()) {
		size_t count = 0;

		while (count < kBatch && !whole.empty())
			taken[count++] = seam_page_adopt(whole.release(page).data());
		if (result)
			result = add(taken, count);
		else
			while (count)
				seam_page_free(taken[--count]);
	}
	return result;
}

// What is in the batch becomes the file's; the rest of the last page is zeros.
Result<void> FilePages::flush()
{
	const size_t page = seam_page_size();
	const size_t rest = rest_of_unit(used_, page);
	const size_t filled = in_units(used_ + page - 1, page);
	seam_page **const pages = pages_ + begin_;

	if (!filled)
		return {};
	if (rest)
		seam_page_zero(pages[filled - 1], rest, page - rest);
	auto added = add(pages, filled);

	for (size_t i = 0; i < filled; i++)
		pages[i] = nullptr;
	begin_ += filled;
	if (begin_ == count_)
		begin_ = count_ = 0;
	used_ = 0;
	return added;
}

// One more page, and some in store: the next file will want them, too.
Result<void> FilePages::allocate()
{
	if (count_ == kBatch)
		TRY(flush());
	const size_t may = pages_left(kBatch - count_);
	const size_t got = may ? seam_pages_new(node_, pages_ + count_, may) : 0;

	if (!got)
		return Error{kNoMemory, kWriteError};
	count_ += got;
	return {};
}

Result<void> FilePages::append(Bytes piece, size_t &appended)
{
	const size_t page = seam_page_size();

	for (appended = 0; !piece.empty();) {
		const size_t at = rest_of_unit(used_, page);
		LoosePages whole = at ? LoosePages() : image_.give_away(piece, can_move_);
		size_t n = whole.size();

		if (n) {
			TRY(take(move(whole)));
		} else {
			if (used_ == (count_ - begin_) * page)
				TRY(allocate());
			n = min(piece.size(), page - at);
			seam_page_write(pages_[begin_ + in_units(used_, page)], at, piece.data(),
					n);
			used_ += n;
		}
		appended += n;
		piece = piece.skip(n);
	}
	return {};
}

Result<void> FilePages::finish(u64 size)
{
	TRY(flush());
	seam_node_set_size(node_, size);
	close();
	return {};
}

void FilePages::drop()
{
	for (; begin_ < count_; begin_++)
		seam_page_free(pages_[begin_]);
}

} // namespace initrd::rootfs
