// SPDX-License-Identifier: GPL-2.0

#include "inspect/recorder.h"

#include <algorithm>
#include <cstring>

#include "initrd/formats/formats.h"
#include "initrd/formats/segments.h"
#include "initrd/hosted/world.h"
#include "initrd/seam/policy.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::Result;

// So many entries are kept; a hostile archive has more than anybody wants to see.
constexpr size_t kMostEntries = 1'000'000;
// And so many bytes of names and targets.
constexpr size_t kMostText = size_t{64} << 20;

// Where the padding of a trailer that would end at `end` was left out, the next archive
// begins in its place.
size_t end_of_trailer(Bytes image, size_t end)
{
	constexpr size_t kPadding = 3;

	if (end < kPadding)
		return end;
	return end - kPadding + initrd::leading_zeros(image.first(end).skip(end - kPadding));
}

} // namespace

Result<initrd::cpio::Reader> reader_for(initrd::cpio::Handler &handler)
{
	return initrd::cpio::Reader::create(handler, seam_strict_hex() ?
							     initrd::cpio::Hex::kStrict :
							     initrd::cpio::Hex::kLenient);
}

void Recorder::count_skipped()
{
	skipped += reader->headers() - seen_ - 1;
	seen_ = reader->headers();
}

Result<bool> Recorder::begin(const initrd::cpio::Entry &entry)
{
	count_skipped();
	text_ += std::strlen(entry.name) + std::strlen(entry.target);
	if (entries.size() == kMostEntries || text_ > kMostText)
		full = true;
	else
		entries.push_back({entry.name, entry.target, entry.mode, entry.uid, entry.gid,
				   entry.nlink, entry.mtime, entry.size, entry.rdev_major,
				   entry.rdev_minor, segment});
	return false;
}

void Recorder::trailer()
{
	count_skipped();
	if (!plain_)
		return;
	ends_.push_back(static_cast<size_t>(reader->entry_end()));
	segment++;
}

bool Recorder::feed(Bytes piece)
{
	const u64 before = reader->offset();

	// What the reader has to say of an entry, it says to the boot path.
	host::set_log_muted(true);
	auto fed = reader->feed(piece);

	host::set_log_muted(false);
	stopped_at_ = static_cast<size_t>(fed ? before + fed.value() : fed.error().offset);
	return fed && fed.value() == piece.size();
}

// Archives up to something else; returns where that begins.
size_t Recorder::read_to(Bytes image, size_t from, size_t end, std::vector<Segment> &segments)
{
	const u64 headers = reader->headers();
	size_t start = from;
	Segment archive;
	const auto add = [&](size_t stop) {
		archive.offset = start;
		archive.size = stop - start;
		archive.out = archive.size;
		segments.push_back(archive);
		start = stop + initrd::count_zeros(image.first(end).skip(stop));
	};

	archive.format = "cpio";
	archive.use = Use::kUnpacked;
	reader->restart_at(from);
	segment = segments.size();
	ends_.clear();
	plain_ = true;
	const bool all = feed(image.first(end).skip(from));

	plain_ = false;
	for (const size_t stop : ends_)
		add(std::min(end_of_trailer(image, stop), end));
	if (start >= end || start >= stopped_at_ || reader->headers() == headers)
		return all ? end : std::max(start, stopped_at_);
	// One without a trailer; it may be cut off, or damaged.
	archive.whole = reader->at_boundary();
	add(archive.whole ? std::min(static_cast<size_t>(reader->entry_end()), end) : end);
	return archive.whole && !all ? stopped_at_ : end;
}

size_t Recorder::read_plain(Bytes image, size_t from, size_t end, std::vector<Segment> &segments)
{
	for (size_t at = from; at < end;) {
		const size_t first = at + initrd::count_zeros(image.first(end).skip(at));

		if (first == end)
			return end;
		const size_t before = segments.size();
		const size_t stop = read_to(image, first, end, segments);
		const size_t last = segments.size() == before ?
					    from :
					    segments.back().offset + segments.back().size;

		at = stop < end ?
			     initrd::find_boot_configuration(image, std::min(last, stop), stop) :
			     end;
		if (!at)
			return stop;
	}
	return end;
}

} // namespace inspect
