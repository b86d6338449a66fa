// SPDX-License-Identifier: GPL-2.0

#include "inspect/trace.h"

#include "initrd/seam/image.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::MutableBytes;
using initrd::Result;

Trace *active = nullptr;

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

Trace::Trace(Bytes image, u64 most) : image_(image), most_(most)
{
	auto created = reader_for(recorder_);

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
	u64 &out = looks_ ? looked_out_ : came_out_;

	out += bytes;
	return out <= most_;
}

void Trace::see(Bytes piece)
{
	if (reader_ && reading_ && unpacking_ && !looks_)
		reading_ = recorder_.feed(piece);
}

// Whether it is in what the boot loader left, and not built into the kernel.
bool Trace::is_in_image(const u8 *at) const
{
	const seam_range image = seam_image();

	return at >= image.start && at <= image.start + image_.size();
}

void Trace::begin_unpack(Bytes archives)
{
	unpacking_ = is_in_image(archives.data());
	if (!unpacking_)
		return;
	base_ = static_cast<size_t>(archives.data() - seam_image().start);
	at_ = base_;
	reading_ = reader_.has_value();
}

void Trace::end_unpack(const initrd::rootfs::Unpacked &report, bool good)
{
	const size_t end = good ? base_ + report.end : image_.size();
	const bool is_archive = good || report.headers;

	if (unpacking_ && reading_ && is_archive && at_ < end)
		recorder_.read_plain(image_, at_, end, unpacked_);
	unpacking_ = false;
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
	segments().back().use = loading_ ? Use::kLoaded : Use::kUnpacked;
	return segments().back();
}

Result<size_t> Trace::decode(const char *compressor, initrd::Decoder decode, Bytes in,
			     initrd::Sink &out)
{
	Tap tap(*this, out);

	if (looks_)
		return decode(in, tap);
	// The archive that is built into the kernel is none of the image.
	if (!loading_ && !unpacking_)
		return decode(in, out);
	const size_t offset = static_cast<size_t>(in.data() - seam_image().start);

	if (unpacking_ && reading_)
		recorder_.read_plain(image_, at_, offset, unpacked_);
	const size_t count = segments().size();
	const Segment last = count ? segments().back() : Segment();
	const u64 headers = reader_ ? reader_->headers() : 0;
	Segment &segment = begin_stream(compressor, offset);

	at_ = offset;
	if (reader_ && unpacking_ && reader_->at_boundary())
		reader_->restart_at(0);
	recorder_.segment = segments().size() - 1;
	auto decoded = decode(in, tap);

	segment.out += tap.came_out();
	segment.streams++;
	segment.whole = decoded.ok();
	segment.size += decoded ? decoded.value() : in.size();
	at_ = offset + (decoded ? decoded.value() : in.size());
	if (unpacking_ && reader_ && reader_->headers())
		segment.format = "cpio";
	// What is no archive, or no more of an image, is something else.
	const bool is_more = unpacking_ ? !reader_ || reader_->headers() != headers ||
						  segment.streams > 1 :
					  !count;

	if (!decoded && !is_more) {
		if (segments().size() > count)
			segments().pop_back();
		else
			segments().back() = last;
		at_ = offset;
	} else if (loading_) {
		ends_.push_back({at_, segment.out});
	}
	return decoded;
}

void Trace::end_image(u64 out)
{
	if (loaded_.empty() || !loaded_.back().whole)
		return;
	Segment &image = loaded_.back();

	while (ends_.size() > 1 && ends_[ends_.size() - 2].out >= out) {
		ends_.pop_back();
		image.streams--;
	}
	image.size = ends_.back().at - image.offset;
	image.out = ends_.back().out;
}

} // namespace inspect
