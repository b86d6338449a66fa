// SPDX-License-Identifier: GPL-2.0
// One .xz stream. The kernel's library checks CRC-32; it lacks CRC-64 and SHA-256.
// Where all that is around the blocks' contents is right, the blocks are given to
// it as if they had no check, and their CRC-32 or CRC-64 is taken here, the former
// faster than by the library. Padding that another stream follows is taken, too.

#include "initrd/formats/crc32.h"
#include "initrd/formats/crc64.h"
#include "initrd/formats/parallel.h"
#include "initrd/formats/window.h"
#include "initrd/seam/cpus.h"
#include "initrd/support/owned.h"

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
constexpr u8 kCheckCrc64 = 4;

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

// What the header of a block says of its filters.
struct Filters {
	u64 dictionary = 0; // that LZMA2 wants, in bytes; 0 where it does not say so
	// Why they cannot be undone, and the offset of the one that it is about; null: they can.
	const char *refused = nullptr;
	size_t refused_at = 0;
};

constexpr u64 kLzma2 = 0x21;

// Filters by their numbers, from 3 on, where the kernel lacks them.
constexpr u64 kFirstFilter = 3;
constexpr const char *kLacking[] = {
	"xz filter delta, which no kernel has: compress without --delta",
	"xz filter x86, and this kernel has no CONFIG_XZ_DEC_X86: compress without --x86",
	"xz filter powerpc, and this kernel has no CONFIG_XZ_DEC_POWERPC: compress without --powerpc",
	"xz filter ia64, and this kernel has no CONFIG_XZ_DEC_IA64: compress without --ia64",
	"xz filter arm, and this kernel has no CONFIG_XZ_DEC_ARM: compress without --arm",
	"xz filter armthumb, and this kernel has no CONFIG_XZ_DEC_ARMTHUMB: compress without --armthumb",
	"xz filter sparc, and this kernel has no CONFIG_XZ_DEC_SPARC: compress without --sparc",
	"xz filter arm64, and this kernel has no CONFIG_XZ_DEC_ARM64: compress without --arm64",
	"xz filter riscv, and this kernel has no CONFIG_XZ_DEC_RISCV: compress without --riscv",
};

// What keeps the kernel from undoing the filter `id`, which is in front of LZMA2, behind
// `before` others; or null.
const char *refusal(u64 id, u64 properties, u32 before)
{
	constexpr u64 kFilters = sizeof(kLacking) / sizeof(kLacking[0]);

	if (id < kFirstFilter || id - kFirstFilter >= kFilters)
		return "unknown xz filter: compress with --lzma2 alone";
	if (!seam_xz_has_filter(static_cast<u32>(id)))
		return kLacking[id - kFirstFilter];
	if (properties)
		return "xz filter that does not start at 0, which no kernel has: compress without start=";
	return before ? "several xz filters, and kernels have one and --lzma2" : nullptr;
}

// Whether what the `header` of a block ends with is its CRC-32.
bool header_is_right(Bytes header)
{
	const size_t size = header.size() - kCrc;

	return load_le32(header, size) == seam_crc32(0, header.data(), size);
}

// The filters of the block at offset `at`. Sizes, which are optional, are in front of them.
Filters filters_of(Bytes in, size_t at)
{
	constexpr u8 kFilters = 0x03;
	constexpr u8 kHasSize = 0x40;
	constexpr u8 kHasPlainSize = 0x80;
	constexpr u8 kMostBits = 40;
	Filters filters;

	if (!in.has(at, 2) || !in[at] || !in.has(at, (size_t{in[at]} + 1) * kUnit))
		return filters;
	const Bytes header = in.skip(at).first((size_t{in[at]} + 1) * kUnit);
	const u32 last = header[1] & kFilters;
	size_t next = 2;
	u64 id;
	u64 size;

	if ((header[1] & kHasSize) && !load_number(header, next, size))
		return filters;
	if ((header[1] & kHasPlainSize) && !load_number(header, next, size))
		return filters;
	for (u32 i = 0; i <= last; i++) {
		const size_t start = next;

		if (!load_number(header, next, id) || !load_number(header, next, size) ||
		    size > header.size() || !header.has(next, static_cast<size_t>(size)))
			return filters;
		if (id == kLzma2 && size == 1) {
			const u8 bits = header[next];

			filters.dictionary = bits >= kMostBits ?
						     ~0u :
						     (u64{2} | (bits & 1)) << (bits / 2 + 11);
		}
		if (i < last && !filters.refused && header_is_right(header)) {
			filters.refused = refusal(id, size, i);
			filters.refused_at = at + start;
		}
		next += static_cast<size_t>(size);
	}
	return filters;
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

// The check of a block's contents.
class Check {
public:
	static Result<Check> create(u8 kind) { return Check(kind, TRY(Crc32::create())); }
	INLINE Check(Check &&other) noexcept
		: kind_(other.kind_), crc32_(move(other.crc32_)), crc64_(other.crc64_)
	{
	}
	INLINE ~Check() {}

	/* How many bytes it has in a stream, behind each block. */
	INLINE static size_t size(u8 kind)
	{
		return kind == kCheckNone ? 0 : kind == kCheckCrc32 ? sizeof(u32) : sizeof(u64);
	}

	void restart()
	{
		crc32_.restart();
		crc64_ = 0;
	}
	void add(Bytes made)
	{
		if (kind_ == kCheckCrc64)
			crc64_ = crc64(crc64_, made);
		else
			crc32_.add(made);
	}
	/* How many bytes of `stored` are right, up to the first that is not. */
	size_t right_bytes(Bytes stored)
	{
		const u64 value = kind_ == kCheckCrc64 ? crc64_ : crc32_.value();
		size_t right = 0;

		while (right < stored.size() &&
		       stored[right] == static_cast<u8>(value >> 8 * right))
			right++;
		return right;
	}

private:
	INLINE Check(u8 kind, Crc32 crc32) : kind_(kind), crc32_(move(crc32)) {}

	u8 kind_;
	Crc32 crc32_;
	u64 crc64_ = 0;
};

class XzFraming final : public Framing {
public:
	// `in` begins with a stream's header, of at least kHeader bytes.
	INLINE explicit XzFraming(Bytes in)
	{
		copy(header_, in);
		kind_ = header_[kCheckAt] & 0x0f;
		check_ = Check::size(kind_);
		copy(unchecked_, in);
		unchecked_[kCheckAt] = kCheckNone;
		store_le32(unchecked_ + kFlagsAt + 2, flags_crc(unchecked_));
		filters_ = all_filters(in);
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
		auto check = Check::create(kind_);

		if (!codec || !check)
			return;
		while (Work *work = list.take()) {
			const Bytes packed = without_check(work->in);
			seam_codec_io io = {packed.data(), packed.size(), work->out.data(),
					    work->out.size()};

			if (!begin(codec.get()) ||
			    seam_xz_step(codec.get(), &io) != SEAM_CODEC_MORE || io.in_left ||
			    io.out_left)
				continue;
			check.value().restart();
			check.value().add(work->out);
			if (check.value().right_bytes(check_of(work->in)) == check_)
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

	INLINE Bytes check_of(Bytes in) const { return in.skip(in.size() - check_); }
	INLINE u8 kind() const { return kind_; }
	/* Of all blocks: the largest dictionary, and the first that is refused. */
	INLINE const Filters &filters() const { return filters_; }

	/*
	 * The length of a stream, if all that is around the blocks' contents is right.
	 * An error's offset is that of what is not.
	 */
	Result<size_t> stream_length(Bytes in) const
	{
		size_t index = kHeader;
		size_t count = 0;
		Block block;

		if (!flags_are_right())
			return corrupt(kFlagsAt);
		for (; find(in, index, block); count++)
			index = block.end;
		size_t at = TRY(walk_index(in, index, count));

		while ((at - index) % kUnit && in.has(at, 1))
			if (in[at++])
				return corrupt(at - 1);
		if (!in.has(at, kCrc + kFooter))
			return truncated(in);
		if (load_le32(in, at) != seam_crc32(0, in.data() + index, at - index))
			return corrupt(at);
		at += kCrc;
		if (!footer_is_right(in.skip(at), at - index))
			return corrupt(at);
		return at + kFooter;
	}

	INLINE static Error corrupt(size_t at) { return {kInvalid, kReasons.corrupt, at}; }
	INLINE static Error truncated(Bytes in) { return {kNoData, kReasons.truncated, in.size()}; }

private:
	/* With those of the block that find() knows no more of. */
	Filters all_filters(Bytes in) const
	{
		size_t at = kHeader;
		Filters all;
		Block block;

		for (;; at = block.end) {
			const Filters filters = filters_of(in, at);

			all.dictionary = max(all.dictionary, filters.dictionary);
			if (!all.refused) {
				all.refused = filters.refused;
				all.refused_at = filters.refused_at;
			}
			if (!find(in, at, block))
				return all;
		}
	}

	/*
	 * The index at offset `index` has to list the blocks that there are, `count` of
	 * them. Returns the offset behind the list.
	 */
	Result<size_t> walk_index(Bytes in, size_t index, size_t count) const
	{
		size_t at = index + 1;
		size_t blocks = kHeader;
		Block block;

		if (!in.has(index, 1))
			return truncated(in);
		if (in[index])
			return corrupt(index);
		TRY(expect_number(in, at, count));
		for (; count; count--) {
			if (!find(in, blocks, block))
				return corrupt(blocks);
			TRY(expect_number(in, at, unpadded_size(in, blocks)));
			TRY(expect_number(in, at, block.size));
			blocks = block.end;
		}
		return at;
	}

	/* The number at offset `at`, which moves behind it, has to be this one. */
	static Result<void> expect_number(Bytes in, size_t &at, u64 wanted)
	{
		const size_t start = at;
		u64 value;

		if (load_number(in, at, value) && value == wanted)
			return {};
		return in.has(at, 1) ? corrupt(start) : truncated(in);
	}

	static u32 flags_crc(const u8 *header) { return seam_crc32(0, header + kFlagsAt, 2); }

	bool flags_are_right() const
	{
		return !header_[kFlagsAt] && !(header_[kCheckAt] & 0xf0) &&
		       load_le32(header_, kFlagsAt + 2) == flags_crc(header_);
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
	u8 kind_;
	size_t check_; // its size
	Filters filters_;
};

// What decodes blocks one after the other. Its dictionary stays for the next one.
struct BlockDecoder {
	Codec codec;
	Check check;
};

Result<BlockDecoder> make_block_decoder(const XzFraming &framing, size_t at)
{
	Codec codec(seam_xz_new());
	auto check = Check::create(framing.kind());

	if (!codec || !check)
		return Error{kNoMemory, kNoMemoryReason, at};
	return BlockDecoder{move(codec), move(check.value())};
}

// One block of a stream, from offset `at` to the end of `in`.
Result<void> decode_block(BlockDecoder &decoder, const XzFraming &framing, Bytes in, size_t at,
			  Sink &out)
{
	if (!framing.begin(decoder.codec.get()))
		return Error{kNoMemory, kNoMemoryReason, at};
	decoder.check.restart();
	const Bytes packed = framing.without_check(in);

	TRY(run_stream(
		packed, at, out, kReasons,
		[&](seam_codec_io &io) {
			const seam_codec_status status = seam_xz_step(decoder.codec.get(), &io);

			// With room left, there is nothing more to come.
			return status == SEAM_CODEC_MORE && !io.in_left && io.out_left ?
				       SEAM_CODEC_END :
				       status;
		},
		[&](Bytes made) { decoder.check.add(made); }));
	const size_t right = decoder.check.right_bytes(framing.check_of(in));

	if (packed.size() + right != in.size())
		return Error{kInvalid, kReasons.corrupt, packed.size() + right + 1};
	return {};
}

// All blocks of a stream that are whole; returns the offset behind them. Every
// processor needs a dictionary.
Result<size_t> decode_blocks(const XzFraming &framing, Bytes in, Sink &out)
{
	// (A dictionary has less than 2^32 bytes; and 32 bits have no division of 64.)
	const bool several = framing.filters().dictionary * 4 * seam_cpus() <=
			     seam_memory_available();
	BlockDecoder decoder = TRY(make_block_decoder(framing, kHeader));
	Ahead ahead(framing, in, out);
	size_t at = kHeader;
	Block block;

	for (;;) {
		if (several)
			at = TRY(ahead.run(at));
		if (!framing.find(in, at, block))
			return at;
		TRY(decode_block(decoder, framing, in.first(block.end), at, out));
		at = block.end;
		out.consumed(at);
	}
}

// A stream that `error` was found in, whose check the library does not know: what can
// be had of it, and that error, or another that is found before.
Result<size_t> decode_damaged(const XzFraming &framing, Bytes in, Error error, Sink &out)
{
	const size_t at = TRY(decode_blocks(framing, in, out));
	Codec codec(seam_xz_new());

	// A zero is where the index begins, in which it is then.
	if (!in.has(at, 1) || !in[at])
		return error;
	if (!codec || !framing.begin(codec.get()))
		return Error{kNoMemory, kNoMemoryReason, at};
	TRY(run_stream(
		in, at, out, kReasons,
		[&](seam_codec_io &io) { return seam_xz_step(codec.get(), &io); }, [](Bytes) {}));
	return error;
}

constexpr char kMagic[] = "\xfd\x37zXZ";

// One stream, without what follows it.
Result<size_t> decode_stream(Bytes in, Sink &out)
{
	if (in.has(kCheckAt, 1)) {
		const u8 check = in[kCheckAt] & 0x0f;

		if (check != kCheckNone && check != kCheckCrc32 && check != kCheckCrc64)
			return Error{kInvalid,
				     "xz check is not supported: compress with xz --check=crc32",
				     kCheckAt};
	}
	if (in.has(0, kHeader)) {
		const XzFraming framing(in);

		if (framing.filters().refused)
			return Error{kInvalid, framing.filters().refused,
				     framing.filters().refused_at};
		TRY(expect_window(framing.filters().dictionary,
				  "out of memory for the dictionary of xz data", kHeader));
		auto length = framing.stream_length(in);

		if (length) {
			TRY(decode_blocks(framing, in, out));
			return length;
		}
		if (framing.kind() == kCheckCrc64)
			return decode_damaged(framing, in, length.error(), out);
	}

	Codec codec(seam_xz_new());

	if (!codec)
		return Error{kNoMemory, kNoMemoryReason};
	return run_stream(
		in, 0, out, kReasons,
		[&](seam_codec_io &io) { return seam_xz_step(codec.get(), &io); }, [](Bytes) {});
}

// Padding between two streams: NULs, in fours.
size_t stream_padding(Bytes in)
{
	const size_t zeros = leading_zeros(in);

	return zeros % kUnit == 0 && holds(in, zeros, kMagic) ? zeros : 0;
}

} // namespace

Result<size_t> decode_xz(Bytes in, Sink &out)
{
	if (!holds(in, 0, kMagic))
		return Error{kInvalid, "Input is not in the XZ format (wrong magic bytes)"};
	const size_t end = TRY(decode_stream(in, out));

	return end + stream_padding(in.skip(end));
}

} // namespace initrd
