// SPDX-License-Identifier: GPL-2.0
// Folding: modulo the polynomial of CRC-32,
//
//	x^(8*3006) + x^(8*2866) + x^(8*2215) + 1 = 0,
//
// so a byte may be left out of a message if it is added (xor) to the bytes that
// are 140, 791 and 3006 behind it. Byte after byte is left out in this way, eight
// at a time, until 3006 are left. No multiple of the polynomial with four terms,
// all of them at whole bytes, is shorter.

#include "initrd/formats/crc32.h"

#include "initrd/seam/codec.h"

namespace initrd {
namespace {

constexpr size_t kWord = sizeof(u64);
constexpr size_t kReach = 3006;
constexpr size_t kSteps[] = {140, 791, kReach};
// What was left out last, then room for what comes.
constexpr size_t kScratch = kReach + (size_t{32} << 10);
static_assert(kScratch >= 3 * kReach);

// In front of a message, they take the register from 0 to all ones.
constexpr u8 kStart[] = {0x62, 0xf5, 0x26, 0x92};

template <typename Unit>
INLINE void fold_unit(const u8 *message, const u8 *before, u8 *to, size_t at)
{
	Unit sum;

	__builtin_memcpy(&sum, message + at, sizeof(sum));
	for (const size_t step : kSteps) {
		Unit left_out;

		__builtin_memcpy(&left_out, before + at - step, sizeof(left_out));
		sum ^= left_out;
	}
	__builtin_memcpy(to + at, &sum, sizeof(sum));
}

// Adds to each byte of a message what was left out before it: `before` is where the
// message would lie behind that. `to` may be the same.
INLINE void fold(const u8 *message, const u8 *before, u8 *to, size_t size)
{
	const size_t words = round_down(size, kWord);

#pragma clang loop unroll_count(8)
	for (size_t at = 0; at < words; at += kWord)
		fold_unit<u64>(message, before, to, at);
	for (size_t at = words; at < size; at++)
		fold_unit<u8>(message, before, to, at);
}

} // namespace

Result<Crc32> Crc32::create()
{
	Crc32 crc(seam_crc32_is_fast() ? Buffer() : TRY(Buffer::create(kScratch)));

	crc.restart();
	return crc;
}

void Crc32::restart()
{
	const size_t zeros = kReach - sizeof(kStart);

	sum_ = 0;
	if (!scratch_.size())
		return;
	__builtin_memset(scratch_.data(), 0, zeros);
	__builtin_memcpy(scratch_.data() + zeros, kStart, sizeof(kStart));
	end_ = kReach;
}

void Crc32::add(Bytes piece)
{
	if (!scratch_.size()) {
		sum_ = seam_crc32(sum_, piece.data(), piece.size());
		return;
	}
	while (!piece.empty()) {
		if (end_ == kScratch)
			keep_last();
		const Bytes part = piece.first(min(piece.size(), kScratch - end_));
		u8 *const to = scratch_.data() + end_;

		fold(part.data(), to, to, part.size());
		end_ += part.size();
		piece = piece.skip(part.size());
	}
}

// Moves what may still have to be added to later bytes to the front.
void Crc32::keep_last()
{
	__builtin_memmove(scratch_.data(), scratch_.data() + end_ - kReach, kReach);
	end_ = kReach;
}

// The last bytes are not to be left out: takes back what they added to each other.
u32 Crc32::value()
{
	if (!scratch_.size())
		return sum_;
	u8 *const zeros = scratch_.data();
	u8 *const last = zeros + kReach;
	u8 *const rest = last + kReach;

	__builtin_memmove(last, scratch_.data() + end_ - kReach, kReach);
	__builtin_memset(zeros, 0, kReach);
	fold(last, last, rest, kReach);
	// The register starts at 0, as zeros may lie before the message.
	sum_ = seam_crc32(~0u, rest, kReach);
	return sum_;
}

} // namespace initrd
