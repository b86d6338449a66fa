// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/unpack.h"

#include "initrd/cpio/reader.h"
#include "initrd/decode/decoder.h"
#include "initrd/image/formats.h"
#include "initrd/image/reading.h"
#include "initrd/kernel/cpus.h"
#include "initrd/kernel/log.h"
#include "initrd/kernel/policy.h"
#include "initrd/rootfs/writer.h"

namespace initrd::rootfs {
namespace {

// Lends a window to a decoder and lets the cpio reader read what comes.
class ReaderSink final : public Sink, private Preview {
public:
	INLINE explicit ReaderSink(cpio::Reader &reader) : reader_(reader) { set_preview(*this); }
	INLINE ~ReaderSink() {}

	Result<MutableBytes> lend(size_t wanted) override
	{
		if (window_.size() < wanted) {
			// The old window first: both together may be too much.
			window_ = Buffer();
			window_ = TRY(Buffer::create(wanted));
		}
		return window_.bytes();
	}

	Result<void> commit(size_t made) override
	{
		seam_breathe();
		return read(window_.bytes().first(made));
	}

	/* What the reader refused, with its offset in what was decoded; code 0: nothing. */
	INLINE const Error &refused() const { return refused_; }

private:
	// Lets the reader see the first byte that it would refuse: an image's, mostly.
	Result<void> preview(Bytes head) override
	{
		const size_t zeros = leading_zeros(head);

		if (!reader_.at_boundary() || zeros == head.size() || head[zeros] == '0')
			return {};
		return read(head.first(zeros + 1));
	}

	Result<void> read(Bytes piece)
	{
		auto read = reader_.feed(piece);

		if (!read)
			return failed(read.error());
		if (read.value() == piece.size())
			return {};
		return failed(
			{kInvalid,
			 reader_.headers() ? "junk within compressed archive" : "no cpio magic",
			 reader_.offset()});
	}

	Result<void> failed(const Error &error)
	{
		refused_ = error;
		return error;
	}

	cpio::Reader &reader_;
	Buffer window_;
	Error refused_ = {0, nullptr};
};

// The message is composed once, at boot, when nobody else does.
constinit char not_configured[64] = {};

const char *name_missing(const char *compressor)
{
	constexpr char before[] = "compression method ";
	constexpr char after[] = " not configured";
	MutableBytes to(reinterpret_cast<u8 *>(not_configured), sizeof(not_configured) - 1);
	const auto append = [&to](const char *text) {
		to = to.skip(copy(
			to, Bytes(reinterpret_cast<const u8 *>(text), __builtin_strlen(text))));
	};

	append(before);
	append(compressor);
	append(after);
	to[0] = 0; // another name may have been longer
	return not_configured;
}

// One image on its way into the root file system.
class Unpacking {
public:
	INLINE Unpacking(Bytes image, Region &region, cpio::Reader &reader, Unpacked &report)
		: image_(image),
		  reader_(reader),
		  report_(report),
		  reading_(image, region, seam_now_ns())
	{
	}

	Result<void> run();

private:
	Result<void> plain_segment();
	Result<void> compressed_segment(const Format &format);
	Result<void> member(const Format &format);
	Trouble &trouble() const { return report_.trouble; }

	Bytes image_;
	cpio::Reader &reader_;
	Unpacked &report_;
	ImageReading reading_;
	size_t at_ = 0; // where in the image
};

Result<void> Unpacking::run()
{
	while (at_ < image_.size()) {
		TRY(plain_segment());
		if (at_ == image_.size())
			return reader_.end();
		const Format *const format = identify_compressed(image_.skip(at_));

		if (!format) {
			trouble().error = {kUnknownFormat,
					   "invalid magic at start of compressed archive", at_};
			trouble().head = image_.skip(at_);
			return trouble().error;
		}
		TRY(compressed_segment(*format));
	}
	return {};
}

// Entries up to the end, or to a byte that does not belong to any.
Result<void> Unpacking::plain_segment()
{
	// So much at once that progress is seen, and hardly any entry is cut.
	constexpr size_t kPiece = size_t{1} << 20;
	size_t taken;
	Bytes piece;

	reader_.restart_at(at_);
	do {
		piece = image_.skip(at_).first(kPiece);
		taken = TRY(reader_.feed(piece));
		at_ += taken;
		reading_.reached(at_);
	} while (taken == kPiece);
	return {};
}

// All members of one stream: they follow each other inside an entry, too.
Result<void> Unpacking::compressed_segment(const Format &format)
{
	const Format *next;

	report_.compressor = format.name;
	reader_.restart_at(0);
	do {
		TRY(member(format));
		next = identify_compressed(image_.skip(at_));
	} while (!reader_.at_boundary() && next && next->decode == format.decode);
	if (reader_.at_boundary())
		return {};

	// Mainline's word for an archive that ends too early. Only padding may be
	// missing of one that the reader does not mind.
	auto ended = reader_.end();
	const Error junk = {kInvalid, "junk at the end of compressed archive", reader_.offset()};

	trouble().error = ended ? junk : ended.error();
	trouble().compressed = &format;
	trouble().inside = true;
	return junk;
}

// One compressed member.
Result<void> Unpacking::member(const Format &format)
{
	ReaderSink sink(reader_);

	trouble().compressed = &format;
	if (!format.decode) {
		trouble().error = {kNotSupported, name_missing(format.name), at_};
		return trouble().error;
	}
	sink.follow(reading_, at_);
	auto decoded = format.decode(image_.skip(at_), sink);

	if (!decoded) {
		trouble().inside = sink.refused().code;
		trouble().error = trouble().inside ? sink.refused() : decoded.error().after(at_);
		trouble().came_out = reader_.offset();
		const int code = trouble().error.code;

		return Error{code == kNoData ? kInvalid : code, trouble().error.reason,
			     trouble().error.offset};
	}
	at_ += decoded.value();
	trouble().compressed = nullptr;
	return {};
}

Result<void> unpack_from(Bytes image, Region &region, Unpacked &report)
{
	Writer writer(region);
	Trouble &trouble = report.trouble;
	auto created = cpio::Reader::create(writer, seam_strict_hex() ? cpio::Hex::kStrict :
									cpio::Hex::kLenient);

	if (!created) {
		trouble.error = created.error();
		return created.error();
	}
	cpio::Reader &reader = created.value();
	auto unpacked = Unpacking(image, region, reader, report).run();

	if (!unpacked) {
		if (!trouble.error.code)
			trouble.error = unpacked.error();
		trouble.set_entry(reader.name());
		trouble.behind_entry = !reader.in_entry();
		if (!reader.at_boundary())
			(void)reader.end().ok();
		trouble.entry_removed = writer.removed();
		trouble.is_archive = true;
		trouble.entries = writer.entries();
	}
	writer.finish_directories();
	report.headers = reader.headers();
	report.entries = writer.entries();
	report.bytes = writer.bytes();
	return unpacked;
}

} // namespace

Result<void> unpack(Bytes image, Unpacked &report)
{
	Region kept = Region::none();

	return unpack_from(image, kept, report);
}

Result<void> unpack(Region &image, Unpacked &report)
{
	return unpack_from(image.bytes(), image, report);
}

} // namespace initrd::rootfs
