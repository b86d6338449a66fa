# SPDX-License-Identifier: GPL-2.0
"""What is asked of each instrument; see rows.Target."""

from __future__ import annotations

from .content import MIB
from .rows import Target

#: Instructions, C ÷ ours. What is not listed must not be slower than C.
INSTRUCTIONS = {
    "ext2-64": 20.0,
    "cpio-big-aligned": 8.0,
    "cpio-big": 2.0,
    "cpio-small": 2.0,
    "ext2-64.lz4": 2.0,
    "ext2-64.gz": 1.15,
    "ext2-64.zst": 1.15,
    "ext2-64.xz": 1.05,
}

#: How much longer a plain image of 256 MiB may take than one of 64 MiB.
GROWTH = Target(0.10, "at most", "ours")

#: Our own time with one processor ÷ that with two.
TWO_CPUS = {"ext2-64.pzst": 1.7, "ext2-64.lz4": 1.7}

#: MiB of memory per MiB of a plain image.
IMAGE_SLOPE = Target(1.05, "at most", "ours")

#: Memory above the smallest archive's, in sizes of the archive.
ARCHIVE_MEMORY = Target(1.1, "at most", "ours")

#: MiB of the smallest machine for the archive of 100 MiB, without any option.
WHOLE_MACHINE = Target(150, "at most", "ours")

#: Disk accesses, and time at native speed: C ÷ ours.
DISK = Target(1.0)
NATIVE = Target(1.0)


def instructions(name: str) -> Target:
    return Target(INSTRUCTIONS.get(name, 1.0))


def compressed_memory(size: int, window: int) -> Target:
    """MiB above the smallest image's: the output, the window, and 4 MiB."""
    return Target((size + window) / MIB + 4, "at most", "ours")


def two_cpus(name: str) -> Target | None:
    return Target(TWO_CPUS[name]) if name in TWO_CPUS else None
