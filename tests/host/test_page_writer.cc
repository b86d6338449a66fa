// SPDX-License-Identifier: GPL-2.0
// ramdisk/PageWriter: a decoder's output becomes pages of a disk.

#include <algorithm>

#include "initrd/load/page_writer.h"

#include "compress.h"
#include "fixture.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using ramdisk::Disk;
using ramdisk::PageWriter;

class PageWriterBase : public host::World {
protected:
	void SetUp() override { disk_ = ramdisk::boot_disk().value(); }

	// Lends and commits pieces of `piece` bytes, asking for `wanted`.
	static Result<void> put(PageWriter &writer, const Data &data, size_t piece, size_t wanted)
	{
		for (size_t at = 0; at < data.size();) {
			const MutableBytes room = TRY(writer.lend(wanted));

			EXPECT_GE(room.size(), wanted);
			const size_t n = copy(room.first(piece), host::bytes_of(data).skip(at));

			TRY(writer.commit(n));
			at += n;
		}
		return {};
	}

	// What is on the disk, with zeros up to the page's end.
	void expect_disk(const Data &data)
	{
		const size_t pages = (data.size() + kPage - 1) / kPage;
		Data padded = data;
		Data found((pages + 1) * kPage, 0xee);

		padded.resize(found.size());
		disk_->read(0, MutableBytes(found.data(), found.size()));
		EXPECT_TRUE(found == padded);
		EXPECT_EQ(disk_->pages(), pages);
		EXPECT_EQ(host::live().pages, pages);
		EXPECT_EQ(host::live().windows, 0u);
	}

	Disk *disk_;
};

// With all output side by side, and in windows.
class PageWriterTest : public PageWriterBase, public testing::WithParamInterface<bool> {
protected:
	void SetUp() override
	{
		PageWriterBase::SetUp();
		host::page_rules().no_range = GetParam();
	}
};

INSTANTIATE_TEST_SUITE_P(Addresses, PageWriterTest, testing::Values(false, true),
			 [](const auto &info) { return info.param ? "few" : "many"; });

TEST_P(PageWriterTest, TakesOutputOfAnySize)
{
	const size_t window = 1 << 20;

	for (const size_t size : {size_t{0}, size_t{1}, kPage - 1, kPage, kPage + 1, window - 1,
				  window, window + 1, 3 * window + 4097}) {
		SCOPED_TRACE(size);
		const Data data = host::sample(size);
		PageWriter writer(*disk_);

		ASSERT_TRUE(put(writer, data, ~size_t{0}, 128 * 1024).ok());
		EXPECT_EQ(writer.size(), size);
		ASSERT_TRUE(writer.finish().ok());
		expect_disk(data);
		disk_->clear();
	}
}

TEST_P(PageWriterTest, TakesOutputInOddPieces)
{
	const Data data = host::sample(300001);

	for (const size_t piece : {size_t{1000}, size_t{4095}, size_t{4097}, size_t{65537}}) {
		for (const size_t wanted : {piece, size_t{131072}, size_t{3} << 20}) {
			SCOPED_TRACE(testing::Message() << piece << " of " << wanted);
			PageWriter writer(*disk_);

			ASSERT_TRUE(put(writer, data, piece, std::max(piece, wanted)).ok());
			ASSERT_TRUE(writer.finish().ok());
			expect_disk(data);
			disk_->clear();
		}
	}
}

TEST_P(PageWriterTest, TakesSingleBytes)
{
	const Data data = host::sample(2 * kPage + 3);
	PageWriter writer(*disk_);

	ASSERT_TRUE(put(writer, data, 1, 1).ok());
	ASSERT_TRUE(writer.finish().ok());
	expect_disk(data);
}

TEST_P(PageWriterTest, RoomThatWasLentAndNotUsedIsNotOutput)
{
	PageWriter writer(*disk_);

	ASSERT_TRUE(writer.lend(100000).ok());
	ASSERT_TRUE(writer.lend(5 << 20).ok());
	ASSERT_TRUE(put(writer, {1, 2, 3}, 3, 3).ok());
	ASSERT_TRUE(writer.finish().ok());
	expect_disk({1, 2, 3});
}

TEST_F(PageWriterBase, OutputLiesSideBySide)
{
	const Data data = host::sample(3000001);
	PageWriter writer(*disk_);
	const u8 *start = nullptr;

	ASSERT_TRUE(writer.keeps());
	for (size_t at = 0; at < data.size();) {
		const MutableBytes room = writer.lend(100000).value();

		start = start ?: room.data();
		ASSERT_EQ(room.data(), start + at);
		EXPECT_EQ(std::memcmp(start, data.data(), at), 0);
		const size_t n = copy(room.first(77777), host::bytes_of(data).skip(at));

		ASSERT_TRUE(writer.commit(n).ok());
		at += n;
	}
	ASSERT_TRUE(writer.finish().ok());
	expect_disk(data);
}

TEST_P(PageWriterTest, WhatIsTakenBackIsNowhereAnyMore)
{
	const size_t page = kPage;

	for (const size_t made : {size_t{1}, page, page + 1, 3 * page - 1, size_t{2500000}}) {
		for (const size_t kept : {size_t{0}, size_t{1}, size_t{300}, page - 1, page,
					  page + 1, 2 * page + 513, made - 1, made, made + 1}) {
			SCOPED_TRACE(testing::Message() << kept << " of " << made);
			Data data = host::sample(made);
			PageWriter writer(*disk_);

			ASSERT_TRUE(put(writer, data, 100000, 100000).ok());
			ASSERT_TRUE(writer.finish().ok());
			ASSERT_TRUE(writer.take_back(kept).ok());
			data.resize(std::min(made, kept));
			EXPECT_EQ(writer.size(), data.size());
			expect_disk(data);
			disk_->clear();
		}
	}
}

TEST_P(PageWriterTest, WithoutFinishThePagesInHandAreFreed)
{
	{
		PageWriter writer(*disk_);

		ASSERT_TRUE(put(writer, host::sample(10000), 10000, 10000).ok());
	}
	EXPECT_EQ(host::live().pages, 0u);
	EXPECT_EQ(host::live().windows, 0u);
}

TEST_P(PageWriterTest, WhatIsWrittenAfterAFailureIsPagesInOrder)
{
	const Data data = host::sample(2500000);
	uint64_t all;
	{
		PageWriter writer(*disk_);

		host::fail_allocation(0);
		ASSERT_TRUE(put(writer, data, 100001, 131072).ok());
		ASSERT_TRUE(writer.finish().ok());
		all = host::allocations();
		disk_->clear();
	}
	ASSERT_GT(all, data.size() / kPage);
	for (uint64_t n = 1; n <= all; n += n < 20 || n > all - 20 ? 1 : 61) {
		SCOPED_TRACE(n);
		host::fail_allocation(n);
		PageWriter writer(*disk_);
		const bool put_all = put(writer, data, 100001, 131072).ok();
		const bool finished = writer.finish().ok();
		Data found(static_cast<size_t>(disk_->pages()) * kPage);

		EXPECT_FALSE(put_all && finished);
		EXPECT_EQ(host::live().pages, disk_->pages());
		EXPECT_EQ(host::live().windows, 0u);
		disk_->read(0, MutableBytes(found.data(), found.size()));
		Data start = data;

		// Zeros behind what was committed; less where a page was refused.
		start.resize(static_cast<size_t>(writer.size()));
		start.resize(found.size());
		EXPECT_TRUE(found == start);
		disk_->clear();
	}
}

TEST_P(PageWriterTest, OutputEndsWhereOthersNeedTheMemory)
{
	constexpr u64 kOthers = u64{1} << 20;
	const Data data = host::sample(size_t{1} << 20);
	PageWriter writer(*disk_);

	host::set_memory_for_pages(kOthers + data.size());
	ASSERT_TRUE(put(writer, data, kPage, kPage).ok());
	host::set_memory_for_pages(kOthers + data.size() - kPage);
	auto more = put(writer, data, kPage, kPage);

	ASSERT_FALSE(more);
	EXPECT_EQ(more.error().code, kNoMemory);
	EXPECT_EQ(more.error().expected, data.size());
	ASSERT_TRUE(writer.finish().ok());
	expect_disk(data);
}

TEST_P(PageWriterTest, ADiskThatIsNotEmptyIsAnError)
{
	ASSERT_TRUE(disk_->write(2 * kPage, host::bytes_of({9}), RAMDISK_MAY_SLEEP).ok());
	PageWriter writer(*disk_);

	ASSERT_TRUE(put(writer, host::sample(5 * kPage), 5 * kPage, 5 * kPage).ok());
	EXPECT_FALSE(writer.finish().ok());
	EXPECT_EQ(host::live().pages, disk_->pages());
}

class PageWriterOf : public PageWriterBase, public testing::WithParamInterface<host::Method> {};

INSTANTIATE_TEST_SUITE_P(Formats, PageWriterOf, testing::ValuesIn(host::kMethods),
			 [](const auto &info) { return info.param.name; });

TEST_P(PageWriterOf, DecodersWriteStraightIntoPages)
{
	const Data data = host::sample(1500001);
	const host::Exact packed(GetParam().compress(data));
	PageWriter writer(*disk_);

	ASSERT_TRUE(GetParam().decode(packed.bytes(), writer).ok());
	ASSERT_TRUE(writer.finish().ok());
	EXPECT_EQ(writer.size(), data.size());
	expect_disk(data);
}

} // namespace
