// SPDX-License-Identifier: GPL-2.0
// formats/: what is special to one format.

#include <algorithm>
#include <cctype>

#include <lzma.h>

#include "compress.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::decode;
using host::Decoded;
using host::operator+;

class DecodeFormat : public host::World {
protected:
	Data plain = host::sample(5000);
};

TEST_F(DecodeFormat, GzipMayHaveEveryOptionalField)
{
	const Data packed = host::gzip_with_all_fields(plain);
	const Decoded decoded = decode(decode_gzip, packed);

	EXPECT_EQ(decoded.reason, "");
	EXPECT_EQ(decoded.used, packed.size());
	EXPECT_TRUE(decoded.output == plain);
	for (size_t size = 0; size < 80; size++) {
		Data part = packed;

		part.resize(size);
		EXPECT_EQ(decode(decode_gzip, part).reason, "truncated gzip data") << size;
	}
}

TEST_F(DecodeFormat, GzipRefusesOtherMethodsAndPassesOverUnknownFlags)
{
	Data packed = host::gzip(plain);

	packed[2] = 7;
	EXPECT_EQ(decode(decode_gzip, packed).reason, "Not a gzip file");
	packed[2] = 8;
	packed[3] = 0x20;
	EXPECT_EQ(decode(decode_gzip, packed).output, plain);
}

TEST_F(DecodeFormat, GzipSaysWhichCheckFailed)
{
	const Data packed = host::gzip(plain);
	Data damaged = packed;

	damaged[packed.size() - 8] ^= 1;
	EXPECT_EQ(decode(decode_gzip, damaged).reason, "bad checksum (CRC-32) of compressed data");
	EXPECT_EQ(decode(decode_gzip, damaged).offset, packed.size() - 8);
	damaged = packed;
	damaged[packed.size() - 1] ^= 1;
	EXPECT_EQ(decode(decode_gzip, damaged).reason, "bad length of compressed data");
	damaged = packed;
	damaged[10] |= 6;
	EXPECT_EQ(decode(decode_gzip, damaged).reason, "uncompression error");
}

TEST_F(DecodeFormat, Bzip2ThatIsCutOffIsTruncatedAndNotPassedOn)
{
	const Data large = host::sample(1000000);
	const Data packed = host::bzip2(large);

	for (size_t size = 1; size < packed.size(); size += 9973) {
		Data part = packed;

		part.resize(size);
		const Decoded decoded = decode(decode_bzip2, part);

		EXPECT_EQ(decoded.reason, "truncated bzip2 data");
		EXPECT_EQ(decoded.offset, size);
		ASSERT_LE(decoded.output.size(), large.size());
		EXPECT_TRUE(
			std::equal(decoded.output.begin(), decoded.output.end(), large.begin()));
	}
}

TEST_F(DecodeFormat, XzWithAnUnknownCheckSaysHowToCompress)
{
	const Decoded decoded = decode(decode_xz, host::xz_with_sha256(plain));

	EXPECT_EQ(decoded.reason, "xz check is not supported: compress with xz --check=crc32");
	EXPECT_EQ(decoded.offset, 7u);
}

TEST_F(DecodeFormat, XzWithCrc64IsWholeOrRefused)
{
	for (const Data &content : {Data(), plain, host::sample(300000)}) {
		const Data packed = host::xz_with_crc64(content);
		const Decoded decoded = decode(decode_xz, packed + Data(4));

		EXPECT_EQ(decoded.reason, "");
		EXPECT_EQ(decoded.used, packed.size());
		EXPECT_TRUE(decoded.output == content);
	}
	// Whatever is changed or missing is found, in any byte.
	const Data packed = host::xz_with_crc64(host::sample(600));

	for (size_t at = 0; at < packed.size(); at++) {
		Data damaged = packed;

		damaged[at] ^= 0x40;
		EXPECT_NE(decode(decode_xz, damaged).reason, "") << at;
		damaged.resize(at);
		const Decoded cut = decode(decode_xz, damaged);

		EXPECT_LE(cut.offset, at);
		if (at < 12)
			EXPECT_NE(cut.reason, "") << at;
		else
			EXPECT_EQ(cut.reason, "truncated xz data") << at;
	}
}

TEST_F(DecodeFormat, XzBlocksBeforeTheDamageAreKept)
{
	const Data content = host::sample(300000);
	const Data packed = host::xz_in_blocks(content, 100000, true);

	for (const size_t at : {packed.size() / 2, packed.size() - 100, packed.size() - 20}) {
		Data damaged = packed;

		damaged[at] ^= 0x40;
		const Decoded decoded = decode(decode_xz, damaged);

		EXPECT_EQ(decoded.reason, "XZ-compressed data is corrupt (data or checksum)");
		EXPECT_GE(decoded.output.size(), 100000u);
		EXPECT_TRUE(std::equal(content.begin(), content.begin() + 100000,
				       decoded.output.begin()));
	}
}

TEST_F(DecodeFormat, DictionariesThatThereIsNoMemoryForAreNotTried)
{
	// A preset of 6 has one of 8 MiB, of any data.
	for (const char *name : {"xz", "lzma"}) {
		const host::Method &method = host::method(name);
		Data packed = method.compress(plain);

		if (name[0] == 'l')
			std::fill_n(packed.begin() + 1, 4, u8{0x7f});
		// (The last MiB, and a 32nd of it, are for others.)
		for (const u64 available : {u64{4} << 20, (u64{9} << 20) + 100}) {
			host::set_memory_available(available);
			const Decoded decoded = decode(method.decode, packed);

			EXPECT_EQ(decoded.code, kNoMemory);
			EXPECT_EQ(decoded.reason,
				  std::string("out of memory for the dictionary of ") + name +
					  " data");
			EXPECT_EQ(host::allocations(), 0u);
		}
	}
	host::set_memory_available((u64{8 + 1} << 20) + (u64{8} << 15));
	EXPECT_EQ(decode(decode_xz, host::xz(plain)).reason, "");
}

TEST_F(DecodeFormat, NoWindowIsTriedThatThereIsNoMemoryFor)
{
	// (Of 2 MiB.)
	const Data large = host::sample(3 << 20);
	const Data packed = host::method("zstd").compress(large);

	host::set_memory_available(u64{3} << 20);
	const Decoded decoded = decode(decode_zstd, packed);

	EXPECT_EQ(decoded.code, kNoMemory);
	EXPECT_EQ(decoded.reason, "out of memory for the window of zstd data");
	EXPECT_EQ(decoded.offset, 4u);
	// Its first block is had all the same: it tells what this is.
	EXPECT_EQ(decoded.output, Data(large.begin(), large.begin() + (128 << 10)));
	host::set_memory_available(u64{4} << 20);
	EXPECT_TRUE(decode(decode_zstd, packed).output == large);
}

// Of a stream that `zstd --long=31` has read from a pipe: a window of 2 GiB.
Data with_large_window(Data packed)
{
	packed[5] = (31 - 10) << 3;
	return packed;
}

TEST_F(DecodeFormat, ZstdsWindowIsNoLargerThanWhatComesOut)
{
	for (const size_t size : {size_t{0}, size_t{1}, size_t{300000}, size_t{3} << 20}) {
		SCOPED_TRACE(size);
		const Data content = host::sample(size);
		const Data packed = with_large_window(host::zstd_streamed(content));

		host::set_memory_available(u64{6} << 20);
		const Decoded decoded = decode(decode_zstd, packed + Data{1, 2, 3}, 5);

		EXPECT_EQ(decoded.reason, "");
		EXPECT_EQ(decoded.used, packed.size());
		EXPECT_TRUE(decoded.output == content);
		// The last part of it.
		Data part = packed;

		part.resize(part.size() - 7);
		EXPECT_EQ(decode(decode_zstd, part).reason, "truncated zstd data");
		for (size_t call = 1; call < 12; call++)
			if (decode(decode_zstd, packed, 0, call).code)
				EXPECT_EQ(decode(decode_zstd, packed, 0, call).code, kNoSpace);
	}
}

TEST_F(DecodeFormat, ZstdsOutputThatIsTooLargeForAWindowIsNoMemory)
{
	const Data content = host::sample(3 << 20);
	const host::Exact in(with_large_window(host::zstd_streamed(content)));
	host::KeepingSink sink;

	host::set_memory_available(u64{3} << 20);
	auto decoded = decode_zstd(in.bytes(), sink);

	ASSERT_FALSE(decoded);
	EXPECT_EQ(decoded.error().code, kNoMemory);
	EXPECT_STREQ(decoded.error().reason, "out of memory for the window of zstd data");
	// As many blocks as there are, not the window.
	EXPECT_GE(decoded.error().expected, content.size());
	EXPECT_LE(decoded.error().expected, content.size() + (size_t{512} << 10));
	EXPECT_EQ(sink.output, Data(content.begin(), content.begin() + (128 << 10)));
}

TEST_F(DecodeFormat, ZstdsWindowThatTheLibraryDoesNotTakeIsNamed)
{
	const Data content = host::sample(100000);
	Data packed = with_large_window(host::zstd_streamed(content));

	// As on 32 bits.
	host::set_zstd_window_bits(30);
	Decoded decoded = decode(decode_zstd, packed);
	EXPECT_EQ(decoded.code, kInvalid);
	EXPECT_EQ(
		decoded.reason,
		"zstd frame of a larger window than this kernel's decoder takes: compress with a smaller --long");
	EXPECT_EQ(decoded.offset, 4u);
	host::set_zstd_window_bits(host::kMostZstdWindowBits);
	EXPECT_EQ(decode(decode_zstd, packed).reason, "");
	// Of 4 GiB: more than any library takes.
	packed[5] += 1 << 3;
	decoded = decode(decode_zstd, packed);
	EXPECT_EQ(decoded.code, kInvalid);
	EXPECT_EQ(decoded.offset, 4u);
}

TEST_F(DecodeFormat, Bzip2OfRandomisedBlocksIsRefusedAsTheKernelDoes)
{
	Data packed = host::bzip2(host::sample(500));

	EXPECT_EQ(decode(decode_bzip2, packed).reason, "");
	// (Of the first 617 bytes of a block none is changed by that.)
	packed[14] |= 0x80;
	EXPECT_EQ(decode(decode_bzip2, packed).reason, "decompressor failed");
}

TEST_F(DecodeFormat, ZstdThatNeedsADictionaryIsNamed)
{
	// (A window of 1 KiB, then the dictionary's number: 7.)
	const Data packed = {0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x00, 0x07, 0x01, 0, 0};

	for (const size_t cpus : {1, 2}) {
		host::set_cpus(cpus);
		const Decoded decoded = decode(decode_zstd, packed);

		EXPECT_EQ(decoded.reason,
			  "zstd frame that needs a dictionary: compress without -D");
		EXPECT_EQ(decoded.offset, 6u);
	}
	// Number 0 is none.
	Data none = packed;

	none[6] = 0;
	EXPECT_EQ(decode(decode_zstd, none).reason, "");
}

using Chain = std::vector<lzma_filter>;

Data xz_with_filters(const Data &plain, Chain chain, lzma_check check = LZMA_CHECK_CRC32)
{
	lzma_options_lzma options;
	Data packed(plain.size() * 2 + 4096);
	size_t size = 0;

	lzma_lzma_preset(&options, 1);
	chain.push_back({LZMA_FILTER_LZMA2, &options});
	chain.push_back({LZMA_VLI_UNKNOWN, nullptr});
	EXPECT_EQ(lzma_stream_buffer_encode(chain.data(), check, nullptr, plain.data(),
					    plain.size(), packed.data(), &size, packed.size()),
		  LZMA_OK);
	packed.resize(size);
	return packed;
}

// Where the first filter's number is, in the header of the block at `block`.
size_t filter_at(const Data &packed, size_t block)
{
	size_t at = block + 2;

	for (const u8 size : {0x40, 0x80})
		if (packed[block + 1] & size)
			while (packed[at++] & 0x80)
				;
	return at;
}

TEST_F(DecodeFormat, XzFiltersThatAreMissingAreNamed)
{
	struct Case {
		lzma_vli id;
		const char *option;
	};
	const Case cases[] = {
		{LZMA_FILTER_X86, "x86"},	    {LZMA_FILTER_POWERPC, "powerpc"},
		{LZMA_FILTER_IA64, "ia64"},	    {LZMA_FILTER_ARM, "arm"},
		{LZMA_FILTER_ARMTHUMB, "armthumb"}, {LZMA_FILTER_SPARC, "sparc"},
		{LZMA_FILTER_ARM64, "arm64"},
	};
	for (const lzma_check check : {LZMA_CHECK_CRC32, LZMA_CHECK_CRC64}) {
		for (const Case &each : cases) {
			SCOPED_TRACE(each.option);
			const Data packed = xz_with_filters(plain, {{each.id, nullptr}}, check);
			std::string upper = each.option;

			for (char &c : upper)
				c = static_cast<char>(std::toupper(c));
			host::set_xz_filters(host::kAllXzFilters);
			EXPECT_TRUE(decode(decode_xz, packed).output == plain);
			host::set_xz_filters(host::kAllXzFilters & ~(1u << each.id));
			const Decoded decoded = decode(decode_xz, packed);

			EXPECT_EQ(decoded.reason,
				  std::string("xz filter ") + each.option +
					  ", and this kernel has no CONFIG_XZ_DEC_" + upper +
					  ": compress without --" + each.option);
			EXPECT_EQ(decoded.offset, filter_at(packed, 12));
			EXPECT_TRUE(decoded.output.empty());
			// Only where the header is right.
			Data damaged = packed;

			damaged[20] ^= 1;
			EXPECT_EQ(decode(decode_xz, damaged).reason.find("xz filter"),
				  std::string::npos);
		}
	}
}

TEST_F(DecodeFormat, XzFiltersThatNoKernelHasAreNamed)
{
	lzma_options_delta delta = {};
	lzma_options_bcj bcj = {};

	delta.type = LZMA_DELTA_TYPE_BYTE;
	delta.dist = 2;
	bcj.start_offset = 4096;
	const lzma_filter of_delta = {LZMA_FILTER_DELTA, &delta};

	EXPECT_EQ(decode(decode_xz, xz_with_filters(plain, {of_delta})).reason,
		  "xz filter delta, which no kernel has: compress without --delta");
	EXPECT_EQ(
		decode(decode_xz, xz_with_filters(plain, {{LZMA_FILTER_X86, &bcj}})).reason,
		"xz filter that does not start at 0, which no kernel has: compress without start=");
	EXPECT_EQ(decode(decode_xz, xz_with_filters(plain, {{LZMA_FILTER_X86, nullptr},
							    {LZMA_FILTER_ARM, nullptr}}))
			  .reason,
		  "several xz filters, and kernels have one and --lzma2");
	// A number that is nobody's, with the header's checksum.
	for (const u8 id : {2, 12, 0x40}) {
		Data packed = xz_with_filters(plain, {{LZMA_FILTER_X86, nullptr}});

		packed[filter_at(packed, 12)] = id;
		store_le32(packed.data() + 12 + (packed[12] + 1) * 4 - 4,
			   seam_crc32(0, packed.data() + 12, (packed[12] + 1u) * 4 - 4));
		EXPECT_EQ(decode(decode_xz, packed).reason,
			  "unknown xz filter: compress with --lzma2 alone");
	}
}

TEST_F(DecodeFormat, XzFilterOfALaterBlockIsNamedBeforeAnythingComesOut)
{
	const Data first = host::xz_in_blocks(plain, plain.size());
	const Data second = xz_with_filters(plain, {{LZMA_FILTER_X86, nullptr}});
	const size_t block = first.size() - 12 -
			     (load_le32(host::bytes_of(first), first.size() - 8) + 1) * 4;
	const Data both = Data(first.begin(), first.begin() + static_cast<long>(block)) +
			  Data(second.begin() + 12, second.end());

	host::set_xz_filters(0);
	const Decoded decoded = decode(decode_xz, both);

	EXPECT_EQ(decoded.reason.substr(0, 13), "xz filter x86");
	EXPECT_EQ(decoded.offset, filter_at(both, block));
	EXPECT_TRUE(decoded.output.empty());
}

TEST_F(DecodeFormat, XzStreamPaddingIsTakenWhereAStreamFollows)
{
	for (const Data &packed : {host::xz(plain), host::xz_with_crc64(plain)}) {
		for (const size_t zeros : {4, 8, 512, 100000})
			EXPECT_EQ(decode(decode_xz, packed + Data(zeros) + packed).used,
				  packed.size() + zeros);
		for (const size_t zeros : {1, 2, 3, 5, 6})
			EXPECT_EQ(decode(decode_xz, packed + Data(zeros) + packed).used,
				  packed.size());
		EXPECT_EQ(decode(decode_xz, packed + Data(8)).used, packed.size());
		EXPECT_EQ(decode(decode_xz, packed + Data(8) + Data{0xfd, 0x37}).used,
			  packed.size());
	}
}

TEST_F(DecodeFormat, OneDictionaryIsForAllBlocksOfAnXz)
{
	const Data content = host::sample(300000);

	for (const bool crc64 : {false, true}) {
		const Data packed = host::xz_in_blocks(content, 1000, crc64);
		const uint64_t before = host::allocations();

		EXPECT_TRUE(decode(decode_xz, packed).output == content);
		EXPECT_LT(host::allocations() - before, 50u) << "of 300 blocks";
	}
}

TEST_F(DecodeFormat, SkippableFramesAreSkippedTogether)
{
	const Data empty = {0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0};
	const Data three = empty + empty + empty;
	Decoded decoded = decode(decode_zstd, three + host::method("zstd").compress(plain));

	EXPECT_EQ(decoded.reason, "");
	EXPECT_EQ(decoded.used, three.size());
	// One that is cut off is an error of its own.
	decoded = decode(decode_zstd, three + Data{0x51, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1});
	EXPECT_EQ(decoded.used, three.size());
	decoded = decode(decode_zstd, {0x51, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1});
	EXPECT_EQ(decoded.reason, "truncated zstd data");
}

TEST_F(DecodeFormat, XzWithoutItsMagicIsRefused)
{
	Data packed = host::xz(plain);

	packed[7] |= 0x10; // a reserved bit
	EXPECT_NE(decode(decode_xz, packed).reason, "");
	packed[7] &= 0x0f;
	packed[5] = 1;
	EXPECT_NE(decode(decode_xz, packed).reason, "");
	packed[4] = 'z';
	EXPECT_EQ(decode(decode_xz, packed).reason,
		  "Input is not in the XZ format (wrong magic bytes)");
}

TEST_F(DecodeFormat, XzTakesOneStreamOfSeveral)
{
	const Data first = host::xz(plain);
	const Decoded decoded = decode(decode_xz, first + host::xz(plain));

	EXPECT_EQ(decoded.used, first.size());
	EXPECT_TRUE(decoded.output == plain);
}

TEST_F(DecodeFormat, LzoMayHaveAnyChecksums)
{
	Data large = host::sample(300000);

	for (const u32 flags : {0x0u, 0x1u, 0x2u, 0x3u, 0x100u, 0x200u, 0x303u, 0x40u, 0x803u}) {
		for (const u16 version : {0x0900, 0x0940, 0x1040}) {
			SCOPED_TRACE(testing::Message() << std::hex << flags << " " << version);
			const Data packed = host::lzo_with_flags(large, flags, version);
			const Decoded decoded = decode(decode_lzo, packed);

			EXPECT_EQ(decoded.reason, "");
			EXPECT_EQ(decoded.used, packed.size());
			EXPECT_TRUE(decoded.output == large);
		}
	}
}

TEST_F(DecodeFormat, LzopsFiltersAreUndone)
{
	std::mt19937 random(4);
	Data noise(300000);

	for (u8 &byte : noise)
		byte = static_cast<u8>(random());
	// (Each block begins anew; what does not compress is stored, and filtered, too.)
	for (const Data &content : {host::sample(300000), noise, host::sample(3), Data()}) {
		for (const u32 filter : {0u, 1u, 2u, 3u, 7u, 16u}) {
			for (const size_t cpus : {1, 2}) {
				SCOPED_TRACE(testing::Message() << filter << " " << content.size());
				const Data packed = host::lzo_with_flags(content, 0x0801, 0x1040,
									 filter);

				host::set_cpus(cpus);
				EXPECT_TRUE(decode(decode_lzo, packed).output == content);
			}
		}
	}
	for (const u32 filter : {17u, 0x1000001u}) {
		const Decoded decoded = decode(decode_lzo,
					       host::lzo_with_flags(plain, 0x0801, 0x1040, filter));

		EXPECT_EQ(decoded.reason, "unknown filter of lzo data: compress without --filter");
		EXPECT_EQ(decoded.offset, 21u);
	}
	Data cut = host::lzo_with_flags(plain, 0x0801, 0x1040);

	cut.resize(24);
	EXPECT_EQ(decode(decode_lzo, cut).reason, "truncated lzo data");
}

TEST_F(DecodeFormat, LzoRefusesSizesThatCannotBe)
{
	const Data packed = host::lzo(plain);
	const size_t block = packed.size() - 4;

	// Larger than a block may be; packed larger than plain; packed to nothing.
	const std::vector<Data> heads = {
		{0x00, 0x04, 0x00, 0x01, 0x00, 0x00, 0x00, 0x10},
		{0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x11},
		{0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	};
	for (const Data &head : heads) {
		Data damaged = packed;

		damaged.resize(block);
		damaged = damaged + head + Data(100);
		EXPECT_EQ(decode(decode_lzo, damaged).reason, "LZO-compressed data is corrupt");
		EXPECT_EQ(decode(decode_lzo, damaged).offset, block);
	}
}

TEST_F(DecodeFormat, Lz4GoesOnBehindASecondMagicNumber)
{
	const Data packed = host::lz4(plain) + host::lz4(plain);
	const Decoded decoded = decode(decode_lz4, packed);

	EXPECT_EQ(decoded.reason, "");
	EXPECT_EQ(decoded.used, packed.size());
	EXPECT_TRUE(decoded.output == plain + plain);
}

TEST_F(DecodeFormat, Lz4EndsAtASizeOfNothing)
{
	const Data packed = host::lz4(plain);

	EXPECT_EQ(decode(decode_lz4, packed + Data(8)).used, packed.size());
	EXPECT_EQ(decode(decode_lz4, packed + Data(3)).used, packed.size());
}

TEST_F(DecodeFormat, Lz4WithoutItsMagicIsRefused)
{
	EXPECT_EQ(decode(decode_lz4, {0x02, 0x21}).reason, "invalid header");
}

TEST_F(DecodeFormat, ZstdWithAWindowOutOfAllProportionIsNoMemory)
{
	// No single segment, a window of 2^41 bytes.
	const Data packed = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0, 0, 0, 0, 0, 0, 0, 0};
	const Decoded decoded = decode(decode_zstd, packed);

	EXPECT_NE(decoded.reason, "");
	EXPECT_TRUE(decoded.output.empty());
}

TEST_F(DecodeFormat, ZstdsHeaderIsNeededWhole)
{
	Data packed = host::zstd(plain);

	packed.resize(5);
	EXPECT_EQ(decode(decode_zstd, packed).reason, "truncated zstd data");
}

TEST_F(DecodeFormat, ZstdAndLzmaSayHowMuchIsMissing)
{
	// The tools know the size; a stream's is not in its header.
	for (const size_t size : {size_t{100}, size_t{300}, size_t{5000}, size_t{100000}}) {
		for (const char *name : {"zstd", "lzma"}) {
			const host::Method &method = host::method(name);
			Data packed = method.compress(host::sample(size));

			packed.resize(packed.size() - 10);
			const host::Exact in(packed);
			host::KeepingSink sink;
			auto decoded = method.decode(in.bytes(), sink);

			ASSERT_FALSE(decoded);
			EXPECT_EQ(decoded.error().code, kNoData);
			EXPECT_EQ(decoded.error().expected, name[0] == 'z' ? size : 0u) << size;
		}
	}
	Data known = host::lzma(plain);

	for (size_t i = 0; i < 8; i++)
		known[5 + i] = static_cast<u8>(plain.size() >> 8 * i);
	known.resize(known.size() - 30);
	host::KeepingSink sink;
	auto decoded = decode_lzma(host::Exact(known).bytes(), sink);

	ASSERT_FALSE(decoded);
	EXPECT_EQ(decoded.error().expected, plain.size());
}

TEST_F(DecodeFormat, ZstdsSkippableFramesArePassedOver)
{
	const Data frame = {0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3};
	const Decoded decoded = decode(decode_zstd, frame + host::zstd(plain));

	EXPECT_EQ(decoded.reason, "");
	EXPECT_EQ(decoded.used, frame.size());
	EXPECT_TRUE(decoded.output.empty());
	for (size_t size = 4; size < frame.size(); size++)
		EXPECT_EQ(decode(decode_zstd,
				 Data(frame.begin(), frame.begin() + static_cast<long>(size)))
				  .reason,
			  "truncated zstd data");
}

TEST_F(DecodeFormat, WrongChecksumsAreNamed)
{
	struct Case {
		const char *method;
		size_t from_end; // where the checksum's last byte is
		const char *reason;
	};
	const Case cases[] = {
		{"gzip", 5, "bad checksum (CRC-32) of compressed data"},
		{"zstd", 1, "bad checksum (XXH64) of zstd data"},
		{"bzip2", 2, "bad checksum (CRC-32) of bzip2 data"},
	};
	for (const Case &each : cases) {
		const host::Method &method = host::method(each.method);
		Data packed = method.compress(plain);

		packed[packed.size() - each.from_end] ^= 0x10;
		const Decoded decoded = decode(method.decode, packed);

		EXPECT_EQ(decoded.reason, each.reason);
		EXPECT_EQ(decoded.code, kBadMessage);
	}
}

} // namespace
