// SPDX-License-Identifier: GPL-2.0
// LZO1X as lzop writes it: a header, then blocks of at most 256 KiB, each with
// both its sizes and the checksums that the header's flags announce. Where the header
// names a filter (--filter=N), a block holds differences: each byte less the one that
// is N before it.

#include "initrd/formats/parallel.h"

namespace initrd {
namespace {

constexpr size_t kBlockSize = size_t{256} << 10;
constexpr u16 kVersionWithLevel = 0x0940;
constexpr const char *kTruncated = "truncated lzo data";
// The farthest that a filter looks back.
constexpr u32 kFarthest = 16;
constexpr const char *kCorrupt = "LZO-compressed data is corrupt";

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
	u32 filter; // how far back it looks; 0: there is none
};

constexpr u8 magic[] = {0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a};

Result<Header> parse_header(Bytes in)
{
	const Error truncated = {kNoData, kTruncated, in.size()};
	size_t at = sizeof(magic);
	u32 flags;
	u32 filter = 0;

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
	if (flags & kFilter) {
		if (!in.has(at, 4))
			return truncated;
		filter = load_be32(in, at);
		if (filter > kFarthest)
			return Error{kInvalid,
				     "unknown filter of lzo data: compress without --filter", at};
		at += 4;
	}
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
	return Header{at, flags, filter};
}

size_t count(u32 flags, u32 a, u32 b)
{
	return !!(flags & a) + !!(flags & b);
}

// Where the parts of a block are.
struct Parts {
	size_t plain;	  // its size; 0: the end mark
	size_t packed;	  // its size
	size_t packed_at; // offset in the input
};

class LzoFraming final : public Framing {
public:
	INLINE explicit LzoFraming(const Header &header)
		: plain_sums_(4 * count(header.flags, kPlainAdler32, kPlainCrc32)),
		  packed_sums_(4 * count(header.flags, kPackedAdler32, kPackedCrc32)),
		  filter_(header.filter)
	{
	}
	INLINE ~LzoFraming() {}

	// The parts of the block at `at`, or what is wrong with them.
	Result<Parts> parts(Bytes in, size_t at) const
	{
		if (!in.has(at, 4))
			return Error{kNoData, kTruncated, in.size()};
		const size_t plain = load_be32(in, at);

		if (plain == 0)
			return Parts{0, 0, at + 4};
		if (!in.has(at, 8))
			return Error{kNoData, kTruncated, in.size()};
		const size_t packed = load_be32(in, at + 4);

		if (plain > kBlockSize || packed == 0 || packed > plain)
			return Error{kInvalid, kCorrupt, at};
		// A stored block has no checksum of its packed form.
		const size_t body = 8 + plain_sums_ + (packed < plain ? packed_sums_ : 0);

		if (!in.has(at, body) || !in.has(at + body, packed))
			return Error{kNoData, kTruncated, in.size()};
		return Parts{plain, packed, at + body};
	}

	bool find(Bytes in, size_t at, Block &block) const override
	{
		auto found = parts(in, at);

		if (!found || !found.value().plain)
			return false;
		const Parts &parts = found.value();

		block.in = in.skip(parts.packed_at).first(parts.packed);
		block.end = parts.packed_at + parts.packed;
		block.size = parts.plain;
		return true;
	}

	void work(WorkList &list) const override
	{
		while (Work *work = list.take())
			if (unpack(work->in, work->out))
				work->made = static_cast<s64>(work->out.size());
	}

	bool unpack(Bytes packed, MutableBytes plain) const
	{
		if (packed.size() == plain.size())
			copy(plain, packed);
		else if (seam_lzo_block(packed.data(), packed.size(), plain.data(), plain.size()) !=
			 static_cast<s64>(plain.size()))
			return false;
		for (size_t i = filter_; filter_ && i < plain.size(); i++)
			plain.data()[i] += plain.data()[i - filter_];
		return true;
	}

private:
	size_t plain_sums_;
	size_t packed_sums_;
	u32 filter_;
};

} // namespace

Result<size_t> decode_lzo(Bytes in, Sink &out)
{
	const Header header = TRY(parse_header(in));
	const LzoFraming framing(header);
	Ahead ahead(framing, in, out);
	size_t at = header.length;

	for (;;) {
		at = TRY(ahead.run(at));
		const Parts parts = TRY(framing.parts(in, at));

		if (!parts.plain)
			return parts.packed_at;
		const MutableBytes room = TRY(out.lend(parts.plain)).first(parts.plain);

		if (!framing.unpack(in.skip(parts.packed_at).first(parts.packed), room))
			return Error{kInvalid, kCorrupt, at};
		TRY(out.commit(parts.plain));
		at = parts.packed_at + parts.packed;
		out.consumed(at);
	}
}

} // namespace initrd
