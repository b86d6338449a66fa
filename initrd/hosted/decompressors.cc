// SPDX-License-Identifier: GPL-2.0
// The kernel's boot decompressors, on top of the libraries that they come from.

#include "initrd/formats/boot_decompressor.h"

#include <bzlib.h>

#include <vector>

#include "initrd/hosted/world.h"

namespace {

constexpr size_t kWindow = 64 * 1024;
// Small: several pieces even of what the tests pack.
constexpr size_t kInput = 4096;

char no_memory[] = "no memory for the decompressor";
// The library does not tell a wrong CRC from other damage.
char wrong_crc[] = "Data integrity error when decompressing.";
char cut_off[] = "unexpected end of input";

// The kernel's RETVAL_OBSOLETE_INPUT, which it has no words for.
constexpr int kObsolete = -7;

// Looks for a block of bzip2 data that is marked as randomised, as compressors of before
// 1.0 made them: the library undoes that, and the kernel does not. Blocks begin at any
// bit, with pi in decimal and a CRC; then comes the mark.
class Randomised {
public:
	bool seen() const { return seen_; }

	void look(const u8 *bytes, size_t size)
	{
		for (size_t i = 0; i < size && !seen_; i++)
			for (int bit = 7; bit >= 0; bit--)
				look_at(bytes[i] >> bit & 1);
	}

private:
	static constexpr u64 kPi = 0x314159265359;
	static constexpr u64 kMagicBits = (u64{1} << 48) - 1;
	static constexpr u32 kSumBits = 32;

	void look_at(u64 bit)
	{
		if (until_mark_ && --until_mark_ == 0)
			seen_ = bit;
		last_ = last_ << 1 | bit;
		if ((last_ & kMagicBits) == kPi)
			until_mark_ = kSumBits + 1;
	}

	u64 last_ = 0;
	u32 until_mark_ = 0;
	bool seen_ = false;
};

// What a decompress_fn is: `step` works on `stream` until
// it says that it is done (1) or has failed (below 0). The input comes from
// fill() only, as the project uses them. `used` is of the last piece.
template <typename Stream, typename Step>
int decompress(Stream &stream, long (*fill)(void *, unsigned long), BootFlush *flush, long *used,
	       BootError *error, Step step, char *damage)
{
	std::vector<u8> window(kWindow);
	std::vector<u8> input(kInput);
	long filled = 0;
	int status = 0;

	stream.avail_in = 0;
	while (status == 0) {
		if (stream.avail_in == 0) {
			filled = fill(input.data(), kInput);
			if (filled <= 0) {
				error(cut_off);
				return -1;
			}
			stream.next_in = reinterpret_cast<decltype(stream.next_in)>(input.data());
			stream.avail_in = static_cast<decltype(stream.avail_in)>(filled);
		}
		stream.next_out = reinterpret_cast<decltype(stream.next_out)>(window.data());
		stream.avail_out = kWindow;
		status = step(stream);
		*used = filled - static_cast<long>(stream.avail_in);

		const size_t made = kWindow - stream.avail_out;

		if (made && flush(window.data(), made) != static_cast<long>(made))
			return -1;
	}
	if (status < 0 && status != kObsolete)
		error(damage);
	return status > 0 ? 0 : -1;
}

} // namespace

extern "C" BootDecompressor bunzip2;

int bunzip2(unsigned char *in, long, long (*fill)(void *, unsigned long), BootFlush *flush,
	    unsigned char *, long *used, BootError *error)
{
	bz_stream stream = {};

	if (in || !host::may_allocate()) {
		error(no_memory);
		return -1;
	}
	Randomised randomised;

	BZ2_bzDecompressInit(&stream, 0, 0);
	const auto step = [&randomised](bz_stream &s) {
		const char *const start = s.next_in;
		const int result = BZ2_bzDecompress(&s);

		randomised.look(reinterpret_cast<const u8 *>(start),
				static_cast<size_t>(s.next_in - start));
		if (randomised.seen())
			return kObsolete;
		return result == BZ_STREAM_END ? 1 : result == BZ_OK ? 0 : -1;
	};
	const int status = decompress(stream, fill, flush, used, error, step, wrong_crc);

	BZ2_bzDecompressEnd(&stream);
	return status;
}
