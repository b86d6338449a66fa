// SPDX-License-Identifier: GPL-2.0
// formats/Crc32: the library's result, for pieces of every size.

#include "initrd/formats/crc32.h"

#include <zlib.h>

#include "fixture.h"

namespace {

using namespace initrd;
using host::Data;

u32 expected(const Data &data)
{
	return static_cast<u32>(crc32_z(0, data.data(), data.size()));
}

// The sum of `data` in pieces of the sizes given, over and over.
u32 sum_of(const Data &data, const std::vector<size_t> &sizes)
{
	auto made = Crc32::create();
	Crc32 &crc = made.value();
	size_t at = 0;

	for (size_t i = 0; at < data.size(); i++) {
		const Bytes piece = host::bytes_of(data).skip(at).first(sizes[i % sizes.size()]);

		// In a block of its own: nothing before or behind it is read.
		crc.add(host::Exact(piece).bytes());
		at += piece.size();
	}
	return crc.value();
}

class Crc32Test : public host::World {};

TEST_F(Crc32Test, OfNothingIsZero)
{
	EXPECT_EQ(sum_of({}, {1}), 0u);
}

TEST_F(Crc32Test, IsThatOfTheLibraryForEverySize)
{
	// Around what words reach, what fits in at once, and in several rounds.
	for (const size_t base : {0u, 140u, 791u, 3006u, 6012u, 32768u, 32768u + 3006u, 98304u}) {
		for (size_t size = base ? base - 17 : 0; size < base + 17; size++) {
			const Data data = host::sample(size, static_cast<unsigned>(size));

			ASSERT_EQ(sum_of(data, {size + 1}), expected(data)) << size;
		}
	}
}

TEST_F(Crc32Test, DoesNotDependOnThePieces)
{
	const Data data = host::sample(700'001);

	for (const std::vector<size_t> &sizes : {std::vector<size_t>{700'001},
						 {131072},
						 {512, 131072},
						 {19200, 1},
						 {19199, 19201},
						 {100'003, 7, 20'000},
						 {1},
						 {1, 2, 3, 50'000}})
		EXPECT_EQ(sum_of(data, sizes), expected(data)) << sizes[0];
}

TEST_F(Crc32Test, StartsAgain)
{
	const Data data = host::sample(50'000);

	for (const bool fast : {false, true}) {
		host::set_crc32_is_fast(fast);
		auto made = Crc32::create();
		Crc32 &crc = made.value();

		crc.add(host::bytes_of(data));
		EXPECT_EQ(crc.value(), expected(data));
		crc.restart();
		EXPECT_EQ(crc.value(), 0u);
		crc.restart();
		crc.add(host::bytes_of(data).first(3000));
		EXPECT_EQ(crc.value(), expected(Data(data.begin(), data.begin() + 3000)));
	}
}

TEST_F(Crc32Test, SeesEveryBit)
{
	Data data = host::sample(40'000);
	const u32 right = sum_of(data, {40'000});

	for (size_t bit = 0; bit < data.size() * 8; bit += 997) {
		data[bit / 8] ^= static_cast<u8>(1 << bit % 8);
		EXPECT_NE(sum_of(data, {40'000}), right) << bit;
		data[bit / 8] ^= static_cast<u8>(1 << bit % 8);
	}
}

TEST_F(Crc32Test, WithoutMemoryThereIsNone)
{
	host::fail_allocation(1);
	auto none = Crc32::create();

	ASSERT_FALSE(none.ok());
	EXPECT_EQ(none.error().code, kNoMemory);
}

TEST_F(Crc32Test, LeavesItToAProcessorThatCan)
{
	const Data data = host::sample(50'000);

	host::set_crc32_is_fast(true);
	EXPECT_EQ(sum_of(data, {50'000}), expected(data));
	EXPECT_EQ(host::allocations(), 0u);
}

} // namespace
