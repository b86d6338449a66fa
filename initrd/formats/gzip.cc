// SPDX-License-Identifier: GPL-2.0
// gzip members (RFC 1952): header, raw deflate, CRC-32 and length, both checked.
// Those of bgzip have their own length in an extra field.

#include "initrd/formats/crc32.h"
#include "initrd/formats/parallel.h"
#include "initrd/support/owned.h"

namespace initrd {
namespace {

enum Flag : u8 {
	kHeaderCrc = 0x02,
	kExtra = 0x04,
	kName = 0x08,
	kComment = 0x10,
};

using Codec = Owned<seam_inflate, seam_inflate_free>;

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

// The length of a member as bgzip has it in the header; 0 where it is not there.
size_t member_length(Bytes in)
{
	if (!in.has(0, kFixedHeader + 2) || in[0] != 0x1f || in[1] != 0x8b || !(in[3] & kExtra))
		return 0;
	const Bytes fields = in.skip(kFixedHeader + 2).first(load_le16(in, kFixedHeader));

	for (size_t at = 0; fields.has(at, 6); at += 4 + load_le16(fields, at + 2))
		if (holds(fields, at, "BC\x02\x00"))
			return size_t{load_le16(fields, at + 4)} + 1;
	return 0;
}

// Members of bgzip.
class MemberFraming final : public Framing {
public:
	INLINE ~MemberFraming() {}

	bool find(Bytes in, size_t at, Block &block) const override
	{
		in = in.skip(at);
		const size_t length = member_length(in);

		if (length < kTrailer || !in.has(0, length))
			return false;
		block.in = in.first(length);
		block.end = at + length;
		block.size = load_le32(in, length - 4);
		return block.size <= kMost;
	}

	void work(WorkList &list) const override
	{
		Codec codec(seam_inflate_new());

		if (!codec)
			return;
		while (Work *work = list.take())
			if (unpack(codec.get(), work->in, work->out))
				work->made = static_cast<s64>(work->out.size());
	}

private:
	static constexpr size_t kMost = size_t{64} << 10;

	// Whether the member is whole and good.
	static bool unpack(seam_inflate *codec, Bytes in, MutableBytes out)
	{
		auto header = header_length(in);

		if (!header || !in.has(header.value(), kTrailer))
			return false;
		const Bytes body = in.skip(header.value());
		seam_codec_io io = {body.data(), body.size(), out.data(), out.size()};

		seam_inflate_reset(codec);
		return seam_inflate_step(codec, &io) == SEAM_CODEC_END && io.out_left == 0 &&
		       io.in_left == kTrailer &&
		       load_le32(in, in.size() - kTrailer) == seam_crc32(0, out.data(), out.size());
	}
};

} // namespace

Result<size_t> decode_gzip(Bytes in, Sink &out)
{
	if (out.joins_members()) {
		const size_t members = TRY(Ahead(MemberFraming(), in, out).run(0));

		if (members)
			return members;
	}
	const size_t header = TRY(header_length(in));
	Codec codec(seam_inflate_new());
	auto checksum = Crc32::create();
	u32 length = 0;

	if (!codec || !checksum)
		return Error{kNoMemory, "out of memory while decompressing"};
	Crc32 &crc = checksum.value();
	const size_t trailer = TRY(run_stream(
		in, header, out, {"uncompression error", kTruncated},
		[&](seam_codec_io &io) { return seam_inflate_step(codec.get(), &io); },
		[&](Bytes made) {
			crc.add(made);
			length += static_cast<u32>(made.size());
		}));

	if (!in.has(trailer, kTrailer))
		return Error{kNoData, kTruncated, in.size()};
	if (load_le32(in, trailer) != crc.value())
		return Error{kBadMessage, "bad checksum (CRC-32) of compressed data", trailer};
	if (load_le32(in, trailer + 4) != length)
		return Error{kInvalid, "bad length of compressed data", trailer + 4};
	return trailer + kTrailer;
}

} // namespace initrd
