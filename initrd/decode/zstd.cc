// SPDX-License-Identifier: GPL-2.0
// Zstandard frames (RFC 8878). The library checks the content's checksum. Where
// the output stays readable it is its own window.

#include "initrd/decode/decoder.h"
#include "initrd/kernel/handles.h"

namespace initrd {
namespace {

// No block makes more than the room that a step is given.
static_assert(kStreamRoom >= SEAM_ZSTD_ROOM);

constexpr const char *kTruncated = "truncated zstd data";

// A skippable frame: one of sixteen magic numbers, a length, other data.
constexpr u32 kSkippableMagic = 0x184d2a50;
constexpr size_t kSkippableHeader = 8;

// What a frame's header says; 0 where it does not.
struct FrameSizes {
	u64 window = 0;
	u64 content = 0;
};

u64 load_le(Bytes in, size_t at, size_t size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | in[at + size];
	return value;
}

Result<FrameSizes> parse_header(Bytes in)
{
	const Error truncated = {kNoData, kTruncated, in.size()};
	FrameSizes sizes;
	size_t at = 5;

	if (!in.has(0, at))
		return truncated;
	const u32 descriptor = in[4];
	const bool single_segment = descriptor & 0x20;
	const u32 content_flag = descriptor >> 6;
	const u32 dictionary_flag = descriptor & 3;
	const size_t dictionary_size = dictionary_flag == 3 ? 4 : dictionary_flag;
	const size_t content_size = content_flag ? size_t{1} << content_flag : single_segment;

	if (!in.has(at, !single_segment + dictionary_size + content_size))
		return truncated;
	if (!single_segment) {
		const u64 base = u64{1} << (10 + (in[at] >> 3));

		sizes.window = base + (base >> 3) * (in[at] & 7);
		at++;
	}
	at += dictionary_size;
	sizes.content = load_le(in, at, content_size) + (content_flag == 1 ? 256 : 0);
	if (single_segment)
		sizes.window = sizes.content;
	return sizes;
}

} // namespace

Result<size_t> decode_zstd(Bytes in, Sink &out)
{
	if (in.has(0, 4) && (load_le32(in, 0) & ~0xfu) == kSkippableMagic) {
		if (!in.has(0, kSkippableHeader) || !in.has(kSkippableHeader, load_le32(in, 4)))
			return Error{kNoData, kTruncated, in.size()};
		return kSkippableHeader + load_le32(in, 4);
	}

	const FrameSizes sizes = TRY(parse_header(in));
	seam_codec_status status = SEAM_CODEC_CORRUPT;
	Owned<seam_zstd, seam_zstd_free> codec(
		seam_zstd_new(in.data(), in.size(), out.keeps(), &status));

	if (!codec) {
		if (status == SEAM_CODEC_NO_MEMORY)
			return Error{kNoMemory, "ZSTD decompressor ran out of memory", 0,
				     sizes.window};
		return Error{kInvalid, "ZSTD-compressed data has an incomplete frame header"};
	}
	auto frame = run_stream(
		in, out,
		{"ZSTD-compressed data is corrupt", kTruncated,
		 "bad checksum (XXH64) of zstd data"},
		[&](seam_codec_io &io) { return seam_zstd_step(codec.get(), &io); }, [](Bytes) {});

	if (!frame && frame.error().code == kNoData) {
		Error truncated = frame.error();

		truncated.expected = sizes.content;
		return truncated;
	}
	return frame;
}

} // namespace initrd
