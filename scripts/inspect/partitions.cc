// SPDX-License-Identifier: GPL-2.0

#include "inspect/partitions.h"

#include <zlib.h>

#include <algorithm>

#include "initrd/support/bytes.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::load_le32;
using initrd::load_le64;

constexpr u64 kSector = 512;
constexpr size_t kTable = 446;
constexpr size_t kRow = 16;
constexpr u32 kRows = 4;
// Types of partitions: one that stands for a GPT, and those that have further ones in them.
constexpr u8 kGpt = 0xee;
constexpr u8 kExtended[] = {0x05, 0x0f, 0x85};

struct Row {
	Row(Bytes sector, u32 index)
		: flag(sector[kTable + index * kRow]),
		  type(sector[kTable + index * kRow + 4]),
		  first(load_le32(sector, kTable + index * kRow + 8)),
		  count(load_le32(sector, kTable + index * kRow + 12))
	{
	}

	bool is_extended() const
	{
		return count && std::ranges::find(kExtended, type) != std::end(kExtended);
	}

	u8 flag;
	u8 type;
	u32 first; // sectors
	u32 count;
};

bool has_table(Bytes sector)
{
	return sector.size() == kSector && initrd::holds(sector, kSector - 2, "\x55\xaa");
}

// What of it is on the disk.
std::optional<Partition> within(u64 first, u64 count, u64 size)
{
	const u64 sectors = size / kSector;

	if (!count || first >= sectors)
		return std::nullopt;
	return Partition{first * kSector, std::min(count, sectors - first) * kSector};
}

std::optional<Partition> in_gpt(const DiskReader &read, u64 size, u32 number)
{
	constexpr u32 kMostHeader = 512;
	constexpr size_t kSumAt = 16;
	constexpr size_t kType = 16; // bytes of a row's type, all 0 where it is free
	std::vector<u8> header = read(kSector, kSector);
	const Bytes bytes(header.data(), header.size());

	if (!initrd::holds(bytes, 0, "EFI PART"))
		return std::nullopt;
	const u32 length = load_le32(bytes, 12);
	const u32 sum = load_le32(bytes, kSumAt);
	const u64 table = load_le64(bytes, 72);
	const u64 rows = load_le32(bytes, 80);
	const u32 row_size = load_le32(bytes, 84);

	std::fill_n(header.begin() + kSumAt, 4, u8{0});
	if (length < 92 || length > kMostHeader || crc32(0, header.data(), length) != sum ||
	    number > rows || row_size != 128 || table > size / kSector)
		return std::nullopt;
	const std::vector<u8> row = read(table * kSector + u64{number - 1} * row_size, row_size);
	const Bytes fields(row.data(), row.size());

	if (fields.size() < row_size || initrd::leading_zeros(fields) >= kType)
		return std::nullopt;
	const u64 first = load_le64(fields, 32);
	const u64 last = load_le64(fields, 40);

	return last < first ? std::nullopt : within(first, last - first + 1, size);
}

// Those in an extended partition have numbers from 5 on, in the order of their chain.
std::optional<Partition> in_extended(const DiskReader &read, u64 size, u32 number, u64 start)
{
	constexpr u32 kMostLinks = 100;
	u64 at = start;
	u32 next = kRows + 1;

	for (u32 links = 0; links < kMostLinks; links++) {
		const std::vector<u8> sector = read(at * kSector, kSector);
		const Bytes bytes(sector.data(), sector.size());
		bool goes_on = false;

		if (!has_table(bytes))
			return std::nullopt;
		for (u32 i = 0; i < kRows; i++) {
			const Row row(bytes, i);

			if (row.count && !row.is_extended() && next++ == number)
				return within(at + row.first, row.count, size);
		}
		for (u32 i = 0; i < kRows && !goes_on; i++) {
			const Row row(bytes, i);

			goes_on = row.is_extended();
			if (goes_on)
				at = start + row.first;
		}
		if (!goes_on)
			return std::nullopt;
	}
	return std::nullopt;
}

} // namespace

std::optional<Partition> find_partition(const DiskReader &read, u64 size, u32 number,
					const Config &config)
{
	const std::vector<u8> sector = read(0, kSector);
	const Bytes bytes(sector.data(), sector.size());

	if (!has_table(bytes) || !number)
		return std::nullopt;
	for (u32 i = 0; i < kRows; i++) {
		const Row row(bytes, i);

		if (row.type == kGpt && config.may_be_built_in("EFI_PARTITION"))
			return in_gpt(read, size, number);
		// The boot sector of a file system is no table.
		if (row.flag & 0x7f)
			return std::nullopt;
	}
	if (!config.may_be_built_in("MSDOS_PARTITION"))
		return std::nullopt;
	if (number <= kRows) {
		const Row row(bytes, number - 1);

		return within(row.first, row.count, size);
	}
	for (u32 i = 0; i < kRows; i++)
		if (const Row row(bytes, i); row.is_extended())
			return in_extended(read, size, number, row.first);
	return std::nullopt;
}

} // namespace inspect
