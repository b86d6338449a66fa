// SPDX-License-Identifier: GPL-2.0
// formats/crc64: liblzma's result, in one piece or in several.

#include "initrd/formats/crc64.h"

#include <lzma.h>

#include "fixture.h"

namespace {

using namespace initrd;
using host::Data;

TEST(Crc64, OfTheNineDigits)
{
	EXPECT_EQ(crc64(0, host::bytes_of(host::to_data("123456789"))), 0x995dc9bbdf1939faull);
	EXPECT_EQ(crc64(0, {}), 0u);
}

TEST(Crc64, IsThatOfTheLibraryInAnyPieces)
{
	for (size_t size = 0; size < 70; size++) {
		const Data data = host::sample(size, static_cast<unsigned>(size));
		const u64 expected = lzma_crc64(data.data(), data.size(), 0);

		for (size_t first = 0; first <= size; first++) {
			const host::Exact front(host::bytes_of(data).first(first));
			const host::Exact back(host::bytes_of(data).skip(first));

			ASSERT_EQ(crc64(crc64(0, front.bytes()), back.bytes()), expected);
		}
	}
}

} // namespace
