// SPDX-License-Identifier: GPL-2.0
// formats/lz4: where a frame of `lz4 -l`, which has no end mark, ends.

#include <algorithm>

#include <lz4.h>

#include "archive.h"
#include "boots.h"
#include "compress.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::decode;
using host::Decoded;
using host::operator+;

constexpr size_t kWhole = size_t{8} << 20;

Data noise(size_t size, unsigned seed)
{
	std::mt19937 random(seed);
	Data data(size);

	for (u8 &byte : data)
		byte = static_cast<u8>(random());
	return data;
}

// Blocks of `size` bytes, which no tool writes.
Data in_small_blocks(const Data &plain, size_t size)
{
	Data packed = host::lz4({});

	for (size_t at = 0; at < plain.size(); at += size) {
		const auto start = plain.begin() + static_cast<ptrdiff_t>(at);
		const size_t n = std::min(size, plain.size() - at);
		const Data one = host::lz4(Data(start, start + static_cast<ptrdiff_t>(n)));

		packed.insert(packed.end(), one.begin() + 4, one.end());
	}
	return packed;
}

// The frame that `lz4` writes, with its content in one stored block.
Data stored_frame(const Data &plain)
{
	const size_t size = plain.size();
	// (The last byte is of the header's own checksum.)
	const Data header = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73};
	const Data block = {static_cast<u8>(size), static_cast<u8>(size >> 8),
			    static_cast<u8>(size >> 16), 0x80};

	return header + block + plain + Data(4);
}

// With a dictionary of 16 MiB: 5d 00 00 00 could be the size of a block.
Data lzma_with_large_dictionary(const Data &plain)
{
	Data packed = host::lzma(plain);

	packed[1] = packed[2] = packed[3] = 0;
	packed[4] = 1;
	return packed;
}

struct Rest {
	std::string name;
	Data bytes;
};

// All that has been seen behind such a frame, and more. Nothing of it is a block.
std::vector<Rest> rests()
{
	const Data archive = host::Archive().file("next", "2").trailer().pad(512).data();
	std::vector<Rest> all = {
		{"nothing", {}},
		{"cpio", archive},
		{"gzip", host::gzip(archive)},
		{"large gzip", host::gzip(noise(600000, 2))},
		{"gzip with fields", host::gzip_with_all_fields(archive)},
		{"bzip2", host::bzip2(archive)},
		{"lzma", host::lzma(archive)},
		{"lzma, large dictionary", lzma_with_large_dictionary(archive)},
		{"xz", host::xz(archive)},
		{"lzo", host::lzo(archive)},
		{"zstd", host::zstd(archive)},
		{"pzstd", host::pzstd(archive, 1000)},
		{"lz4 frame", stored_frame(archive)},
		{"squashfs", host::to_data("hsqs") + noise(4092, 3)},
		{"junk", host::to_data("junk")},
		{"junk of one byte", {0x11}},
		{"its size", {0x00, 0x00, 0x80, 0x00}},
	};

	for (const size_t size : {1, 2, 3, 4, 5, 511, 4096, 1 << 20}) {
		all.push_back({std::to_string(size) + " NULs", Data(size)});
		all.push_back({std::to_string(size) + " times ff", Data(size, 0xff)});
	}
	for (unsigned seed = 10; seed < 15; seed++) {
		Data bytes = noise(3000, seed);

		bytes[3] |= 1; // no size
		all.push_back({"noise", bytes});
	}
	return all;
}

Data content(size_t size)
{
	Data plain = host::sample(std::min(size, size_t{100000}));

	while (plain.size() < size)
		plain = plain + plain;
	plain.resize(size);
	return plain;
}

class Lz4Legacy : public host::World, public testing::WithParamInterface<size_t> {
protected:
	void SetUp() override
	{
		World::SetUp();
		host::set_cpus(GetParam());
		host::set_memory_available(u64{1} << 30);
	}

	static void expect_whole(const Data &packed, const Data &rest, const Data &plain)
	{
		const Decoded decoded = decode(decode_lz4, packed + rest);

		EXPECT_EQ(decoded.reason, "");
		EXPECT_EQ(decoded.used, packed.size());
		EXPECT_TRUE(decoded.output == plain) << decoded.output.size();
	}
};

INSTANTIATE_TEST_SUITE_P(Cpus, Lz4Legacy, testing::Values(size_t{1}, size_t{3}));

TEST_P(Lz4Legacy, EndsBehindAShortBlock)
{
	for (const size_t size : {size_t{1}, size_t{5000}, size_t{100000}}) {
		const Data plain = host::sample(size);
		const Data packed = host::lz4(plain);

		for (const Rest &rest : rests()) {
			SCOPED_TRACE(testing::Message() << size << ", " << rest.name);
			expect_whole(packed, rest.bytes, plain);
		}
	}
}

TEST_P(Lz4Legacy, EndsBehindAWholeBlock)
{
	const Data plain = content(GetParam() == 1 ? kWhole : 2 * kWhole);
	const Data packed = host::lz4(plain);

	for (const Rest &rest : rests()) {
		SCOPED_TRACE(rest.name);
		expect_whole(packed, rest.bytes, plain);
	}
}

// Behind a short one anything may follow: a size that fits, too, and one that does not.
TEST_P(Lz4Legacy, EndsWhereNoBlockFollowsAShortOne)
{
	const Data plain = host::sample(5000);
	const Data packed = host::lz4(plain);

	// Cut off; corrupt; of nothing.
	for (const Data &rest : {Data{0x10, 0, 0, 0, 1, 2, 3}, Data{4, 0, 0, 0, 0x10, 1, 9, 9},
				 Data{1, 0, 0, 0, 0}, Data{0x88, 0x13, 0, 0}})
		expect_whole(packed, rest, plain);
}

TEST_P(Lz4Legacy, TakesSmallBlocksAsTheToolDoes)
{
	const Data plain = host::sample(400000);

	for (const size_t size : {size_t{1}, size_t{1000}, size_t{150000}}) {
		const Data part = size == 1 ? host::sample(300) : plain;

		for (const Rest &rest : rests()) {
			SCOPED_TRACE(testing::Message() << size << ", " << rest.name);
			expect_whole(in_small_blocks(part, size), rest.bytes, part);
		}
	}
}

TEST_P(Lz4Legacy, FramesThatFollowEachOtherAreOne)
{
	const Data plain = host::sample(300000);
	const Data whole = content(kWhole);
	const Data packed = host::lz4(plain);

	expect_whole(packed + packed, host::to_data("junk"), plain + plain);
	expect_whole(host::lz4(whole) + packed, host::to_data("junk"), whole + plain);
	expect_whole(packed + host::lz4(whole), host::to_data("junk"), plain + whole);
	expect_whole(packed + host::lz4({}), host::to_data("ju"), plain);
	// Nothing at all, and then a frame of the newer kind.
	expect_whole(host::lz4({}), stored_frame(plain), {});
}

TEST_P(Lz4Legacy, CutBehindAWholeBlockIsTruncated)
{
	const Data plain = content(kWhole) + noise(50000, 4);
	const Data packed = host::lz4(plain);
	const size_t last = 4 + 4 + load_le32(host::bytes_of(packed), 4);

	for (const size_t left : {size_t{4}, size_t{5}, size_t{20000}, packed.size() - last - 1}) {
		SCOPED_TRACE(left);
		Data part = packed;

		part.resize(last + left);
		const Decoded decoded = decode(decode_lz4, part);

		EXPECT_EQ(decoded.reason, "truncated lz4 data");
		EXPECT_EQ(decoded.code, kNoData);
		EXPECT_EQ(decoded.offset, part.size());
		EXPECT_EQ(decoded.output.size(), kWhole);
	}
}

TEST_P(Lz4Legacy, CorruptBehindAWholeBlockIsAnError)
{
	const Data packed = host::lz4(content(kWhole) + host::sample(50000));
	const size_t last = 4 + 4 + load_le32(host::bytes_of(packed), 4);

	// The block makes no sense; it is too long for its size.
	for (const size_t at : {last + 4, last}) {
		Data damaged = packed;

		if (at == last)
			damaged[at] -= 7;
		else
			damaged[at] = 0x0f;
		const Decoded decoded = decode(decode_lz4, damaged);

		EXPECT_EQ(decoded.reason, "LZ4-compressed data is corrupt");
		EXPECT_EQ(decoded.offset, last);
		EXPECT_EQ(decoded.output.size(), kWhole);
	}
}

TEST_P(Lz4Legacy, BehindAMagicNumberThereHasToBeABlock)
{
	const Data plain = host::sample(5000);
	const Data packed = host::lz4(plain);
	Data cut = packed;

	cut.resize(cut.size() - 10);
	for (const Data &before : {Data(), packed, host::lz4(content(kWhole))}) {
		EXPECT_EQ(decode(decode_lz4, before + cut).reason, "truncated lz4 data");
		EXPECT_EQ(decode(decode_lz4, before + cut).offset, before.size() + cut.size());
		for (const Data &wrong : {Data{0xff, 0xff, 0xff, 0xff}, host::to_data("junk"),
					  Data{2, 0, 0, 0, 9, 9}}) {
			const Decoded decoded = decode(decode_lz4, before + host::lz4({}) + wrong);

			EXPECT_EQ(decoded.reason, "LZ4-compressed data is corrupt");
			EXPECT_EQ(decoded.offset, before.size() + 4);
		}
	}
}

// A block that is packed to as many bytes as can be is one.
TEST_P(Lz4Legacy, TakesWhatDoesNotCompress)
{
	const Data plain = noise(kWhole + 5000, 5);

	expect_whole(host::lz4(plain), host::to_data("junk"), plain);
}

using Lz4LegacyImage = host::Boot;

TEST_F(Lz4LegacyImage, BootsWithWhateverIsBehindIt)
{
	for (const size_t size : {size_t{50000}, kWhole}) {
		const Data image = host::ext2_image(size);
		const Data packed = host::lz4(image);

		for (const size_t cpus : {1, 2}) {
			// (Of the large one the parallel decoder alone.)
			if (size == kWhole && cpus == 1)
				continue;
			for (const Rest &rest : rests()) {
				SCOPED_TRACE(testing::Message() << size << ", " << rest.name);
				again();
				host::set_cpus(cpus);
				host::set_image(packed + rest.bytes);
				EXPECT_EQ(boot(), 0);
				EXPECT_TRUE(ram0(image.size()) == image) << host::whole_log();
				EXPECT_TRUE(host::logged("initrd: lz4+ext2 image:"));
				EXPECT_FALSE(host::logged("truncated lz4 data"));
				expect_no_page_left();
			}
		}
	}
}

} // namespace
