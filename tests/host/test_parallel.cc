// SPDX-License-Identifier: GPL-2.0
// Decoding on several processors: the same bytes, the same errors, at the same
// offsets as on one.

#include <algorithm>

#include "initrd/formats/parallel.h"

#include "compress.h"
#include "fixture.h"
#include "initrd/load/page_writer.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using host::operator+;

// What came of all members of an input, up to the first error.
struct Outcome {
	std::string reason;
	int code = 0;
	u64 offset = 0;
	Data output;

	bool operator==(const Outcome &) const = default;
};

// For messages of failed tests.
void PrintTo(const Outcome &outcome, std::ostream *out)
{
	*out << outcome.output.size() << " bytes, \"" << outcome.reason << "\" " << outcome.code
	     << " at " << outcome.offset;
}

// Sees that input is given up in order.
class Order final : public Reading {
public:
	void reached(size_t done) override
	{
		EXPECT_LE(done, size);
		most = std::max(most, done);
	}

	size_t size = 0;
	size_t most = 0;
};

// Decodes like the loader of the RAM disk, into pages.
Outcome load_into(ramdisk::Disk &disk, Decoder decode, const Data &packed)
{
	const host::Exact in(packed);
	ramdisk::PageWriter writer(disk);
	Outcome outcome;
	Order order;

	order.size = packed.size();
	for (size_t at = 0; at < packed.size();) {
		writer.follow(order, at);
		auto member = decode(in.bytes().skip(at), writer);

		if (!member) {
			outcome.reason = member.error().reason;
			outcome.code = member.error().code;
			outcome.offset = at + member.error().offset;
			break;
		}
		at += member.value();
		at += leading_zeros(in.bytes().skip(at));
	}
	// Pages that the disk has no memory for are not on it.
	if (!writer.finish())
		return {"the disk is not finished", kNoMemory};
	outcome.output.resize(static_cast<size_t>(writer.size()));
	disk.read(0, MutableBytes(outcome.output.data(), outcome.output.size()));
	return outcome;
}

// The same, and sees that nothing is left behind. `cpus`: a number, or who counts them.
template <typename Cpus> Outcome load(Decoder decode, const Data &packed, Cpus cpus)
{
	ramdisk::Disk &disk = *ramdisk::boot_disk().value();

	host::set_cpus(cpus);
	const Outcome outcome = load_into(disk, decode, packed);

	host::set_cpus(1);
	disk.clear();
	EXPECT_EQ(host::live().pages, 0u);
	EXPECT_EQ(host::live().windows, 0u);
	EXPECT_EQ(host::live().codecs, 0u);
	return outcome;
}

// Compressible, and cheap to make.
Data much(size_t size)
{
	const Data piece = host::sample(100000);
	Data data;

	data.reserve(size + piece.size());
	while (data.size() < size)
		data.insert(data.end(), piece.begin(), piece.end());
	data.resize(size);
	return data;
}

struct Case {
	const char *name;
	Decoder decode;
	Data (*pack)(const Data &plain);
	size_t size;
	// Whether it is in blocks whatever sink it goes to, or in members.
	bool in_blocks;
};

Data lz4_with_short_blocks(const Data &plain)
{
	const auto part = [&plain](size_t from, size_t to) {
		return host::lz4(Data(plain.begin() + static_cast<ptrdiff_t>(from),
				      plain.begin() + static_cast<ptrdiff_t>(to)));
	};
	constexpr size_t kBlock = 8 << 20;
	const Data end(4);

	return part(0, kBlock + 12345) + part(kBlock + 12345, kBlock + 12346) +
	       part(kBlock + 12346, 2 * kBlock + 12346) + part(2 * kBlock + 12346, plain.size()) +
	       end;
}

const Case kCases[] = {
	{"lz4", decode_lz4, host::lz4, (size_t{16} << 20) + 777, true},
	{"lz4_short", decode_lz4, lz4_with_short_blocks, size_t{26} << 20, true},
	{"lzo", decode_lzo, host::lzo, 1500001, true},
	{"xz_crc64", decode_xz,
	 [](const Data &plain) { return host::xz_in_blocks(plain, 200001, true); }, 1100001, true},
	{"xz", decode_xz, [](const Data &plain) { return host::xz_in_blocks(plain, 200001); },
	 1500001, true},
	{"pzstd", decode_zstd, [](const Data &plain) { return host::pzstd(plain, 300001); },
	 1500001, false},
	{"zstd", decode_zstd, [](const Data &plain) { return host::zstd_in_frames(plain, 300001); },
	 1500001, false},
	{"bgzip", decode_gzip, [](const Data &plain) { return host::bgzip(plain, 65280); }, 700001,
	 false},
};

void PrintTo(const Case &one, std::ostream *out)
{
	*out << one.name;
}

class Parallel : public host::World, public testing::WithParamInterface<Case> {
protected:
	void SetUp() override
	{
		host::set_memory_available(u64{1} << 30);
		plain_ = much(GetParam().size);
		packed_ = GetParam().pack(plain_);
	}

	// The same on one processor and on several.
	void expect_same(const Data &packed) const
	{
		const Outcome one = load(GetParam().decode, packed, 1);
		const Outcome many = load(GetParam().decode, packed, 3);

		EXPECT_EQ(one, many);
	}

	Data plain_;
	Data packed_;
};

INSTANTIATE_TEST_SUITE_P(Formats, Parallel, testing::ValuesIn(kCases),
			 [](const auto &info) { return info.param.name; });

TEST_P(Parallel, GivesBackWhatWasPacked)
{
	for (const size_t cpus : {1, 2, 3, 8}) {
		for (const bool few : {false, true}) {
			SCOPED_TRACE(testing::Message() << cpus << few);
			host::page_rules().no_range = few;
			const size_t before = host::parallel_runs();
			const Outcome outcome = load(GetParam().decode, packed_, cpus);

			EXPECT_EQ(outcome.reason, "");
			EXPECT_TRUE(outcome.output == plain_);
			EXPECT_EQ(host::parallel_runs() > before, cpus > 1);
		}
	}
}

// Two processors at first, and more after the first batch, with blocks for all of them;
// or some of them go away again.
TEST_P(Parallel, ProcessorsComeAndGo)
{
	for (const auto &numbers : std::vector<std::vector<size_t>>{
		     {2, 2, 2, 8, 64}, {64, 1, 2}, {1, 1, 8}, {8, 2, 2, 2, 1}}) {
		size_t asked = 0;

		SCOPED_TRACE(numbers.front());
		const Outcome outcome = load(GetParam().decode, packed_, [&] {
			return numbers[std::min(asked++, numbers.size() - 1)];
		});

		EXPECT_EQ(outcome.reason, "");
		EXPECT_TRUE(outcome.output == plain_);
	}
}

TEST_P(Parallel, WithoutHelpersOneDoesAllTheWork)
{
	host::set_no_helpers(true);
	EXPECT_TRUE(load(GetParam().decode, packed_, 4).output == plain_);
	EXPECT_GT(host::parallel_runs(), 0u);
}

TEST_P(Parallel, TakesBlocksNotMembersIntoASinkThatMindsThem)
{
	const host::Exact in(packed_);
	host::KeepingSink sink;

	host::set_cpus(2);
	for (size_t at = 0; at < packed_.size();) {
		auto member = GetParam().decode(in.bytes().skip(at), sink);

		ASSERT_TRUE(member.ok());
		at += member.value();
		at += leading_zeros(in.bytes().skip(at));
	}
	EXPECT_TRUE(sink.output == plain_);
	EXPECT_EQ(host::parallel_runs() > 0, GetParam().in_blocks);
}

TEST_P(Parallel, HasTheSameErrorsForDamage)
{
	std::mt19937 random(5);
	const unsigned tries = plain_.size() > 2000000 ? 3 : 40;

	for (unsigned i = 0; i < tries; i++) {
		SCOPED_TRACE(i);
		Data damaged = packed_;
		// Around the parts' headers, too.
		const size_t at = i % 3 ? random() % damaged.size() : random() % 64;

		damaged[at] ^= static_cast<u8>(1 + random() % 255);
		expect_same(damaged);
	}
}

TEST_P(Parallel, HasTheSameErrorsForCuts)
{
	std::mt19937 random(6);
	const unsigned tries = plain_.size() > 2000000 ? 2 : 30;

	for (unsigned i = 0; i < tries; i++) {
		SCOPED_TRACE(i);
		Data part = packed_;

		part.resize(i % 2 ? part.size() - 1 - random() % 50 : random() % part.size());
		expect_same(part);
	}
}

TEST_P(Parallel, HasTheSameErrorsForWhatFollows)
{
	const Data small = GetParam().pack(host::sample(GetParam().size)) + packed_;

	for (const Data &input : {packed_ + Data{'x'}, packed_ + Data(3), packed_ + packed_, small,
				  packed_ + host::sample(200)})
		expect_same(input);
}

TEST_P(Parallel, LeavesItWhereMemoryIsShort)
{
	// (There has to be enough for one dictionary, and what is left to others.)
	host::set_memory_available(GetParam().decode == decode_xz ? u64{7} << 19 : 100000);
	EXPECT_TRUE(load(GetParam().decode, packed_, 4).output == plain_);
	EXPECT_EQ(host::parallel_runs(), 0u);
}

TEST_P(Parallel, AnAllocationThatFailsIsAnErrorOrDoneWithout)
{
	(void)ramdisk::boot_disk();
	host::fail_allocation(0);
	(void)load(GetParam().decode, packed_, 3);
	const uint64_t all = host::allocations();
	const uint64_t step = 1 + all / 40;

	for (uint64_t n = 1; n <= all; n += n < 12 ? 1 : step) {
		SCOPED_TRACE(n);
		host::fail_allocation(n);
		const Outcome outcome = load(GetParam().decode, packed_, 3);

		EXPECT_TRUE(outcome.code == kNoMemory || outcome.output == plain_)
			<< outcome.reason;
		EXPECT_TRUE(
			std::equal(outcome.output.begin(), outcome.output.end(), plain_.begin()));
	}
	host::fail_allocation(0);
}

using ParallelBatches = host::World;

// More blocks than two processors have in a batch, and as many as eight have.
TEST_F(ParallelBatches, HaveRoomForTheProcessorsThatThereWereAtFirst)
{
	const Data plain = much(size_t{16} * 100000);
	const Data packed = host::bgzip(plain, 600);

	host::set_memory_available(u64{1} << 30);
	for (const size_t before : {3, 5}) {
		size_t asked = 0;

		SCOPED_TRACE(before);
		const Outcome outcome = load(decode_gzip, packed, [&] {
			return asked++ < before ? size_t{2} : size_t{8};
		});

		EXPECT_EQ(outcome.reason, "");
		EXPECT_TRUE(outcome.output == plain);
		EXPECT_GE(host::parallel_runs(), 2u);
	}
}

using ParallelLook = host::World;

Data repeated(const Data &piece, size_t times)
{
	Data data;

	data.reserve(piece.size() * times);
	while (times--)
		data.insert(data.end(), piece.begin(), piece.end());
	return data;
}

// What is not worth several processors is looked at for them once, and not once for
// every block in it: that would take minutes here.
TEST_F(ParallelLook, NothingIsLookedAtTwice)
{
	constexpr size_t kTimes = 200000;
	Data lzo = host::lzo_with_flags({'x'}, 0, 0x1040);

	host::set_memory_available(u64{1} << 30);
	// (Its end mark comes last.)
	lzo.resize(lzo.size() - 4);
	lzo = lzo + repeated({0, 0, 0, 1, 0, 0, 0, 1, 'x'}, kTimes) + Data(4);
	EXPECT_EQ(load(decode_lzo, lzo, 3).output, Data(kTimes + 1, 'x'));
	EXPECT_EQ(load(decode_lz4, repeated({0x02, 0x21, 0x4c, 0x18}, kTimes), 3).reason, "");
	EXPECT_EQ(
		load(decode_zstd, repeated({0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, kTimes), 3).reason,
		"");
	EXPECT_EQ(load(decode_gzip, repeated(host::bgzip({}, 100), kTimes / 10), 3).reason, "");
	EXPECT_EQ(host::parallel_runs(), 0u);
}

using ParallelXz = host::World;

// A stream's index that is not of its blocks is found as on one processor.
TEST_F(ParallelXz, ChecksWhatIsAroundTheBlocks)
{
	host::set_memory_available(u64{1} << 30);
	const Data packed = host::xz_in_blocks(much(600000), 150001);

	for (size_t back = 1; back <= 48; back++) {
		SCOPED_TRACE(back);
		Data damaged = packed;

		damaged[damaged.size() - back] ^= 0x10;
		const Outcome one = load(decode_xz, damaged, 1);

		EXPECT_NE(one.reason, "");
		EXPECT_EQ(one, load(decode_xz, damaged, 3));
	}
}

// Where the last block's check ends: the footer says how long the index is.
size_t end_of_blocks(const Data &packed)
{
	const Bytes footer = Bytes(packed.data(), packed.size()).skip(packed.size() - 12);

	return packed.size() - 12 - (size_t{load_le32(footer, 4)} + 1) * 4;
}

// A wrong check is an error behind its first wrong byte, after all of the output.
TEST_F(ParallelXz, TellsWhichByteOfACheckIsWrong)
{
	host::set_memory_available(u64{1} << 30);
	const Data plain = much(300000);

	for (const Data &packed : {host::xz(plain), host::xz_in_blocks(plain, 150001)}) {
		for (size_t byte = 0; byte < 4; byte++) {
			SCOPED_TRACE(byte);
			const size_t wrong = end_of_blocks(packed) - 4 + byte;
			Data damaged = packed;

			damaged[wrong] ^= 0x10;
			const Outcome one = load(decode_xz, damaged, 1);

			EXPECT_EQ(one.reason, "XZ-compressed data is corrupt (data or checksum)");
			EXPECT_EQ(one.offset, wrong + 1);
			EXPECT_TRUE(one.output == plain);
			EXPECT_EQ(one, load(decode_xz, damaged, 3));
		}
	}
}

} // namespace
