// SPDX-License-Identifier: GPL-2.0

#include "inspect/trace.h"

#include <cstring>

#include "initrd/image/formats.h"
#include "initrd/kernel/image.h"
#include "initrd/kernel/policy.h"
#include "seam/world.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::MutableBytes;
using initrd::Result;

Trace *active = nullptr;

// So many entries are kept; a hostile archive has more than anybody wants to see.
constexpr size_t kMostEntries = 1'000'000;
// And so many bytes of names and targets.
constexpr size_t kMostText = size_t{64} << 20;

// In front of the boot path's sink: what goes through is seen.
class Tap final : public initrd::Sink, private initrd::Reading {
public:
	Tap(Trace &trace, initrd::Sink &behind) : trace_(trace), behind_(behind)
	{
		if (behind.keeps())
			set_keeps();
		if (behind.joins_members())
			set_joins_members();
		if (behind.preview())
			set_preview(*behind.preview());
		follow(*this, 0);
	}

	Result<MutableBytes> lend(size_t wanted) override
	{
		auto lent = behind_.lend(wanted);

		if (!lent)
			return lent.error();
		room_ = lent.value();
		return room_;
	}

	Result<void> commit(size_t made) override
	{
		if (!trace_.may_come_out(made))
			return initrd::Error{initrd::kNoSpace,
					     "more comes out than initrd-inspect lets out"};
		came_out_ += made;
		trace_.see(room_.first(made));
		return behind_.commit(made);
	}

	u64 came_out() const { return came_out_; }

private:
	void reached(size_t done) override { behind_.consumed(done); }

	Trace &trace_;
	initrd::Sink &behind_;
	MutableBytes room_;
	u64 came_out_ = 0;
};

} // namespace

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
}

Trace::Trace(Bytes image, u64 most) : image_(image), most_(most)
{
	auto created = initrd::cpio::Reader::create(recorder_, seam_strict_hex() ?
								       initrd::cpio::Hex::kStrict :
								       initrd::cpio::Hex::kLenient);

	reading_ = created.ok();
	if (reading_) {
		reader_.emplace(initrd::move(created).value());
		recorder_.reader = &*reader_;
	}
	inspect::active = this;
}

Trace::~Trace()
{
	inspect::active = nullptr;
}

Trace *Trace::active()
{
	return inspect::active;
}

bool Trace::may_come_out(u64 bytes)
{
	came_out_ += bytes;
	return came_out_ <= most_;
}

void Trace::feed(Bytes piece)
{
	if (!reader_ || !reading_ || loading_)
		return;
	// What the reader has to say of an entry, it says to the boot path.
	host::set_log_muted(true);
	auto fed = reader_->feed(piece);

	host::set_log_muted(false);
	reading_ = fed && fed.value() == piece.size();
}

void Trace::see(Bytes piece)
{
	feed(piece);
}

// What is not compressed, from where the last segment ended up to `end`.
void Trace::read_plain(size_t end)
{
	const Bytes plain = image_.first(end).skip(at_);
	const Bytes content = plain.skip(initrd::leading_zeros(plain));

	if (!content.empty() && reader_) {
		const initrd::Format *const format = initrd::identify(content);
		Segment segment;

		segment.offset = end - content.size();
		segment.size = content.size();
		segment.out = segment.size;
		segment.format = format && format->kind == initrd::Kind::kArchive ? format->name :
										    "";
		recorder_.segment = unpacked_.size();
		unpacked_.push_back(segment);
		reader_->restart_at(at_);
		feed(plain);
	}
	at_ = end;
}

// The next stream: a segment of its own, or more of the one before.
Segment &Trace::begin_stream(const char *compressor, size_t offset)
{
	const bool in_entry = loading_ || !reader_ || !reader_->at_boundary();

	if (!segments().empty() && segments().back().compressor == compressor && in_entry) {
		// With the zeros between the two.
		segments().back().size = offset - segments().back().offset;
		return segments().back();
	}
	segments().emplace_back();
	segments().back().offset = offset;
	segments().back().compressor = compressor;
	return segments().back();
}

Result<size_t> Trace::decode(const char *compressor, initrd::Decoder decode, Bytes in,
			     initrd::Sink &out)
{
	const seam_range image = seam_image();
	const size_t offset = image_.size() - in.size();

	// The archive that is built into the kernel is none of the image.
	if (in.data() < image.start || in.data() > image.start + image.size)
		return decode(in, out);
	if (!loading_)
		read_plain(offset);
	Segment &segment = begin_stream(compressor, offset);
	Tap tap(*this, out);

	at_ = offset;
	if (reader_ && !loading_ && reader_->at_boundary())
		reader_->restart_at(0);
	recorder_.segment = segments().size() - 1;
	auto decoded = decode(in, tap);

	segment.out += tap.came_out();
	segment.streams++;
	segment.whole = decoded.ok();
	segment.size += decoded ? decoded.value() : in.size();
	at_ = offset + (decoded ? decoded.value() : in.size());
	if (!loading_ && reader_ && reader_->headers())
		segment.format = "cpio";
	return decoded;
}

void Trace::begin_load()
{
	if (at_ < image_.size())
		read_plain(image_.size());
	loading_ = true;
}

} // namespace inspect
