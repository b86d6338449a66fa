// SPDX-License-Identifier: GPL-2.0
// One .xz stream. The kernel's library checks CRC-32; it lacks CRC-64 and SHA-256.
// Where all that is around the blocks' contents is right, the blocks are given to
// it as if they had no check, and their CRC-32 is taken faster here.

#include "initrd/decode/crc32.h"
#include "initrd/decode/parallel.h"

namespace initrd {
namespace {

using Codec = Owned<seam_xz, seam_xz_free>;

// The stream's header: magic number, flags, their CRC-32.
constexpr size_t kHeader = 12;
constexpr size_t kFlagsAt = 6;
// The kind of integrity check, in the low half of byte 7.
constexpr size_t kCheckAt = 7;
constexpr u8 kCheckNone = 0;
constexpr u8 kCheckCrc32 = 1;

constexpr size_t kFooter = 12;
constexpr size_t kCrc = 4;
constexpr size_t kUnit = 4;

constexpr StreamReasons kReasons = {"XZ-compressed data is corrupt (data or checksum)",
				    "truncated xz data"};
constexpr const char *kNoMemoryReason = "XZ decompressor ran out of memory";

// A number of seven bits in a byte, low ones first; moves `at` behind it. False
// where it is cut off or too long.
bool load_number(Bytes in, size_t &at, u64 &value)
{
	value = 0;
	for (u32 shift = 0; shift < 63 && in.has(at, 1); shift += 7) {
		const u8 byte = in[at++];

		value |= u64{byte & 0x7fu} << shift;
		if (!(byte & 0x80))
			return byte || !shift;
	}
	return false;
}

// What lies behind the header of a block: chunks of LZMA2, with both sizes in
// front of each, up to a zero.
struct Chunks {
	size_t end; // offset behind the zero
	size_t plain;
};

bool walk_chunks(Bytes in, size_t at, Chunks &chunks)
{
	chunks.plain = 0;
	while (in.has(at, 1) && in[at]) {
		const u8 control = in[at];
		const bool packed = control & 0x80;
		const size_t header = !packed ? 3 : control < 0xc0 ? 5 : 6;

		if ((!packed && control > 2) || !in.has(at, header))
			return false;
		size_t plain = size_t{load_be16(in, at + 1)} + 1;

		if (packed)
			plain += static_cast<size_t>(control & 0x1f) << 16;
		const size_t size = packed ? size_t{load_be16(in, at + 3)} + 1 : plain;

		if (!in.has(at + header, size) || !checked_add(chunks.plain, plain, chunks.plain))
			return false;
		at += header + size;
	}
	chunks.end = at + 1;
	return in.has(at, 1);
}

class XzFraming final : public Framing {
public:
	// `in` begins with a stream's header, of at least kHeader bytes.
	INLINE explicit XzFraming(Bytes in)
	{
		copy(header_, in);
		check_ = header_[kCheckAt] & 0x0f ? kCrc : 0;
		copy(unchecked_, in);
		unchecked_[kCheckAt] = kCheckNone;
		store_le32(unchecked_ + kFlagsAt + 2, flags_crc(unchecked_));
	}
	INLINE ~XzFraming() {}

	bool find(Bytes in, size_t at, Block &block) const override
	{
		Chunks chunks = {};

		// A zero is where the index begins.
		if (!in.has(at, 1) || !in[at])
			return false;
		const size_t header = (size_t{in[at]} + 1) * kUnit;

		if (!in.has(at, header) || !walk_chunks(in, at + header, chunks))
			return false;
		const size_t size = round_up(chunks.end - at, kUnit) + check_;

		if (!in.has(at, size))
			return false;
		block.in = in.skip(at).first(size);
		block.end = at + size;
		block.size = chunks.plain;
		return true;
	}

	void work(WorkList &list) const override
	{
		Codec codec(seam_xz_new());
		auto crc = Crc32::create();

		if (!codec || !crc)
			return;
		while (Work *work = list.take()) {
			const Bytes packed = without_check(work->in);
			seam_codec_io io = {packed.data(), packed.size(), work->out.data(),
					    work->out.size()};

			if (!begin(codec.get()) ||
			    seam_xz_step(codec.get(), &io) != SEAM_CODEC_MORE || io.in_left ||
			    io.out_left)
				continue;
			crc.value().restart();
			crc.value().add(work->out);
			if (right_check_bytes(work->in, crc.value().value()) == check_)
				work->made = static_cast<s64>(work->out.size());
		}
	}

	// Lets a codec read the header, so that any block may follow, without its check.
	bool begin(seam_xz *codec) const
	{
		u8 nothing;
		seam_codec_io io = {unchecked_, kHeader, &nothing, 0};

		seam_xz_reset(codec);
		return seam_xz_step(codec, &io) == SEAM_CODEC_MORE && !io.in_left;
	}

	// A block, or what ends with one, up to its check.
	INLINE Bytes without_check(Bytes in) const { return in.first(in.size() - check_); }

	// How many bytes of the check at the end of `in` are those of `crc`, up to the
	// first that is not.
	size_t right_check_bytes(Bytes in, u32 crc) const
	{
		const Bytes check = in.skip(in.size() - check_);
		size_t right = 0;

		while (right < check_ && check[right] == static_cast<u8>(crc >> 8 * right))
			right++;
		return right;
	}
	INLINE size_t check_size() const { return check_; }

	/*
	 * The length of a stream of a block or more, if all that is around the blocks'
	 * contents is right; else 0.
	 */
	size_t stream_length(Bytes in) const
	{
		size_t blocks = kHeader;
		size_t index = kHeader;
		size_t count = 0;
		Block block;

		for (; find(in, index, block); count++)
			index = block.end;
		size_t at = index + 1;
		u64 value;

		if (!count || !flags_are_right() || !in.has(index, 1) || in[index] ||
		    !load_number(in, at, value) || value != count)
			return 0;
		for (; count; count--) {
			u64 unpadded;
			u64 plain;

			if (!load_number(in, at, unpadded) || !load_number(in, at, plain) ||
			    !find(in, blocks, block) || plain != block.size ||
			    unpadded != unpadded_size(in, blocks))
				return 0;
			blocks = block.end;
		}
		for (; (at - index) % kUnit; at++)
			if (!in.has(at, 1) || in[at])
				return 0;
		if (!in.has(at, kCrc + kFooter) ||
		    load_le32(in, at) != seam_crc32(0, in.data() + index, at - index))
			return 0;
		at += kCrc;
		return footer_is_right(in.skip(at), at - index) ? at + kFooter : 0;
	}

private:
	static u32 flags_crc(const u8 *header) { return seam_crc32(0, header + kFlagsAt, 2); }

	bool flags_are_right() const
	{
		return !header_[kFlagsAt] && load_le32(header_, kFlagsAt + 2) == flags_crc(header_);
	}

	size_t unpadded_size(Bytes in, size_t at) const
	{
		Chunks chunks = {};

		walk_chunks(in, at + (size_t{in[at]} + 1) * kUnit, chunks);
		return chunks.end - at + check_;
	}

	// Its CRC-32, the index's size, the flags again, a magic number.
	bool footer_is_right(Bytes footer, size_t index_size) const
	{
		return load_le32(footer, 0) == seam_crc32(0, footer.data() + kCrc, 6) &&
		       (u64{load_le32(footer, 4)} + 1) * kUnit == index_size &&
		       footer[8] == header_[kFlagsAt] && footer[9] == header_[kCheckAt] &&
		       holds(footer, 10, "YZ");
	}

	u8 header_[kHeader];
	u8 unchecked_[kHeader]; // the same for blocks without a check
	size_t check_;
};

// One block of a stream, from offset `at` to the end of `in`.
Result<void> decode_block(const XzFraming &framing, Bytes in, size_t at, Sink &out)
{
	Codec codec(seam_xz_new());
	auto crc = Crc32::create();

	if (!codec || !crc || !framing.begin(codec.get()))
		return Error{kNoMemory, kNoMemoryReason, at};
	const Bytes packed = framing.without_check(in);

	TRY(run_stream(
		packed, at, out, kReasons,
		[&](seam_codec_io &io) {
			const seam_codec_status status = seam_xz_step(codec.get(), &io);

			// With room left, there is nothing more to come.
			return status == SEAM_CODEC_MORE && !io.in_left && io.out_left ?
				       SEAM_CODEC_END :
				       status;
		},
		[&](Bytes made) { crc.value().add(made); }));
	const size_t right = framing.right_check_bytes(in, crc.value().value());

	if (right != framing.check_size())
		return Error{kInvalid, kReasons.corrupt, packed.size() + right + 1};
	return {};
}

Result<size_t> decode_blocks(const XzFraming &framing, Bytes in, size_t length, Sink &out)
{
	Ahead ahead(framing, in, out);
	size_t at = kHeader;
	Block block;

	for (;;) {
		at = TRY(ahead.run(at));
		if (!framing.find(in, at, block))
			return length;
		TRY(decode_block(framing, in.first(block.end), at, out));
		at = block.end;
		out.consumed(at);
	}
}

} // namespace

Result<size_t> decode_xz(Bytes in, Sink &out)
{
	if (!holds(in, 0, "\xfd\x37zXZ"))
		return Error{kInvalid, "Input is not in the XZ format (wrong magic bytes)"};
	if (in.has(kCheckAt, 1)) {
		const u8 check = in[kCheckAt] & 0x0f;

		if (check != kCheckNone && check != kCheckCrc32)
			return Error{kInvalid,
				     "xz check is not supported: compress with xz --check=crc32",
				     kCheckAt};
	}
	if (in.has(0, kHeader)) {
		const XzFraming framing(in);

		if (const size_t length = framing.stream_length(in))
			return decode_blocks(framing, in, length, out);
	}

	Codec codec(seam_xz_new());

	if (!codec)
		return Error{kNoMemory, kNoMemoryReason};
	return run_stream(
		in, 0, out, kReasons,
		[&](seam_codec_io &io) { return seam_xz_step(codec.get(), &io); }, [](Bytes) {});
}

} // namespace initrd
