# SPDX-License-Identifier: GPL-2.0
"""Writes a Minix file system, version 1 or 2, from a directory tree.

mkfs.minix makes empty file systems only, and filling one takes a mount and
root. Both variants have 1 KiB blocks and names of up to 30 characters. The
kernel's RAM-disk loader knows version 1 by its magic, but not version 2.

What goes in: directories, regular files, symlinks, device nodes, hard links.
Owners are all 0; times are whole seconds; the layout is the same for the same
input. Limits here, for both: 65,535 blocks of 1 KiB, 65,535 inodes, file names
of 30 bytes.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 1024
NAME_MAX = 30
DIRECT = 7
MAX_BLOCKS = 0xFFFF
BITS_PER_BLOCK = BLOCK * 8
ROOT_INODE = 1
STATE_CLEAN = 1


class MinixError(Exception):
    """The tree does not fit into the format."""


@dataclass(frozen=True)
class _Version:
    """How the versions differ: magic, bytes per inode, format and number of
    the zone pointers."""

    magic: int
    inode_size: int
    pointer: str
    pointers: int

    @property
    def per_block(self) -> int:
        return BLOCK // struct.calcsize(self.pointer)


_VERSIONS = {
    1: _Version(magic=0x138F, inode_size=32, pointer="H", pointers=9),
    2: _Version(magic=0x2478, inode_size=64, pointer="I", pointers=10),
}


@dataclass
class _Inode:
    """One inode as it is collected; `zones` are filled in when data is placed."""

    mode: int
    mtime: int
    data: bytes = b""
    rdev: int = 0
    nlinks: int = 0
    zones: list[int] = field(default_factory=list)

    def pack(self, version: _Version) -> bytes:
        """The inode as it lies on the disk."""
        zones = self.zones + [0] * (version.pointers - len(self.zones))
        mode, size = self.mode & 0xFFFF, len(self.data)
        mtime = self.mtime & 0xFFFFFFFF
        if version.inode_size == 32:
            return struct.pack("<HHIIBB9H", mode, 0, size, mtime, 0, min(self.nlinks, 250), *zones)
        return struct.pack("<HHHHIIII10I", mode, self.nlinks, 0, 0, size, mtime, mtime, mtime, *zones)


def _bitmap(used: int, total: int, blocks: int) -> bytes:
    """A bitmap of `blocks` blocks: `used` bits in use out of `total`; bits
    beyond `total` are set too, as the format wants it."""
    bits = bytearray(b"\xff" * (blocks * BLOCK))
    for bit in range(used, total):
        bits[bit // 8] &= ~(1 << (bit % 8)) & 0xFF
    return bytes(bits)


def _directory(entries: list[tuple[int, str]]) -> bytes:
    out = bytearray()
    for number, name in entries:
        raw = os.fsencode(name)
        if len(raw) > NAME_MAX:
            raise MinixError(f"{name}: longer than {NAME_MAX} bytes")
        out += struct.pack("<H", number) + raw.ljust(NAME_MAX, b"\0")
    return bytes(out)


class _Collector:
    """Turns a directory tree into a list of inodes, the root first."""

    def __init__(self) -> None:
        self.inodes: list[_Inode] = []
        self._seen: dict[tuple[int, int], int] = {}

    def add(self, inode: _Inode) -> int:
        self.inodes.append(inode)
        return len(self.inodes)

    def directory(self, path: Path, parent: int | None) -> int:
        """Collects `path` and all below it; returns its inode number."""
        info = path.lstat()
        number = self.add(_Inode(info.st_mode, int(info.st_mtime), nlinks=2))
        entries = [(number, "."), (parent or number, "..")]
        for child in sorted(path.iterdir()):
            entries.append((self._child(child, number), child.name))
        self.inodes[number - 1].data = _directory(entries)
        return number

    def _child(self, path: Path, parent: int) -> int:
        info = path.lstat()
        if stat.S_ISDIR(info.st_mode):
            self.inodes[parent - 1].nlinks += 1
            return self.directory(path, parent)
        key = (info.st_dev, info.st_ino)
        if info.st_nlink > 1 and key in self._seen:
            number = self._seen[key]
            self.inodes[number - 1].nlinks += 1
            return number
        inode = _Inode(info.st_mode, int(info.st_mtime), nlinks=1)
        if stat.S_ISREG(info.st_mode):
            inode.data = path.read_bytes()
        elif stat.S_ISLNK(info.st_mode):
            inode.data = os.fsencode(os.readlink(path))
        elif stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
            inode.rdev = os.major(info.st_rdev) << 8 | os.minor(info.st_rdev)
        number = self.add(inode)
        self._seen[key] = number
        return number


class _Data:
    """The data zones: hands out numbers and keeps what was written."""

    def __init__(self, first: int, version: _Version) -> None:
        self.first = first
        self.version = version
        self.blocks: list[bytes] = []

    def put(self, data: bytes) -> int:
        if self.first + len(self.blocks) >= MAX_BLOCKS:
            raise MinixError("more than 64 MiB")
        self.blocks.append(data.ljust(BLOCK, b"\0"))
        return self.first + len(self.blocks) - 1

    def _table(self, zones: list[int]) -> int:
        return self.put(struct.pack(f"<{len(zones)}{self.version.pointer}", *zones))

    def store(self, data: bytes) -> list[int]:
        """Writes a file's data; returns the zone numbers for its inode."""
        per_block = self.version.per_block
        zones = [self.put(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]
        out = zones[:DIRECT] + [0] * (DIRECT - len(zones[:DIRECT]))
        single = zones[DIRECT : DIRECT + per_block]
        out.append(self._table(single) if single else 0)
        rest = zones[DIRECT + per_block :]
        if len(rest) > per_block * per_block:
            raise MinixError("a file is larger than the format allows")
        tables = [
            self._table(rest[at : at + per_block])
            for at in range(0, len(rest), per_block)
        ]
        out.append(self._table(tables) if tables else 0)
        return out


def write(tree: Path, size: int | None = None, version: int = 1) -> bytes:
    """Returns the image of the tree at `tree`, of version 1 or 2.

    `size` is the length of the image in bytes, a multiple of 1024; without it
    the image is as large as the content needs and a little slack. Raises
    MinixError when the tree does not fit.
    """
    form = _VERSIONS[version]
    collector = _Collector()
    collector.directory(tree, None)
    inodes = collector.inodes

    count = (len(inodes) + 32 + 31) // 32 * 32
    imap_blocks = (count + 1 + BITS_PER_BLOCK - 1) // BITS_PER_BLOCK
    inode_blocks = count * form.inode_size // BLOCK
    # The zone bitmap is as large as the largest file system needs, so that
    # the first data zone does not depend on the amount of data.
    zmap_blocks = (MAX_BLOCKS + BITS_PER_BLOCK - 1) // BITS_PER_BLOCK
    if size is not None:
        zmap_blocks = (size // BLOCK + BITS_PER_BLOCK - 1) // BITS_PER_BLOCK
    first = 2 + imap_blocks + zmap_blocks + inode_blocks

    data = _Data(first, form)
    for inode in inodes:
        if inode.data:
            inode.zones = data.store(inode.data)
        elif inode.rdev:
            inode.zones = [inode.rdev]

    used = first + len(data.blocks)
    total = size // BLOCK if size is not None else min(used + 64, MAX_BLOCKS)
    if used > total or total > MAX_BLOCKS:
        raise MinixError(f"{used} KiB do not fit into {total} KiB")

    per_block = form.per_block
    superblock = struct.pack(
        "<HHHHHHIHHI",
        count,
        total if version == 1 else 0,
        imap_blocks,
        zmap_blocks,
        first,
        0,
        min((DIRECT + per_block + per_block * per_block) * BLOCK, 0x7FFFFFFF),
        form.magic,
        STATE_CLEAN,
        total if version == 2 else 0,
    )
    table = b"".join(inode.pack(form) for inode in inodes)
    image = bytearray(BLOCK)
    image += superblock.ljust(BLOCK, b"\0")
    image += _bitmap(len(inodes) + 1, count + 1, imap_blocks)
    image += _bitmap(len(data.blocks) + 1, total - first + 1, zmap_blocks)
    image += table.ljust(inode_blocks * BLOCK, b"\0")
    image += b"".join(data.blocks)
    return bytes(image).ljust(total * BLOCK, b"\0")
