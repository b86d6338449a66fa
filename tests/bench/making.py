# SPDX-License-Identifier: GPL-2.0
"""Makes the uncompressed inputs: ext2 images and cpio archives that boot, and
what in them has to be there afterwards.
"""

from __future__ import annotations

import os
import random
import stat
import tempfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable, Iterator, Sequence

import images
from images import Entry

from .content import KIB, MIB, Source, sizes

#: The sources of the images' init.
GUEST = tuple(sorted((Path(__file__).resolve().parent / "guest").glob("*.[ch]")))
PAGE = 4 * KIB

#: How much of a file or a disk is looked at, and in how many places of a disk.
SAMPLE = 4 * KIB
PLACES = 8


@dataclass(frozen=True)
class Check:
    """Bytes that the guest has to find: in `file`, from `offset` on."""

    file: str
    offset: int
    length: int
    crc32: int

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}:{self.length}:{self.crc32:08x}"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def build_guest(folder: Path) -> Path:
    """Compiles the program that is the images' init, if it is not there."""
    program = folder / "guest"
    if not program.exists():
        images.run_tool(["musl-gcc", "-static", "-Os", "-s", "-Wall", "-o", program,
                         *(path for path in GUEST if path.suffix == ".c")])
    return program


def names(count: int) -> Iterator[str]:
    """Names of files in nested folders, as in a system's /usr."""
    for number in range(count):
        yield f"usr/part{number // 1000:02}/group{number // 50 % 20:02}/file{number:05}"


def files(lengths: Sequence[int], seed: int) -> Iterator[tuple[str, bytes]]:
    """Names and data of files of these lengths."""
    source = Source(seed)
    for name, length in zip(names(len(lengths)), lengths):
        yield name, source.take(length)


# --- ext2 -----------------------------------------------------------------------


def disk_checks(image: Path) -> list[Check]:
    """Places all over an image, and the last one that is not empty."""
    checks = []
    with open(image, "rb") as disk:
        size = os.fstat(disk.fileno()).st_size
        blocks = size // SAMPLE

        def block(number: int) -> bytes:
            disk.seek(number * SAMPLE)
            return disk.read(SAMPLE)

        last = next(number for number in range(blocks - 1, -1, -1) if any(block(number)))
        for number in sorted({blocks * place // PLACES for place in range(PLACES)} | {last}):
            checks.append(Check("/dev/ram0", number * SAMPLE, SAMPLE, zlib.crc32(block(number))))
    return checks


def ext2(size: int, fill: bool = True) -> Callable[[Path, Path], list[Check]]:
    """An image of `size` bytes, nine tenths of it filled with files."""

    def make(image: Path, guest: Path) -> list[Check]:
        # (By this name it is found and removed when this process cannot do it.)
        with tempfile.TemporaryDirectory(prefix=".tree.", suffix=f".{os.getpid()}", dir=image.parent) as scratch:
            tree = Path(scratch)
            tree.chmod(0o755)
            for name in ("dev", "proc", "sbin"):
                (tree / name).mkdir()
            (tree / "sbin/init").write_bytes(guest.read_bytes())
            (tree / "sbin/init").chmod(0o755)
            lengths = list(sizes(size * 9 // 10, 512, 2 * MIB, size)) if fill else []
            for name, data in files(lengths, size):
                path = tree / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            images.build("ext2", tree, image, size=size)
        return disk_checks(image)

    return make


# --- cpio -----------------------------------------------------------------------


def aligned(name: str, offset: int) -> bytes:
    """The name of a file whose header is at `offset`, filled up with NULs so
    that its data begins at a page boundary, as "gen_init_cpio -a 4096" does."""
    text = os.fsencode(name) + b"\0"
    return text + b"\0" * (-(offset + 110 + len(text)) % PAGE)


def write_archive(archive: Path, guest: Path, content: Iterator[tuple[str, bytes]], *, align: bool) -> list[Check]:
    """A newc archive of `guest` as /init and of the files in `content`, with
    `align` the data of those that fill a page at page boundaries."""
    checks: list[Check] = []
    folders = set()
    number = 0
    with open(archive, "wb") as out:

        def add(entry: Entry) -> None:
            nonlocal number
            number += 1
            entry.ino = number
            if align and len(entry.data) >= PAGE:
                entry.name = os.fsdecode(aligned(entry.name, out.tell()))[:-1]
            out.write(images.newc_entry(entry))

        for name in ("dev", "proc"):
            add(Entry.directory(name))
        add(Entry.node("dev/console", stat.S_IFCHR, 5, 1))
        add(Entry.file("init", guest.read_bytes(), 0o755))
        for name, data in content:
            for depth in range(1, name.count("/") + 1):
                folder = "/".join(name.split("/")[:depth])
                if folder not in folders:
                    folders.add(folder)
                    add(Entry.directory(folder))
            add(Entry.file(name, data))
            # The last bytes of the file in the middle, of a late one, and of the last.
            length = min(len(data), SAMPLE)
            offset = len(data) - length
            checks.append(Check(f"/{name}", offset, length, zlib.crc32(data[offset:])))
        add(Entry("TRAILER!!!", 0))
        out.write(b"\0" * (-out.tell() % 512))
    return [checks[at] for at in sorted({len(checks) // 2, len(checks) * 9 // 10, len(checks) - 1}) if checks]


def cpio(lengths: Callable[[], Sequence[int]], *, align: bool = False) -> Callable[[Path, Path], list[Check]]:
    """An archive of files of these lengths."""

    def make(archive: Path, guest: Path) -> list[Check]:
        return write_archive(archive, guest, files(lengths(), 7), align=align)

    return make


def mixed() -> list[int]:
    """About 1,000 files, 48 MB."""
    return list(sizes(48_000_000, 512, 320 * KIB, 5))


def small() -> list[int]:
    """20,000 files of 100 bytes to 3 KiB."""
    source = random.Random(6)
    return [source.randint(100, 3 * KIB) for _ in range(20_000)]


#: The uncompressed inputs: name → function(file to make, guest program).
MAKERS: dict[str, Callable[[Path, Path], list[Check]]] = {
    "ext2-tiny": ext2(256 * KIB, fill=False),
    "ext2-16": ext2(16 * MIB),
    "ext2-64": ext2(64 * MIB),
    "ext2-256": ext2(256 * MIB),
    "cpio-tiny": cpio(list),
    "cpio-mixed": cpio(mixed),
    "cpio-mixed-aligned": cpio(mixed, align=True),
    "cpio-big": cpio(lambda: [45 * MIB]),
    "cpio-big-aligned": cpio(lambda: [45 * MIB], align=True),
    "cpio-100": cpio(lambda: [20 * MIB] * 5),
    "cpio-small": cpio(small),
}
