# SPDX-License-Identifier: GPL-2.0
"""Compresses the inputs: once with each compressor, and in the forms with
several parts that several processors could decode at once.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import images
from images import MIB

Packer = Callable[[bytes], bytes]


def usual(method: str) -> Packer:
    """As qemu/images.py does it."""
    return lambda data: images.compress_bytes(data, method)


def in_parts(pack: Packer, size: int) -> Packer:
    """Parts of `size` bytes, each packed for itself, one behind the other."""
    return lambda data: b"".join(pack(data[at : at + size]) for at in range(0, len(data), size))


def by_file(*command: str) -> Packer:
    """A tool that is told the name of its input, and so knows its length."""

    def pack(data: bytes) -> bytes:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            path = Path(scratch) / "data"
            path.write_bytes(data)
            return images.run_tool([*command, path])

    return pack


@dataclass(frozen=True)
class Packing:
    """One way to compress: the compressor, what does it, and how many bytes of
    memory the format lets a decoder need besides the output."""

    method: str
    pack: Packer
    window: int
    what: str


PACKINGS: dict[str, Packing] = {
    "gz": Packing("gzip", usual("gzip"), 32 * 1024, "gzip"),
    "zst": Packing("zstd", usual("zstd"), 4 * MIB, "zstd, one frame"),
    "lz4": Packing("lz4", usual("lz4"), 8 * MIB, "lz4 legacy, blocks of 8 MiB"),
    "xz": Packing("xz", usual("xz"), MIB, "xz, one block"),
    "lzo": Packing("lzo", usual("lzo"), 256 * 1024, "lzop, blocks of 256 KiB"),
    "multi.gz": Packing("gzip", in_parts(usual("gzip"), 8 * MIB), 32 * 1024, "gzip, members of 8 MiB"),
    "bgz": Packing("gzip", by_file("bgzip", "-c"), 32 * 1024, "bgzip, members of 64 KiB that carry their sizes"),
    "frames.zst": Packing("zstd", in_parts(by_file("zstd", "-12", "-q", "-c"), 8 * MIB), 4 * MIB,
                          "zstd, frames of 8 MiB that carry their sizes"),
    "pzst": Packing("zstd", by_file("pzstd", "-12", "-q", "-p", "4", "-c"), 4 * MIB,
                    "pzstd, frames of 16 MiB with their sizes before them"),
    "cat.lz4": Packing("lz4", in_parts(usual("lz4"), 16 * MIB), 8 * MIB, "lz4 legacy streams of 16 MiB, concatenated"),
    "blocks.xz": Packing("xz", by_file("xz", "-c", "--check=crc32", "--lzma2=preset=6,dict=1MiB", "--block-size=8MiB",
                                       "--threads=1"), MIB, "xz, blocks of 8 MiB"),
}
