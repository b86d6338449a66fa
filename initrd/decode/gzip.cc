// SPDX-License-Identifier: GPL-2.0
// gzip members (RFC 1952): header, raw deflate, CRC-32 and length, both checked.

#include "initrd/decode/decoder.h"
#include "initrd/kernel/handles.h"

namespace initrd {
namespace {

enum Flag : u8 {
	kHeaderCrc = 0x02,
	kExtra = 0x04,
	kName = 0x08,
	kComment = 0x10,
};

constexpr size_t kFixedHeader = 10;
constexpr size_t kTrailer = 8;
constexpr const char *kTruncated = "truncated gzip data";

// Moves `at` behind a NUL-terminated field.
Result<void> skip_string(Bytes in, size_t &at)
{
	while (at < in.size())
		if (in[at++] == 0)
			return {};
	return Error{kNoData, kTruncated, at};
}

// The length of the header at the start of `in`.
Result<size_t> header_length(Bytes in)
{
	size_t at = kFixedHeader;

	if (in.size() < kFixedHeader)
		return Error{kNoData, kTruncated, in.size()};
	const u8 flags = in[3];

	if (in[2] != 8)
		return Error{kInvalid, "Not a gzip file", 2};
	if (flags & kExtra) {
		if (!in.has(at, 2))
			return Error{kNoData, kTruncated, in.size()};
		const size_t length = load_le16(in, at);

		at += 2;
		if (!in.has(at, length))
			return Error{kNoData, kTruncated, in.size()};
		at += length;
	}
	if (flags & kName)
		TRY(skip_string(in, at));
	if (flags & kComment)
		TRY(skip_string(in, at));
	if (flags & kHeaderCrc) {
		if (!in.has(at, 2))
			return Error{kNoData, kTruncated, in.size()};
		at += 2;
	}
	return at;
}

} // namespace

Result<size_t> decode_gzip(Bytes in, Sink &out)
{
	const size_t header = TRY(header_length(in));
	Owned<seam_inflate, seam_inflate_free> codec(seam_inflate_new());
	u32 crc = 0;
	u32 length = 0;

	if (!codec)
		return Error{kNoMemory, "out of memory while decompressing"};

	auto body = run_stream(
		in.skip(header), out, {"uncompression error", kTruncated},
		[&](seam_codec_io &io) { return seam_inflate_step(codec.get(), &io); },
		[&](Bytes made) {
			crc = seam_crc32(crc, made.data(), made.size());
			length += static_cast<u32>(made.size());
		});
	if (!body)
		return body.error().after(header);

	const size_t trailer = header + body.value();

	if (!in.has(trailer, kTrailer))
		return Error{kNoData, kTruncated, in.size()};
	if (load_le32(in, trailer) != crc)
		return Error{kBadMessage, "bad checksum (CRC-32) of compressed data", trailer};
	if (load_le32(in, trailer + 4) != length)
		return Error{kInvalid, "bad length of compressed data", trailer + 4};
	return trailer + kTrailer;
}

} // namespace initrd
