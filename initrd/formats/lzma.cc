// SPDX-License-Identifier: GPL-2.0
// One .lzma file (LZMA_alone): a header, then what a range coder has made of literals
// and matches, up to the size in the header, or up to an end mark, or both. The format
// has no checksum, but the coder comes out at nought where the data is whole.
//
// The kernel's own unlzma() does not tell where the data ends: it leaves the last byte,
// or an end mark behind the size. What follows would be lost.

#include "initrd/formats/buffer.h"
#include "initrd/formats/decoder.h"
#include "initrd/formats/window.h"

namespace initrd {
namespace {

constexpr const char *kTruncated = "truncated lzma data";
constexpr const char *kCorrupt = "LZMA data is corrupt";

// Properties, dictionary's size, plain size: 1 + 4 + 8 bytes.
constexpr size_t kDictionaryAt = 1;
constexpr size_t kPlainSizeAt = 5;
constexpr size_t kHeader = kPlainSizeAt + 8;
constexpr u64 kPlainSizeUnknown = ~0ull;
constexpr u32 kSmallestDictionary = 4096;
// The range coder's first byte is a zero.
constexpr size_t kCoderHeader = 5;

struct Header {
	u32 literal_bits;    // lc: of the byte before, that a literal depends on
	u32 literal_at_mask; // lp, as a mask: of the position
	u32 at_mask;	     // pb, as a mask: of the position, for all else
	u32 dictionary;
	u64 plain_size;

	INLINE size_t literals() const { return size_t{literal_at_mask + 1} << literal_bits; }
};

Result<Header> parse_header(Bytes in)
{
	constexpr u32 kMostProperties = 9 * 5 * 5;

	if (!in.has(0, kHeader))
		return Error{kNoData, kTruncated, in.size()};
	const u32 properties = in[0];

	if (properties >= kMostProperties)
		return Error{kInvalid, "bad header"};
	return Header{properties % 9, (1u << properties / 9 % 5) - 1, (1u << properties / 45) - 1,
		      max(load_le32(in, kDictionaryAt), kSmallestDictionary),
		      load_le64(in, kPlainSizeAt)};
}

// How probable a bit is to be 0, of 2048.
using Chance = u16;
constexpr u32 kChanceBits = 11;
constexpr u32 kLearning = 5;

// Kinds of what came last: 0 to 6 end with a literal.
constexpr u32 kStates = 12;
constexpr u32 kFirstOfMatches = 7;
// What a position is told by, at most.
constexpr u32 kPositions = 16;

struct LengthChances {
	Chance is_not_low;
	Chance is_high;
	Chance low[kPositions][8];
	Chance middle[kPositions][8];
	Chance high[256];
};

constexpr u32 kSlotStates = 4;
constexpr u32 kSlots = 64;
constexpr u32 kLiteral = 0x300;

struct Chances {
	Chance is_match[kStates][kPositions];
	Chance is_again[kStates];
	Chance is_not_first[kStates];
	Chance is_not_second[kStates];
	Chance is_not_third[kStates];
	Chance is_long[kStates][kPositions];
	Chance slot[kSlotStates][kSlots];
	Chance middle_bits[115];
	Chance low_bits[16];
	LengthChances length;
	LengthChances again_length;
};

// Bits from bytes. Behind the end of its input it reads zeros, and knows it.
class Coder {
public:
	INLINE explicit Coder(Bytes in) : in_(in.data()), size_(in.size())
	{
		at_ = kHeader + kCoderHeader;
		code_ = load_be32(in, at_ - 4);
	}

	INLINE bool bit(Chance &chance)
	{
		normalize();
		const u32 bound = (range_ >> kChanceBits) * chance;

		if (code_ < bound) {
			range_ = bound;
			chance = static_cast<Chance>(chance +
						     (((1u << kChanceBits) - chance) >> kLearning));
			return false;
		}
		range_ -= bound;
		code_ -= bound;
		chance = static_cast<Chance>(chance - (chance >> kLearning));
		return true;
	}

	/* A number of `bits` bits, the highest one first. */
	INLINE u32 number(Chance *chances, u32 bits)
	{
		u32 value = 1;

		for (u32 i = 0; i < bits; i++)
			value = value << 1 | bit(chances[value]);
		return value - (1u << bits);
	}

	/* The same, the lowest one first. */
	INLINE u32 reversed(Chance *chances, u32 bits)
	{
		u32 node = 1;
		u32 value = 0;

		for (u32 i = 0; i < bits; i++) {
			const u32 next = bit(chances[node]);

			node = node << 1 | next;
			value |= next << i;
		}
		return value;
	}

	/* Bits that are as probable to be 0 as 1, the highest one first. */
	INLINE u32 even_bits(u32 bits)
	{
		u32 value = 0;

		while (bits--) {
			normalize();
			range_ >>= 1;
			const bool one = code_ >= range_;

			code_ -= one ? range_ : 0;
			value = value << 1 | one;
		}
		return value;
	}

	/* To be called behind the last bit, before ended() and at(). */
	INLINE void normalize()
	{
		if (range_ >= 1u << 24)
			return;
		range_ <<= 8;
		code_ <<= 8;
		if (at_ < size_)
			code_ |= in_[at_++];
		else
			cut_ = true;
	}

	/* Whether the encoder has ended here. */
	INLINE bool ended() const { return code_ == 0; }
	/* Whether there was no more input. */
	INLINE bool cut() const { return cut_; }
	/* The offset behind what has been read. */
	INLINE size_t at() const { return at_; }

private:
	const u8 *in_;
	size_t size_;
	size_t at_;
	u32 range_ = ~0u;
	u32 code_;
	bool cut_ = false;
};

// What is made, and what matches refer to: where the sink keeps it, or in a dictionary
// from which it is passed on.
class Output {
public:
	INLINE Output(Sink &out, Buffer dictionary) : out_(out), dictionary_(move(dictionary)) {}
	INLINE ~Output() {}

	/* Room behind `next`, up to end(). What came before it has been passed on. */
	Result<u8 *> begin_piece(u8 *next)
	{
		const size_t wanted = next ? kStreamRoom : kHeadRoom;

		if (dictionary_.size()) {
			u8 *const start = dictionary_.data();
			u8 *const behind = start + dictionary_.size();

			piece_ = next && next != behind ? next : start;
			end_ = piece_ + min(wanted, static_cast<size_t>(behind - piece_));
			return piece_;
		}
		const MutableBytes room = TRY(out_.lend(wanted));

		piece_ = room.data();
		end_ = piece_ + room.size();
		return piece_;
	}

	/* Passes on what has been made, up to `next`. */
	Result<void> end_piece(const u8 *next)
	{
		Bytes made(piece_, static_cast<size_t>(next - piece_));

		if (!dictionary_.size())
			return made.empty() ? Result<void>() : out_.commit(made.size());
		while (!made.empty()) {
			const size_t n = copy(TRY(out_.lend(made.size())), made);

			TRY(out_.commit(n));
			made = made.skip(n);
		}
		return {};
	}

	INLINE u8 *end() const { return end_; }
	/* The byte that lies `distance` bytes before `next`. */
	INLINE const u8 *before(const u8 *next, size_t distance) const
	{
		if (dictionary_.size() && static_cast<size_t>(next - dictionary_.data()) < distance)
			return next + (dictionary_.size() - distance);
		return next - distance;
	}
	/* How many bytes from `from` on lie side by side. */
	INLINE size_t side_by_side(const u8 *from) const
	{
		if (!dictionary_.size())
			return ~size_t{0};
		return static_cast<size_t>(dictionary_.data() + dictionary_.size() - from);
	}

private:
	Sink &out_;
	Buffer dictionary_; /* empty: the sink keeps the output */
	u8 *piece_ = nullptr;
	u8 *end_ = nullptr;
};

// What is known of what has come out, but for the bytes.
struct State {
	u32 kind = 0;  /* of what came last, below kStates */
	u32 first = 0; /* the distances of the last matches, less 1 */
	u32 second = 0;
	u32 third = 0;
	u32 fourth = 0;
	size_t left = 0; /* bytes that are still to be copied of a match */
};

class Lzma {
public:
	INLINE Lzma(Bytes in, Sink &out, const Header &header, Buffer dictionary, Buffer chances)
		: in_(in),
		  sink_(out),
		  header_(header),
		  output_(out, move(dictionary)),
		  memory_(move(chances))
	{
	}
	INLINE ~Lzma() {}

	/* Bytes of the chances for a header. */
	INLINE static size_t memory(const Header &header)
	{
		return sizeof(Chances) + header.literals() * kLiteral * sizeof(Chance);
	}

	Result<size_t> decode()
	{
		Coder coder(in_);
		u8 *next = nullptr;
		Status status = Status::kFull;

		reset_chances();
		if (in_[kHeader])
			return Error{kInvalid, kCorrupt, kHeader};
		while (status == Status::kFull) {
			next = TRY(output_.begin_piece(next));
			const u8 *const start = next;

			status = decode_piece(coder, next);
			made_ += static_cast<size_t>(next - start);
			TRY(output_.end_piece(next));
			if (coder.cut())
				return truncated();
			sink_.consumed(coder.at());
		}
		if (status == Status::kCorrupt)
			return Error{kInvalid, kCorrupt, coder.at()};
		return finish(coder, status);
	}

private:
	enum class Status : u8 {
		kFull, /* the piece is */
		kWhole,
		kMarked, /* an end mark has come */
		kCorrupt,
	};

	static constexpr u32 kMark = ~0u;

	INLINE Error truncated() const
	{
		return {kNoData, kTruncated, in_.size(),
			header_.plain_size == kPlainSizeUnknown ? 0 : header_.plain_size};
	}

	INLINE Chances &chances() const
	{
		// SAFETY: memory of that size, aligned for any type; only numbers are in it.
		return *reinterpret_cast<Chances *>(memory_.data());
	}
	INLINE Chance *literals() const
	{
		// SAFETY: the numbers that follow, memory() bytes in all.
		return reinterpret_cast<Chance *>(memory_.data() + sizeof(Chances));
	}

	void reset_chances()
	{
		// SAFETY: all of the memory is numbers of this type.
		Chance *const all = reinterpret_cast<Chance *>(memory_.data());

		for (size_t i = 0; i < memory_.size() / sizeof(Chance); i++)
			all[i] = 1u << (kChanceBits - 1);
	}

	Result<size_t> finish(Coder &coder, Status status)
	{
		coder.normalize();
		// Behind the size there may be an end mark all the same.
		const bool good = coder.ended() ||
				  (status == Status::kWhole && ends_with_mark(coder));

		if (coder.cut())
			return truncated();
		if (!good)
			return Error{kInvalid, kCorrupt, coder.at()};
		if (header_.plain_size != kPlainSizeUnknown && made_ != header_.plain_size)
			return Error{kInvalid, "lzma data holds less than its header says",
				     coder.at(), header_.plain_size, made_};
		sink_.consumed(coder.at());
		return coder.at();
	}

	/* The end mark is a match with a distance that cannot be. */
	bool ends_with_mark(Coder &coder)
	{
		const u32 at = static_cast<u32>(made_) & header_.at_mask;
		Chances &all = chances();

		if (!coder.bit(all.is_match[state_.kind][at]) ||
		    coder.bit(all.is_again[state_.kind]))
			return false;
		const u32 length = decode_length(coder, all.length, at);

		if (decode_distance(coder, all, length) != kMark)
			return false;
		coder.normalize();
		return coder.ended();
	}

	INLINE static u32 decode_length(Coder &coder, LengthChances &chances, u32 at)
	{
		if (!coder.bit(chances.is_not_low))
			return coder.number(chances.low[at], 3);
		if (!coder.bit(chances.is_high))
			return 8 + coder.number(chances.middle[at], 3);
		return 16 + coder.number(chances.high, 8);
	}

	INLINE static u32 decode_distance(Coder &coder, Chances &all, u32 length)
	{
		constexpr u32 kFirstWithEvenBits = 14;
		constexpr u32 kLowBits = 4;
		const u32 slot = coder.number(all.slot[min(length, kSlotStates - 1)], 6);

		if (slot < 4)
			return slot;
		const u32 bits = (slot >> 1) - 1;
		const u32 base = (2 | (slot & 1)) << bits;

		if (slot < kFirstWithEvenBits)
			return base + coder.reversed(all.middle_bits + base - slot, bits);
		const u32 high = coder.even_bits(bits - kLowBits);

		return base + (high << kLowBits) + coder.reversed(all.low_bits, kLowBits);
	}

	INLINE static u8 decode_literal(Coder &coder, Chance *chances)
	{
		u32 value = 1;

		while (value < 0x100)
			value = value << 1 | coder.bit(chances[value]);
		return static_cast<u8>(value);
	}

	/* Behind a match, which would have gone on with `guess`. */
	INLINE static u8 decode_other_literal(Coder &coder, Chance *chances, u32 guess)
	{
		u32 offset = 0x100;
		u32 value = 1;

		while (value < 0x100) {
			guess <<= 1;
			const bool one = coder.bit(chances[offset + (guess & offset) + value]);

			value = value << 1 | one;
			offset &= one ? guess : ~guess;
		}
		return static_cast<u8>(value);
	}

	/* The distance of one of the matches before comes first; false: of one byte. */
	INLINE static bool decode_again(Coder &coder, Chances &all, State &state, u32 at)
	{
		if (!coder.bit(all.is_not_first[state.kind]))
			return coder.bit(all.is_long[state.kind][at]);
		u32 distance = state.second;

		if (coder.bit(all.is_not_second[state.kind])) {
			distance = state.third;
			if (coder.bit(all.is_not_third[state.kind])) {
				distance = state.fourth;
				state.fourth = state.third;
			}
			state.third = state.second;
		}
		state.second = state.first;
		state.first = distance;
		return true;
	}

	/* Copies what is left of a match, as far as there is room. */
	INLINE void copy_match(State &state, u8 *&next, const u8 *end) const
	{
		size_t room = min(state.left, static_cast<size_t>(end - next));

		state.left -= room;
		while (room) {
			const u8 *const from = output_.before(next, size_t{state.first} + 1);
			const size_t n = min(room, output_.side_by_side(from));

			for (size_t i = 0; i < n; i++)
				next[i] = from[i];
			next += n;
			room -= n;
		}
	}

	/* Fills the piece from `place` on, which moves; a match may go on in the next one. */
	Status decode_piece(Coder &outer, u8 *&place)
	{
		// None of these is what a byte of output is written to.
		Coder coder = outer;
		State state = state_;
		u8 *next = place;
		const Status status = decode_symbols(coder, state, next, output_.end(), made_);

		outer = coder;
		state_ = state;
		place = next;
		return status;
	}

	INLINE Status decode_symbols(Coder &coder, State &state, u8 *&next, const u8 *end,
				     u64 made_before) const
	{
		const Header header = header_;
		Chances &all = chances();
		Chance *const literals = this->literals();
		const u8 *const start = next;

		for (;;) {
			if (state.left)
				copy_match(state, next, end);
			const u64 made = made_before + static_cast<size_t>(next - start);

			if (made == header.plain_size)
				return Status::kWhole;
			if (next == end)
				return Status::kFull;
			const u32 at = static_cast<u32>(made) & header.at_mask;

			if (!coder.bit(all.is_match[state.kind][at])) {
				const u32 place = static_cast<u32>(made) & header.literal_at_mask;
				const u32 previous = made ? *output_.before(next, 1) : 0;
				const u32 context = (place << header.literal_bits) +
						    (previous >> (8 - header.literal_bits));
				Chance *const chances = literals + size_t{context} * kLiteral;
				u8 byte;

				if (state.kind < kFirstOfMatches)
					byte = decode_literal(coder, chances);
				else
					byte = decode_other_literal(
						coder, chances,
						*output_.before(next, size_t{state.first} + 1));
				if (coder.cut())
					return Status::kCorrupt;
				*next++ = byte;
				state.kind = state.kind < 4  ? 0 :
					     state.kind < 10 ? state.kind - 3 :
							       state.kind - 6;
				continue;
			}
			const bool behind_literal = state.kind < kFirstOfMatches;
			size_t length = 1;

			if (!coder.bit(all.is_again[state.kind])) {
				const u32 more = decode_length(coder, all.length, at);

				state.fourth = state.third;
				state.third = state.second;
				state.second = state.first;
				state.first = decode_distance(coder, all, more);
				state.kind = behind_literal ? 7 : 10;
				if (state.first == kMark)
					return Status::kMarked;
				length = size_t{2} + more;
			} else if (decode_again(coder, all, state, at)) {
				length = size_t{2} + decode_length(coder, all.again_length, at);
				state.kind = behind_literal ? 8 : 11;
			} else {
				state.kind = behind_literal ? 9 : 11;
			}
			if (coder.cut() || state.first >= made ||
			    state.first >= header.dictionary || length > header.plain_size - made)
				return Status::kCorrupt;
			state.left = length;
		}
	}

	Bytes in_;
	Sink &sink_;
	const Header &header_;
	Output output_;
	Buffer memory_;
	State state_;
	u64 made_ = 0;
};

} // namespace

Result<size_t> decode_lzma(Bytes in, Sink &out)
{
	const Header header = TRY(parse_header(in));
	const u64 reach = max(min(u64{header.dictionary}, header.plain_size), u64{1});
	Buffer dictionary;

	if (!in.has(kHeader, kCoderHeader))
		return Error{kNoData, kTruncated, in.size(),
			     header.plain_size == kPlainSizeUnknown ? 0 : header.plain_size};
	if (!out.keeps()) {
		TRY(expect_window(reach, "out of memory for the dictionary of lzma data",
				  kDictionaryAt));
		dictionary = TRY(Buffer::create(static_cast<size_t>(reach)));
	}
	return Lzma(in, out, header, move(dictionary), TRY(Buffer::create(Lzma::memory(header))))
		.decode();
}

} // namespace initrd
