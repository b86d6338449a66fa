// SPDX-License-Identifier: GPL-2.0
// support/: numbers of the command line, spans, results.

#include "fixture.h"
#include "initrd/support/blocks.h"
#include "initrd/support/loose_pages.h"
#include "initrd/support/parse.h"

namespace {

using namespace initrd;

struct Parsed {
	bool ok;
	u64 value;
	std::string rest;

	bool operator==(const Parsed &) const = default;
};

void PrintTo(const Parsed &parsed, std::ostream *out)
{
	*out << parsed.ok << " " << parsed.value << " \"" << parsed.rest << "\"";
}

Parsed number(const char *text)
{
	u64 value = 77;
	const bool ok = parse_number(text, value);

	return {ok, value, text};
}

Parsed size(const char *text)
{
	u64 value = 77;
	const bool ok = parse_size(text, value);

	return {ok, value, text};
}

TEST(ParseNumber, ReadsDecimalOctalAndHexadecimal)
{
	EXPECT_EQ(number("0"), (Parsed{true, 0, ""}));
	EXPECT_EQ(number("4096"), (Parsed{true, 4096, ""}));
	EXPECT_EQ(number("0755,"), (Parsed{true, 0755, ","}));
	EXPECT_EQ(number("0x1aF"), (Parsed{true, 0x1af, ""}));
	EXPECT_EQ(number("0X10M"), (Parsed{true, 16, "M"}));
}

TEST(ParseNumber, StopsAtTheFirstOtherCharacter)
{
	EXPECT_EQ(number("12ab"), (Parsed{true, 12, "ab"}));
	EXPECT_EQ(number("089"), (Parsed{true, 0, "89"}));
	EXPECT_EQ(number("0x"), (Parsed{true, 0, "x"}));
	EXPECT_EQ(number("0xg"), (Parsed{true, 0, "xg"}));
}

TEST(ParseNumber, RefusesWhatHasNoDigit)
{
	EXPECT_FALSE(number("").ok);
	EXPECT_FALSE(number("-1").ok);
	EXPECT_FALSE(number(" 1").ok);
	EXPECT_FALSE(number("x10").ok);
	EXPECT_EQ(number("K").value, 0u);
}

TEST(ParseNumber, RefusesWhatDoesNotFit)
{
	EXPECT_EQ(number("18446744073709551615"), (Parsed{true, ~0ull, ""}));
	EXPECT_FALSE(number("18446744073709551616").ok);
	EXPECT_FALSE(number("0x10000000000000000").ok);
	EXPECT_EQ(number("99999999999999999999").value, 0u);
}

TEST(ParseSize, KnowsTheSuffixes)
{
	EXPECT_EQ(size("3K"), (Parsed{true, 3 << 10, ""}));
	EXPECT_EQ(size("3k"), (Parsed{true, 3 << 10, ""}));
	EXPECT_EQ(size("16M@"), (Parsed{true, 16 << 20, "@"}));
	EXPECT_EQ(size("1g"), (Parsed{true, 1 << 30, ""}));
	EXPECT_EQ(size("2T"), (Parsed{true, 2ull << 40, ""}));
	EXPECT_EQ(size("2p"), (Parsed{true, 2ull << 50, ""}));
	EXPECT_EQ(size("15E"), (Parsed{true, 15ull << 60, ""}));
	EXPECT_EQ(size("0x10K,"), (Parsed{true, 16 << 10, ","}));
	EXPECT_EQ(size("512"), (Parsed{true, 512, ""}));
	EXPECT_EQ(size("1KB"), (Parsed{true, 1024, "B"}));
}

TEST(ParseSize, RefusesWhatDoesNotFit)
{
	EXPECT_FALSE(size("16E").ok);
	EXPECT_EQ(size("16E").value, 0u);
	EXPECT_FALSE(size("18014398509481984K").ok);
	EXPECT_FALSE(size("M").ok);
}

TEST(Span, FirstAndSkipNeverLeaveTheRange)
{
	const u8 data[] = {1, 2, 3, 4};
	const Bytes all(data);

	EXPECT_EQ(all.first(2).size(), 2u);
	EXPECT_EQ(all.first(9).size(), 4u);
	EXPECT_EQ(all.skip(1).data(), data + 1);
	EXPECT_EQ(all.skip(4).size(), 0u);
	EXPECT_EQ(all.skip(~size_t{0}).data(), data + 4);
	EXPECT_TRUE(all.skip(5).empty());
	EXPECT_TRUE(Bytes().skip(1).empty());
}

TEST(Span, HasDoesNotOverflow)
{
	const u8 data[4] = {};
	const Bytes all(data);

	EXPECT_TRUE(all.has(0, 4));
	EXPECT_TRUE(all.has(4, 0));
	EXPECT_FALSE(all.has(5, 0));
	EXPECT_FALSE(all.has(1, 4));
	EXPECT_FALSE(all.has(1, ~size_t{0}));
	EXPECT_FALSE(all.has(~size_t{0}, 1));
}

TEST(SpanDeathTest, TrapsOutsideTheRange)
{
	const u8 data[4] = {};
	const Bytes all(data);

	EXPECT_DEATH((void)all[4], "");
	EXPECT_DEATH((void)load_le32(all, 1), "");
}

TEST(Bytes, LoadsBothByteOrdersAtAnyAlignment)
{
	const u8 data[] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8};
	const Bytes all(data);

	EXPECT_EQ(load_le16(all, 1), 0x0201);
	EXPECT_EQ(load_be16(all, 1), 0x0102);
	EXPECT_EQ(load_le32(all, 1), 0x04030201u);
	EXPECT_EQ(load_be32(all, 1), 0x01020304u);
	EXPECT_EQ(load_le64(all, 1), 0x0807060504030201ull);
	EXPECT_EQ(load_be32(all, 5), 0x05060708u);
}

TEST(Bytes, CopyAndHoldsAndLeadingZeros)
{
	u8 to[3] = {};
	const u8 from[] = {0, 0, 'a', 'b'};

	EXPECT_EQ(copy(MutableBytes(to), Bytes(from).skip(1)), 3u);
	EXPECT_EQ(to[2], 'b');
	EXPECT_EQ(copy(MutableBytes(to), Bytes()), 0u);
	EXPECT_TRUE(holds(from, 2, "ab"));
	EXPECT_FALSE(holds(from, 3, "ab"));
	EXPECT_FALSE(holds(from, 9, "a"));
	EXPECT_EQ(leading_zeros(from), 2u);
	EXPECT_EQ(leading_zeros(Bytes(from).first(2)), 2u);
	EXPECT_EQ(leading_zeros(Bytes()), 0u);
}

TEST(Utility, RoundsToPowersOfTwo)
{
	EXPECT_EQ(round_up<u64>(0, 4), 0u);
	EXPECT_EQ(round_up<u64>(1, 4096), 4096u);
	EXPECT_EQ(round_up<u64>(4096, 4096), 4096u);
	EXPECT_EQ(round_down<u64>(8191, 4096), 4096u);
}

TEST(Utility, CheckedArithmeticNoticesOverflow)
{
	u64 out = 0;

	EXPECT_TRUE(checked_add(~0ull - 1, 1ull, out));
	EXPECT_EQ(out, ~0ull);
	EXPECT_FALSE(checked_add(~0ull, 1ull, out));
	EXPECT_TRUE(checked_multiply(1ull << 32, (1ull << 32) - 1, out));
	EXPECT_FALSE(checked_multiply(1ull << 32, 1ull << 32, out));
}

Result<int> twice(Result<int> input)
{
	return 2 * TRY(move(input));
}

TEST(Result, TryHandsOnValuesAndErrors)
{
	EXPECT_EQ(twice(21).value(), 42);

	auto failed = twice(Error{kNoSpace, "full", 7});

	ASSERT_FALSE(failed);
	EXPECT_EQ(failed.error().code, kNoSpace);
	EXPECT_STREQ(failed.error().reason, "full");
	EXPECT_EQ(failed.error().after(100).offset, 107u);
}

// Counts those that still own something.
struct Owner {
	explicit Owner(int &owners) : owners_(&owners) { owners++; }
	Owner(Owner &&other) : owners_(other.owners_) { other.owners_ = nullptr; }
	~Owner()
	{
		if (owners_)
			--*owners_;
	}

	int *owners_;
};

TEST(Result, MovesAndDestroysItsValueOnce)
{
	int owners = 0;
	{
		Result<Owner> first(Owner{owners});
		Result<Owner> second(move(first));

		EXPECT_EQ(owners, 1);
		EXPECT_EQ(second.value().owners_, &owners);
	}
	EXPECT_EQ(owners, 0);
}

TEST(Result, CheckTurnsANegativeStatusIntoAnError)
{
	EXPECT_TRUE(check(0, "").ok());
	EXPECT_TRUE(check(3, "").ok());
	EXPECT_EQ(check(-22, "io").error().code, kInvalid);
}

TEST(ResultDeathTest, TrapsWhenTheOtherSideIsRead)
{
	Result<int> good(1);
	Result<int> bad(Error{kInvalid, "io"});

	EXPECT_DEATH((void)good.error(), "");
	EXPECT_DEATH((void)bad.value(), "");
}

TEST(Division, IsExactInDigitsOf16Bits)
{
	for (const u64 value : {0ull, 1ull, 999ull, 1000ull, 65535ull, 65536ull, 4294967295ull,
				4294967296ull, 1234567890123456789ull, ~0ull})
		for (const u16 by : {1, 2, 3, 1000, 15625, 32768, 65535})
			EXPECT_EQ(divide(value, by), value / by) << value << " / " << by;
	EXPECT_EQ(to_milliseconds(999999), 0u);
	EXPECT_EQ(to_milliseconds(1000000), 1u);
	EXPECT_EQ(to_milliseconds(~0ull), ~0ull / 1000000);
}

TEST(Division, CountsWholeUnitsOfAPowerOfTwo)
{
	for (const u64 value : {0ull, 511ull, 512ull, 4095ull, 4097ull, 1ull << 40, ~0ull})
		for (const size_t unit : {1, 512, 4096, 65536}) {
			EXPECT_EQ(in_units(value, unit), value / unit);
			EXPECT_EQ(rest_of_unit(value, unit), value % unit);
		}
}

TEST(Blocks, BeginAtMultiplesOfTheirSize)
{
	EXPECT_EQ(largest_order(8, 100, 9), 3u);
	EXPECT_EQ(largest_order(8, 7, 9), 2u);
	EXPECT_EQ(largest_order(1024, 4096, 9), 9u);
	EXPECT_EQ(largest_order(7, 100, 9), 0u);
	// Page 0 may begin a block of any order.
	EXPECT_EQ(largest_order(0, 100, 9), 6u);
	EXPECT_EQ(largest_order(0, 1, 9), 0u);
}

TEST(Blocks, CoverEveryPageOnce)
{
	for (const size_t first : {0, 1, 5, 512, 1000})
		for (const size_t count : {1, 2, 63, 64, 1025}) {
			size_t next = 0;

			free_in_blocks(
				first, count, 9, [](size_t page, u32) { return page != 16; },
				[&](size_t page, u32 order) {
					EXPECT_EQ(page, next);
					EXPECT_EQ((first + page) % (size_t{1} << order), 0u);
					EXPECT_TRUE(page != 16 || order == 0);
					next += size_t{1} << order;
				});
			EXPECT_EQ(next, count);
		}
}

TEST(LoosePages, HaveOneOwner)
{
	u8 memory[96] = {};
	LoosePages pages({memory, 96});
	LoosePages others = move(pages);

	EXPECT_TRUE(pages.empty());
	EXPECT_EQ(others.size(), 96u);
	EXPECT_EQ(others.release(32).size(), 32u);
	EXPECT_EQ(others.size(), 64u);
	pages = move(others);
	EXPECT_EQ(pages.release().data(), memory + 32);
	EXPECT_TRUE(pages.empty());
}

TEST(LoosePages, AreNotLost)
{
	u8 memory[32] = {};

	EXPECT_DEATH(LoosePages({memory, 32}), "");
	EXPECT_DEATH(
		{
			LoosePages pages({memory, 32});

			pages = LoosePages();
			pages.release();
		},
		"");
}

} // namespace
