// SPDX-License-Identifier: GPL-2.0

#include "initrd/formats/crc64.h"

namespace initrd {
namespace {

constexpr u64 kPolynomial = 0xc96c5795d7870f42;

// What a word at the front adds to the register, byte by byte of the word.
constexpr size_t kWord = sizeof(u64);

struct Table {
	u64 rows[kWord][256];
};

consteval Table make_table()
{
	Table table = {};

	for (u32 byte = 0; byte < 256; byte++) {
		u64 sum = byte;

		for (u32 bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? kPolynomial : 0);
		table.rows[kWord - 1][byte] = sum;
	}
	for (size_t row = kWord - 1; row; row--) {
		for (u32 byte = 0; byte < 256; byte++) {
			const u64 sum = table.rows[row][byte];

			table.rows[row - 1][byte] = sum >> 8 ^ table.rows[kWord - 1][sum & 0xff];
		}
	}
	return table;
}

constexpr Table kTable = make_table();

} // namespace

u64 crc64(u64 before, Bytes data)
{
	u64 sum = ~before;

	for (; data.size() >= kWord; data = data.skip(kWord)) {
		const u64 word = load_le64(data, 0) ^ sum;

		sum = 0;
#pragma clang loop unroll(full)
		for (size_t i = 0; i < kWord; i++)
			sum ^= kTable.rows[i][word >> 8 * i & 0xff];
	}
	for (const u8 byte : data)
		sum = sum >> 8 ^ kTable.rows[kWord - 1][(sum ^ byte) & 0xff];
	return ~sum;
}

} // namespace initrd
