// SPDX-License-Identifier: GPL-2.0
// initrd/seam/pages.h, window.h: pages of RAM disks, the map of pages, windows over them.

#include "initrd/seam/pages.h"
#include "initrd/seam/window.h"
#include "initrd/support/result.h"
#include "tests/contract/cases.h"
#include "tests/contract/expect.h"

namespace {

// Pages of a map, and the map, given back at the end.
class Map {
public:
	Map() : map_(ramdisk_map_new()) {}
	~Map()
	{
		u64 number = 0;

		while (map_ && ramdisk_map_retire(map_, &number, ~0ull))
			;
		ramdisk_pages_settle();
		ramdisk_map_free(map_);
	}
	Map(const Map &) = delete;
	Map &operator=(const Map &) = delete;

	explicit operator bool() const { return map_; }
	ramdisk_map *get() const { return map_; }

	// A new page full of `byte`, for this number: 0, or -errno and there is none.
	int add(u64 number, u8 byte)
	{
		ramdisk_page *const page = make(byte);
		const int status = page ? ramdisk_map_add(map_, number, page, RAMDISK_MAY_SLEEP) :
					  -1;

		if (page && status)
			ramdisk_page_free(page);
		return status;
	}
	static ramdisk_page *make(u8 byte)
	{
		ramdisk_page *const page = ramdisk_page_new(RAMDISK_MAY_SLEEP);

		for (size_t at = 0; page && at < ramdisk_page_size(); at += 64) {
			u8 piece[64];

			__builtin_memset(piece, byte, sizeof(piece));
			ramdisk_page_write(page, at, piece, sizeof(piece));
		}
		return page;
	}
	u8 byte_at(u64 offset) const
	{
		u8 byte = 0xee;

		ramdisk_map_read(map_, offset, &byte, 1);
		return byte;
	}
	// The sum of `size` bytes from `offset` on, read in one go of 100 after the other.
	u64 sum(u64 offset, size_t size) const
	{
		u64 sum = 0;

		while (size) {
			u8 piece[100];
			const size_t n = size < sizeof(piece) ? size : sizeof(piece);

			ramdisk_map_read(map_, offset, piece, n);
			for (size_t i = 0; i < n; i++)
				sum += piece[i];
			offset += n;
			size -= n;
		}
		return sum;
	}

private:
	ramdisk_map *map_;
};

} // namespace

void contract_pages_are_whole(struct kunit *test)
{
	const size_t page = ramdisk_page_size();
	Map map;

	EXPECT(test, map);
	EXPECT(test, page >= 4096 && !(page & (page - 1)));
	EXPECT_EQ(test, map.add(0, 7), 0);
	EXPECT_EQ(test, map.sum(0, page), 7 * page);

	ramdisk_page *const second = Map::make(9);

	EXPECT(test, second);
	if (!second)
		return;
	ramdisk_page_zero(second, page - 100, 100);
	EXPECT_EQ(test, ramdisk_map_add(map.get(), 1, second, RAMDISK_MAY_SLEEP), 0);
	EXPECT_EQ(test, map.sum(page, page), 9 * (page - 100));
	// Across the border of both.
	EXPECT_EQ(test, map.sum(page - 50, 100), 50 * 7 + 50 * 9);
}

void contract_map_is_zeros_at_first(struct kunit *test)
{
	const size_t page = ramdisk_page_size();
	Map map;

	EXPECT(test, map);
	EXPECT_EQ(test, map.sum(0, 3 * page), 0);
	EXPECT_EQ(test, map.byte_at((1ull << 42) + 5), 0);
	EXPECT_EQ(test, map.add(1, 3), 0);
	EXPECT_EQ(test, map.sum(page / 2, 2 * page), 3 * page);
	ramdisk_map_free(nullptr);
}

void contract_map_keeps_the_first(struct kunit *test)
{
	Map map;

	EXPECT(test, map);
	EXPECT_EQ(test, map.add(70, 1), 0);
	EXPECT_EQ(test, map.add(70, 2), -initrd::kExists);
	EXPECT_EQ(test, map.byte_at(70 * ramdisk_page_size()), 1);
}

void contract_map_writes_up_to_a_gap(struct kunit *test)
{
	const size_t page = ramdisk_page_size();
	u8 bytes[200];
	Map map;

	__builtin_memset(bytes, 5, sizeof(bytes));
	EXPECT(test, map);
	EXPECT_EQ(test, ramdisk_map_write(map.get(), 0, bytes, sizeof(bytes)), 0);
	EXPECT_EQ(test, map.add(2, 1), 0);
	EXPECT_EQ(test, map.add(3, 1), 0);
	EXPECT_EQ(test, ramdisk_map_write(map.get(), 3 * page - 100, bytes, sizeof(bytes)),
		  sizeof(bytes));
	EXPECT_EQ(test, ramdisk_map_write(map.get(), 4 * page - 150, bytes, sizeof(bytes)), 150);
	EXPECT_EQ(test, ramdisk_map_write(map.get(), 2 * page - 1, bytes, sizeof(bytes)), 0);
	EXPECT_EQ(test, map.sum(2 * page, 2 * page), 2 * page + 350 * (5 - 1));
	EXPECT_EQ(test, map.byte_at(4 * page), 0);
}

// In order, up to one that is there already; whoever is left is the caller's.
void contract_map_adds_many(struct kunit *test)
{
	constexpr size_t kPages = 100;
	constexpr u64 kFirst = 30;
	constexpr u64 kThere = kFirst + 70;
	ramdisk_page *pages[kPages] = {};
	int status = 1;
	size_t made = 0;
	Map map;

	while (made < kPages && (pages[made] = Map::make(static_cast<u8>(made + 1))))
		made++;
	EXPECT_EQ(test, made, kPages);
	EXPECT(test, map);
	EXPECT_EQ(test, map.add(kThere, 200), 0);
	size_t added = ramdisk_map_add_many(map.get(), kFirst, pages, made, RAMDISK_AT_BOOT,
					    &status);

	EXPECT_EQ(test, added, 70);
	EXPECT_EQ(test, status, -initrd::kExists);
	for (size_t i = 0; i < 70; i++)
		EXPECT_EQ(test, map.byte_at((kFirst + i) * ramdisk_page_size() + 9), i + 1);
	EXPECT_EQ(test, map.byte_at(kThere * ramdisk_page_size()), 200);
	EXPECT_EQ(test, map.byte_at((kThere + 1) * ramdisk_page_size()), 0);

	added += ramdisk_map_add_many(map.get(), 1000, pages + added, made - added,
				      RAMDISK_MAY_SLEEP, &status);
	EXPECT_EQ(test, status, 0);
	EXPECT_EQ(test, added, made);
	while (made > added)
		ramdisk_page_free(pages[--made]);
}

// A few at a time, the first ones first, up to a last one.
void contract_map_retires(struct kunit *test)
{
	constexpr size_t kPages = 2 * RAMDISK_AT_ONCE + 3;
	const size_t page = ramdisk_page_size();
	u64 number = 10;
	Map map;

	EXPECT(test, map);
	for (size_t i = 0; i < kPages; i++)
		EXPECT_EQ(test, map.add(2 * i, 1), 0);
	EXPECT_EQ(test, ramdisk_map_retire(map.get(), &number, 13), 2);
	EXPECT_EQ(test, number, 13);
	EXPECT_EQ(test, map.byte_at(10 * page), 0);
	EXPECT_EQ(test, map.byte_at(12 * page), 0);
	EXPECT_EQ(test, map.byte_at(8 * page), 1);
	EXPECT_EQ(test, map.byte_at(14 * page), 1);

	number = 0;
	EXPECT_EQ(test, ramdisk_map_retire(map.get(), &number, ~0ull), RAMDISK_AT_ONCE);
	EXPECT_EQ(test, number, 2 * (RAMDISK_AT_ONCE + 2 - 1) + 1);
	EXPECT_EQ(test, map.byte_at((number - 1) * page), 0);
	EXPECT_EQ(test, map.byte_at((number + 1) * page), 1);
	EXPECT_EQ(test, ramdisk_map_retire(map.get(), &number, ~0ull), RAMDISK_AT_ONCE);
	EXPECT_EQ(test, ramdisk_map_retire(map.get(), &number, ~0ull), 1);
	EXPECT_EQ(test, ramdisk_map_retire(map.get(), &number, ~0ull), 0);
	EXPECT_EQ(test, map.sum(0, 10 * page), 0);
	ramdisk_pages_settle();
	// What was freed can be had again.
	EXPECT_EQ(test, map.add(0, 4), 0);
	EXPECT_EQ(test, map.byte_at(0), 4);
}

void contract_map_counts(struct kunit *test)
{
	Map map;

	EXPECT(test, map);
	EXPECT_EQ(test, ramdisk_map_counted(map.get()), 0);
	ramdisk_map_count(map.get(), 5);
	ramdisk_map_count(map.get(), -2);
	EXPECT_EQ(test, ramdisk_map_counted(map.get()), 3);
	ramdisk_map_count(map.get(), -3);
	EXPECT_EQ(test, ramdisk_map_counted(map.get()), 0);
}

void contract_bits(struct kunit *test)
{
	constexpr u64 kBits = 200;
	constexpr u64 kSet[] = {0, 63, 64, 65, 199};
	unsigned long *const bits = ramdisk_bits_new(kBits);

	EXPECT(test, bits);
	if (!bits)
		return;
	EXPECT_EQ(test, ramdisk_bits_next_clear(bits, 0, kBits), 0);
	for (const u64 number : kSet) {
		EXPECT(test, !ramdisk_bit_set(bits, number));
		EXPECT(test, ramdisk_bit_set(bits, number));
	}
	ramdisk_read_begin();
	EXPECT_EQ(test, ramdisk_bits_next_set(bits, 0, kBits), 0);
	EXPECT_EQ(test, ramdisk_bits_next_set(bits, 1, kBits), 63);
	EXPECT_EQ(test, ramdisk_bits_next_set(bits, 66, kBits), 199);
	EXPECT_EQ(test, ramdisk_bits_next_set(bits, 66, 150), 150);
	ramdisk_read_end();
	EXPECT_EQ(test, ramdisk_bits_next_clear(bits, 63, kBits), 66);
	EXPECT_EQ(test, ramdisk_bits_next_clear(bits, 199, kBits), kBits);
	EXPECT_EQ(test, ramdisk_bits_next_clear(bits, 63, 65), 65);
	ramdisk_bits_free(bits);
	ramdisk_bits_free(nullptr);
}

void contract_page_memory(struct kunit *test)
{
	u8 *const memory = static_cast<u8 *>(ramdisk_alloc(500));
	// It may come, or not; both are an answer.
	ramdisk_page *const page = ramdisk_page_new(RAMDISK_NO_WAIT);

	EXPECT(test, memory);
	for (size_t i = 0; memory && i < 500; i++)
		EXPECT_EQ(test, memory[i], 0);
	ramdisk_free(memory);
	ramdisk_free(nullptr);
	if (page)
		ramdisk_page_free(page);
	EXPECT(test, ramdisk_memory_has(ramdisk_page_size()));
	EXPECT(test, ramdisk_memory_total() > ramdisk_page_size());
	ramdisk_cond_resched();
}

// What is written through it is in the pages, in their order.
void contract_window(struct kunit *test)
{
	constexpr size_t kPages = 3;
	const size_t page = ramdisk_page_size();
	ramdisk_page *pages[kPages] = {};
	int status;
	Map map;

	EXPECT(test, map);
	const size_t got = ramdisk_window_pages(pages, kPages);

	EXPECT_EQ(test, got, kPages);
	u8 *const window = ramdisk_window_map(pages, got);

	EXPECT(test, window);
	if (window) {
		for (size_t i = 0; i < got * page; i++)
			window[i] = static_cast<u8>(1 + i / page);
		ramdisk_window_unmap(window);
	}
	const size_t added = ramdisk_map_add_many(map.get(), 0, pages, got, RAMDISK_AT_BOOT,
						  &status);

	EXPECT_EQ(test, added, kPages);
	EXPECT_EQ(test, status, 0);
	for (size_t i = 0; i < added; i++)
		EXPECT_EQ(test, map.sum(i * page, page), (i + 1) * page);
	for (size_t i = added; i < got; i++)
		ramdisk_page_free(pages[i]);
}

// Pages that are mapped may be another owner's, who reads what is written here.
void contract_range(struct kunit *test)
{
	const size_t page = ramdisk_page_size();
	ramdisk_range *const range = ramdisk_range_reserve();
	ramdisk_page *pages[2] = {Map::make(1), Map::make(2)};
	int status;
	Map map;

	EXPECT(test, map);
	EXPECT(test, pages[0] && pages[1]);
	if (!range || !pages[0] || !pages[1]) {
		for (ramdisk_page *const each : pages)
			if (each)
				ramdisk_page_free(each);
		if (range)
			ramdisk_range_free(range);
		else
			initrd_kunit_skip(test, "too few addresses for as much as there is memory");
		return;
	}
	EXPECT(test, ramdisk_range_pages(range) >= 2);
	EXPECT_EQ(test, ramdisk_range_map(range, 1, pages, 2), 0);
	u8 *const mapped = ramdisk_range_start(range) + page;

	EXPECT_EQ(test, mapped[0], 1);
	EXPECT_EQ(test, mapped[2 * page - 1], 2);
	mapped[page - 1] = 11;
	mapped[page] = 12;
	ramdisk_range_free(range);
	EXPECT_EQ(test, ramdisk_map_add_many(map.get(), 5, pages, 2, RAMDISK_AT_BOOT, &status), 2);
	EXPECT_EQ(test, map.sum(5 * page, page), page + 10);
	EXPECT_EQ(test, map.sum(6 * page, page), 2 * page + 10);
}
