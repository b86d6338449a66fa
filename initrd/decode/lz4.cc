// SPDX-License-Identifier: GPL-2.0
// LZ4 in its legacy frame (`lz4 -l`): a magic number, then blocks of 8 MiB with
// their compressed size in front, until a size of 0 or the end of the input.

#include "initrd/decode/decoder.h"

namespace initrd {
namespace {

constexpr u32 kLegacyMagic = 0x184c2102;
constexpr size_t kBlockSize = 8 << 20;

} // namespace

Result<size_t> decode_lz4(Bytes in, Sink &out)
{
	size_t at = 4;

	if (!in.has(0, 4) || load_le32(in, 0) != kLegacyMagic)
		return Error{kInvalid, "invalid header"};
	while (in.has(at, 4)) {
		const u32 size = load_le32(in, at);

		if (size == 0)
			break;
		// `cat a.lz4 b.lz4`: another magic number where a size could be.
		if (size == kLegacyMagic) {
			at += 4;
			continue;
		}
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
