// SPDX-License-Identifier: GPL-2.0
// ramdisk/PageStore: the pages of an image that it has taken over.

#include "stores.h"

#include <algorithm>
#include <thread>

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using StoreOfAdopted = host::Store;

TEST_F(StoreOfAdopted, AdoptedPagesAreTheImageItself)
{
	u8 *const first = hand_over(4);
	PageStore store = make();

	host::fail_allocation(0);
	ASSERT_TRUE(adopt(store, first, 4).ok());
	EXPECT_EQ(store.pages(), 4u);
	EXPECT_EQ(host::live().pages, 0u) << "nothing was copied";
	EXPECT_LE(host::allocations(), 1u);

	ASSERT_TRUE(write(store, kPage + 7, {1, 2, 3}));
	EXPECT_EQ(first[kPage + 7], 1);
	EXPECT_EQ(host::live().pages, 0u);
	EXPECT_EQ(read(store, 4 * kPage, 2), (Data{0, 0})) << "behind the last one";
}

TEST_F(StoreOfAdopted, DiscardedAdoptedPagesAreFreedOneByOne)
{
	u8 *const first = hand_over(5);
	PageStore store = make();

	ASSERT_TRUE(adopt(store, first, 5).ok());
	store.discard(1, 3);
	EXPECT_EQ(host::image_pages(), "HRRHH");
	EXPECT_EQ(store.pages(), 3u);
	store.discard(1, 3);
	store.discard(2, 4);
	EXPECT_EQ(host::image_pages(), "HRRRH");
	EXPECT_EQ(store.pages(), 2u);
	EXPECT_EQ(read(store, kPage, 3 * kPage), Data(3 * kPage));
}

TEST_F(StoreOfAdopted, WritesToADiscardedAdoptedPageMakeANewOne)
{
	u8 *const first = hand_over(3);
	PageStore store = make();

	ASSERT_TRUE(adopt(store, first, 3).ok());
	store.discard(1, 2);
	ASSERT_TRUE(write(store, kPage + 10, {7}));
	EXPECT_EQ(read(store, kPage + 9, 3), (Data{0, 7, 0}));
	EXPECT_EQ(store.pages(), 3u);
	EXPECT_EQ(host::live().pages, 1u);
	store.discard(0, ~0ull);
	EXPECT_EQ(store.pages(), 0u);
	EXPECT_EQ(host::image_pages(), "RRR");
}

TEST_F(StoreOfAdopted, ARunEndsWhereItsPagesEnd)
{
	// Longer than what is copied at one go, with gaps of all kinds in it.
	constexpr size_t kPages = 1300;
	u8 *const first = hand_over(kPages);
	PageStore store = make();
	Data model(first, first + kPages * kPage);

	model.resize((kPages + 40) * kPage);
	ASSERT_TRUE(adopt(store, first, kPages).ok());
	EXPECT_EQ(read(store, 0, model.size()), model);
	for (const auto &[from, end] : std::vector<std::pair<size_t, size_t>>{
		     {0, 1}, {3, 5}, {70, 71}, {200, 900}, {kPages - 20, kPages + 3}}) {
		store.discard(from, end);
		std::fill(model.begin() + static_cast<long>(from * kPage),
			  model.begin() + static_cast<long>(end * kPage), 0);
		EXPECT_EQ(read(store, 0, model.size()), model) << from;
	}
	EXPECT_EQ(store.pages(), kPages - 1 - 2 - 1 - 700 - 20);

	// Own pages in a gap and across both of its ends.
	for (const size_t at :
	     {4 * kPage - 9, 300 * kPage + 1, 899 * kPage, kPages * kPage - 100}) {
		const Data data = host::sample(3 * kPage, at);

		ASSERT_TRUE(write(store, at, data));
		std::copy(data.begin(), data.end(), model.begin() + static_cast<long>(at));
	}
	EXPECT_EQ(read(store, 0, model.size()), model);
	EXPECT_EQ(read(store, 17, 1299 * kPage),
		  Data(model.begin() + 17, model.begin() + 17 + 1299 * kPage));
}

TEST_F(StoreOfAdopted, WritesToThemTakeNoMemory)
{
	u8 *const first = hand_over(600);
	PageStore store = make();

	ASSERT_TRUE(adopt(store, first, 600).ok());
	const Data data = host::sample(599 * kPage, 5);

	host::fail_allocation(1);
	ASSERT_TRUE(store.write(11, host::bytes_of(data), RAMDISK_NO_WAIT).ok());
	EXPECT_EQ(Data(first + 11, first + 11 + data.size()), data);
	host::fail_allocation(0);
}

TEST_F(StoreOfAdopted, AreRetiredInRuns)
{
	constexpr size_t kPages = 2 * RAMDISK_AT_ONCE + 9;
	u8 *const first = hand_over(kPages);
	PageStore store = make();

	ASSERT_TRUE(adopt(store, first, kPages).ok());
	store.discard(5, 6);
	EXPECT_EQ(host::image_pages(), "HHHHHR" + std::string(kPages - 6, 'H'));
	store.discard(1, kPages - 1);
	EXPECT_EQ(host::image_pages(), "H" + std::string(kPages - 2, 'R') + "H");
	EXPECT_EQ(store.pages(), 2u);
}

TEST_F(StoreOfAdopted, ItsEndFreesEveryPage)
{
	u8 *const first = hand_over(3);
	{
		PageStore store = make();

		ASSERT_TRUE(adopt(store, first, 3).ok());
		ASSERT_TRUE(write(store, 10 * kPage, Data(3 * kPage, 1)));
		PageStore moved = std::move(store);

		EXPECT_EQ(moved.pages(), 6u);
	}
	EXPECT_EQ(host::image_pages(), "RRR");
	EXPECT_EQ(host::live(), host::Live());
}

TEST_F(StoreOfAdopted, ItsEndWaitsForRetiredPages)
{
	u8 *const first = hand_over(2);
	host::page_rules().retire_late = true;
	{
		PageStore store = make();

		ASSERT_TRUE(adopt(store, first, 2).ok());
		ASSERT_TRUE(write(store, 4 * kPage, {1}));
		store.discard(0, ~0ull);
		EXPECT_EQ(store.pages(), 0u);
		EXPECT_EQ(host::image_pages(), "HH") << "a reader may still be there";
		EXPECT_EQ(host::live().pages, 1u);
	}
	EXPECT_EQ(host::image_pages(), "RR");
	EXPECT_EQ(host::live().pages, 0u);
}

// They stay until the copy is done that found them there.
TEST_F(StoreOfAdopted, ADiscardMayComeInTheMiddleOfACopy)
{
	u8 *const first = hand_over(4);
	const Data before(first, first + 4 * kPage);
	PageStore store = make();

	ASSERT_TRUE(adopt(store, first, 4).ok());
	const auto once = [&store](u64 from, u64 end) {
		host::page_rules().after_bits_look = [&store, from, end, done = false]() mutable {
			// (Another processor, which is in no section.)
			if (!std::exchange(done, true))
				std::thread([&] { store.discard(from, end); }).join();
		};
	};

	once(1, 3);
	EXPECT_EQ(read(store, 0, 4 * kPage), before);
	EXPECT_EQ(host::image_pages(), "HRRH");
	once(0, 1);
	EXPECT_TRUE(write(store, 7, Data(100, 'x')));
	EXPECT_EQ(host::image_pages(), "RRRH");
	EXPECT_EQ(read(store, 0, 3 * kPage), Data(3 * kPage));
	EXPECT_EQ(read(store, 3 * kPage, kPage), Data(before.begin() + 3 * kPage, before.end()));
}

TEST_F(StoreOfAdopted, AdoptionReplacesWhatWasThere)
{
	PageStore store = make();

	ASSERT_TRUE(write(store, 0, Data(3 * kPage, 1)));
	u8 *const first = hand_over(2);

	ASSERT_TRUE(adopt(store, first, 2).ok());
	EXPECT_EQ(store.pages(), 3u);
	EXPECT_EQ(read(store, 0, kPage), Data(first, first + kPage));
	EXPECT_EQ(read(store, 2 * kPage, 1), Data{1}) << "beyond the adopted pages";
}

TEST_F(StoreOfAdopted, WithoutMemoryAdoptedPagesStayTheCallers)
{
	u8 *const first = hand_over(2);
	PageStore store = make();

	host::fail_allocation(1);
	auto adopted = adopt(store, first, 2);

	ASSERT_FALSE(adopted);
	EXPECT_EQ(adopted.error().code, kNoMemory);
	EXPECT_EQ(store.pages(), 0u);
	EXPECT_EQ(read(store, 0, 2), (Data{0, 0}));
}

} // namespace
