// SPDX-License-Identifier: GPL-2.0
// A RAM disk against plain bytes: reads, writes, discards, flushes in any order, with
// and without adopted pages, and now and then without memory.

#include <algorithm>

#include "initrd/support/utility.h"
#include "ramdisk/ramdisk.h"
#include "target.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using ramdisk::Disk;

// Pages that are looked at; more is not needed to see each kind of neighbour.
constexpr size_t kPages = 40;

enum class Operation : u8 {
	kWrite,
	kRead,
	kDiscard,
	kFlush,
	kRetire,
	kClose,
	kOpen,
	kGrow,
	kClear,
	kFailAllocation,
	kClaim,
	kEndBoot,
	kMaxValue = kEndBoot,
};

// Bytes that are not the same in two pages, or with two seeds.
Data pattern(size_t size, unsigned seed)
{
	Data data(size);

	for (size_t i = 0; i < size; i++)
		data[i] = static_cast<u8>(1 + seed + i / 5);
	return data;
}

class Model {
public:
	Model() : bytes_(kPages * kPage), there_(kPages) {}

	// The first pages hold an image from now on, whatever was there.
	void adopt(const Data &image, size_t pages)
	{
		std::copy(image.begin(), image.end(), bytes_.begin());
		for (size_t i = 0; i < pages; i++)
			there_[i] = true;
	}

	// Only so many pages can be made: a write ends where one more is needed.
	void write(size_t at, const Data &data, size_t new_pages)
	{
		for (size_t i = 0; i < data.size(); i++) {
			const size_t page = (at + i) / kPage;

			if (!there_[page] && !new_pages--)
				return;
			there_[page] = true;
			bytes_[at + i] = data[i];
		}
	}

	// Pages that lie whole in the range.
	void discard(size_t at, size_t size)
	{
		for (size_t page = (at + kPage - 1) / kPage; (page + 1) * kPage <= at + size;
		     page++) {
			std::fill_n(bytes_.begin() + static_cast<long>(page * kPage), kPage, u8{0});
			there_[page] = false;
		}
	}

	Data part(size_t at, size_t size) const
	{
		const auto from = bytes_.begin() + static_cast<long>(at);

		return {from, from + static_cast<long>(size)};
	}

	size_t pages() const
	{
		return static_cast<size_t>(std::count(there_.begin(), there_.end(), true));
	}

private:
	Data bytes_;
	std::vector<bool> there_;
};

class Trial {
public:
	explicit Trial(FuzzedDataProvider &input)
		: input_(input), disk_(*Disk::find_or_create(0).value())
	{
		const size_t size = input.ConsumeIntegralInRange<size_t>(0, 20 * kPage);

		// It was looked at for partitions, long ago.
		host::gendisks()[0].closing = 0;
		if (size)
			adopt(pattern(size, 100));
	}

	void step();
	void expect_right() const
	{
		EXPECT_EQ(read(0, kPages * kPage), model_.part(0, kPages * kPage));
		EXPECT_EQ(disk_.pages(), model_.pages());
	}

private:
	void adopt(Data image);
	void write(size_t at, size_t size);
	void discard(size_t at, size_t size);
	void flush();
	void empty() { model_ = Model(); }
	void become_ordinary() { retired_ = holds_initrd_ = is_left_ = false; }

	Data read(size_t at, size_t size) const
	{
		const std::unique_ptr<u8[]> exact(new u8[size]);

		disk_.read(at, MutableBytes(exact.get(), size));
		return {exact.get(), exact.get() + size};
	}

	u32 &users() { return host::gendisks()[0].users; }

	FuzzedDataProvider &input_;
	Disk &disk_;
	Model model_;
	bool retired_ = false;
	bool holds_initrd_ = false;
	bool is_left_ = false;
	bool boot_is_over_ = false;
};

void Trial::adopt(Data image)
{
	const size_t pages = (image.size() + kPage - 1) / kPage;

	image.resize(pages * kPage);
	host::set_image(image);

	disk_.begin_load();
	ASSERT_TRUE(disk_.adopt(host::image_own_pages().size, host::give_image_away).ok());
	disk_.end_load();
	holds_initrd_ = true;
	model_.adopt(image, pages);
}

void Trial::write(size_t at, size_t size)
{
	const Data data = pattern(size, input_.ConsumeIntegral<u8>());
	const host::Exact exact(data);

	const u64 before = disk_.pages();

	if (is_left_)
		become_ordinary();
	auto written = disk_.write(at, exact.bytes(), RAMDISK_MAY_SLEEP);

	if (!written)
		EXPECT_EQ(written.error().code, kNoMemory);
	// Without memory it is partly done, from its start on.
	model_.write(at, data, written ? kPages : disk_.pages() - before);
	EXPECT_EQ(read(at, size), model_.part(at, size));
}

void Trial::discard(size_t at, size_t size)
{
	disk_.discard(at, size);
	model_.discard(at, size);
}

void Trial::flush()
{
	auto flushed = disk_.flush();

	EXPECT_EQ(flushed.ok(), holds_initrd_ && users() <= 1);
	if (!flushed) {
		EXPECT_EQ(flushed.error().code, holds_initrd_ ? kBusy : kNotForIt);
		return;
	}
	become_ordinary();
	empty();
}

void Trial::step()
{
	const size_t at = input_.ConsumeIntegralInRange<size_t>(0, kPages * kPage - 1);
	const size_t most = std::min(kPages * kPage - at, 5 * kPage);
	const size_t size = input_.ConsumeIntegralInRange<size_t>(0, most);

	switch (input_.ConsumeEnum<Operation>()) {
	case Operation::kWrite:
		write(at, size);
		break;
	case Operation::kRead:
		EXPECT_EQ(read(at, size), model_.part(at, size));
		break;
	case Operation::kDiscard:
		discard(at, size);
		break;
	case Operation::kFlush:
		flush();
		break;
	case Operation::kRetire:
		retired_ = true;
		if (disk_.retire()) {
			EXPECT_EQ(users(), 0u);
			become_ordinary();
			empty();
		}
		break;
	case Operation::kOpen:
		if (users() < 3)
			host::open_disk(0);
		break;
	case Operation::kClose: {
		const bool last = users() <= 1;

		if (!users())
			host::open_disk(0);
		host::close_disk(0);
		is_left_ |= holds_initrd_ && boot_is_over_ && !host::gendisks()[0].claimed;
		if (last && retired_) {
			become_ordinary();
			empty();
		}
		break;
	}
	case Operation::kClaim:
		host::gendisks()[0].claimed ^= true;
		break;
	case Operation::kEndBoot:
		boot_is_over_ = true;
		host::set_boot_is_over(true);
		break;
	case Operation::kGrow: {
		const u64 before = host::gendisks()[0].size;
		const u64 wanted = input_.ConsumeIntegral<u64>();
		const bool grown = disk_.grow(wanted).ok();
		const u64 after = host::gendisks()[0].size;

		EXPECT_GE(after, grown ? wanted : before);
		EXPECT_TRUE(after == before || after - wanted < 4096);
		EXPECT_LE(after, ~0ull >> 1);
		break;
	}
	case Operation::kClear:
		disk_.clear();
		empty();
		break;
	case Operation::kFailAllocation:
		host::fail_allocation(input_.ConsumeIntegralInRange<uint64_t>(1, 8));
		break;
	}
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	host::page_rules().retire_late = input.ConsumeBool();
	Trial trial(input);

	while (input.remaining_bytes())
		trial.step();
	trial.expect_right();
}
