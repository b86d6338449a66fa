# SPDX-License-Identifier: GPL-2.0
"""What hostile or broken boot media may hold: whatever it is, one line says what is
wrong, the memory is free again, and the real root on the disk comes up.

(test_damaged.py has what happens to honest images on their way.)
"""

from __future__ import annotations

import lzma
import re
import stat
import zlib
from dataclasses import dataclass
from typing import Callable, Sequence

import pytest

import images
import vm
from conftest import Lab, usually
from guests import check_real_root
from images import MIB, Entry

#: Text of the lines that say why, by the kernel's own words or ours.
REASONS = re.compile(r"initrd: .*(truncated|checksum|no space|unknown format|corrupt|malformed|junk|damaged|bad "
                     r"length|failed|wrong magic|invalid header|not supported|out of memory|too |more than|less than|holds )|RAMDISK: .*(error|"
                     r"EOF|too big|Couldn't)|Initramfs unpacking failed: ")


def survive(lab: Lab, data: bytes, append: Sequence[str] = (), *, memory: str = "256M",
            cpus: int = 1, guest_test: str | None = None, timeout: float = 90.0) -> vm.Outcome:
    """Boots `data` beside a disk that has to become the root, and looks for what must
    be true whatever it was."""
    outcome = lab.succeed(data, ["root=/dev/vda", "rdinit=/none", *append], disks=[lab.real_root(guest_test)],
                          root=False, memory=memory, cpus=cpus, timeout=timeout)
    check_real_root(outcome)
    assert len(outcome.console.freed_kib) <= 1
    return outcome


def header(name: bytes = b"name\0", *, magic: bytes = b"070701", namesize: int | None = None, **fields: int) -> bytes:
    """A header with fields as one likes, its name, and padding."""
    values = dict.fromkeys("ino mode uid gid nlink mtime filesize major minor rmajor rminor namesize check".split(), 0)
    values |= {"mode": 0o100644, "nlink": 1, "namesize": len(name) if namesize is None else namesize, **fields}
    head = magic + b"".join(b"%08X" % value for value in values.values()) + name
    return head + b"\0" * (-len(head) % 4)


TRAILER = images.newc([], pad=512)
MARK = images.newc_entry(Entry.file("mark", b"unpacked"))


@dataclass(frozen=True)
class Case:
    """An archive, and what the log has to have (a regular expression) or, with None,
    that nothing is wrong with it."""

    data: bytes
    says: str | None


def loop_of_links() -> bytes:
    return images.newc([
        Entry.symlink("a", "b"), Entry.symlink("b", "a"), Entry.file("a/in", b"x"), Entry.directory("a/folder"),
        Entry.symlink("self", "self"), Entry.file("self/in", b"x"), Entry.file("after", b"x"),
    ])


def overlapping() -> bytes:
    """The same name as a file, a folder with something in it, a link and a node."""
    return images.newc([
        Entry.file("n", b"file"), Entry.directory("n"), Entry.file("n/in", b"x"), Entry.file("n", b"file again"),
        Entry.symlink("l", "n"), Entry.directory("l"), Entry.node("l", stat.S_IFCHR, 1, 3), Entry.file("l", b"x"),
        Entry.file(".", b"the root"), Entry.file("..", b"x"), Entry.symlink(".", "x"), Entry.directory("/"),
    ])


def climbing() -> bytes:
    return images.newc([
        Entry.file("../up", b"x"), Entry.file("/absolute", b"x"), Entry.file("d/../../up", b"x"),
        Entry.symlink("out", "/proc/1/root"), Entry.file("out/in", b"x"), Entry.file("//twice", b"x"),
    ])


def nodes() -> bytes:
    kinds = [stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK]
    return images.newc([
        *(Entry.node(f"n{number}", kind, 0xFFFFFFFF, 0xFFFFFFFF) for number, kind in enumerate(kinds)),
        Entry("odd", 0o170644, b""), Entry("none", 0o000644, b"data of nothing"), Entry("all", 0xFFFFFFFF, b"x"),
    ])


ARCHIVES: dict[str, Case] = {
    "filesize-4g": Case(MARK + header(filesize=0xFFFFFFFF) + b"short", r"truncated archive at offset"),
    "filesize-4g-zeros": Case(MARK + header(filesize=0xFFFFFFF0) + bytes(4 * MIB), r"truncated archive at offset"),
    "namesize-4g": Case(MARK + header(namesize=0xFFFFFFFF), r"truncated archive|malformed archive"),
    "namesize-0": Case(MARK + header(b"", namesize=0) + TRAILER, None),
    "namesize-without-nul": Case(MARK + header(b"abcd", namesize=4) + TRAILER, r"malformed archive at offset"),
    "link-of-4g": Case(MARK + header(mode=0o120777, filesize=0xFFFFFFFF) + b"x", r"truncated archive"),
    "fields-no-hex": Case(MARK + b"070701" + b"zzzzzzzz" * 13 + b"name\0" + TRAILER, r"."),
    "fields-spaces": Case(MARK + b"070701" + b"        " * 13 + b"name\0" + TRAILER, r"."),
    "magic-changes": Case(MARK + MARK.replace(b"070701", b"070703"), r"no cpio magic"),
    "header-only": Case(MARK[:110], r"truncated archive"),
    "crc-wrong": Case(header(magic=b"070702", filesize=4, check=1) + b"abcd" + TRAILER, r"bad data checksum"),
    "climbing": Case(climbing(), None),
    "loop-of-links": Case(loop_of_links(), None),
    "overlapping": Case(overlapping(), None),
    "nodes": Case(nodes(), None),
    "hard-links-to-nothing": Case(images.newc([Entry("one", 0o100644, b"", nlink=9, ino=5)]), None),
    "hard-links-of-kinds": Case(images.newc([
        Entry("one", 0o100644, b"", nlink=2, ino=5), Entry("two", 0o060644, b"", nlink=2, ino=5, rdev=(1, 0)),
        Entry("one", 0o100644, b"again", nlink=2, ino=5)]), None),
    "deep": Case(images.newc([Entry.directory("/".join(["d"] * depth)) for depth in range(1, 1500, 50)]), None),
    "trailers": Case(TRAILER * 200 + MARK + TRAILER, None),
    "negative-time": Case(images.newc([Entry.file("t", b"x", mtime=0xFFFFFFFF)]), None),
}


@pytest.mark.cxx_only(reason="says less")
@pytest.mark.parametrize("name", ARCHIVES)
def test_archive(lab: Lab, name: str) -> None:
    """Lengths that lie, names that climb or overlap, links that go in circles."""
    case = ARCHIVES[name]
    outcome = survive(lab, case.data)
    if case.says is None:
        assert [line for line in outcome.console.having("initrd: ") if "truncated" in line] == []
        assert [load.content for load in outcome.console.loads] == ["cpio"]
    else:
        lines = outcome.console.having("initrd: ") + outcome.console.having("Initramfs unpacking failed")
        assert any(re.search(case.says, line) for line in lines), outcome.console.tail(25)


@pytest.mark.cxx_only(reason="says less")
def test_archive_of_a_million_entries(lab: Lab) -> None:
    """More than there are inodes for; the archive of 110 MB is less than 1 MB packed."""
    entry = images.newc_entry(Entry.file("f000000", b""))
    start = entry.index(b"f000000")
    data = b"".join(entry[:start] + b"f%06x" % number + entry[start + 7 :] for number in range(1_000_000))
    outcome = survive(lab, images.compress_bytes(data + TRAILER, "zstd"), timeout=300)
    assert outcome.console.loads or REASONS.search("\n".join(outcome.console.having("initrd: ")))


@pytest.mark.cxx_only(reason="says less")
@pytest.mark.parametrize("kind", ["ext2", "cpio"])
@pytest.mark.parametrize("compressor", usually(images.COMPRESSORS, ("gzip", "zstd")))
def test_bomb(lab: Lab, kind: str, compressor: str) -> None:
    """Zeros, a thousandth of them packed, in a machine that has a third of that."""
    size = 384 * MIB
    if kind == "cpio":
        plain = header(b"large\0", filesize=size)
    else:
        plain = images.build("ext2", lab.tree(), lab.path("ext2"), size=8 * MIB).read_bytes()
    outcome = survive(lab, images.compress_bytes(plain + bytes(size), compressor), memory="128M", timeout=180)
    assert any(re.search("no space|out of memory|error -12", line) for line in outcome.console.having("initrd: ")), (
        outcome.console.tail(20))


def claiming(compressor: str, size: int, data: bytes) -> bytes:
    """`data`, packed, that says it needs `size` bytes (a power of two) of what came before."""
    if compressor == "zstd":
        # (One block, as it is.)
        window = bytes([0, (size.bit_length() - 11) << 3])
        return b"\x28\xb5\x2f\xfd" + window + (len(data) << 3 | 1).to_bytes(3, "little") + data
    if compressor == "lzma":
        packed = bytearray(images.compress_bytes(data, compressor))
        packed[1:5] = size.to_bytes(4, "little")
        # (The size of what comes out would be one, too.)
        packed[5:13] = b"\xff" * 8
        return bytes(packed)
    # The first block's header: its length, flags, LZMA2 with one byte of properties, a CRC-32.
    # (What xz writes with several threads, the default from 5.6 on, has sizes in it, too.)
    packed = bytearray(lzma.compress(data, lzma.FORMAT_XZ, lzma.CHECK_CRC32))
    assert packed[12:16] == b"\x02\x00\x21\x01"
    packed[16] = 2 * (size.bit_length() - 13)
    packed[20:24] = zlib.crc32(packed[12:20]).to_bytes(4, "little")
    return bytes(packed)


@pytest.mark.cxx_only(reason="panics")
@pytest.mark.parametrize("compressor", ["zstd", "xz", "lzma"])
def test_window_of_nearly_all_memory(lab: Lab, compressor: str) -> None:
    """A few bytes may ask for a window that leaves nothing to the drivers that start
    meanwhile: it is had with room to spare, or not at all."""
    data = claiming(compressor, 128 * MIB, images.newc([Entry.file("f", b"small")]))
    for memory in ("150M", "154M", "158M"):
        survive(lab, data, memory=memory, cpus=2)


@pytest.mark.cxx_only(reason="panics")
def test_large_pieces_for_a_file_that_has_data(lab: Lab) -> None:
    """The second name of a file comes with more than memory, in blocks of 8 MiB."""
    data = images.newc([Entry("a", 0o100644, b"data", nlink=2, ino=5),
                        Entry("b", 0o100644, bytes(300 * MIB), nlink=2, ino=5)])
    outcome = survive(lab, images.compress_bytes(data, "lz4"), memory="160M", timeout=180)
    assert outcome.console.having("initrd: no space: write error")


@pytest.mark.cxx_only(reason="panics")
def test_memory_that_files_cannot_have(lab: Lab) -> None:
    """What is kept for data that can be moved is no memory for a ramfs."""
    if lab.machine.native:
        pytest.skip("User Mode Linux keeps none for it")
    entry = images.newc_entry(Entry.file("f00000", bytes(4096)))
    start = entry.index(b"f00000")
    data = b"".join(entry[:start] + b"f%05x" % number + entry[start + 6 :] for number in range(60_000))
    outcome = survive(lab, images.compress_bytes(data + TRAILER, "gzip"), ["movablecore=64M"], memory="160M",
                      timeout=180)
    assert outcome.console.having("initrd: no space: ")


def flip(where: float) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        at = int(len(data) * where)
        return data[:at] + bytes([data[at] ^ 0x24]) + data[at + 1 :]
    return change


def cut(*, front: int = 0, back: int = 0) -> Callable[[bytes], bytes]:
    return lambda data: data[:front] if front else data[:-back]


#: Around magic numbers, headers, blocks, checksums and trailers of every format.
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    **{f"first-{count}": cut(front=count) for count in (3, 5, 9, 13, 20, 40)},
    **{f"without-{count}": cut(back=count) for count in (1, 4, 8, 12, 24)},
    **{f"flip-{percent}": flip(percent / 100) for percent in (1, 20, 50, 80, 99)},
}


#: What cannot be noticed: lzma and LZ4's old format have no checksums (nor does the latter
#: say where it ends), and those of lzop are not looked at.
UNNOTICED = {"lz4": ("flip", "without"), "lzma": ("flip", "without"), "lzo": ("flip",)}


@pytest.mark.cxx_only(reason="takes much of it for good")
@pytest.mark.parametrize("compressor", usually(images.COMPRESSORS, ("gzip", "lz4")))
def test_stream(lab: Lab, compressor: str) -> None:
    """Cut at the boundaries of its structure, or with two bits changed: that is noticed, or
    does no harm."""
    packed = images.compress_bytes(images.newc([Entry.file("f", images.sample_data(200_000))]), compressor)
    for name, damage in DAMAGE.items():
        outcome = survive(lab, damage(packed))
        lines = outcome.console.having("initrd: ") + outcome.console.having("RAMDISK: ")
        lines += outcome.console.having("Initramfs unpacking failed")
        noticed = any(REASONS.search(line) for line in lines)
        assert noticed or name.startswith(UNNOTICED.get(compressor, ())), f"{name}: {outcome.console.tail(20)}"


@pytest.mark.cxx_only(reason="says less")
@pytest.mark.parametrize(("kind", "at", "value"), [
    ("ext2", 1024 + 4, 0xFFFFFFFF), ("ext2", 1024 + 4, 1), ("ext2", 1024 + 24, 0xFFFFFFFF),
    ("squashfs", 40, 0xFFFFFFFF), ("squashfs", 40, 5), ("squashfs", 44, 0xFFFFFFFF), ("romfs", 8, 0xFFFFFFFF),
    ("cramfs", 4, 0xFFFFFFFF), ("minix", 1024 + 2, 0xFFFFFFFF), ("minix", 1024 + 10, 0xFFFFFFFF),
    ("erofs", 1024 + 36, 0xFFFFFFFF), ("erofs", 1024 + 12, 0xFFFFFFFF),
])
def test_superblock(lab: Lab, kind: str, at: int, value: int) -> None:
    """It claims more, or less, than there is: no size is believed."""
    data = bytearray(lab.image(kind).read_bytes())
    data[at : at + 4] = value.to_bytes(4, "little")
    outcome = survive(lab, bytes(data))
    assert outcome.console.having("RAMDISK: ") or outcome.console.having("initrd: ")
