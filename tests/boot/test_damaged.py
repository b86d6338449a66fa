# SPDX-License-Identifier: GPL-2.0
"""Initrds that are broken, empty or not what they seem: the kernel says so,
gives the memory back, and goes on to the real root on a disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest

import images
import vm
from conftest import Lab
from images import Entry

COMPRESSORS = list(images.COMPRESSORS)


def check_real_root(outcome: vm.Outcome) -> None:
    """The disk became the root, and nothing else was mounted."""
    assert [(m.fs, m.device.split(":")[0]) for m in outcome.console.mounts if m.device != "1:0"] != []
    assert outcome.guest.facts["mount"].split()[1:3] == ["/", "ext2"]
    assert "1:0" not in [m.device for m in outcome.console.mounts]
    assert outcome.guest.facts["content"] == "intact"


def fall_back(lab: Lab, data: bytes, append: list[str] | None = None) -> vm.Outcome:
    """Boots `data` with a disk to fall back to and insists that it does."""
    outcome = lab.succeed(data, ["root=/dev/vda", *(append or [])], disks=[lab.real_root()], root=False)
    check_real_root(outcome)
    return outcome


# (LZ4: the C implementation reads past the end of the input and crashes.)
@pytest.mark.parametrize("compressor", [
    pytest.param(name, marks=pytest.mark.cxx_only if name == "lz4" else ()) for name in COMPRESSORS
])
def test_truncated_archive(lab: Lab, compressor: str) -> None:
    """Half of a compressed archive."""
    data = images.compress_bytes(lab.archive(), compressor)
    outcome = fall_back(lab, data[: len(data) // 2])
    assert outcome.console.complaints, outcome.console.tail(30)
    assert len(outcome.console.freed_kib) <= 1


@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd"])
def test_truncated_image(lab: Lab, compressor: str) -> None:
    """Half of a compressed file system image."""
    data = lab.image("ext2", compressor).read_bytes()
    outcome = fall_back(lab, data[: len(data) // 2], ["ramdisk_size=8192"])
    assert outcome.console.complaints


@pytest.mark.parametrize(("kind", "compressor"), [
    *((kind, "none") for kind in ("ext2", "ext4", "squashfs", "cramfs", "cramfs+512", "romfs", "minix", "erofs")),
    ("ext2", "zstd"), ("squashfs", "gzip"),
])
@pytest.mark.cxx_only(reason="says nothing of an image that ends too early")
def test_image_cut_short(lab: Lab, kind: str, compressor: str) -> None:
    """Two thirds of a file system: one line says so, with what the superblock
    claims and what there is."""
    image = lab.image(kind)
    data = image.read_bytes()
    claimed = claimed_size(kind, data)
    data = data[: claimed * 2 // 3]
    outcome = lab.succeed(images.compress_bytes(data, compressor), ["root=/dev/vda"], disks=[lab.real_root()],
                          root=False)
    assert outcome.guest.facts["mount"].split()[1:3] == ["/", "ext2"]
    assert outcome.guest.facts["content"] == "intact"
    lines = [line for line in outcome.console.having("initrd: ") if "truncated" in line]
    assert len(lines) == 1, outcome.console.having("initrd: ")
    assert {claimed, len(data)} <= {int(number) for number in re.findall(r"\d+", lines[0])}


def claimed_size(kind: str, data: bytes) -> int:
    """What a file system's superblock says of its size."""
    def number(offset: int, size: int, order: Literal["little", "big"] = "little") -> int:
        return int.from_bytes(data[offset : offset + size], order)

    if kind.startswith("ext"):
        return number(1024 + 4, 4) << 10 + number(1024 + 24, 4)
    if kind == "squashfs":
        return number(40, 8)
    if kind.startswith("cramfs"):
        return number((512 if kind.endswith("+512") else 0) + 4, 4)
    if kind == "romfs":
        return number(8, 4, "big")
    if kind == "minix":
        return number(1024 + 2, 2) << 10 + number(1024 + 10, 2)
    assert kind == "erofs"
    return number(1024 + 36, 4) << data[1024 + 12]


@pytest.mark.parametrize("size", [1, 300_001])
def test_random_bytes(lab: Lab, size: int) -> None:
    """Garbage of any length is no reason not to boot the real root."""
    data = bytes([0x5A]) + images.sample_data(size)[1:]
    outcome = fall_back(lab, data)
    assert outcome.console.having("rootfs image is not initramfs")


# (gzip and LZ4: the C implementation takes the garbage for a RAM disk with a
# file system on it, and panics when it is none.)
@pytest.mark.parametrize("compressor", [
    "bzip2", "xz", "zstd",
    pytest.param("gzip", marks=pytest.mark.cxx_only),
    pytest.param("lz4", marks=pytest.mark.cxx_only),
])
def test_corrupt_archive(lab: Lab, compressor: str) -> None:
    """A stretch of the compressed data is overwritten. (What came out before
    it may be in rootfs already, /init too: rdinit= leads past that.)"""
    data = bytearray(images.compress_bytes(lab.archive(), compressor))
    middle = len(data) // 2
    data[middle : middle + 64] = b"\xff" * 64
    outcome = lab.boot(bytes(data), ["root=/dev/vda", "rdinit=/none"], disks=[lab.real_root()], root=False)
    assert outcome.success, outcome.reason
    check_real_root(outcome)
    assert outcome.console.complaints


def test_bad_checksum(lab: Lab) -> None:
    """One wrong byte in an archive with checksums is found."""
    body = Entry.file("t/a", b"the right text")
    data = images.newc_entry(Entry.directory("t"), crc=True)
    data += images.newc_entry(body, crc=True, checksum=sum(body.data) + 1)
    data += images.newc_entry(Entry("TRAILER!!!", 0))
    outcome = fall_back(lab, data)
    assert outcome.console.having("bad data checksum")


def test_old_cpio_format(lab: Lab) -> None:
    """The portable format of old is named with what to use instead."""
    outcome = fall_back(lab, b"070707" + b"0" * 506)
    assert outcome.console.having("incorrect cpio method used: use -H newc option")


def test_not_an_initrd_at_all(lab: Lab) -> None:
    """Text instead of an archive."""
    outcome = fall_back(lab, b"This is the README of something else.\n" * 100)
    assert outcome.console.having("rootfs image is not initramfs (invalid magic at start of compressed archive); "
                                  "looks like an initrd")


def test_archive_cut_in_the_middle(lab: Lab) -> None:
    """A plain archive that ends inside a file's data."""
    data = lab.archive()
    cut = data.index(b"share/sample") + 100_000
    outcome = lab.boot(data[:cut], ["root=/dev/vda", "rdinit=/none"], disks=[lab.real_root()], root=False)
    assert outcome.success, outcome.reason
    check_real_root(outcome)


@pytest.mark.parametrize("data", [images.newc([], pad=16384), b"\0" * 16384],
                         ids=["trailer-only", "zeros"])
def test_empty_archive(lab: Lab, data: bytes) -> None:
    """Nothing to unpack is no error."""
    outcome = fall_back(lab, data)
    assert outcome.console.complaints == []
    assert len(outcome.console.freed_kib) == 1


def test_junk_behind_the_archive(lab: Lab) -> None:
    """What was unpacked before the junk is there all the same."""
    outcome = lab.succeed(lab.archive() + b"\xa5" * 1000)
    assert outcome.console.init is not None and outcome.console.init[0] == "/init"
    if lab.stock:
        assert outcome.console.having("invalid magic at start of compressed archive")
    else:
        assert outcome.console.having("initrd: 1000 bytes of junk behind the archive at offset ")
        assert outcome.console.having("Initramfs unpacking failed") == []


def test_entries_that_are_skipped(lab: Lab) -> None:
    """Names that are too long or empty, and symlinks with too much text, are
    passed over without a word; what follows them is unpacked."""
    entries = [
        Entry.directory("t"),
        Entry.file("t/" + "x" * 4096, b"name too long"),
        Entry.symlink("t/too-long", "y" * 5000),
        Entry("t/fifo-with-data", 0o010644, b"data"),
        Entry.file("t/after", b"here\n"),
    ]
    outcome = lab.succeed(lab.archive(entries, guest_test="ls /t; cat /t/after\n"))
    assert outcome.guest.test_output == ["after", "here"]


@pytest.mark.cxx_only
def test_image_that_does_not_fit_into_memory(lab: Lab) -> None:
    """A small image that expands beyond all memory is given up, not the boot."""
    data = images.compress_bytes(b"\x55" + bytes(400 * images.MIB), "zstd")
    outcome = lab.succeed(data, ["root=/dev/vda"], disks=[lab.real_root()], root=False, memory="128M")
    check_real_root(outcome)
    assert outcome.console.having("initrd: no space: out of memory for the RAM disk")


@pytest.mark.machines("x86_64")
@pytest.mark.cxx_only
def test_retained_image_that_does_not_fit_twice(lab: Lab) -> None:
    """retain_initrd needs the memory twice; where it is not there, the real
    root is left."""
    outcome = lab.succeed(bytes([0x55]) * (80 * images.MIB), ["root=/dev/vda", "retain_initrd"],
                          disks=[lab.real_root()], root=False, memory="160M" if lab.patience == 1 else "256M")
    check_real_root(outcome)
    assert outcome.console.having("initrd: no space: out of memory")


def test_no_root_at_all(lab: Lab) -> None:
    """A broken image and nothing to fall back to: a panic with a reason, and
    not a hang."""
    outcome = lab.boot(b"\x55" * 8192, ["root=/dev/ram0"], root=False, clean=False)
    assert not outcome.success
    assert outcome.console.panic is not None and "Unable to mount root fs" in outcome.console.panic
    assert outcome.seconds < 60


def test_compressor_that_is_not_configured(lab: Lab, request: pytest.FixtureRequest) -> None:
    """It is named, and the kernel goes on to the real root."""
    kernel = request.config.getoption("--kernel-image-without-lz4")
    if not kernel:
        pytest.skip("needs a kernel with CONFIG_RD_LZ4 off: --kernel-image-without-lz4")
    data = images.compress_bytes(lab.archive(), "lz4")
    outcome = lab.succeed(data, ["root=/dev/vda"], disks=[lab.real_root()], root=False, kernel=Path(kernel))
    check_real_root(outcome)
    assert outcome.console.having("compression method lz4 not configured")
