# SPDX-License-Identifier: GPL-2.0
"""Images of which some boot on the tests' kernel (qemu/kernel.config) and some cannot:
file systems and their features, compressors and their options, partitions. The scripts'
tests ask initrd-inspect about each; the boot tests compare its verdict with a boot."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import images
from images import MIB

#: Makes an image of a tree, in a folder of its own.
Maker = Callable[[Path, Path], bytes]


@dataclass(frozen=True)
class Row:
    """One image, and whether the tests' kernel boots it; "" or the finding that says why
    it does not."""

    name: str
    make: Maker
    why_not: str = ""
    append: tuple[str, ...] = ("root=/dev/ram0", "rw")
    #: What the finding's text has in it.
    words: str = ""


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value):]


def with_bits(data: bytes, at: int, bits: int) -> bytes:
    """The 32 bits at this offset, and these besides."""
    return patched(data, at, struct.pack("<I", struct.unpack_from("<I", data, at)[0] | bits))


# --- ext2, ext3, ext4 ----------------------------------------------------------------


def ext(kind: str, *words: str) -> Maker:
    def make(tree: Path, folder: Path) -> bytes:
        image = folder / "image"
        images.run_tool(["mke2fs", "-q", "-F", "-t", kind, "-d", tree, *words, image, "24M"], as_root=True)
        return image.read_bytes()
    return make


def revision_0(tree: Path, folder: Path) -> bytes:
    """As before 1995. (mke2fs has had two options for it, one after the other.)"""
    data = ext("ext2", "-O", "none", "-I", "128")(tree, folder)
    return patched(data, 1024 + 76, struct.pack("<I", 0))


def ext_with(kind: str, at: int, bits: int, *words: str, checksum: bool = True) -> Maker:
    """With bits set in its superblock, which has its checksum if it has one."""
    def make(tree: Path, folder: Path) -> bytes:
        data = with_bits(ext(kind, *words)(tree, folder), 1024 + at, bits)
        has_one = struct.unpack_from("<I", data, 1024 + 0x64)[0] & 0x400
        if not checksum or not has_one:
            return data
        return patched(data, 2044, struct.pack("<I", crc32c(data[1024:2044])))
    return make


# --- erofs ---------------------------------------------------------------------------


def erofs(*words: str) -> Maker:
    def make(tree: Path, folder: Path) -> bytes:
        image = folder / "image"
        images.run_tool(["mkfs.erofs", "--quiet", "--all-root", *words, image, tree])
        return image.read_bytes()
    return make


def erofs_with(at: int, bits: int, *words: str, checksum: bool = True) -> Maker:
    def make(tree: Path, folder: Path) -> bytes:
        data = with_bits(erofs(*words)(tree, folder), 1024 + at, bits)
        block = bytearray(data[1024:4096])
        block[4:8] = bytes(4)
        return patched(data, 1028, struct.pack("<I", crc32c(bytes(block)))) if checksum else data
    return make


# --- others --------------------------------------------------------------------------


def squashfs(*words: str) -> Maker:
    def make(tree: Path, folder: Path) -> bytes:
        image = folder / "image"
        image.unlink(missing_ok=True)
        images.run_tool(["mksquashfs", tree, image, "-noappend", "-all-root", "-no-progress", "-quiet", *words])
        return image.read_bytes()
    return make


def plain(kind: str) -> Maker:
    return lambda tree, folder: images.build(kind, tree, folder / "image").read_bytes()


def changed(make: Maker, at: int, value: bytes) -> Maker:
    return lambda tree, folder: patched(make(tree, folder), at, value)


def packed(make: Maker, *command: str) -> Maker:
    """What a command makes of its standard input."""
    def compressed(tree: Path, folder: Path) -> bytes:
        done = subprocess.run(command, input=make(tree, folder), capture_output=True, check=True)
        return done.stdout
    return compressed


def cut(make: Maker, size: int) -> Maker:
    return lambda tree, folder: make(tree, folder)[:size]


def partitioned(make: Maker, label: str = "dos") -> Maker:
    """A disk with one partition, from its second MiB on."""
    def disk(tree: Path, folder: Path) -> bytes:
        whole = folder / "disk"
        whole.write_bytes(bytes(MIB) + make(tree, folder) + bytes(MIB))
        subprocess.run([images.find_tool("sfdisk"), "-q", str(whole)], check=True, capture_output=True,
                       input=b"label: %s\nstart=2048, size=%d\n" % (label.encode(), whole.stat().st_size // 512 - 4096))
        # (The boot code's place must not look like padding between archives.)
        return b"\xeb\xfe" + whole.read_bytes()[2:]
    return disk


def bzip3(tree: Path, folder: Path) -> bytes:
    """How bzip3 begins; nobody here looks further."""
    return b"BZ3v1" + struct.pack("<I", 16 << 20) + images.sample_data(100_000)


ARCHIVE = plain("cpio")
UNMOUNTABLE = "unmountable"
LACKS = "no-driver"
PARTITION = ("root=/dev/ram0p1", "rw", "brd.max_part=4")


def xz(*words: str) -> Maker:
    return packed(ARCHIVE, "xz", "-cT1", *words)


ROWS = (
    *(Row(f"ext2-{name}", ext("ext2", *words)) for name, words in {
        "default": (), "blocks-4096": ("-b", "4096"), "dir-index": ("-O", "dir_index"),
    }.items()),
    Row("ext2-revision-0", revision_0),
    Row("ext3", ext("ext3")),
    *(Row(f"ext4-{name}", ext("ext4", *words)) for name, words in {
        "default": (), "bigalloc": ("-O", "bigalloc", "-C", "65536"), "inline-data": ("-O", "inline_data"),
        "encrypt": ("-O", "encrypt"), "verity": ("-O", "verity"), "no-journal": ("-O", "^has_journal"),
        "large": ("-O", "ea_inode,large_dir,metadata_csum_seed,64bit,sparse_super2"), "quota": ("-O", "quota"),
        "gdt-csum": ("-O", "^metadata_csum,uninit_bg"), "blocks-1024": ("-b", "1024"),
    }.items()),
    Row("ext4-casefold", ext("ext4", "-O", "casefold", "-E", "encoding=utf8"), LACKS, words="CONFIG_UNICODE"),
    Row("ext4-blocks-65536", ext("ext4", "-b", "65536"), UNMOUNTABLE, words="65536 bytes"),
    Row("ext4-dirdata", ext_with("ext4", 0x60, 0x1000), UNMOUNTABLE, words="dirdata"),
    Row("ext2-compression", ext_with("ext2", 0x60, 0x1), UNMOUNTABLE, words="compression"),
    Row("ext2-unknown", ext_with("ext2", 0x60, 0x80000), UNMOUNTABLE, words="0x80000"),
    Row("ext2-shared-blocks", ext_with("ext2", 0x64, 0x4000)),
    Row("ext4-wrong-checksum", ext_with("ext4", 0x88, 0x20, checksum=False), UNMOUNTABLE, words="checksum"),
    Row("ext2-cut", cut(ext("ext2"), 20 * MIB), "cut-off"),
    *(Row(f"erofs-{name}", erofs(*words)) for name, words in {
        "default": (), "lz4": ("-zlz4",), "lz4hc": ("-zlz4hc,12",), "big-pcluster": ("-zlz4hc", "-C65536"),
        "ztailpacking": ("-zlz4hc", "-Eztailpacking"), "fragments": ("-zlz4hc", "-Efragments"),
        "dedupe": ("-zlz4hc", "-Ededupe"), "chunks": ("--chunksize=4096",), "legacy": ("-zlz4", "-Elegacy-compress"),
    }.items()),
    Row("erofs-48bit", erofs_with(80, 0x80), UNMOUNTABLE, words="48bit"),
    Row("erofs-metabox", erofs_with(80, 0x180), UNMOUNTABLE, words="metabox"),
    Row("erofs-unknown", erofs_with(80, 0x10000), UNMOUNTABLE, words="0x10000"),
    Row("erofs-lzma", erofs_with(84, 0x2, "-zlz4hc", "-C65536"), LACKS, words="CONFIG_EROFS_FS_ZIP_LZMA"),
    Row("erofs-deflate", erofs_with(84, 0x4, "-zlz4hc", "-C65536"), LACKS, words="CONFIG_EROFS_FS_ZIP_DEFLATE"),
    Row("erofs-zstd", erofs_with(84, 0x8, "-zlz4hc", "-C65536"), LACKS, words="CONFIG_EROFS_FS_ZIP_ZSTD"),
    Row("erofs-unknown-algorithm", erofs_with(84, 0x100, "-zlz4hc", "-C65536"), UNMOUNTABLE, words="0x100"),
    Row("erofs-blocks-16384", changed(erofs(), 1024 + 12, b"\x0e"), UNMOUNTABLE, words="16384 bytes"),
    Row("erofs-wrong-checksum", erofs_with(36, 0x40000000, checksum=False), UNMOUNTABLE, words="checksum"),
    *(Row(f"squashfs-{name}", squashfs("-comp", name)) for name in ("gzip", "lzo", "xz", "lz4", "zstd")),
    Row("squashfs-plain", squashfs("-noI", "-noD", "-noF", "-noX")),
    Row("squashfs-blocks-4096", squashfs("-b", "4096")),
    Row("squashfs-x86", squashfs("-comp", "xz", "-Xbcj", "x86")),
    Row("squashfs-lzma", squashfs("-comp", "lzma"), UNMOUNTABLE, words="lzma"),
    Row("squashfs-3.1", changed(squashfs(), 28, b"\x03\0\x01\0"), UNMOUNTABLE, words="3.1"),
    Row("squashfs-cut", cut(squashfs(), 200_000), "kernel-error"),
    *(Row(kind, plain(kind)) for kind in ("cramfs", "cramfs+512", "romfs", "minix", "minix2")),
    Row("cramfs-unknown", changed(plain("cramfs"), 8, b"\x03\x10\0\0"), UNMOUNTABLE, words="features"),
    Row("romfs-wrong-checksum", changed(plain("romfs"), 12, b"\1\2\3\4"), UNMOUNTABLE, words="checksum"),
    *(Row(f"xz-{check}", xz(f"--check={check}"), append=()) for check in ("none", "crc32", "crc64")),
    Row("xz-sha256", xz("--check=sha256"), "kernel-error", append=()),
    Row("xz-x86", xz("--check=crc32", "--x86", "--lzma2"), append=()),
    *(Row(f"xz-{name}", xz("--check=crc32", f"--{name}", "--lzma2"), "kernel-error", append=())
      for name in ("arm", "armthumb", "arm64", "powerpc", "sparc", "ia64", "delta")),
    Row("xz-x86-delta", xz("--check=crc32", "--x86", "--delta", "--lzma2"), "kernel-error", append=()),
    Row("xz-x86-start", xz("--check=crc32", "--x86=start=4096", "--lzma2"), "kernel-error", append=()),
    Row("xz-blocks", xz("--check=crc64", "--block-size=100000", "--x86", "--lzma2"), append=()),
    Row("bzip3", bzip3, "kernel-error"),
    Row("partition", partitioned(ext("ext2")), append=PARTITION),
    Row("partition-gpt", partitioned(ext("ext4"), "gpt"), append=PARTITION),
    Row("partition-by-number", partitioned(squashfs()), append=("root=1:1", "brd.max_part=4")),
    Row("partition-packed", packed(partitioned(ext("ext2")), "gzip", "-c1"), append=PARTITION),
    Row("partition-missing", partitioned(ext("ext2")), "no-partition",
        append=("root=/dev/ram0p2", "brd.max_part=4")),
    Row("partition-without-numbers", partitioned(ext("ext2")), "no-partition", append=("root=/dev/ram0p1",)),
    Row("partition-not-mountable", partitioned(ext("ext4", "-b", "65536")), UNMOUNTABLE, append=PARTITION),
)
