// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/unpack.h"

#include "initrd/cpio/reader.h"
#include "initrd/decode/decoder.h"
#include "initrd/image/formats.h"
#include "initrd/kernel/policy.h"
#include "initrd/rootfs/writer.h"

namespace initrd::rootfs {
namespace {

// Lends a window to a decoder and lets the cpio reader read what comes.
class ReaderSink final : public Sink {
public:
	INLINE explicit ReaderSink(cpio::Reader &reader) : reader_(reader) {}
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
		if (TRY(reader_.feed(window_.bytes().first(made))) == made)
			return {};
		return Error{kInvalid,
			     reader_.headers() ? "junk within compressed archive" : "no cpio magic",
			     reader_.offset()};
	}

private:
	cpio::Reader &reader_;
	Buffer window_;
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
	return not_configured;
}

// One compressed member at the start of `segment`; returns its length.
Result<size_t> unpack_member(Bytes segment, const Format &format, cpio::Reader &reader)
{
	if (!format.decode)
		return Error{kInvalid, name_missing(format.name)};

	ReaderSink sink(reader);

	return format.decode(segment, sink);
}

Result<void> unpack_segments(Bytes image, cpio::Reader &reader, Unpacked &report)
{
	size_t at = 0;

	while (at < image.size()) {
		reader.restart_at(at);
		at += TRY(reader.feed(image.skip(at)));
		if (at == image.size())
			return reader.end();

		// Members of one stream follow each other inside an entry, too.
		const Format *const format = identify_compressed(image.skip(at));

		if (!format)
			return Error{kInvalid, "invalid magic at start of compressed archive", at};
		report.compressor = format->name;
		reader.restart_at(0);
		do
			at += TRY(unpack_member(image.skip(at), *format, reader));
		while (!reader.at_boundary() && identify_compressed(image.skip(at)) == format);
		if (!reader.at_boundary())
			return Error{kInvalid, "junk at the end of compressed archive",
				     reader.offset()};
	}
	return {};
}

} // namespace

Result<void> unpack(Bytes image, Unpacked &report)
{
	Writer writer;
	cpio::Reader reader = TRY(cpio::Reader::create(
		writer, seam_strict_hex() ? cpio::Hex::kStrict : cpio::Hex::kLenient));
	const auto unpacked = unpack_segments(image, reader, report);

	if (!unpacked && !reader.at_boundary())
		(void)reader.end().ok();
	writer.finish_directories();
	report.headers = reader.headers();
	report.entries = writer.entries();
	report.bytes = writer.bytes();
	return unpacked;
}

} // namespace initrd::rootfs
