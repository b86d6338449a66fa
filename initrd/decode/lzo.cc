// SPDX-License-Identifier: GPL-2.0
// LZO1X as lzop writes it: a header, then blocks of at most 256 KiB, each with
// both its sizes and the checksums that the header's flags announce.

#include "initrd/decode/decoder.h"

namespace initrd {
namespace {

constexpr size_t kBlockSize = size_t{256} << 10;
constexpr u16 kVersionWithLevel = 0x0940;
constexpr const char *kTruncated = "truncated lzo data";

enum Flag : u32 {
	kPlainAdler32 = 0x0001,
	kPackedAdler32 = 0x0002,
	kExtraField = 0x0040,
	kPlainCrc32 = 0x0100,
	kPackedCrc32 = 0x0200,
	kFilter = 0x0800,
};

struct Header {
	size_t length;
	u32 flags;
};

constexpr u8 magic[] = {0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a};

Result<Header> parse_header(Bytes in)
{
	const Error truncated = {kNoData, kTruncated, in.size()};
	size_t at = sizeof(magic);
	u32 flags;

	if (!in.has(0, sizeof(magic)))
		return truncated;
	if (__builtin_memcmp(in.data(), magic, sizeof(magic)) != 0)
		return Error{kInvalid, "invalid header"};
	// Version, library version, version needed, method, level, flags.
	if (!in.has(at, 2 + 2 + 2 + 1 + 1 + 4))
		return truncated;
	const bool with_level = load_be16(in, at) >= kVersionWithLevel;

	at += 2 + 2 + 2 + 1;
	if (with_level)
		at += 1;
	flags = load_be32(in, at);
	at += 4;
	if (flags & kFilter)
		at += 4;
	// Mode, the time's low half and, with a level, its high half.
	at += 4 + 4 + (with_level ? 4 : 0);
	if (!in.has(at, 1))
		return truncated;
	// The name and the header's checksum.
	at += 1 + in[at] + 4;
	if (at > in.size())
		return truncated;
	if (flags & kExtraField) {
		if (!in.has(at, 4))
			return truncated;
		const size_t length = load_be32(in, at);

		at += 4;
		if (!in.has(at, length) || !in.has(at + length, 4))
			return truncated;
		at += length + 4;
	}
	return Header{at, flags};
}

size_t count(u32 flags, u32 a, u32 b)
{
	return !!(flags & a) + !!(flags & b);
}

} // namespace

Result<size_t> decode_lzo(Bytes in, Sink &out)
{
	const Header header = TRY(parse_header(in));
	const size_t plain_sums = 4 * count(header.flags, kPlainAdler32, kPlainCrc32);
	const size_t packed_sums = 4 * count(header.flags, kPackedAdler32, kPackedCrc32);
	size_t at = header.length;

	for (;;) {
		if (!in.has(at, 4))
			return Error{kNoData, kTruncated, in.size()};
		const size_t plain = load_be32(in, at);

		if (plain == 0)
			return at + 4;
		if (!in.has(at, 8))
			return Error{kNoData, kTruncated, in.size()};
		const size_t packed = load_be32(in, at + 4);

		if (plain > kBlockSize || packed == 0 || packed > plain)
			return Error{kInvalid, "LZO-compressed data is corrupt", at};
		// A stored block has no checksum of its packed form.
		const size_t body = 8 + plain_sums + (packed < plain ? packed_sums : 0);

		if (!in.has(at, body) || !in.has(at + body, packed))
			return Error{kNoData, kTruncated, in.size()};

		MutableBytes room = TRY(out.lend(plain));
		const Bytes block(in.data() + at + body, packed);

		if (packed == plain)
			copy(room, block);
		else if (seam_lzo_block(block.data(), packed, room.data(), plain) !=
			 static_cast<s64>(plain))
			return Error{kInvalid, "LZO-compressed data is corrupt", at};
		TRY(out.commit(plain));
		at += body + packed;
		out.consumed(at);
	}
}

} // namespace initrd
