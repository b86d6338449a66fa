// SPDX-License-Identifier: GPL-2.0
// formats/lz4_frame.cc: what liblz4 writes, with all its options, and what it does not.

#include <lz4frame.h>

#include "compress.h"
#include "fixture.h"
#include "initrd/seam/cpus.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::decode;
using host::Decoded;
using host::operator+;

// Options of a frame.
struct Options {
	LZ4F_blockSizeID_t block = LZ4F_max64KB;
	LZ4F_blockMode_t mode = LZ4F_blockIndependent;
	bool block_checksums = false;
	bool content_checksum = true;
	bool content_size = false;
};

Data pack(const Data &plain, const Options &options)
{
	LZ4F_preferences_t preferences = {};

	preferences.frameInfo.blockSizeID = options.block;
	preferences.frameInfo.blockMode = options.mode;
	preferences.frameInfo.blockChecksumFlag = options.block_checksums ?
							  LZ4F_blockChecksumEnabled :
							  LZ4F_noBlockChecksum;
	preferences.frameInfo.contentChecksumFlag = options.content_checksum ?
							    LZ4F_contentChecksumEnabled :
							    LZ4F_noContentChecksum;
	preferences.frameInfo.contentSize = options.content_size ? plain.size() : 0;

	Data out(LZ4F_compressFrameBound(plain.size(), &preferences));
	const size_t size = LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(),
					       &preferences);

	EXPECT_FALSE(LZ4F_isError(size));
	out.resize(size);
	return out;
}

std::vector<Options> all_options()
{
	std::vector<Options> all;

	for (const auto block : {LZ4F_max64KB, LZ4F_max256KB, LZ4F_max1MB, LZ4F_max4MB})
		for (const auto mode : {LZ4F_blockIndependent, LZ4F_blockLinked})
			for (int flags = 0; flags < 8; flags++)
				all.push_back({block, mode, (flags & 1) != 0, (flags & 2) != 0,
					       (flags & 4) != 0});
	return all;
}

// All output side by side, as the RAM disk has it.
class SideBySide final : public Sink {
public:
	explicit SideBySide(size_t most) : memory_(most) { set_keeps(); }
	virtual ~SideBySide() = default;

	Result<MutableBytes> lend(size_t wanted) override
	{
		EXPECT_LE(wanted, memory_.size() - made_);
		return MutableBytes(memory_.data() + made_, memory_.size() - made_);
	}
	Result<void> commit(size_t made) override
	{
		seam_cond_resched();
		made_ += made;
		return {};
	}
	Data output() const
	{
		return {memory_.begin(), memory_.begin() + static_cast<ptrdiff_t>(made_)};
	}

private:
	Data memory_;
	size_t made_ = 0;
};

class Lz4Frame : public host::World {
protected:
	// Repeats itself within 64 KiB and beyond, and holds what cannot be packed.
	const Data plain_ = host::sample(40000) + host::sample(30000, 2) + host::sample(40000) +
			    noise(150000) + host::sample(30000, 2);

	static Data noise(size_t size)
	{
		std::mt19937 random(7);
		Data data(size);

		for (u8 &byte : data)
			byte = static_cast<u8>(random());
		return data;
	}
};

TEST_F(Lz4Frame, EveryOptionOfTheTool)
{
	for (const Options &options : all_options()) {
		for (const Data &content : {Data(), host::to_data("a"), plain_}) {
			const Data packed = pack(content, options);
			const Decoded decoded = decode(decode_lz4, packed + Data(8), 5);

			EXPECT_EQ(decoded.reason, "");
			EXPECT_EQ(decoded.used, packed.size());
			EXPECT_TRUE(decoded.output == content);
		}
	}
}

TEST_F(Lz4Frame, SideBySideWithWhatCameBefore)
{
	for (const Options &options : all_options()) {
		const host::Exact in(pack(plain_, options));
		SideBySide sink((size_t{8} << 20) + 2 * plain_.size());

		// A second frame does not refer to the first one.
		EXPECT_TRUE(decode_lz4(in.bytes(), sink));
		EXPECT_TRUE(decode_lz4(in.bytes(), sink));
		EXPECT_TRUE(sink.output() == plain_ + plain_);
	}
}

TEST_F(Lz4Frame, CutAnywhereItIsTruncated)
{
	const Data content = host::sample(3000);

	for (const Options &options : all_options()) {
		const Data packed = pack(content, options);

		for (size_t size = 4; size < packed.size(); size++) {
			const Data cut(packed.begin(),
				       packed.begin() + static_cast<ptrdiff_t>(size));
			const Decoded decoded = decode(decode_lz4, cut);

			ASSERT_EQ(decoded.reason, "truncated lz4 data") << size;
			ASSERT_EQ(decoded.code, kNoData);
			ASSERT_EQ(decoded.offset, size);
		}
	}
}

TEST_F(Lz4Frame, WithChecksumsEveryChangeIsFound)
{
	Options options;

	options.block_checksums = true;
	options.content_size = true;
	const Data packed = pack(host::sample(2000), options);

	for (size_t at = 0; at < packed.size(); at++) {
		Data damaged = packed;

		damaged[at] ^= 0x08;
		EXPECT_NE(decode(decode_lz4, damaged).reason, "") << at;
	}
}

TEST_F(Lz4Frame, WrongChecksumsAreNamedWhereTheyAre)
{
	Options options;

	options.block_checksums = true;
	Data packed = pack(host::sample(2000), options);
	const size_t content = packed.size() - 4;
	const size_t block = content - 4 - 4;

	for (const size_t at : {size_t{6}, block, content}) {
		Data damaged = packed;

		damaged[at] ^= 1;
		const Decoded decoded = decode(decode_lz4, damaged);

		EXPECT_EQ(decoded.reason, "bad checksum (XXH32) of lz4 data");
		EXPECT_EQ(decoded.code, kBadMessage);
		EXPECT_EQ(decoded.offset, at);
	}
}

// The last byte of a header.
u8 checksum_byte(const Data &head)
{
	seam_xxh32 sum;

	seam_xxh32_start(&sum);
	seam_xxh32_add(&sum, head.data(), head.size());
	return static_cast<u8>(seam_xxh32_value(&sum) >> 8);
}

// A frame from its flags and what is behind its header.
Data made_by_hand(u8 flags, u8 block, const Data &more, const Data &blocks)
{
	const Data head = Data{flags, block} + more;

	return Data{0x04, 0x22, 0x4d, 0x18} + head + Data{checksum_byte(head)} + blocks;
}

TEST_F(Lz4Frame, HeadersThatNoToolWrites)
{
	struct Case {
		u8 flags;
		u8 block;
		const char *reason;
	};
	for (const Case &each : {
		     Case{0x60, 0x40, ""},
		     Case{0x20, 0x40, "unknown version of LZ4 frames"},
		     Case{0xa0, 0x40, "unknown version of LZ4 frames"},
		     Case{0x62, 0x40, "unknown version of LZ4 frames"},
		     Case{0x60, 0x30, "LZ4-compressed data is corrupt"},
		     Case{0x60, 0xc0, "LZ4-compressed data is corrupt"},
		     Case{0x60, 0x41, "LZ4-compressed data is corrupt"},
		     Case{0x61, 0x40, "LZ4 frame that needs a dictionary: compress without -D"},
	     }) {
		EXPECT_EQ(decode(decode_lz4, made_by_hand(each.flags, each.block, {}, Data(4)))
				  .reason,
			  each.reason);
	}
}

TEST_F(Lz4Frame, BlocksThatLie)
{
	const Data end(4);
	// Larger than the frame allows, and a match before the frame's first byte.
	EXPECT_EQ(decode(decode_lz4,
			 made_by_hand(0x60, 0x40, {}, Data{1, 0, 1, 0x80} + Data(65537) + end))
			  .reason,
		  "LZ4-compressed data is corrupt");
	for (const u8 flags : {u8{0x60}, u8{0x40}}) {
		EXPECT_EQ(decode(decode_lz4, made_by_hand(flags, 0x40, {},
							  Data{4, 0, 0, 0, 0x10, 'a', 9, 0} + end))
				  .reason,
			  "LZ4-compressed data is corrupt");
	}
	// More and less than the header says; nothing of what is too much comes out.
	const Data ten = Data{10, 0, 0, 0x80} + Data(10, 'x') + end;

	for (const u8 says : {u8{9}, u8{11}}) {
		const Decoded decoded = decode(decode_lz4,
					       made_by_hand(0x68, 0x40, Data{says} + Data(7), ten));

		EXPECT_EQ(decoded.reason, says == 9 ? "LZ4 frame holds more than its header says" :
						      "LZ4 frame holds less than its header says");
		EXPECT_EQ(decoded.output.size(), says == 9 ? 0u : 10u);
	}
}

TEST_F(Lz4Frame, EveryAllocationMayFail)
{
	Options options;

	options.mode = LZ4F_blockLinked;
	host::fail_allocation(1);
	const Decoded decoded = decode(decode_lz4, pack(plain_, options));

	EXPECT_EQ(decoded.code, kNoMemory);
}

} // namespace
