/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Partition tables, as the kernel reads them: GPT, and the one of MBRs.
 */
#ifndef INSPECT_PARTITIONS_H
#define INSPECT_PARTITIONS_H

#include <functional>
#include <optional>
#include <vector>

#include "initrd/support/types.h"
#include "inspect/config.h"

namespace inspect {

/* A stretch of a disk, in bytes. */
struct Partition {
	u64 offset = 0;
	u64 size = 0;
};

/* Bytes of a disk from an offset on; fewer at its end. */
using DiskReader = std::function<std::vector<u8>(u64 offset, u64 size)>;

/*
 * The partition with this number, from 1 on, on a disk of `size` bytes; nothing where
 * the disk has none of that number, or the kernel does not know the kind of its table.
 */
std::optional<Partition> find_partition(const DiskReader &read, u64 size, u32 number,
					const Config &config);

} // namespace inspect

#endif
