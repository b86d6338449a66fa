// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/file_data.h"

#include "initrd/rootfs/memory_left.h"
#include "initrd/seam/cpus.h"

namespace initrd::rootfs {
namespace {

constexpr const char *kReason = "write error"; // mainline's

} // namespace

int write_file(seam_file *file, Bytes data, u64 position, size_t &written)
{
	// Much less than is left to others.
	constexpr size_t kPiece = size_t{128} << 10;

	written = 0;
	while (!data.empty()) {
		const Bytes piece = data.first(kPiece);
		size_t n;

		if (hardly_any_memory_left())
			return -kNoMemory;
		const int status = seam_file_write(file, piece.data(), piece.size(),
						   position + written, &n);

		written += n;
		if (status)
			return status;
		data = data.skip(n);
		seam_cond_resched();
	}
	return 0;
}

int FileData::open(seam_directory *folder, seam_node *node)
{
	int status;

	close();
	position_ = 0;
	first_ = 0;
	if (seam_node_takes_pages(node)) {
		node_ = node;
		pages_can_move_ = seam_node_pages_can_move(node);
		return 0;
	}
	file_ = File(seam_node_open(folder, node, &status));
	return status;
}

// Makes filled pages the file's next ones. They are gone then, in any case.
Result<void> FileData::add(seam_page **pages, size_t count)
{
	int status = 0;
	const size_t added = seam_node_add_pages(node_, first_, pages, count, &status);

	first_ += added;
	for (size_t i = added; i < count; i++)
		seam_page_free(pages[i]);
	seam_cond_resched();
	return check(added < count ? status : 0, kReason);
}

// The pages of the image that `whole` is become the file's next ones.
Result<void> FileData::take_pages(MutableBytes whole)
{
	const size_t page = seam_page_size();
	seam_page *taken[kBatch];
	Result<void> result = flush();

	// They are nobody else's any more: whatever happens, none is forgotten.
	while (!whole.empty()) {
		size_t count = 0;

		for (; count < kBatch && !whole.empty(); whole = whole.skip(page))
			taken[count++] = seam_page_adopt(whole.data());
		if (result)
			result = add(taken, count);
		else
			while (count)
				seam_page_free(taken[--count]);
	}
	return result;
}

// What is in the batch becomes the file's; the rest of the last page is zeros.
Result<void> FileData::flush()
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
Result<void> FileData::allocate()
{
	if (count_ == kBatch)
		TRY(flush());
	const size_t may = pages_left(kBatch - count_);
	const size_t got = may ? seam_pages_new(node_, pages_ + count_, may) : 0;

	if (!got)
		return Error{kNoMemory, kReason};
	count_ += got;
	return {};
}

Result<void> FileData::write(Bytes piece)
{
	size_t written;
	const int status = write_file(file_.get(), piece, position_, written);

	position_ += written;
	return check(status, kReason);
}

Result<void> FileData::append(Bytes piece)
{
	const size_t page = seam_page_size();

	if (file_)
		return write(piece);
	while (!piece.empty()) {
		const size_t at = rest_of_unit(used_, page);
		const MutableBytes whole = at ? MutableBytes() :
						image_.take(piece, pages_can_move_);
		size_t n = whole.size();

		if (n) {
			TRY(take_pages(whole));
		} else {
			if (used_ == (count_ - begin_) * page)
				TRY(allocate());
			n = min(piece.size(), page - at);
			seam_page_write(pages_[begin_ + in_units(used_, page)], at, piece.data(),
					n);
			used_ += n;
		}
		position_ += n;
		piece = piece.skip(n);
	}
	return {};
}

Result<void> FileData::finish()
{
	if (node_) {
		TRY(flush());
		seam_node_set_size(node_, position_);
	}
	close();
	return {};
}

void FileData::drop_pages()
{
	for (; begin_ < count_; begin_++)
		seam_page_free(pages_[begin_]);
}

void FileData::close()
{
	used_ = 0;
	file_ = File();
	node_ = nullptr;
}

} // namespace initrd::rootfs
