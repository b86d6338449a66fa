// SPDX-License-Identifier: GPL-2.0

#include "inspect/segments.h"

#include <algorithm>

#include "initrd/formats/formats.h"
#include "initrd/formats/segments.h"
#include "initrd/seam/cpus.h"
#include "inspect/recorder.h"
#include "inspect/trace.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::Format;
using initrd::Kind;
using initrd::MutableBytes;
using initrd::Result;

// Counts what comes out of a stream, and keeps what it begins with.
class Counter final : public initrd::Sink {
public:
	Result<MutableBytes> lend(size_t wanted) override
	{
		room_.resize(std::max(room_.size(), wanted));
		return MutableBytes(room_.data(), room_.size());
	}

	Result<void> commit(size_t made) override
	{
		const size_t kept = std::min(made, initrd::kImageHead - head_.size());

		head_.insert(head_.end(), room_.begin(),
			     room_.begin() + static_cast<std::ptrdiff_t>(kept));
		out += made;
		seam_cond_resched();
		return {};
	}

	const Format *format() const { return initrd::identify({head_.data(), head_.size()}); }

	u64 out = 0;

private:
	std::vector<u8> room_;
	std::vector<u8> head_;
};

class Gap {
public:
	Gap(Bytes image, std::vector<Segment> &segments) : image_(image), segments_(segments) {}

	// What there is from `at` up to `end`.
	void tell_apart(size_t at, size_t end);

private:
	size_t plain(size_t at, size_t end);
	size_t compressed(const Format &format, size_t at, size_t end);
	size_t archives(size_t at, size_t end);
	size_t add(size_t at, size_t size, const char *format);

	Bytes image_;
	std::vector<Segment> &segments_;
};

// Returns its end.
size_t Gap::add(size_t at, size_t size, const char *format)
{
	Segment segment;

	segment.offset = at;
	segment.size = size;
	segment.out = size;
	segment.format = format;
	segments_.push_back(segment);
	return at + size;
}

size_t Gap::archives(size_t at, size_t end)
{
	Recorder recorder;
	std::vector<Segment> found;
	auto created = reader_for(recorder);

	if (!created)
		return at;
	recorder.reader = &created.value();
	const size_t stop = recorder.read_plain(image_, at, end, found);

	for (Segment &archive : found) {
		archive.use = Use::kNone;
		segments_.push_back(archive);
	}
	return stop;
}

size_t Gap::compressed(const Format &format, size_t at, size_t end)
{
	Counter counter;
	Segment segment;

	segment.offset = at;
	segment.size = end - at;
	segment.compressor = format.name;
	segment.whole = false;
	if (format.decode) {
		auto decoded = format.decode(image_.first(end).skip(at), counter);

		segment.whole = decoded.ok();
		if (decoded)
			segment.size = decoded.value();
		segment.streams = 1;
		segment.out = counter.out;
		if (const Format *const inside = counter.format();
		    inside && inside->kind != Kind::kCompressed)
			segment.format = inside->name;
	}
	Segment *const last = segments_.empty() ? nullptr : &segments_.back();

	// More of the stream before: nothing begins here.
	if (segment.whole && segment.format.empty() && last &&
	    last->compressor == segment.compressor && last->whole) {
		last->size = at + segment.size - last->offset;
		last->out += segment.out;
		last->streams++;
	} else {
		segments_.push_back(segment);
	}
	return at + segment.size;
}

// What is not compressed; `first` is not NUL, `at` is where those before it begin.
size_t Gap::plain(size_t at, size_t end)
{
	const Bytes image = image_.first(end);
	const size_t first = at + initrd::count_zeros(image.skip(at));
	size_t start = 0;

	if (initrd::is_archive(image.skip(first)))
		return archives(first, end);
	if (const size_t config = initrd::find_boot_configuration(image, at, first))
		return add(first, config - first, "bootconfig");
	if (const Format *const format = initrd::find_file_system(image, at, first, start)) {
		const u64 claimed = initrd::claimed_size(*format, image.skip(start));
		const size_t all = end - start;

		return add(start, claimed ? std::min<u64>(claimed, all) : all, format->name);
	}
	return add(first, end - first, "");
}

void Gap::tell_apart(size_t at, size_t end)
{
	for (;;) {
		const size_t first = at + initrd::count_zeros(image_.first(end).skip(at));

		if (first == end)
			return;
		const Format *const format =
			initrd::identify_compressed(image_.first(end).skip(first));
		const size_t next = format ? compressed(*format, first, end) : plain(at, end);

		if (next > first) {
			at = next;
			continue;
		}
		add(first, end - first, "");
		return;
	}
}

} // namespace

std::vector<Segment> tell_apart(Bytes image, size_t from, size_t end, Use use)
{
	const Look look;
	std::vector<Segment> segments;

	if (from < end)
		Gap(image, segments).tell_apart(from, end);
	for (Segment &segment : segments)
		segment.use = use;
	return segments;
}

std::vector<Segment> all_segments(Bytes image, std::vector<Segment> used)
{
	std::vector<Segment> all;
	size_t at = 0;
	const auto add_unused = [&](size_t end) {
		for (const Segment &segment : tell_apart(image, at, end))
			all.push_back(segment);
	};

	std::ranges::sort(used, {}, &Segment::offset);
	for (const Segment &segment : used) {
		add_unused(segment.offset);
		all.push_back(segment);
		at = std::max(at, segment.offset + segment.size);
	}
	add_unused(image.size());
	return all;
}

} // namespace inspect
