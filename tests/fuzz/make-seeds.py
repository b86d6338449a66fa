#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the inputs that the fuzz targets begin with.

    make-seeds.py FOLDER [TARGET...]

writes FOLDER/TARGET/NAME: small images of every kind, made with qemu/images.py and
the compressors' own tools, the same bytes every time. What a target reads besides
its data (options, sizes) stands behind it: see FuzzedDataProvider.
"""

from __future__ import annotations

import argparse
import random
import stat
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "qemu"))

import images  # noqa: E402
from images import Entry  # noqa: E402

#: Behind the data: a target's choices, each of them the first or the smallest.
PLAIN = bytes(40)
#: As much of a file system image as its superblock lies in.
HEAD = 4096

Seeds = Iterator[tuple[str, bytes]]


def choices(seed: int) -> bytes:
    """Other choices than PLAIN."""
    return random.Random(seed).randbytes(len(PLAIN))


# --- archives -----------------------------------------------------------------


def entries() -> list[Entry]:
    """One of everything that an archive may hold."""
    return [
        Entry.directory("dev", mtime=1000),
        Entry.node("dev/console", stat.S_IFCHR, 5, 1),
        Entry.node("dev/ram0", stat.S_IFBLK, 1, 0),
        Entry("dev/pipe", stat.S_IFIFO | 0o600),
        Entry("dev/log", stat.S_IFSOCK | 0o700),
        Entry.file("init", b"#!/bin/sh\nexec sh\n", 0o755, mtime=2000),
        Entry.file("empty", b""),
        Entry.file("three", b"abc", uid=1, gid=2),
        Entry.file("pages", b"0123456789abcdef" * 600),
        Entry.symlink("bin", "usr/bin"),
        Entry.file("first", b"linked", ino=7, nlink=2),
        Entry.file("second", b"", ino=7, nlink=2),
        Entry.file("three", b"again"),
        Entry.directory("three"),
    ]


def archives() -> Seeds:
    """Right ones, odd ones and wrong ones."""
    plain = images.newc(entries())
    yield "newc", plain
    yield "crc", images.newc(entries(), crc=True)
    yield "lower-case", plain.lower().replace(b"trailer!!!", b"TRAILER!!!")
    yield "no-trailer", images.newc(entries(), trailer=False, pad=0)
    yield "two", images.newc([Entry.file("a", b"1")]) + bytes(8) + images.newc([Entry.file("a", b"22")])
    yield "aligned", images.newc([Entry.file("large", b"page" * 2048)], align=4096)
    yield "cut-off", plain[:-700]
    yield "wrong-checksum", images.newc_entry(Entry.file("a", b"abc"), crc=True, checksum=1)
    yield "junk", images.newc([Entry.file("a", b"1")], pad=0) + b"junk"
    yield "lenient", images.newc([Entry.file("a", b"1")]).replace(b"00000000", b"0x000000", 1)
    yield "old-portable", b"070707" + b"0" * 70
    yield "data-of-a-folder", images.newc_entry(Entry("folder", stat.S_IFDIR | 0o755, b"data"))
    yield "long-name", images.newc([Entry.file("n" * 255, b"1"), Entry.symlink("l", "t" * 1000)])


# --- compressed data -------------------------------------------------------------


def bgzip(data: bytes, member: int) -> bytes:
    """Members with their own length in an extra field, and an empty one."""
    out = b""
    for at in range(0, len(data) + member, member):
        part = data[at:at + member]
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(part) + packer.flush()
        length = 12 + 6 + len(body) + 8
        out += b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<HBBHH", 6, 66, 67, 2, length - 1)
        out += body + struct.pack("<II", zlib.crc32(part), len(part))
    return out


def gzip_with_all_fields(data: bytes) -> bytes:
    """A member with every optional field of the header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + struct.pack("<H", 4) + b"AB\0\0" + b"name\0comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + body + struct.pack("<II", zlib.crc32(data), len(data))


def with_plain_size(lzma: bytes, size: int) -> bytes:
    """An .lzma file with the size in its header that the tool leaves open."""
    return lzma[:5] + struct.pack("<Q", size) + lzma[13:]


def packed(data: bytes) -> Seeds:
    """`data` in every format, and in the forms that can be decoded in parallel."""
    part = max(1, len(data) // 3)
    for method in images.COMPRESSORS:
        yield method, images.compress_bytes(data, method)
    yield "gzip-fields", gzip_with_all_fields(data)
    yield "bgzip", bgzip(data, min(part, 65000))
    yield "lzma-size", with_plain_size(images.compress_bytes(data, "lzma"), len(data))
    yield "xz-blocks", images.run_tool(["xz", "--check=crc32", f"--block-size={part}", "-c"], data=data)
    yield "xz-no-check", images.run_tool(["xz", "--check=none", "-c"], data=data)
    for number, options in enumerate(("", "-BD -B4 -BX --content-size", "--no-frame-crc -B7")):
        yield f"lz4-frame-{number}", images.run_tool(["lz4", *options.split(), "-c"], data=data)
    yield "xz-crc64", images.run_tool(["xz", "--check=crc64", "-c"], data=data)
    yield "lzo-no-checksums", images.run_tool(["lzop", "-F", "-c"], data=data)
    yield "zstd-no-check", images.run_tool(["zstd", "-q", "--no-check", "-c"], data=data)
    frames = [images.run_tool(["zstd", "-q", "-c"], data=data[at:at + part]) for at in range(0, len(data), part)]
    yield "zstd-frames", b"".join(frames)
    skippable = struct.pack("<II", 0x184D2A50, 4)
    yield "pzstd", b"".join(skippable + struct.pack("<I", len(frame)) + frame for frame in frames)
    for method in ("gzip", "lz4", "zstd"):
        yield f"{method}-twice", images.compress_bytes(data, method) * 2


# --- the targets --------------------------------------------------------------------


def file_systems(folder: Path) -> Seeds:
    """The head of an image of each file system."""
    tree = folder / "tree"
    tree.mkdir()
    (tree / "linuxrc").write_bytes(b"#!/bin/sh\n")
    for kind in images.FORMATS:
        if kind != "cpio":
            yield kind, images.build(kind, tree, folder / "image").read_bytes()[:HEAD]


def identify(folder: Path) -> Seeds:
    for name, head in file_systems(folder):
        yield name, head[:2048] + PLAIN
    for name, data in packed(b"text"):
        yield name, data[:64] + PLAIN


def cpio(folder: Path) -> Seeds:
    for name, data in archives():
        yield name, data + PLAIN


def decode(folder: Path) -> Seeds:
    text = images.sample_data(8192)[2600:5600]  # half of it random
    for name, data in packed(text):
        yield f"text-{name}", data
        yield f"cut-{name}", data[:-9]
    for name, data in packed(bytes(200_000)):
        yield f"zeros-{name}", data


def boot(folder: Path) -> Seeds:
    plain = images.newc(entries())
    for number, (name, data) in enumerate(archives()):
        yield name, data + PLAIN
        yield f"{name}-other", data + choices(number)
    for number, (name, data) in enumerate(packed(plain)):
        yield f"archive-{name}", data + PLAIN
        yield f"archive-{name}-other", plain[:512] + data + choices(number)
    for number, (name, head) in enumerate(file_systems(folder)):
        yield name, head + PLAIN
        for method in images.COMPRESSORS:
            yield f"{name}-{method}", images.compress_bytes(head, method) + choices(number)


def parameters(folder: Path) -> Seeds:
    lines = (
        "initrd=0x80000000,0x100000", "initrd=16M,4K", "initrd=1G", "initrd=0,0\ninitrd=4096,8192",
        "ramdisk_start=12", "ramdisk_start=0x7fffffff", "ramdisk_start=2147483648", "ramdisk_start=-1",
        "initrd.sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "initrd.sha256=,E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855,0",
        "retain_initrd", "retain_initrd=1", "noinitrd", "rdinit=/sbin/early\nroot=/dev/ram0",
        "rootwait", "rootwait=30", "rootwait=030x", "rootfstype=ext2,minix", "x=0x", "x=08", "x=16E", "x=15E",
        "x=18446744073709551616", "root=" + "r" * 300,
    )
    for number, line in enumerate(lines):
        yield f"{number}", line.encode() + PLAIN
        yield f"{number}-other", line.encode() + choices(number)


def inspect(folder: Path) -> Seeds:
    """A command line ends with a backslash and another character."""
    lines = ("root=/dev/ram0 rw", "root=/dev/sda1", "noinitrd", "rdinit=/bin/sh retain_initrd", "ramdisk_start=2",
             "initrd.sha256=0", "initrd.verify=enforce root=/dev/ram0")
    for number, (name, data) in enumerate(boot(folder)):
        yield name, lines[number % len(lines)].encode() + b"\\ " + data


def steps(folder: Path) -> Seeds:
    """For targets that read nothing but choices."""
    for size in (8, 40, 200, 1000):
        for seed in range(4):
            yield f"{size}-{seed}", random.Random(seed).randbytes(size)


TARGETS = {
    "identify": identify,
    "cpio": cpio,
    "cpio_written": steps,
    "decode": decode,
    "boot": boot,
    "inspect": inspect,
    "parameters": parameters,
    "disk": steps,
    "disk_threads": steps,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make-seeds.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all, when none is named")
    options = parser.parse_args()
    if unknown := set(options.targets) - TARGETS.keys():
        parser.error(f"no such target: {' '.join(sorted(unknown))}")
    for target in options.targets or TARGETS:
        where = options.folder / target
        where.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            for name, data in TARGETS[target](Path(scratch)):
                (where / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
