// SPDX-License-Identifier: GPL-2.0
// Every decompressor that is configured, on what the usual tools have packed.

#include "initrd/formats/buffer.h"
#include "initrd/formats/decoder.h"
#include "initrd/formats/formats.h"
#include "tests/kunit/samples.h"
#include "tests/kunit/support.h"

using namespace initrd;
using namespace initrd::kunit;

namespace {

// Compares what arrives with the text, and keeps nothing.
class ComparingSink final : public Sink {
public:
	INLINE ~ComparingSink() {}

	Result<MutableBytes> lend(size_t wanted) override
	{
		if (room_.size() < wanted) {
			room_ = Buffer();
			room_ = TRY(Buffer::create(wanted));
		}
		return room_.bytes();
	}

	Result<void> commit(size_t made) override
	{
		for (u8 byte : room_.bytes().first(made))
			right_ &= at_ < kSampleSize && byte == sample_byte(at_++);
		return {};
	}

	// Whether all that came was right, and nothing more.
	INLINE bool right() const { return right_; }
	INLINE size_t size() const { return at_; }

private:
	Buffer room_;
	size_t at_ = 0;
	bool right_ = true;
};

void decodes_whole(struct kunit *test, Decoder decode, Bytes packed, size_t used)
{
	ComparingSink sink;
	auto decoded = decode(packed, sink);

	EXPECT(test, decoded.ok());
	if (decoded)
		EXPECT_EQ(test, decoded.value(), used);
	EXPECT(test, sink.right());
	EXPECT_EQ(test, sink.size(), kSampleSize);
}

void notices_cuts(struct kunit *test, Decoder decode, Bytes packed)
{
	const size_t step = packed.size() / 32 + 1;

	for (size_t size = 9; size < packed.size(); size += step) {
		auto part = Buffer::create(size);
		ComparingSink sink;

		if (!part)
			return;
		copy(part.value().bytes(), packed);
		auto decoded = decode(part.value().bytes(), sink);

		EXPECT(test, !decoded.ok());
		if (!decoded)
			EXPECT_EQ(test, decoded.error().code, kNoData);
		EXPECT(test, sink.right());
	}
}

// Damage is an error, or is not in what came out, or the format has no checksum.
void survives_damage(struct kunit *test, Decoder decode, Bytes packed, bool checked)
{
	const size_t step = packed.size() / 32 + 1;
	auto damaged = Buffer::create(packed.size());

	if (!damaged)
		return;
	for (size_t at = 0; at < packed.size(); at += step) {
		ComparingSink sink;

		copy(damaged.value().bytes(), packed);
		damaged.value().data()[at] ^= 0x5a;
		auto decoded = decode(damaged.value().bytes(), sink);

		if (decoded)
			EXPECT(test, decoded.value() <= packed.size());
		if (decoded && checked)
			EXPECT(test, sink.right());
	}
}

void check_format(struct kunit *test, Bytes packed, const char *name, bool checked)
{
	const Format *const format = identify(packed);
	auto followed = Buffer::create(packed.size() + 64);

	if (!format || !followed) {
		EXPECT(test, format && followed);
		return;
	}
	EXPECT(test, __builtin_strcmp(format->name, name) == 0);
	if (!format->decode) {
		initrd_kunit_skip(test, "its CONFIG_RD_ option is off");
		return;
	}
	decodes_whole(test, format->decode, packed, packed.size());

	// What follows is another's: here, the NULs between archives.
	__builtin_memset(followed.value().data(), 0, followed.value().size());
	copy(followed.value().bytes(), packed);
	decodes_whole(test, format->decode, followed.value().bytes(), packed.size());

	notices_cuts(test, format->decode, packed);
	survives_damage(test, format->decode, packed, checked);
}

} // namespace

void initrd_decode_gzip(struct kunit *test)
{
	check_format(test, sample_gzip, "gzip", true);
}

void initrd_decode_bzip2(struct kunit *test)
{
	// lib/decompress_bunzip2.c has pointers in front of its arrays, which UBSan
	// reports, and KUnit fails a case with a report.
	if (IS_ENABLED(CONFIG_UBSAN_BOUNDS)) {
		initrd_kunit_skip(test, "the kernel's bunzip2 is not for CONFIG_UBSAN_BOUNDS");
		return;
	}
	check_format(test, sample_bzip2, "bzip2", true);
}

void initrd_decode_lzma(struct kunit *test)
{
	check_format(test, sample_lzma, "lzma", false);
}

void initrd_decode_xz(struct kunit *test)
{
	check_format(test, sample_xz, "xz", true);
}

void initrd_decode_lzo(struct kunit *test)
{
	check_format(test, sample_lzo, "lzo", false);
}

void initrd_decode_lz4(struct kunit *test)
{
	check_format(test, sample_lz4, "lz4", false);
}

void initrd_decode_zstd(struct kunit *test)
{
	check_format(test, sample_zstd, "zstd", true);
}
