/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CRC-64 of .xz: that of ECMA-182, low bits first. The kernel's library has it
 * the other way around only.
 */
#ifndef INITRD_FORMATS_CRC64_H
#define INITRD_FORMATS_CRC64_H

#include "initrd/support/bytes.h"

namespace initrd {

/* Of `data`, going on from that of what came before it; 0 at the start. */
u64 crc64(u64 before, Bytes data);

} // namespace initrd

#endif
