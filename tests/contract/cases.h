/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract suite: the rules of the headers in initrd/seam/ as tests that know those
 * headers alone. Built twice: on a host, where initrd/hosted/ has to keep them, and as
 * KUnit in a kernel, where initrd/linux/ and ramdisk/linux/ have to. README.md has the
 * rules that no test can see on both sides.
 */
#ifndef INITRD_TESTS_CONTRACT_CASES_H
#define INITRD_TESTS_CONTRACT_CASES_H

#include "tests/contract/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define INITRD_CONTRACT_CASES(X)                  \
	X(contract_memory)                        \
	X(contract_memory_figures)                \
	X(contract_cpus)                          \
	X(contract_parallel)                      \
	X(contract_log)                           \
	X(contract_random)                        \
	X(contract_pages_are_whole)               \
	X(contract_map_is_zeros_at_first)         \
	X(contract_map_keeps_the_first)           \
	X(contract_map_writes_up_to_a_gap)        \
	X(contract_map_adds_many)                 \
	X(contract_map_retires)                   \
	X(contract_map_counts)                    \
	X(contract_bits)                          \
	X(contract_page_memory)            \
	X(contract_window)                        \
	X(contract_range)                         \
	X(contract_disk)                          \
	X(contract_disk_closes_late)              \
	X(contract_image_device_is_empty)         \
	X(contract_physical_image)                \
	X(contract_no_image)                      \
	X(contract_files)                         \
	X(contract_file_data)                     \
	X(contract_file_system_room)              \
	X(contract_names)                         \
	X(contract_names_that_cannot_be)          \
	X(contract_folders)                       \
	X(contract_links)                         \
	X(contract_nodes)                         \
	X(contract_attributes)                    \
	X(contract_sizes)                         \
	X(contract_file_pages)                    \
	X(contract_file_pages_are_not_replaced)   \
	X(contract_root_devices)                  \
	X(contract_block_file_systems)            \
	X(contract_block_nodes)                   \
	X(contract_crc32)                         \
	X(contract_sha256)                        \
	X(contract_inflate)                       \
	X(contract_zstd)                          \
	X(contract_xz)                            \
	X(contract_lz4)                           \
	X(contract_xxh32)                         \
	X(contract_lzo)
/* clang-format on */

#define INITRD_CONTRACT_DECLARE(name) void name(struct kunit *test);
INITRD_CONTRACT_CASES(INITRD_CONTRACT_DECLARE)

#ifdef __cplusplus
}
#endif

#endif
