// SPDX-License-Identifier: GPL-2.0
// formats/: what becomes of a library's answers that none of the formats' own gives
// when it is asked for.

#include "initrd/formats/boot_decompressor.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::KeepingSink;

constexpr StreamReasons kReasons = {"corrupt", "truncated", "bad checksum"};

class DecodeLibrary : public host::World {
protected:
	// Of a stream in which the library makes a byte of a byte, and then says `last`.
	Error after_three_bytes(seam_codec_status last)
	{
		const Data in(5);
		auto result = run_stream(
			host::bytes_of(in), 1, sink_, kReasons,
			[last, left = 3](seam_codec_io &io) mutable {
				if (!left)
					return last;
				left--;
				*io.out++ = 'x';
				io.out_left--;
				io.in++;
				io.in_left--;
				return SEAM_CODEC_MORE;
			},
			[](Bytes) {});

		EXPECT_EQ(sink_.output, host::to_data("xxx"));
		return result ? Error{0, ""} : result.error();
	}

	KeepingSink sink_;
};

TEST_F(DecodeLibrary, WithoutMemoryIsNamed)
{
	const Error error = after_three_bytes(SEAM_CODEC_NO_MEMORY);

	EXPECT_EQ(error.code, kNoMemory);
	EXPECT_STREQ(error.reason, "out of memory while decompressing");
	EXPECT_EQ(error.offset, 4u);
}

TEST_F(DecodeLibrary, ThatLacksAnOptionIsNamed)
{
	const Error error = after_three_bytes(SEAM_CODEC_UNSUPPORTED);

	EXPECT_EQ(error.code, kInvalid);
	EXPECT_STREQ(error.reason, "compressed with options that the kernel does not support");
	EXPECT_EQ(error.offset, 4u);
}

TEST_F(DecodeLibrary, ThatDoesNotMoveIsNotAskedForEver)
{
	const Error error = after_three_bytes(SEAM_CODEC_MORE);

	EXPECT_EQ(error.code, kInvalid);
	EXPECT_STREQ(error.reason, kReasons.corrupt);
	EXPECT_EQ(error.offset, 4u) << "with a byte of input left";
}

int fails_silently(unsigned char *, long, long (*fill)(void *, unsigned long), BootFlush *,
		   unsigned char *, long *used, BootError *)
{
	u8 buffer[8];

	*used = fill(buffer, sizeof(buffer)) - 1;
	return -1;
}

TEST_F(DecodeLibrary, ThatFailsWithoutAWordHasFailed)
{
	const Data in(5);
	auto result = decode_with(fails_silently, host::bytes_of(in), sink_, "truncated");

	ASSERT_FALSE(result.ok());
	EXPECT_EQ(result.error().code, kInvalid);
	EXPECT_STREQ(result.error().reason, "decompressor failed");
	EXPECT_EQ(result.error().offset, 4u);
	EXPECT_TRUE(sink_.output.empty());
}

} // namespace
