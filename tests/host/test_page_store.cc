// SPDX-License-Identifier: GPL-2.0
// ramdisk/PageStore: against a model of plain bytes, and under other users who come
// at the worst moment.

#include <algorithm>

#include "stores.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using Store = host::Store;

TEST_F(Store, AnEmptyOneReadsAsZeros)
{
	PageStore store = make();

	EXPECT_EQ(read(store, 0, 3 * kPage), Data(3 * kPage));
	EXPECT_EQ(read(store, ~0ull - 100, 50), Data(50));
	EXPECT_EQ(store.pages(), 0u);
}

TEST_F(Store, HasThePagesThatWereWrittenAndNoOthers)
{
	PageStore store = make();

	ASSERT_TRUE(write(store, kPage - 1, {1, 2}));
	EXPECT_EQ(store.pages(), 2u);
	EXPECT_EQ(host::live().pages, 2u);
	ASSERT_TRUE(write(store, 1000 * kPage, {3}));
	EXPECT_EQ(store.pages(), 3u);
	ASSERT_TRUE(write(store, 5, {}));
	EXPECT_EQ(store.pages(), 3u);
	EXPECT_EQ(read(store, kPage - 2, 4), (Data{0, 1, 2, 0}));
}

TEST_F(Store, FarOffsetsHaveTheirOwnPages)
{
	PageStore store = make();
	const u64 far = u64{1} << 45;

	ASSERT_TRUE(write(store, far, {9}));
	EXPECT_EQ(read(store, far, 1), Data{9});
	EXPECT_EQ(read(store, 0, 1), Data{0});
}

TEST_F(Store, AgreesWithAModel)
{
	constexpr size_t kPages = 24;
	const u8 *const adopted = hand_over(10);
	Data model(adopted, adopted + 10 * kPage);
	std::vector<bool> there(kPages, false);
	std::mt19937 random(11);
	PageStore store = make();

	model.resize(kPages * kPage);
	for (size_t i = 0; i < 10; i++)
		there[i] = true;
	ASSERT_TRUE(adopt(store, const_cast<u8 *>(adopted), 10).ok());
	for (int step = 0; step < 4000; step++) {
		const size_t at = random() % model.size();
		const size_t size = std::min<size_t>(random() % (3 * kPage), model.size() - at);

		switch (random() % 5) {
		case 0:
		case 1: {
			const Data data = host::sample(size, random());

			ASSERT_TRUE(write(store, at, data));
			std::copy(data.begin(), data.end(), model.begin() + static_cast<long>(at));
			for (size_t page = at / kPage; size && page <= (at + size - 1) / kPage;
			     page++)
				there[page] = true;
			break;
		}
		case 2: {
			const size_t first = random() % kPages;
			const size_t end = first + random() % 4;

			store.discard(first, end);
			for (size_t page = first; page < std::min(end, kPages); page++) {
				std::fill_n(model.begin() + static_cast<long>(page * kPage), kPage,
					    0);
				there[page] = false;
			}
			break;
		}
		default:
			ASSERT_TRUE(read(store, at, size) ==
				    Data(model.begin() + static_cast<long>(at),
					 model.begin() + static_cast<long>(at + size)))
				<< step;
		}
		ASSERT_EQ(store.pages(),
			  static_cast<u64>(std::count(there.begin(), there.end(), true)));
	}
}

TEST_F(Store, InsertedPagesAreCountedAndKept)
{
	PageStore store = make();
	ramdisk_page *pages[4];
	size_t done;

	for (ramdisk_page *&page : pages)
		page = ramdisk_page_new(RAMDISK_MAY_SLEEP);
	ramdisk_page_write(pages[0], 3, "abc", 3);
	ASSERT_TRUE(store.insert(2, Span(pages, 1), done).ok());
	EXPECT_EQ(read(store, 2 * kPage + 3, 3), host::to_data("abc"));
	EXPECT_EQ(done, 1u);
	EXPECT_EQ(store.pages(), 1u);

	// Those in front of one that is there are taken.
	auto again = store.insert(1, Span(pages, 4).skip(1), done);

	ASSERT_FALSE(again);
	EXPECT_EQ(again.error().code, kExists);
	EXPECT_EQ(done, 1u);
	host::fail_allocation(2);
	auto failed = store.insert(3, Span(pages, 4).skip(2), done);

	ASSERT_FALSE(failed);
	EXPECT_EQ(failed.error().code, kNoMemory);
	EXPECT_EQ(done, 1u);
	EXPECT_EQ(store.pages(), 3u);
	ramdisk_page_free(pages[3]);
}

TEST_F(Store, AWriteThatMayNotWaitSaysSo)
{
	PageStore store = make();

	ASSERT_TRUE(write(store, 0, {1}));
	host::page_rules().no_page_at_once = true;
	EXPECT_TRUE(store.write(1, host::bytes_of({2}), RAMDISK_NO_WAIT).ok());
	auto failed = store.write(kPage, host::bytes_of({3}), RAMDISK_NO_WAIT);

	ASSERT_FALSE(failed);
	EXPECT_EQ(failed.error().code, kNoMemory);
	EXPECT_TRUE(store.write(kPage, host::bytes_of({3}), RAMDISK_MAY_SLEEP).ok());
}

TEST_F(Store, ANewPageLeavesOthersWhatTheyNeed)
{
	PageStore store = make();
	// (What others need of 64 MiB.)
	constexpr u64 kOthers = u64{1} << 20;

	host::set_memory_for_pages(kOthers + kPage);
	ASSERT_TRUE(write(store, 0, {1}));
	host::set_memory_for_pages(kOthers + kPage - 1);
	auto failed = store.write(kPage - 1, host::bytes_of({2, 3}), RAMDISK_MAY_SLEEP);

	ASSERT_FALSE(failed);
	EXPECT_EQ(failed.error().code, kNoMemory);
	EXPECT_EQ(read(store, kPage - 2, 3), (Data{0, 2, 0}))
		<< "the page that is there is written";
	EXPECT_EQ(store.pages(), 1u);
}

TEST_F(Store, OfASmallMachineOthersNeedLess)
{
	for (const auto &[memory, others] :
	     {std::pair{u64{16} << 20, u64{1} << 20}, std::pair{u64{256} << 20, u64{4} << 20}}) {
		host::reset();
		PageStore store = make();

		host::set_memory_limit(memory);
		ASSERT_TRUE(host::take_memory(memory - others - kPage));
		EXPECT_TRUE(write(store, 0, {1}));
		EXPECT_FALSE(write(store, kPage, {1}));
		EXPECT_TRUE(host::memory_ran_out());
	}
}

TEST_F(Store, AFailedWriteLeavesNothingBehindButWhatItWrote)
{
	for (uint64_t n = 1; n <= 6; n++) {
		PageStore store = make();

		host::fail_allocation(n);
		EXPECT_FALSE(write(store, 0, Data(3 * kPage, 5))) << n;
		// Each page takes two allocations: itself and its place in the map.
		EXPECT_EQ(store.pages(), (n - 1) / 2) << n;
		EXPECT_EQ(host::live().pages, (n - 1) / 2) << n;
	}
}

TEST_F(Store, AnotherWriterMayBeFaster)
{
	PageStore store = make();
	bool raced = false;

	host::page_rules().before_map_add = [&](u64) {
		if (!std::exchange(raced, true))
			EXPECT_TRUE(write(store, 0, Data(20, 'o')));
	};
	ASSERT_TRUE(write(store, 4, {'m', 'e'}));
	EXPECT_TRUE(raced);
	EXPECT_EQ(read(store, 3, 4), host::to_data("omeo"));
	EXPECT_EQ(store.pages(), 1u);
	EXPECT_EQ(host::live().pages, 1u);
}

TEST_F(Store, AnotherWriterMayBeFasterInTheMiddle)
{
	PageStore store = make();
	Data expected(5 * kPage, 'm');
	bool raced = false;

	host::page_rules().before_map_add = [&](u64 number) {
		if (number == 2 && !std::exchange(raced, true))
			EXPECT_TRUE(write(store, 2 * kPage, Data(3 * kPage, 'o')));
	};
	ASSERT_TRUE(write(store, 7, Data(4 * kPage, 'm')));
	std::fill_n(expected.begin(), 7, 0);
	std::fill(expected.begin() + 7 + 4 * kPage, expected.end(), 'o');
	EXPECT_EQ(read(store, 0, 5 * kPage), expected);
	EXPECT_EQ(store.pages(), 5u);
	EXPECT_EQ(host::live().pages, 5u);
}

TEST_F(Store, ANewPageIsSeenWhenItIsFilled)
{
	PageStore store = make();
	std::vector<u64> seen;

	host::page_rules().after_map_add = [&](u64 number) {
		Data expected(kPage, 1);

		if (number == 0)
			std::fill_n(expected.begin(), 10, 0);
		if (number == 2)
			std::fill(expected.begin() + 10, expected.end(), 0);
		EXPECT_EQ(read(store, number * kPage, kPage), expected) << number;
		seen.push_back(number);
	};
	ASSERT_TRUE(write(store, 10, Data(2 * kPage, 1)));
	EXPECT_EQ(seen, (std::vector<u64>{0, 1, 2}));
}

TEST_F(Store, ADiscardMayTakeTheNewPageAway)
{
	PageStore store = make();

	host::page_rules().after_map_add = [&](u64 number) {
		if (number == 1)
			store.discard(0, 2);
	};
	ASSERT_TRUE(write(store, 0, Data(3 * kPage, 1)));
	EXPECT_EQ(read(store, 0, 2 * kPage), Data(2 * kPage));
	EXPECT_EQ(read(store, 2 * kPage, kPage), Data(kPage, 1));
	EXPECT_EQ(store.pages(), 1u);
}

TEST_F(Store, ManyPagesAreDiscardedInOneGo)
{
	constexpr size_t kMany = 3 * RAMDISK_AT_ONCE + 5;
	PageStore store = make();

	ASSERT_TRUE(write(store, 0, Data(kMany * kPage, 1)));
	ASSERT_TRUE(write(store, 1000 * kPage, {1}));
	store.discard(2, kMany - 1);
	EXPECT_EQ(store.pages(), 4u);
	EXPECT_EQ(host::live().pages, 4u);
	EXPECT_EQ(read(store, kPage, 1), Data{1});
	EXPECT_EQ(read(store, 2 * kPage, (kMany - 3) * kPage), Data((kMany - 3) * kPage));
	EXPECT_EQ(read(store, (kMany - 1) * kPage, 1), Data{1});
}

TEST_F(Store, WithoutMemoryThereIsNone)
{
	host::fail_allocation(1);
	EXPECT_FALSE(PageStore::create().ok());
}

} // namespace
