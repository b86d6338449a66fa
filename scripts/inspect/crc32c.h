/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CRC-32C (Castagnoli), with which ext4 and erofs protect their superblocks.
 */
#ifndef INSPECT_CRC32C_H
#define INSPECT_CRC32C_H

#include "initrd/support/bytes.h"

namespace inspect {

/* Of these bytes, behind those that made `crc`; ~0 before the first. Not inverted at the end. */
inline u32 crc32c(u32 crc, initrd::Bytes bytes)
{
	constexpr u32 kPolynomial = 0x82f63b78;

	for (const u8 byte : bytes) {
		crc ^= byte;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
	}
	return crc;
}

} // namespace inspect

#endif
