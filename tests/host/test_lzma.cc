// SPDX-License-Identifier: GPL-2.0
// formats/lzma: the decoder of .lzma files, which is the project's own.

#include <algorithm>

#include <lzma.h>

#include "compress.h"
#include "initrd/formats/formats.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::decode;
using host::Decoded;
using host::operator+;

// How a file says where it ends.
enum class Ends { kByMark, kBySize, kByBoth };

struct Properties {
	u32 lc = 3;
	u32 lp = 0;
	u32 pb = 2;
	u32 dictionary = 1 << 16;
};

Data lzma_as(const Data &plain, Ends ends, const Properties &with = {})
{
	lzma_options_lzma options = {};
	const u64 size = ends == Ends::kByMark ? ~0ull : plain.size();
	Data packed(plain.size() * 2 + 65536);
	size_t used = 0;

	lzma_lzma_preset(&options, 6);
	options.lc = with.lc;
	options.lp = with.lp;
	options.pb = with.pb;
	options.dict_size = with.dictionary;
	options.ext_flags = ends == Ends::kBySize ? 0 : LZMA_LZMA1EXT_ALLOW_EOPM;
	// (The library writes no mark where it knows the size.)
	options.ext_size_low = ends == Ends::kBySize ? static_cast<u32>(plain.size()) : ~0u;
	options.ext_size_high = ends == Ends::kBySize ? 0 : ~0u;
	const lzma_filter chain[] = {{LZMA_FILTER_LZMA1EXT, &options}, {LZMA_VLI_UNKNOWN, nullptr}};

	EXPECT_EQ(lzma_raw_buffer_encode(chain, nullptr, plain.data(), plain.size(), packed.data(),
					 &used, packed.size()),
		  LZMA_OK);
	packed.resize(used);
	Data header = {static_cast<u8>((with.pb * 5 + with.lp) * 9 + with.lc)};

	for (u32 i = 0; i < 4; i++)
		header.push_back(static_cast<u8>(with.dictionary >> 8 * i));
	for (u32 i = 0; i < 8; i++)
		header.push_back(static_cast<u8>(size >> 8 * i));
	return header + packed;
}

constexpr Ends kEnds[] = {Ends::kByMark, Ends::kBySize, Ends::kByBoth};

// The same, in a sink that keeps its output side by side.
class SideBySide final : public Sink {
public:
	explicit SideBySide(size_t size) : memory_(size) { set_keeps(); }
	virtual ~SideBySide() = default;

	Result<MutableBytes> lend(size_t wanted) override
	{
		if (memory_.size() - used_ < wanted)
			return Error{kNoSpace, "full"};
		return MutableBytes(memory_.data() + used_, wanted + 11);
	}
	Result<void> commit(size_t made) override
	{
		used_ += made;
		return {};
	}
	Data output() const
	{
		return {memory_.begin(), memory_.begin() + static_cast<long>(used_)};
	}

private:
	Data memory_;
	size_t used_ = 0;
};

class LzmaFile : public host::World {
protected:
	static void expect_whole(const Data &packed, const Data &plain)
	{
		for (const Data &rest :
		     {Data(), Data(1), Data{0xff}, host::to_data("070701"), host::sample(100)}) {
			const Decoded decoded = decode(decode_lzma, packed + rest);

			EXPECT_EQ(decoded.reason, "");
			EXPECT_EQ(decoded.used, packed.size());
			EXPECT_TRUE(decoded.output == plain);
		}
		SideBySide sink(plain.size() + (size_t{1} << 20));
		auto decoded = decode_lzma(host::Exact(packed).bytes(), sink);

		ASSERT_TRUE(decoded.ok());
		EXPECT_EQ(decoded.value(), packed.size());
		EXPECT_TRUE(sink.output() == plain);
	}

	Data plain = host::sample(5000);
};

// A range coder is one byte behind, or not: by chance.
TEST_F(LzmaFile, EndsWhereItEnds)
{
	for (size_t size = 0; size < 3000; size += 1 + size / 5) {
		for (const Ends ends : kEnds) {
			SCOPED_TRACE(testing::Message() << size << " " << static_cast<int>(ends));
			const Data content = host::sample(size);

			expect_whole(lzma_as(content, ends), content);
		}
	}
}

TEST_F(LzmaFile, MayHaveAnyProperties)
{
	const Data content = host::sample(40000) + Data(20000) + host::sample(10000);

	for (const Properties &with :
	     {Properties{4, 0, 2}, Properties{0, 4, 0}, Properties{0, 0, 4}, Properties{2, 2, 1},
	      Properties{3, 0, 2, 4096}, Properties{3, 0, 2, 1 << 23},
	      Properties{1, 3, 4, 12288}}) {
		for (const Ends ends : kEnds) {
			SCOPED_TRACE(testing::Message() << with.lc << with.lp << with.pb);
			const Data packed = lzma_as(content, ends, with);
			const Format *const format = identify_compressed(host::bytes_of(packed));

			expect_whole(packed, content);
			ASSERT_TRUE(format);
			EXPECT_STREQ(format->name, "lzma");
			EXPECT_EQ(format->decode, decode_lzma);
		}
	}
}

TEST_F(LzmaFile, CutAnywhereItIsTruncated)
{
	for (const Ends ends : kEnds) {
		const Data packed = lzma_as(host::sample(900), ends);

		for (size_t size = 0; size < packed.size(); size++) {
			SCOPED_TRACE(testing::Message() << size << " " << static_cast<int>(ends));
			const Data part(packed.begin(), packed.begin() + static_cast<long>(size));
			const host::Exact in(part);
			host::KeepingSink sink;
			auto decoded = decode_lzma(in.bytes(), sink);
			const Data whole = host::sample(900);

			// What ends by its size may be whole without the mark, too.
			if (decoded) {
				EXPECT_EQ(ends, Ends::kByBoth);
				EXPECT_TRUE(sink.output == whole);
				continue;
			}
			EXPECT_EQ(decoded.error().code, kNoData);
			EXPECT_STREQ(decoded.error().reason, "truncated lzma data");
			EXPECT_EQ(decoded.error().offset, size);
			EXPECT_EQ(decoded.error().expected,
				  size < 13 || ends == Ends::kByMark ? 0u : 900u);
			ASSERT_LE(sink.output.size(), whole.size());
			EXPECT_TRUE(
				std::equal(sink.output.begin(), sink.output.end(), whole.begin()));
		}
	}
}

TEST_F(LzmaFile, WhatComesOutAtNoEndIsCorrupt)
{
	for (const Ends ends : kEnds) {
		const Data packed = lzma_as(plain, ends);

		// The coder's first byte, and its last ones.
		for (const size_t at : {size_t{13}, packed.size() - 1, packed.size() - 2}) {
			Data damaged = packed;

			damaged[at] ^= 0x40;
			const std::string reason = decode(decode_lzma, damaged).reason;

			// (Where a size is, an end mark might have been cut off.)
			if (ends == Ends::kByMark || at == 13)
				EXPECT_EQ(reason, "LZMA data is corrupt") << at;
			else
				EXPECT_NE(reason, "") << at;
		}
	}
	Data header = lzma_as(plain, Ends::kByMark);

	header[0] = 225;
	EXPECT_EQ(decode(decode_lzma, header).reason, "bad header");
}

TEST_F(LzmaFile, LessThanItsHeaderSaysIsAnError)
{
	Data packed = lzma_as(plain, Ends::kByBoth);

	packed[6]++;
	const host::Exact in(packed);
	host::KeepingSink sink;
	auto decoded = decode_lzma(in.bytes(), sink);

	ASSERT_FALSE(decoded);
	EXPECT_STREQ(decoded.error().reason, "lzma data holds less than its header says");
	EXPECT_EQ(decoded.error().expected, plain.size() + 256);
	EXPECT_EQ(decoded.error().there, plain.size());
	// More is no end: a match or a literal is not a mark.
	packed[6] -= 2;
	EXPECT_EQ(decode(decode_lzma, packed).reason, "LZMA data is corrupt");
}

TEST_F(LzmaFile, RefersToNothingBeforeItsStart)
{
	// A match right at the start: is_match 1, is_again 1, and so on, of an all-one coder.
	Data packed = lzma_as(plain, Ends::kByMark);

	std::fill(packed.begin() + 14, packed.end(), u8{0xfe});
	EXPECT_EQ(decode(decode_lzma, packed).reason, "LZMA data is corrupt");
	EXPECT_TRUE(decode(decode_lzma, packed).output.empty());
	// Nor before its dictionary.
	Data far = lzma_as(host::sample(60000) + host::sample(60000), Ends::kByMark);

	far[1] = 0;
	far[2] = 0x10;
	far[3] = 0;
	EXPECT_EQ(decode(decode_lzma, far).reason, "LZMA data is corrupt");
}

TEST_F(LzmaFile, TellsWhatElseBeginsLikeIt)
{
	const Data good = lzma_as(plain, Ends::kBySize, {4, 0, 2, 3 << 15});
	const auto is_lzma = [](const Data &data) {
		return identify_compressed(host::bytes_of(data)) != nullptr;
	};

	EXPECT_TRUE(is_lzma(good));
	for (size_t size = 0; size < 14; size++)
		EXPECT_FALSE(is_lzma(Data(good.begin(), good.begin() + static_cast<long>(size))));
	struct Change {
		size_t at;
		u8 byte;
	};
	// Its properties; its dictionary; its size, too large or nothing; the coder.
	for (const Change &change : {Change{0, 225}, Change{1, 1}, Change{3, 0x40}, Change{9, 0x40},
				     Change{12, 0xff}, Change{13, 1}}) {
		Data bad = good;

		bad[change.at] = change.byte;
		EXPECT_FALSE(is_lzma(bad)) << change.at;
	}
	Data nothing = good;

	std::fill_n(nothing.begin() + 5, 8, u8{0});
	EXPECT_FALSE(is_lzma(nothing));
	EXPECT_FALSE(is_lzma(Data(4096)));
	EXPECT_FALSE(is_lzma(Data(4096, 0xff)));
}

} // namespace
