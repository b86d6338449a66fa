// SPDX-License-Identifier: GPL-2.0
// initrd/seam/codec.h, digest.h: the kernel's libraries, each with the same five letters.

#include "initrd/seam/codec.h"
#include "initrd/seam/digest.h"
#include "initrd/support/compiler.h"
#include "tests/contract/cases.h"
#include "tests/contract/expect.h"

namespace {

[[maybe_unused]] constexpr const char *kOff = "its option is off";
constexpr size_t kSize = 5;
constexpr bool kWays[] = {false, true};
constexpr char kText[] = "hello";

bool is_text(const u8 *made)
{
	return __builtin_memcmp(made, kText, kSize) == 0;
}

// Steps through `in`, a byte at a time where `slowly`; what the last step has said.
template <typename Step>
seam_codec_status run(const u8 *in, size_t size, bool slowly, Step step, seam_codec_io &io)
{
	seam_codec_status status = SEAM_CODEC_MORE;

	io.in = in;
	for (size_t left = size; status == SEAM_CODEC_MORE && left;) {
		const size_t given = slowly ? 1 : left;

		io.in_left = given;
		status = step(&io);
		left -= given - io.in_left;
		if (io.in_left == given && status == SEAM_CODEC_MORE)
			break;
	}
	return status;
}

} // namespace

void contract_crc32(struct kunit *test)
{
	const u8 digits[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};

	EXPECT_EQ(test, seam_crc32(0, digits, 9), 0xcbf43926);
	EXPECT_EQ(test, seam_crc32(seam_crc32(0, digits, 4), digits + 4, 5), 0xcbf43926);
	EXPECT_EQ(test, seam_crc32(0, digits, 0), 0);
	EXPECT(test, seam_crc32_is_fast() == 0 || seam_crc32_is_fast() == 1);
}

void contract_sha256(struct kunit *test)
{
#if IS_ENABLED(CONFIG_INITRD_CXX_VERIFY)
	// Of "abc", in FIPS 180-2.
	constexpr u8 kStart[] = {0xba, 0x78, 0x16, 0xbf};
	constexpr u8 kEnd[] = {0xf2, 0x00, 0x15, 0xad};
	const u8 text[] = {'a', 'b', 'c'};
	u8 digest[SEAM_SHA256_SIZE] = {};
	seam_sha256_state state;

	const auto is_right = [&] {
		return !__builtin_memcmp(digest, kStart, 4) &&
		       !__builtin_memcmp(digest + 28, kEnd, 4);
	};

	seam_sha256(text, 3, digest);
	EXPECT(test, is_right());
	seam_sha256_start(&state);
	seam_sha256_add(&state, text, 2);
	// A copy goes on by itself.
	seam_sha256_state other = state;

	seam_sha256_add(&other, text, 3);
	seam_sha256_finish(&other, digest);
	EXPECT(test, !is_right());
	seam_sha256_add(&state, text + 2, 1);
	seam_sha256_finish(&state, digest);
	EXPECT(test, is_right());
#else
	initrd_kunit_skip(test, kOff);
#endif
}

void contract_inflate(struct kunit *test)
{
#if IS_ENABLED(CONFIG_RD_GZIP)
	// One block, stored.
	const u8 stored[] = {1, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o'};
	const u8 wrong[] = {7, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o'};
	seam_inflate *const codec = seam_inflate_new();
	u8 made[16];

	EXPECT(test, codec);
	if (!codec)
		return;
	const auto step = [&](seam_codec_io *io) { return seam_inflate_step(codec, io); };

	for (const bool slowly : kWays) {
		seam_codec_io io = {nullptr, 0, made, sizeof(made)};

		seam_inflate_reset(codec);
		EXPECT_EQ(test, run(stored, sizeof(stored), slowly, step, io), SEAM_CODEC_END);
		EXPECT_EQ(test, io.out_left, sizeof(made) - kSize);
		EXPECT_EQ(test, io.in - stored, sizeof(stored));
		EXPECT(test, is_text(made));
	}
	seam_codec_io io = {nullptr, 0, made, sizeof(made)};

	seam_inflate_reset(codec);
	EXPECT_EQ(test, run(wrong, sizeof(wrong), false, step, io), SEAM_CODEC_CORRUPT);
	seam_inflate_free(codec);
#else
	initrd_kunit_skip(test, kOff);
#endif
}

void contract_zstd(struct kunit *test)
{
#if IS_ENABLED(CONFIG_RD_ZSTD)
	// A frame of one raw block, whose size is in its header.
	const u8 frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, 'h', 'e', 'l', 'l', 'o'};
	constexpr const u8 nothing[] = {0, 1, 2, 3, 4, 5};
	seam_codec_status status = SEAM_CODEC_MORE;
	u8 made[64];

	for (const bool slowly : kWays) {
		seam_zstd *const codec = seam_zstd_new(frame, sizeof(frame), false, &status);
		seam_codec_io io = {nullptr, 0, made, sizeof(made)};

		EXPECT(test, codec);
		if (!codec)
			return;
		const auto step = [&](seam_codec_io *io) { return seam_zstd_step(codec, io); };

		EXPECT_EQ(test, run(frame, sizeof(frame), slowly, step, io), SEAM_CODEC_END);
		EXPECT_EQ(test, io.out_left, sizeof(made) - kSize);
		EXPECT(test, is_text(made));
		seam_zstd_free(codec);
	}
	EXPECT(test, !seam_zstd_new(nothing, sizeof(nothing), false, &status));
	EXPECT(test, status == SEAM_CODEC_CORRUPT || status == SEAM_CODEC_UNSUPPORTED);
#else
	initrd_kunit_skip(test, kOff);
#endif
}

void contract_xz(struct kunit *test)
{
#if IS_ENABLED(CONFIG_RD_XZ)
	// One block, LZMA2 with an uncompressed chunk, checked by CRC-32.
	const u8 stream[] = {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22,
			     0xde, 0x36, 0x02, 0x00, 0x21, 0x01, 0x00, 0x00, 0x00, 0x00,
			     0x37, 0x27, 0x97, 0xd6, 0x01, 0x00, 0x04, 0x68, 0x65, 0x6c,
			     0x6c, 0x6f, 0x00, 0x00, 0x00, 0x00, 0x86, 0xa6, 0x10, 0x36,
			     0x00, 0x01, 0x19, 0x05, 0xbc, 0xe8, 0xec, 0xcb, 0x90, 0x42,
			     0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a};
	seam_xz *const codec = seam_xz_new();
	u8 made[16];

	EXPECT(test, codec);
	if (!codec)
		return;
	const auto step = [&](seam_codec_io *io) { return seam_xz_step(codec, io); };

	for (const bool slowly : kWays) {
		seam_codec_io io = {nullptr, 0, made, sizeof(made)};

		seam_xz_reset(codec);
		EXPECT_EQ(test, run(stream, sizeof(stream), slowly, step, io), SEAM_CODEC_END);
		EXPECT_EQ(test, io.out_left, sizeof(made) - kSize);
		EXPECT(test, is_text(made));
	}
	seam_xz_free(codec);
	// What is in no library: the number of no filter.
	EXPECT(test, !seam_xz_has_filter(0x7f));
#else
	initrd_kunit_skip(test, kOff);
#endif
}

void contract_lz4(struct kunit *test)
{
#if IS_ENABLED(CONFIG_RD_LZ4)
	// Five literals, and no match behind them.
	const u8 block[] = {0x50, 'h', 'e', 'l', 'l', 'o'};
	// One that refers to the five bytes before it; an end that is literals.
	const u8 linked[] = {0x01, 5, 0, 0x50, 'h', 'e', 'l', 'l', 'o'};
	u8 made[32];

	EXPECT_EQ(test, seam_lz4_block(block, sizeof(block), made, sizeof(made)), kSize);
	EXPECT(test, is_text(made));
	EXPECT_EQ(test, seam_lz4_block(block, sizeof(block) - 1, made, sizeof(made)), -1);
	EXPECT_EQ(test, seam_lz4_block(block, sizeof(block), made, kSize - 1), -1);
	EXPECT_EQ(test,
		  seam_lz4_linked_block(linked, sizeof(linked), made, sizeof(made),
					reinterpret_cast<const u8 *>(kText), kSize),
		  10);
	EXPECT(test, is_text(made + 5));
#else
	initrd_kunit_skip(test, kOff);
#endif
}

void contract_xxh32(struct kunit *test)
{
#if IS_ENABLED(CONFIG_RD_LZ4)
	seam_xxh32 sum;
	const u8 text[] = {'a', 'b', 'c'};

	seam_xxh32_start(&sum);
	EXPECT_EQ(test, seam_xxh32_value(&sum), 0x02cc5d05);
	seam_xxh32_add(&sum, text, 1);
	seam_xxh32_add(&sum, text + 1, 2);
	EXPECT_EQ(test, seam_xxh32_value(&sum), 0x32d153ff);
#else
	initrd_kunit_skip(test, kOff);
#endif
}

void contract_lzo(struct kunit *test)
{
#if IS_ENABLED(CONFIG_RD_LZO)
	const u8 block[] = {17 + 5, 'h', 'e', 'l', 'l', 'o', 0x11, 0, 0};
	u8 made[16];

	EXPECT_EQ(test, seam_lzo_block(block, sizeof(block), made, sizeof(made)), kSize);
	EXPECT(test, is_text(made));
	EXPECT_EQ(test, seam_lzo_block(block, 4, made, sizeof(made)), -1);
#else
	initrd_kunit_skip(test, kOff);
#endif
}
