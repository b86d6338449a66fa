# SPDX-License-Identifier: GPL-2.0
"""File system images that become /dev/ram0 and the root file system."""

from __future__ import annotations

import subprocess

import pytest

import images
import vm
from conftest import MOUNTED_AS, SNIFFED, Lab

KIB, MIB = 1024, 1024 * 1024

#: The size that ram0 has when nobody asks for another one.
DEFAULT_RAMDISK = 4096 * KIB

PLAIN = ["ext2", "ext3", "ext4", "squashfs", "cramfs", "cramfs+512", "romfs", "minix"]
COMPRESSORS = list(images.COMPRESSORS)


def check_mounted(outcome: vm.Outcome, kind: str) -> None:
    """The root is the RAM disk, mounted once, with the right file system, and
    its files are what the host put there."""
    fs = MOUNTED_AS.get(kind, kind)
    assert [(m.fs, m.device) for m in outcome.console.mounts] == [(fs, "1:0")]
    assert outcome.guest.facts["mount"].split()[1:3] == ["/", fs]
    assert outcome.guest.facts["content"] == "intact"
    assert outcome.guest.facts["pid"] == "1"
    assert outcome.console.init is not None and outcome.console.init[0] == "/sbin/init"


def check_ram0(outcome: vm.Outcome, wanted: int) -> None:
    """ram0 is `wanted` bytes long, rounded up to a page at most."""
    length = outcome.guest.number("ram0-sectors") * 512
    assert wanted <= length < wanted + 4 * KIB


@pytest.mark.smoke
@pytest.mark.parametrize("kind", PLAIN)
def test_plain(lab: Lab, kind: str) -> None:
    """Every file system of the RAM-disk loader's table, uncompressed."""
    image = lab.image(kind)
    outcome = lab.succeed(image)
    check_mounted(outcome, kind)
    assert outcome.console.having(f"RAMDISK: {SNIFFED[kind]} filesystem found at block 0")
    load = lab.only_load(outcome)
    if load is not None:
        size = image.stat().st_size
        assert (load.noun, load.compressor) == ("image", "none")
        # (User Mode Linux loads an odd length beside the boundary of a page.)
        moved = lab.machine.native and size % 4096
        tail = 0 if lab.owns_last_page else size % lab.page_size
        assert (load.how, load.copied) == (("moved", size) if moved else ("adopted", tail))
        assert load.content == SNIFFED[kind]
        assert load.bytes_in == size and load.bytes_out >= size
        check_ram0(outcome, max(size, DEFAULT_RAMDISK))
        assert len(outcome.console.freed_kib) <= 1


@pytest.mark.cxx_only
@pytest.mark.parametrize("kind", ["erofs", "minix2"])
def test_plain_beyond_the_old_table(lab: Lab, kind: str) -> None:
    """A file system that the C implementation does not find goes in whole."""
    image = lab.image(kind)
    outcome = lab.succeed(image)
    check_mounted(outcome, kind)
    load = lab.only_load(outcome)
    assert load is not None
    assert (load.how, load.copied, load.bytes_in) == ("adopted", 0, image.stat().st_size)
    assert load.content.lower() in (MOUNTED_AS.get(kind, kind), "unknown")


@pytest.mark.smoke
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_compressed(lab: Lab, compressor: str) -> None:
    """An ext2 image in every compression, decoded into the RAM disk."""
    image = lab.image("ext2", compressor)
    outcome = lab.succeed(image)
    check_mounted(outcome, "ext2")
    assert outcome.console.having(f"RAMDISK: {compressor} image found at block 0")
    load = lab.only_load(outcome)
    if load is not None:
        assert (load.format, load.noun, load.how) == (f"{compressor}+ext2", "image", "decoded")
        assert load.bytes_in == image.stat().st_size
        assert load.bytes_out == 8 * MIB
        check_ram0(outcome, 8 * MIB)
        assert len(outcome.console.freed_kib) == 1


@pytest.mark.cxx_only(reason="it knows neither CRC-64 nor LZ4 frames")
@pytest.mark.parametrize("kind", ["ext2", "cpio"])
@pytest.mark.parametrize("tool", ["xz", "lz4", "lz4 -9 -BD -B4 -BX --content-size", "lz4 --no-frame-crc -B7"])
def test_what_tools_write_without_being_told(lab: Lab, kind: str, tool: str) -> None:
    """CRC-64 in .xz; LZ4 frames, with blocks that refer to each other and without."""
    data = images.run_tool([*tool.split(), "-c"], data=lab.image(kind).read_bytes())
    outcome = lab.succeed(data)
    assert outcome.guest.facts["content"] == "intact"
    load = lab.only_load(outcome)
    assert load is not None and (load.compressor, load.content) == (tool.split()[0], kind)


@pytest.mark.cxx_only(reason="it takes all but four NULs for one more block")
@pytest.mark.parametrize("size", [1, 3, 4096, MIB])
@pytest.mark.parametrize("byte", [b"\0", b"\xff"], ids=["NULs", "ff"])
def test_padding_behind_lz4(lab: Lab, byte: bytes, size: int) -> None:
    """`lz4 -l` has no end mark: what a flash partition is filled up with is not read."""
    data = lab.image("ext2", "lz4").read_bytes() + byte * size
    check_mounted(lab.succeed(data, clean=byte == b"\0"), "ext2")


@pytest.mark.cxx_only(reason="it allocates what the header says")
@pytest.mark.parametrize("kind", ["ext2", "cpio"])
def test_window_that_is_larger_than_the_memory(lab: Lab, kind: str) -> None:
    """zstd from a pipe claims the window that it was told to use: 2 GiB with --long=31."""
    data = bytearray(images.run_tool(["zstd", "-c"], data=lab.image(kind).read_bytes()))
    assert data[4] & 0xe3 == 0  # the next byte is the window
    data[5] = (31 - 10) << 3
    assert lab.succeed(bytes(data)).guest.facts["content"] == "intact"


@pytest.mark.parametrize(("kind", "compressor"), [("squashfs", "gzip"), ("cramfs", "zstd"),
                                                  ("romfs", "lz4"), ("minix", "xz"), ("ext4", "lzo")])
def test_compressed_other_file_systems(lab: Lab, kind: str, compressor: str) -> None:
    """Compression and file system are independent of each other."""
    outcome = lab.succeed(lab.image(kind, compressor))
    check_mounted(outcome, kind)
    load = lab.only_load(outcome)
    if load is not None:
        assert (load.compressor, load.content) == (compressor, SNIFFED[kind])


@pytest.mark.cxx_only
def test_larger_than_ramdisk_size(lab: Lab) -> None:
    """A 16 MiB image boots with ramdisk_size=8192, and ram0 grows to it."""
    outcome = lab.succeed(lab.image("ext2", size=16 * MIB), ["ramdisk_size=8192"])
    check_mounted(outcome, "ext2")
    check_ram0(outcome, 16 * MIB)


@pytest.mark.cxx_only
def test_compressed_larger_than_ramdisk_size(lab: Lab) -> None:
    """So does one whose size is known only when it is decoded."""
    plain = lab.image("ext2", size=16 * MIB)
    outcome = lab.succeed(images.compress(plain, "zstd"), ["ramdisk_size=8192"])
    check_mounted(outcome, "ext2")
    check_ram0(outcome, 16 * MIB)


@pytest.mark.cxx_only
@pytest.mark.parametrize(("text", "size"), [("8M", 8 * MIB), ("6144K", 6 * MIB), ("1G", 1024 * MIB),
                                            ("0x3000", 12 * MIB)])
def test_ramdisk_size_units(lab: Lab, text: str, size: int) -> None:
    """ramdisk_size= takes K, M and G, and counts in KiB without a letter."""
    outcome = lab.succeed(lab.image("cramfs"), [f"ramdisk_size={text}"])
    check_ram0(outcome, size)


def test_ramdisk_size_in_kib(lab: Lab) -> None:
    """A plain number counts KiB; the disk is larger than its image then."""
    outcome = lab.succeed(lab.image("cramfs"), ["ramdisk_size=20480"])
    check_mounted(outcome, "cramfs")
    check_ram0(outcome, 20 * MIB)


@pytest.mark.machines("x86_64")  # (the others' loaders put it elsewhere)
@pytest.mark.cxx_only
def test_large_image_in_small_memory(lab: Lab) -> None:
    """200 MiB of ext2 in a guest of 320 MiB: there is no room for a copy."""
    image = lab.image("ext2", size=200 * MIB, sample=24 * MIB)
    # (The checkers of a debugging kernel take their part of it.)
    outcome = lab.succeed(image, memory="320M" if lab.patience == 1 else "448M")
    check_mounted(outcome, "ext2")
    load = lab.only_load(outcome)
    assert load is not None and (load.how, load.copied) == ("adopted", 0)


@pytest.mark.cxx_only
def test_memory_follows_the_image(lab: Lab) -> None:
    """What is in use after the boot grows with the image, and not by more: no
    second copy is left anywhere, /initrd.image included."""
    used = {}
    for size in (8, 72):
        outcome = lab.succeed(lab.image("ext2", size=size * MIB))
        facts = outcome.guest
        used[size] = facts.number("memtotal") - facts.number("memfree")
    assert used[72] - used[8] < 1.06 * 64 * 1024


@pytest.mark.parametrize("offset", [1, 2, 4, 37])
def test_ramdisk_start(lab: Lab, offset: int) -> None:
    """ramdisk_start= skips so many KiB, whether or not they are whole pages."""
    plain = lab.image("ext2")
    outcome = lab.succeed(b"\xff" * (offset * KIB) + plain.read_bytes(),
                          ["root=/dev/ram0", "rw", f"ramdisk_start={offset}"])
    check_mounted(outcome, "ext2")
    assert outcome.console.having(f"RAMDISK: ext2 filesystem found at block {offset}")


def test_ramdisk_start_compressed(lab: Lab) -> None:
    """The offset counts for a compressed image too."""
    packed = lab.image("ext2", "gzip")
    outcome = lab.succeed(b"\xff" * (3 * KIB) + packed.read_bytes(),
                          ["root=/dev/ram0", "rw", "ramdisk_start=3", "ramdisk_size=8192"])
    check_mounted(outcome, "ext2")
    assert outcome.console.having("RAMDISK: gzip image found at block 3")


@pytest.mark.parametrize("extra", [1, 511, 513, 5000])
def test_odd_length(lab: Lab, extra: int) -> None:
    """Junk behind a file system is no part of it, unless somebody wants to keep it."""
    plain = lab.image("ext2")
    outcome = lab.succeed(plain.read_bytes() + b"\x5a" * extra)
    check_mounted(outcome, "ext2")
    load = lab.only_load(outcome)
    if load is not None:
        assert load.bytes_in == 8 * MIB
        assert outcome.console.having(f"initrd: {extra} bytes behind the ext2 image at offset {8 * MIB} ")
        kept = lab.succeed(plain.read_bytes() + b"\x5a" * extra, ["root=/dev/ram0", "rw", "initrd.tail=keep"])
        load = lab.only_load(kept)
        assert load is not None and load.bytes_in == 8 * MIB + extra


@pytest.mark.cxx_only
@pytest.mark.parametrize("compressor", ["none", "gzip"])
@pytest.mark.parametrize("retain", [False, True])
def test_among_archives(lab: Lab, compressor: str, retain: bool) -> None:
    """As GRUB, systemd-stub and others join things: microcode in front of an image,
    and an archive of the loader's own behind it."""
    front = images.newc([images.Entry.directory("early"), images.Entry.file("early/a", b"x" * 5000)], pad=4)
    behind = images.newc([images.Entry.directory(".extra"), images.Entry.file(".extra/secret", b"not for the disk")],
                         pad=4)
    image = lab.image("ext2", compressor).read_bytes()
    image += bytes(-len(image) % 4)
    # (Of a compressed one C kernels want the size of the disk.)
    words = ["root=/dev/ram0", "rw", *(["retain_initrd"] if retain else [])]
    outcome = lab.succeed(front + image + behind, words, root=False)
    check_mounted(outcome, "ext2")
    name = "ext2" if compressor == "none" else compressor
    assert outcome.console.having(f"initrd: {name} image at offset {len(front)}, behind archives")
    assert outcome.console.having(f"initrd: {len(behind)} bytes of archives behind the {name} image at offset ")


@pytest.mark.parametrize("kind", ["squashfs", "romfs"])
def test_cut_to_the_last_used_byte(lab: Lab, kind: str) -> None:
    """Images without their padding end inside a page; the rest reads as 0."""
    image = lab.image(kind)
    data = image.read_bytes()
    if kind == "squashfs":
        used = int.from_bytes(data[40:48], "little")
    else:
        used = int.from_bytes(data[8:12], "big")
    outcome = lab.succeed(data[:used])
    check_mounted(outcome, kind)


def test_tail_of_zeros_cut_off(lab: Lab) -> None:
    """An ext2 image is longer on paper than in the file: ramdisk_size= makes
    room, and what the file does not have reads as 0."""
    data = lab.image("ext2").read_bytes().rstrip(b"\0")
    assert len(data) < 6 * MIB
    outcome = lab.succeed(data, ["ramdisk_size=8192"])
    check_mounted(outcome, "ext2")


@pytest.mark.smoke
def test_written_to(lab: Lab) -> None:
    """The adopted pages and the ones beside them can be written and read back."""
    script = """
        set -e
        mount -o remount,rw /
        cat /bin/busybox /share/sample >/root/copy
        sync
        echo 3 >/proc/sys/vm/drop_caches
        cat /bin/busybox /share/sample | cmp - /root/copy
        rm /share/sample
        sync
        echo 3 >/proc/sys/vm/drop_caches
        sha256sum -c - <<END
        $(sed -n 's,  bin/busybox$,  /bin/busybox,p' /etc/manifest.sha256)
        END
        echo readable
    """.replace("        ", "")
    outcome = lab.succeed(lab.image("ext2", guest_test=script))
    assert outcome.guest.test_output[-1] == "readable"


@pytest.mark.smoke
def test_two_processors(lab: Lab) -> None:
    """With two processors the image still arrives whole."""
    outcome = lab.succeed(lab.image("ext4", "zstd"), cpus=2)
    check_mounted(outcome, "ext4")
    assert outcome.console.having(f"Brought up 1 node, {max(2, lab.machine.least_cpus)} CPUs")


def test_rootfstype_and_flags(lab: Lab) -> None:
    """The ordinary root options count for the RAM disk as well."""
    outcome = lab.succeed(lab.image("ext4"), ["ro", "rootfstype=ext4", "rootflags=commit=7"])
    check_mounted(outcome, "ext4")
    flags = outcome.guest.facts["mount"].split()[3].split(",")
    assert flags[0] == "ro" and "commit=7" in flags


def test_debugfs_counts_pages(lab: Lab) -> None:
    """debugfs says how many pages the disk holds: at least the image's own."""
    script = "mount -t debugfs debugfs /sys/kernel/debug && cat /sys/kernel/debug/ramdisk_pages/ram0\n"
    image = lab.image("romfs", guest_test=script)
    outcome = lab.succeed(image)
    assert int(outcome.guest.test_output[0]) >= image.stat().st_size // 4096


@pytest.mark.cxx_only
@pytest.mark.parametrize("compressor", ["none", "gzip"])
def test_nothing_holds_the_disk(lab: Lab, compressor: str) -> None:
    """The loader has closed the RAM disk by the time it is mounted, also where
    a disk that is open for writing cannot be mounted. (A file that PID 1 closes
    stays open for a while.)"""
    outcome = lab.succeed(lab.image("ext2", compressor), ["bdev_allow_write_mounted=0"])
    check_mounted(outcome, "ext2")


@pytest.mark.cxx_only
def test_root_on_a_partition_of_the_image(lab: Lab) -> None:
    """An image with a partition table: brd.max_part= makes ram0p1, the root."""
    whole = lab.path("partitioned")
    plain = lab.image("ext2").read_bytes()
    whole.write_bytes(b"\0" * MIB + plain)
    subprocess.run([images.find_tool("sfdisk"), "-q", str(whole)], input=b"label: dos\nstart=2048, type=83\n",
                   check=True, capture_output=True)
    data = whole.read_bytes()
    # (The boot code's place must not look like padding between archives.)
    outcome = lab.succeed(b"\xeb\xfe" + data[2:], ["root=/dev/ram0p1", "rw", "brd.max_part=4"], root=False)
    assert outcome.guest.facts["mount"].split()[1:3] == ["/", "ext2"]
    assert [m.device for m in outcome.console.mounts] == ["1:1"]
