#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes samples.h: one text, packed by the tools that users pack images with.

    tests/kunit/make-samples.py > tests/kunit/samples.h

The text is a formula, sample_byte() in the header, so that the cases need no
copy of it. Needed: gzip, bzip2, xz, lzop, lz4 and zstd.
"""

import subprocess
import sys

SIZE = 150001

TOOLS = {
    "gzip": ["gzip", "-n", "-9"],
    "bzip2": ["bzip2", "-9"],
    "lzma": ["xz", "--format=lzma", "-6"],
    "xz": ["xz", "--check=crc32", "--lzma2=dict=1MiB"],
    "lzo": ["lzop", "-9"],
    "lz4": ["lz4", "-l", "-9", "-q", "-", "-"],
    "zstd": ["zstd", "-19", "-q"],
}


def sample_byte(i: int) -> int:
    return ord("a") + (i // 7 + i % 13) % 26


def main() -> None:
    text = bytes(sample_byte(i) for i in range(SIZE))
    out = sys.stdout.write
    out(f"""/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Made by tests/kunit/make-samples.py: one text, packed by each tool.
 */
#ifndef INITRD_TESTS_KUNIT_SAMPLES_H
#define INITRD_TESTS_KUNIT_SAMPLES_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"

namespace initrd::kunit {{

constexpr size_t kSampleSize = {SIZE};

/* The text's byte at `i`. */
INLINE constexpr u8 sample_byte(size_t i)
{{
	return static_cast<u8>('a' + (i / 7 + i % 13) % 26);
}}
""")
    for name, tool in TOOLS.items():
        packed = subprocess.run(tool, input=text, stdout=subprocess.PIPE, check=True).stdout
        out(f"\n/* {' '.join(tool)} */\n/* clang-format off */\nconstexpr u8 sample_{name}[] = {{\n")
        for at in range(0, len(packed), 12):
            out("\t" + " ".join(f"0x{byte:02x}," for byte in packed[at:at + 12]) + "\n")
        out("};\n/* clang-format on */\n")
    out("\n} // namespace initrd::kunit\n\n#endif\n")


if __name__ == "__main__":
    main()
