// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/same_data.h"

#include "initrd/seam/cpus.h"

namespace initrd::rootfs {
namespace {

constexpr size_t kPiece = 16384;

} // namespace

Result<void> SameData::open(seam_directory *folder, const seam_node *node)
{
	int status;

	position_ = 0;
	if (!buffer_.size())
		buffer_ = TRY(Buffer::create(kPiece));
	file_ = File(seam_node_open_to_read(folder, node, &status));
	return check(status, "write error");
}

// What the file has there: fewer bytes at its end, none where it cannot be read.
Bytes SameData::read(u64 offset, u64 size)
{
	const size_t most = size < kPiece ? static_cast<size_t>(size) : kPiece;
	s64 got;

	seam_cond_resched();
	do
		got = seam_file_read(file_.get(), buffer_.data(), most, offset);
	while (is_to_be_tried_again(got));
	return got > 0 ? buffer_.bytes().first(static_cast<size_t>(got)) : Bytes();
}

size_t SameData::compare(Bytes piece)
{
	const size_t whole = piece.size();

	while (!piece.empty()) {
		const Bytes there = read(position_, piece.size());
		size_t same = 0;

		while (same < there.size() && there[same] == piece[same])
			same++;
		position_ += same;
		piece = piece.skip(same);
		if (!same || same < there.size())
			break;
	}
	return whole - piece.size();
}

Result<void> SameData::copy_to(FileData &other)
{
	u64 at = 0;

	while (at < position_) {
		const Bytes piece = read(at, position_ - at);

		if (piece.empty())
			return Error{kNoData, "write error"};
		TRY(other.append(piece));
		at += piece.size();
	}
	return {};
}

} // namespace initrd::rootfs
