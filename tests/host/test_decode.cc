// SPDX-License-Identifier: GPL-2.0
// formats/: what holds for every decoder.

#include "compress.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::decode;
using host::Decoded;
using host::Method;
using host::operator+;

// The largest window that a decoder lends at once, and some more.
constexpr size_t kLarge = (size_t{8} << 20) + 12345;
static_assert(kLarge > 2 * kStreamRoom);

class Decode : public host::World, public testing::WithParamInterface<Method> {
protected:
	Data pack(const Data &plain) const { return GetParam().compress(plain); }
	Decoder decoder() const { return GetParam().decode; }
};

INSTANTIATE_TEST_SUITE_P(Formats, Decode, testing::ValuesIn(host::kMethods),
			 [](const auto &info) { return info.param.name; });

TEST_P(Decode, GivesBackWhatWasPacked)
{
	for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{100000},
				  kStreamRoom, kStreamRoom + 1, size_t{600000}}) {
		SCOPED_TRACE(size);
		const Data plain = host::sample(size);
		const Data packed = pack(plain);
		const Decoded decoded = decode(decoder(), packed);

		EXPECT_EQ(decoded.reason, "");
		EXPECT_EQ(decoded.used, packed.size());
		EXPECT_TRUE(decoded.output == plain);
	}
}

TEST_P(Decode, GivesBackMoreThanAnyWindow)
{
	Data plain = host::sample(200000);

	while (plain.size() < kLarge)
		plain = plain + plain;
	plain.resize(kLarge);

	const Data packed = pack(plain);
	const Decoded decoded = decode(decoder(), packed);

	EXPECT_EQ(decoded.reason, "");
	EXPECT_EQ(decoded.used, packed.size());
	EXPECT_TRUE(decoded.output == plain);
}

TEST_P(Decode, TakesMoreRoomThanItAskedFor)
{
	const Data plain = host::sample(300000);
	const Decoded decoded = decode(decoder(), pack(plain), 54321);

	EXPECT_EQ(decoded.reason, "");
	EXPECT_TRUE(decoded.output == plain);
}

TEST_P(Decode, GivesBackWhatDoesNotCompress)
{
	std::mt19937 random(3);
	Data plain(300000);

	for (u8 &byte : plain)
		byte = static_cast<u8>(random());
	const Decoded decoded = decode(decoder(), pack(plain));

	EXPECT_EQ(decoded.reason, "");
	EXPECT_TRUE(decoded.output == plain);
}

TEST_P(Decode, LeavesWhatFollowsAlone)
{
	const Data plain = host::sample(5000);
	const Data packed = pack(plain);

	for (const Data &rest : {Data(1), Data(3), Data(512), Data(4) + host::sample(100)}) {
		const Decoded decoded = decode(decoder(), packed + rest);

		EXPECT_EQ(decoded.reason, "");
		EXPECT_EQ(decoded.used, packed.size());
		EXPECT_TRUE(decoded.output == plain);
	}
}

TEST_P(Decode, NoticesEveryCut)
{
	const Data plain = host::sample(700);
	const Data packed = pack(plain);

	for (size_t size = 0; size < packed.size(); size++) {
		SCOPED_TRACE(size);
		Data part = packed;

		part.resize(size);
		const Decoded decoded = decode(decoder(), part);

		// LZ4's legacy frame has no end mark: cut before a block, it is whole.
		if (!GetParam().ended && size >= 4 && size < 8) {
			EXPECT_EQ(decoded.used, 4u);
			continue;
		}
		EXPECT_NE(decoded.reason, "");
		EXPECT_TRUE(decoded.code == kNoData || size < 6) << decoded.reason;
		EXPECT_LE(decoded.offset, size);
		EXPECT_LE(decoded.output.size(), plain.size());
	}
}

TEST_P(Decode, NoticesCutsInLargeInput)
{
	const Data packed = pack(host::sample(400000));

	for (size_t size = 9; size < packed.size(); size += packed.size() / 23) {
		Data part = packed;

		part.resize(size);
		EXPECT_NE(decode(decoder(), part).reason, "") << size;
	}
}

TEST_P(Decode, SurvivesEveryDamagedByte)
{
	const Data plain = host::sample(400);
	const Data packed = pack(plain);

	for (size_t at = 0; at < packed.size(); at++) {
		for (const u8 change : {0x01, 0x80, 0xff}) {
			Data damaged = packed;

			damaged[at] ^= change;
			const Decoded decoded = decode(decoder(), damaged);

			EXPECT_LE(decoded.used, damaged.size());
			EXPECT_LE(decoded.offset, damaged.size());
			// What a checksum guards is right, or it is an error.
			if (GetParam().checked && decoded.reason.empty())
				EXPECT_TRUE(decoded.output == plain) << at;
		}
	}
}

TEST_P(Decode, SurvivesNoise)
{
	std::mt19937 random(7);
	const Data head = pack(host::sample(50));

	for (int i = 0; i < 100; i++) {
		Data noise = head;

		noise.resize(4 + random() % head.size());
		while (noise.size() < 300)
			noise.push_back(static_cast<u8>(random()));
		EXPECT_LE(decode(decoder(), noise).used, noise.size());
	}
}

TEST_P(Decode, HandsTheSinksErrorOn)
{
	const Data packed = pack(host::sample(300000));

	for (size_t call = 1;; call++) {
		const Decoded decoded = decode(decoder(), packed, 0, call);

		if (decoded.reason.empty()) {
			EXPECT_GT(call, 2u);
			break;
		}
		EXPECT_EQ(decoded.reason, "the sink is full");
		EXPECT_EQ(decoded.code, kNoSpace);
	}
}

TEST_P(Decode, SaysWhenThereIsNoMemory)
{
	const Data packed = pack(host::sample(1000));

	host::fail_allocation(0);
	ASSERT_EQ(decode(decoder(), packed).reason, "");
	const uint64_t all = host::allocations();

	for (uint64_t n = 1; n <= all; n++) {
		host::fail_allocation(n);
		EXPECT_NE(decode(decoder(), packed).reason, "") << n;
		EXPECT_EQ(host::live(), host::Live());
	}
}

} // namespace
