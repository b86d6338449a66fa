// SPDX-License-Identifier: GPL-2.0
// Folding: modulo the polynomial of CRC-32,
//
//	x^(64*300) + x^(64*155) + x^(64*117) + x^(64*89) + 1 = 0,
//
// so a word of 64 bits may be left out of a message if it is added (xor) to the
// words that are 145, 183, 211 and 300 behind it. Word after word is left out in
// this way, until 300 of them are left. No multiple of the polynomial with five
// terms, all of them at whole words, is shorter.

#include "initrd/decode/crc32.h"

#include "initrd/kernel/codec.h"

namespace initrd {
namespace {

constexpr size_t kWord = sizeof(u64);
constexpr size_t kReach = 300;
constexpr size_t kSteps[] = {145, 183, 211, kReach};
// Folded at once, before the last words move to the front again.
constexpr size_t kAtOnce = 1024;
// Words: those that reach into what comes, and what comes.
constexpr size_t kScratch = kReach + kAtOnce;
// For less it is not worth the while, bytes.
constexpr size_t kWorthIt = 8 * kReach * kWord;

// Adds to `count` words of the message what was left out before them. words[0,
// kReach) are those before; the results go behind them.
INLINE void fold(const u8 *message, const u64 *words, u64 *to, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		u64 word;

		__builtin_memcpy(&word, message + i * kWord, kWord);
		for (const size_t step : kSteps)
			word ^= words[kReach + i - step];
		to[i] = word;
	}
}

} // namespace

Result<Crc32> Crc32::create()
{
	return Crc32(seam_crc32_is_fast() ? Buffer() : TRY(Buffer::create(kScratch * kWord)));
}

void Crc32::add(Bytes piece)
{
	const size_t folded = scratch_.size() && piece.size() >= kWorthIt ?
				      round_down(piece.size(), kWord) :
				      0;

	if (folded)
		add_folded(piece.first(folded));
	piece = piece.skip(folded);
	value_ = seam_crc32(value_, piece.data(), piece.size());
}

// Whole words, more than kReach.
void Crc32::add_folded(Bytes piece)
{
	// SAFETY: allocated for kScratch words, aligned for any type.
	u64 *const words = reinterpret_cast<u64 *>(scratch_.data());
	const u8 *message = piece.data();
	size_t left = piece.size() / kWord;

	__builtin_memset(words, 0, kReach * kWord);
	// What came before is added to the first four bytes, and is done with then:
	// they would have been folded into by a word that lies kReach before them.
	store_le32(scratch_.data(), ~value_);
	while (left > kReach) {
		const size_t count = min(left - kReach, kAtOnce);

		fold(message, words, words + kReach, count);
		__builtin_memmove(words, words + count, kReach * kWord);
		message += count * kWord;
		left -= count;
	}
	// The rest is not left out, so nothing of it reaches further.
	__builtin_memset(words + kReach, 0, kReach * kWord);
	fold(message, words, words + 2 * kReach, kReach);
	value_ = seam_crc32(~0u, scratch_.data() + 2 * kReach * kWord, kReach * kWord);
}

} // namespace initrd
