// SPDX-License-Identifier: GPL-2.0
// LZ4 in its legacy frame (`lz4 -l`): a magic number, then blocks of 8 MiB with
// their compressed size in front, until a size of 0 or the end of the input.
// The last block of a frame makes less; where frames follow each other that is
// one in the middle. The newer frames are in lz4_frame.cc.

#include "initrd/decode/lz4_frame.h"
#include "initrd/decode/parallel.h"

namespace initrd {
namespace {

constexpr u32 kLegacyMagic = 0x184c2102;
constexpr size_t kBlockSize = 8 << 20;
// No byte of a block makes more than this many.
constexpr size_t kExpansion = 255;

// `cat a.lz4 b.lz4`: another magic number where a size could be.
size_t skip_magics(Bytes in, size_t at)
{
	while (in.has(at, 4) && load_le32(in, at) == kLegacyMagic)
		at += 4;
	return at;
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

		if (size == 0 || !in.has(at + 4, size))
			return false;
		block.in = in.skip(at + 4).first(size);
		block.end = at + 4 + size;
		block.size = size < kBlockSize / kExpansion ? size * kExpansion : kBlockSize;
		return true;
	}

	void work(WorkList &list) const override
	{
		while (Work *work = list.take())
			work->made = seam_lz4_block(work->in.data(), work->in.size(),
						    work->out.data(), work->out.size());
	}
};

} // namespace

Result<size_t> decode_lz4(Bytes in, Sink &out)
{
	const Lz4Framing framing;
	Ahead ahead(framing, in, out);
	Block first;
	size_t at = 4;

	if (is_lz4_frame(in))
		return decode_lz4_frame(in, out);
	if (!in.has(0, 4) || load_le32(in, 0) != kLegacyMagic)
		return Error{kInvalid, "invalid header"};
	if (framing.find(in, 0, first))
		TRY(show_lz4_head(first.in, false, out));
	for (;;) {
		at = skip_magics(in, TRY(ahead.run(skip_magics(in, at))));
		if (!in.has(at, 4))
			break;
		const u32 size = load_le32(in, at);

		if (size == 0)
			break;
		if (!in.has(at + 4, size))
			return Error{kNoData, "truncated lz4 data", in.size()};

		MutableBytes room = TRY(out.lend(kBlockSize));
		const s64 made = seam_lz4_block(in.data() + at + 4, size, room.data(),
						min(room.size(), kBlockSize));

		if (made < 0)
			return Error{kInvalid, "LZ4-compressed data is corrupt", at};
		if (made)
			TRY(out.commit(static_cast<size_t>(made)));
		at += 4 + size;
		out.consumed(at);
	}
	return at;
}

} // namespace initrd
