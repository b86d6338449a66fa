// SPDX-License-Identifier: GPL-2.0
// LZ4 in its legacy frame (`lz4 -l`): a magic number, then blocks of 8 MiB with
// their compressed size in front. The newer frames are in lz4_frame.cc.
//
// There is no end mark, and something else may follow: another frame, an archive,
// padding, the size of the whole (some boot loaders want it there). A size of 0, or one
// that no block has, ends a frame. So does, behind a block that makes less than 8 MiB,
// whatever is not one more block: only the last block should make less, but `lz4 -d`
// and the kernel take more of them, and so does this. Behind a whole block what does
// not fit is cut off, and what cannot be decoded is corrupt.

#include "initrd/formats/lz4_frame.h"
#include "initrd/formats/parallel.h"

namespace initrd {
namespace {

constexpr const char *kCorrupt = "LZ4-compressed data is corrupt";

constexpr u32 kLegacyMagic = 0x184c2102;
constexpr size_t kBlockSize = 8 << 20;
// No byte of a block makes more than this many.
constexpr size_t kExpansion = 255;
// What 8 MiB are packed to at most: one byte more for each 255, and 16.
constexpr size_t kMostPacked = kBlockSize + kBlockSize / 255 + 16;

// `cat a.lz4 b.lz4`: another magic number where a size could be.
size_t skip_magics(Bytes in, size_t at)
{
	while (in.has(at, 4) && load_le32(in, at) == kLegacyMagic)
		at += 4;
	return at;
}

// How many bytes a block of `size` bytes makes at most.
size_t most_made(size_t size)
{
	return size < kBlockSize / kExpansion ? size * kExpansion : kBlockSize;
}

class Lz4Framing final : public Framing {
public:
	INLINE ~Lz4Framing() {}

	bool find(Bytes in, size_t at, Block &block) const override
	{
		at = skip_magics(in, at);
		if (!in.has(at, 4))
			return false;
		const size_t size = load_le32(in, at);

		if (size == 0 || size > kMostPacked || !in.has(at + 4, size))
			return false;
		block.in = in.skip(at + 4).first(size);
		block.end = at + 4 + size;
		block.size = most_made(size);
		return true;
	}

	void work(WorkList &list) const override
	{
		while (Work *work = list.take()) {
			const s64 made = seam_lz4_block(work->in.data(), work->in.size(),
							work->out.data(), work->out.size());

			// One that makes nothing is odd.
			work->made = made ? made : -1;
		}
	}
};

/*
 * Whether what lies behind a whole block, and would be one by its size, is something
 * else: a gzip member without a name or an .lzma file with a dictionary of 16 MiB,
 * whose magic numbers are such sizes; or the size of all that came out of one block.
 */
bool is_no_block(Bytes in, size_t at)
{
	return holds(in, at, "\x1f\x8b\x08\x00") || holds(in, at, "\x5d\x00\x00\x00") ||
	       (load_le32(in, at) == kBlockSize && in.size() == at + 4);
}

// Where a frame is.
enum class Before {
	kMagic,	     /* behind its magic number: a block has to follow, or nothing */
	kWholeBlock, /* another may follow, which has to be good */
	kLastBlock,  /* anything may follow */
};

INLINE Before behind(size_t made)
{
	return made < kBlockSize ? Before::kLastBlock : Before::kWholeBlock;
}

} // namespace

Result<size_t> decode_lz4(Bytes in, Sink &out)
{
	const Lz4Framing framing;
	Ahead ahead(framing, in, out);
	Before before = Before::kMagic;
	Block first;
	size_t at = 4;

	if (is_lz4_frame(in))
		return decode_lz4_frame(in, out);
	if (!in.has(0, 4) || load_le32(in, 0) != kLegacyMagic)
		return Error{kInvalid, "invalid header"};
	if (framing.find(in, 0, first))
		TRY(show_lz4_head(first.in, false, out));
	for (;;) {
		const size_t decoded = TRY(ahead.run(at));

		if (decoded != at)
			before = behind(ahead.last_made());
		at = skip_magics(in, decoded);
		if (at != decoded)
			before = Before::kMagic;
		if (!in.has(at, 4))
			break;
		const size_t size = load_le32(in, at);
		const bool may_end = before == Before::kLastBlock ||
				     (before == Before::kWholeBlock && is_no_block(in, at));

		if (size == 0)
			break;
		if (size > kMostPacked) {
			if (before != Before::kMagic || is_lz4_frame(in.skip(at)))
				break;
			return Error{kInvalid, kCorrupt, at};
		}
		if (!in.has(at + 4, size)) {
			if (may_end)
				break;
			return Error{kNoData, "truncated lz4 data", in.size()};
		}

		const MutableBytes room = TRY(out.lend(most_made(size))).first(kBlockSize);
		const s64 made = seam_lz4_block(in.data() + at + 4, size, room.data(), room.size());

		// (A block of nothing is written by nobody.)
		if (may_end && made <= 0)
			break;
		if (made < 0)
			return Error{kInvalid, kCorrupt, at};
		if (made)
			TRY(out.commit(static_cast<size_t>(made)));
		at += 4 + size;
		out.consumed(at);
		before = behind(static_cast<size_t>(made));
	}
	return at;
}

} // namespace initrd
