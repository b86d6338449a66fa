# SPDX-License-Identifier: GPL-2.0
"""cpio archives that are unpacked into rootfs."""

from __future__ import annotations

import hashlib
import os
import random
import stat
import subprocess

import pytest

import images
import vm
from conftest import Lab
from images import Entry

COMPRESSORS = list(images.COMPRESSORS)

#: Lists everything below /t the way `expected` does.
LIST_SCRIPT = r"""
cd /
find t -xdev | sort | while read -r f; do
	case $(stat -c %F "$f") in
	directory) stat -c '%n|%f|%u|%g|%Y' "$f" ;;
	'symbolic link') echo "$(stat -c '%n|%f|%u|%g|%Y' "$f")|$(readlink "$f")" ;;
	regular*) echo "$(stat -c '%n|%f|%u|%g|%Y|%h|%s' "$f")|$(sha256sum <"$f" | cut -c 1-64)" ;;
	*) stat -c '%n|%f|%u|%g|%Y|%t:%T' "$f" ;;
	esac
done
"""


def expected(entries: list[Entry]) -> list[str]:
    """What LIST_SCRIPT prints for `entries`; the data of hard links is that of
    the link that carries it."""
    bodies: dict[int, bytes] = {}
    links: dict[int, int] = {}
    for entry in entries:
        if stat.S_ISREG(entry.mode):
            bodies[entry.ino] = entry.data or bodies.get(entry.ino, b"")
            links[entry.ino] = links.get(entry.ino, 0) + 1
    lines = []
    for entry in entries:
        line = f"{entry.name}|{entry.mode:x}|{entry.uid}|{entry.gid}|{entry.mtime}"
        if stat.S_ISLNK(entry.mode):
            line += f"|{os.fsdecode(entry.data)}"
        elif stat.S_ISREG(entry.mode):
            body = bodies[entry.ino]
            line += f"|{links[entry.ino]}|{len(body)}|{hashlib.sha256(body).hexdigest()}"
        elif not stat.S_ISDIR(entry.mode):
            line += f"|{entry.rdev[0]:x}:{entry.rdev[1]:x}"
        lines.append(line)
    return sorted(lines, key=lambda text: text.partition("|")[0])


def check_archive(lab: Lab, outcome: vm.Outcome) -> None:
    """The archive was unpacked into rootfs, and its memory given back once."""
    assert outcome.guest.facts["mount"].split()[2] in ("rootfs", "tmpfs", "ramfs")
    assert outcome.guest.facts["content"] == "intact"
    assert outcome.console.init is not None and outcome.console.init[0] == "/init"
    assert outcome.console.mounts == []
    assert len(outcome.console.freed_kib) == 1
    assert outcome.console.complaints == []
    load = lab.only_load(outcome)
    if load is not None:
        assert (load.noun, load.how, load.content) == ("archive", "unpacked", "cpio")
        assert load.entries is not None and load.entries > 100


@pytest.mark.smoke
def test_plain(lab: Lab) -> None:
    """An uncompressed newc archive; all of its memory goes back."""
    data = lab.archive()
    outcome = lab.succeed(data)
    check_archive(lab, outcome)
    assert outcome.console.having("Trying to unpack rootfs image as initramfs...")
    # (User Mode Linux shares the first page with others, too.)
    page = lab.page_size // 1024
    odd = 0 if lab.owns_last_page else 2 * page if lab.machine.native else page
    assert 0 <= -(-len(data) // lab.page_size) * page - outcome.console.freed_kib[0] <= odd
    load = lab.only_load(outcome)
    if load is not None:
        assert (load.compressor, load.bytes_in) == ("none", len(data))


@pytest.mark.smoke
@pytest.mark.parametrize("compressor", COMPRESSORS)
def test_compressed(lab: Lab, compressor: str) -> None:
    """Every compression around the archive."""
    data = images.compress_bytes(lab.archive(), compressor)
    outcome = lab.succeed(data)
    check_archive(lab, outcome)
    load = lab.only_load(outcome)
    if load is not None:
        assert (load.format, load.bytes_in) == (f"{compressor}+cpio", len(data))


@pytest.mark.parametrize("form", ["newc", "crc"])
def test_made_by_cpio(lab: Lab, form: str) -> None:
    """Archives of the cpio program, with and without checksums."""
    tree = lab.tree()
    names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=tree, check=True, capture_output=True).stdout
    data = images.run_tool(["cpio", "-o", "-H", form, "--quiet", "-R", "0:0"], data=names, cwd=tree)
    assert data[:6] == (b"070702" if form == "crc" else b"070701")
    check_archive(lab, lab.succeed(data))


def test_crc_own_writer(lab: Lab) -> None:
    """Checksums in the archive of another writer, compressed."""
    data = lab.archive(crc=True)
    assert data[:6] == b"070702"
    check_archive(lab, lab.succeed(images.compress_bytes(data, "gzip")))


def all_kinds() -> list[Entry]:
    """One of everything that an archive can hold, with odd owners and times."""
    body = images.sample_data(70_001, seed=7)
    links: dict[str, int] = {"ino": 77, "nlink": 3}
    late: dict[str, int] = {"ino": 78, "nlink": 2}
    return [
        Entry.directory("t", 0o755, mtime=1_000_000_001),
        Entry.directory("t/sticky", 0o1777, uid=1000, gid=100, mtime=1_000_000_002),
        Entry.directory("t/deep", 0o750, mtime=946_684_800),
        Entry.directory("t/deep/er", 0o711, uid=65534, gid=65534, mtime=3),
        Entry.file("t/deep/er/file", b"x", 0o640, mtime=4),
        Entry.file("t/empty", b"", 0o000, mtime=5),
        Entry.file("t/setuid", body, 0o4755, uid=0, gid=42, mtime=1_234_567_890),
        Entry.file("t/one-page", body[:4096], 0o600, mtime=2_000_000_000),
        Entry.file("t/beyond-2038", body[:4097], 0o444, mtime=0xF0000000),
        Entry.file("t/big-owner", b"owner", 0o2644, uid=100_000, gid=200_000, mtime=9),
        Entry.file("t/" + "n" * 200, b"long name", 0o644, mtime=10),
        Entry.symlink("t/link", "deep/er/file", mtime=11),
        Entry.symlink("t/dangling", "/nowhere/" + "y" * 300, uid=5, gid=6, mtime=12),
        Entry("t/fifo", stat.S_IFIFO | 0o622, mtime=13),
        Entry("t/socket", stat.S_IFSOCK | 0o755, mtime=14),
        Entry("t/null", stat.S_IFCHR | 0o666, rdev=(1, 3), mtime=15),
        Entry("t/loop", stat.S_IFBLK | 0o660, gid=6, rdev=(7, 2), mtime=16),
        Entry("t/large-minor", stat.S_IFCHR | 0o600, rdev=(254, 70_000), mtime=17),
        # Hard links whose data comes with the first name ...
        Entry.file("t/first-a", body[:5000], 0o644, mtime=18, **links),
        Entry.file("t/first-b", b"", 0o644, mtime=18, **links),
        Entry.file("t/deep/first-c", b"", 0o644, mtime=18, **links),
        # ... and with the last one, as the cpio program writes them.
        Entry.file("t/last-a", b"", 0o604, mtime=19, **late),
        Entry.file("t/last-b", body[:9000], 0o604, mtime=19, **late),
    ]


@pytest.mark.smoke
@pytest.mark.parametrize("compressor", ["none", "zstd", "lz4"])
def test_all_kinds_of_entries(lab: Lab, compressor: str) -> None:
    """Types, modes, owners, times, device numbers, hard links and content."""
    entries = all_kinds()
    if lab.machine.arch == "arm":
        # Debian's programs for it do not know times after 2038.
        entries = [entry for entry in entries if entry.name != "t/beyond-2038"]
    data = lab.archive(entries, guest_test=LIST_SCRIPT)
    outcome = lab.succeed(images.compress_bytes(data, compressor))
    assert outcome.guest.test_output == expected(entries)


def test_replacing(lab: Lab) -> None:
    """A later entry takes an earlier one's place, of whatever type that was."""
    early = [
        Entry.directory("t", mtime=1),
        Entry.file("t/file-dir", b"old"),
        Entry.directory("t/dir-file", mtime=22),
        Entry.symlink("t/link-file", "file-dir"),
        Entry.file("t/file-link", b"old"),
        Entry("t/fifo-file", stat.S_IFIFO | 0o644),
        Entry.file("t/file-node", b"old"),
        Entry.file("t/longer", b"a long text that must not show through"),
        Entry.symlink("t/link-link", "old"),
    ]
    late = [
        Entry.directory("t/file-dir", 0o700, mtime=21),
        Entry.file("t/dir-file", b"new", mtime=22),
        Entry.file("t/link-file", b"new, and not through the link", mtime=23),
        Entry.symlink("t/file-link", "new", mtime=24),
        Entry.file("t/fifo-file", b"new", mtime=25),
        Entry("t/file-node", stat.S_IFCHR | 0o600, rdev=(1, 5), mtime=26),
        Entry.file("t/longer", b"short", mtime=27),
        Entry.symlink("t/link-link", "new", mtime=28),
    ]
    outcome = lab.succeed(lab.archive([*early, *late], guest_test=LIST_SCRIPT))
    for number, entry in enumerate(late):
        entry.ino = 0x9000 + number
    assert outcome.guest.test_output == expected([early[0], *late])


@pytest.mark.parametrize("compressor", ["none", *COMPRESSORS])
def test_segments(lab: Lab, compressor: str) -> None:
    """Archives one after the other, each compressed in its own way, with NULs
    between them; what a later one says wins."""
    first = images.newc([Entry.directory("t"), Entry.file("t/both", b"first"), Entry.file("t/one", b"1")])
    second = images.newc([Entry.file("t/both", b"second"), Entry.file("t/two", b"2")])
    script = "cd /t && cat both one two three\n"
    last = lab.archive([Entry.file("t/three", b"3\n")], guest_test=script)
    data = images.compress_bytes(first, compressor)
    for segment in (images.compress_bytes(second, "gzip"), images.compress_bytes(last, "xz")):
        data += b"\0" * (-len(data) % 512 + 1024) + segment
    outcome = lab.succeed(data)
    assert outcome.guest.test_output == ["second123"]
    assert outcome.console.complaints == []
    assert len(outcome.console.freed_kib) == 1


def test_segments_without_padding(lab: Lab) -> None:
    """Plain archives directly after each other, one of them without TRAILER."""
    first = images.newc([Entry.directory("t"), Entry.file("t/a", b"a")], trailer=False, pad=0)
    second = images.newc([Entry.file("t/b", b"b")], pad=4)
    last = lab.archive([Entry.file("t/c", b"c\n")], guest_test="cd /t && cat a b c\n")
    outcome = lab.succeed(first + second + last)
    assert outcome.guest.test_output == ["abc"]


@pytest.mark.cxx_only(reason="it takes what follows for one more block")
@pytest.mark.parametrize("compressor", ["none", *COMPRESSORS, "lz4 frame"])
def test_segment_behind_lz4(lab: Lab, compressor: str) -> None:
    """`lz4 -l` has no end mark: what a loader puts behind it is found all the same."""
    first = images.compress_bytes(images.newc([Entry.directory("t"), Entry.file("t/a", b"a")]), "lz4")
    last = lab.archive([Entry.file("t/b", b"b\n")], guest_test="cd /t && cat a b\n")
    if compressor == "none":
        first += b"\0" * (-len(first) % 4)
    elif compressor == "lz4 frame":
        last = images.run_tool(["lz4", "-c"], data=last)
    else:
        last = images.compress_bytes(last, compressor)
    outcome = lab.succeed(first + last)
    assert outcome.guest.test_output == ["ab"]


@pytest.mark.cxx_only(reason="it leaves the last byte of every fourth .lzma file")
def test_lzma_ends_where_it_ends(lab: Lab) -> None:
    """Thirty .lzma files, one directly behind the other."""
    data = b""
    for number in range(30):
        entries = [Entry.directory("t"), Entry.file(f"t/{number:02}", b"%d" % number * (1 + number * 37))]
        data += images.compress_bytes(images.newc(entries), "lzma")
    data += b"\0" * (-len(data) % 4) + lab.archive([], guest_test="cd /t && ls | wc -l\n")
    outcome = lab.succeed(data)
    assert [line.strip() for line in outcome.guest.test_output] == ["30"]
    assert outcome.console.complaints == []


@pytest.mark.cxx_only(reason="refuses it as broken padding")
@pytest.mark.parametrize("odd", [1, 2, 3])
def test_segments_at_odd_offsets(lab: Lab, odd: int) -> None:
    """A plain archive behind another, at an offset that is no multiple of four."""
    first = images.newc([Entry.directory("t"), Entry.file("t/a", b"a")], pad=4) + bytes(odd)
    last = lab.archive([Entry.file("t/b", b"b\n")], guest_test="cd /t && cat a b\n")
    outcome = lab.succeed(first + last, clean=False)
    assert outcome.guest.test_output == ["ab"]
    assert outcome.console.having(f"initrd: cpio archive at offset {len(first)}, which is no multiple of 4")


@pytest.mark.machines("x86_64")
@pytest.mark.cxx_only(reason="gives rootfs half of what is free before the initrd's memory is")
@pytest.mark.parametrize("compressor", ["none", "gzip"])
def test_archive_of_most_of_the_memory(lab: Lab, compressor: str) -> None:
    """100 MiB in 150 MiB, without a root: rootfs, a tmpfs, takes what the initrd gives back."""
    data = random.Random(1).randbytes(100 * images.MIB)
    archive = lab.archive([Entry.file("large", data)], guest_test="sha256sum </large; stat -f -c '%b %S %f %c %d' /\n")
    outcome = lab.succeed(archive if compressor == "none" else images.compress_bytes(archive, compressor),
                          memory="150M")
    digest, room = outcome.guest.test_output
    assert digest.split()[0] == hashlib.sha256(data).hexdigest()
    blocks, size, free, nodes, free_nodes = map(int, room.split())
    assert 100 * images.MIB < blocks * size < 110 * images.MIB and 0 < free * size < 4 * images.MIB
    assert 12000 < nodes < 19200 and 0 < free_nodes < nodes


@pytest.mark.machines("x86_64")
@pytest.mark.cxx_only(reason="counts less than half")
def test_limits_of_rootfs(lab: Lab) -> None:
    """Afterwards it has half of all memory, and a node for each page of that."""
    archive = lab.archive([Entry.file("large", bytes(30 * images.MIB))],
                          guest_test="grep MemTotal /proc/meminfo; stat -f -c '%b %S %c' /\n")
    total, room = lab.succeed(archive, memory="256M").guest.test_output
    half = int(total.split()[1]) * 1024 // 2
    blocks, size, nodes = map(int, room.split())
    # (Of the kernel's own some pages become free later.)
    assert half - 4 * images.MIB < blocks * size <= half
    assert nodes == blocks


def test_hard_links_end_at_the_trailer(lab: Lab) -> None:
    """The same inode number in two archives does not make a link of two files."""
    first = images.newc([Entry.directory("t"), Entry.file("t/a", b"from the first", ino=5, nlink=2)])
    last = lab.archive([Entry.file("t/b", b"from the second\n", ino=5, nlink=2)],
                       guest_test="cat /t/a; echo; cat /t/b; stat -c %h /t/a /t/b\n")
    outcome = lab.succeed(first + last)
    assert outcome.guest.test_output == ["from the first", "from the second", "1", "1"]


@pytest.mark.smoke
def test_many_small_files(lab: Lab) -> None:
    """Three thousand files arrive, every one with its content."""
    entries = [Entry.directory("t")]
    entries += [Entry.file(f"t/f{n:04}", b"%d\n" % n) for n in range(3000)]
    script = "ls /t | wc -l\ncat /t/f* | awk '{ s += $1 } END { print s }'\n"
    # (Each takes up a page, and a tmpfs may be as large as half of the memory.)
    memory = 256 if lab.page_size == 4096 else 1024
    outcome = lab.succeed(images.compress_bytes(lab.archive(entries, guest_test=script), "lz4"), memory=f"{memory}M")
    assert [line.strip() for line in outcome.guest.test_output] == ["3000", str(2999 * 3000 // 2)]


def test_rdinit(lab: Lab) -> None:
    """rdinit= names another program than /init."""
    entry = Entry.file("other/start", images.GUEST_INIT.read_bytes(), 0o755)
    outcome = lab.succeed(lab.archive([Entry.directory("other"), entry]), ["rdinit=/other/start"])
    assert outcome.console.init is not None and outcome.console.init[0] == "/other/start"


def test_synchronous(lab: Lab) -> None:
    """initramfs_async=0: it is all done before the drivers start."""
    outcome = lab.succeed(lab.archive(), ["initramfs_async=0"])
    texts = [line.text for line in outcome.console.lines]
    freed = next(n for n, text in enumerate(texts) if text.startswith("Freeing initrd memory"))
    driver = texts.index("loop: module loaded")
    assert freed < driver


def test_retain(lab: Lab) -> None:
    """retain_initrd keeps the memory and shows it in /sys/firmware/initrd."""
    data = lab.archive(guest_test="sha256sum </sys/firmware/initrd\n")
    outcome = lab.succeed(data, ["retain_initrd"])
    assert outcome.console.freed_kib == []
    assert outcome.guest.test_output[0].split()[0] == hashlib.sha256(data).hexdigest()


def test_no_archive_file_left(lab: Lab) -> None:
    """There is no /initrd.image, and the built-in archive's entries are there."""
    outcome = lab.succeed(lab.archive(guest_test="ls -1a /; stat -c '%a %F' /dev/console\n"))
    names = outcome.guest.test_output[:-1]
    assert "initrd.image" not in names
    assert {"dev", "root", "init", "bin"} <= set(names)


def test_in_place_of_the_real_root(lab: Lab) -> None:
    """With an /init in the archive, root= is that program's business."""
    disk = lab.real_root()
    outcome = lab.succeed(lab.archive(), ["root=/dev/vda"], disks=[disk])
    assert outcome.console.mounts == []
    assert outcome.console.init is not None and outcome.console.init[0] == "/init"


def test_archive_without_init(lab: Lab) -> None:
    """Without an /init in the archive the real root is mounted."""
    disk = lab.real_root()
    data = images.newc([Entry.directory("t"), Entry.file("t/a", bytes(20_000))])
    outcome = lab.succeed(data, ["root=/dev/vda"], disks=[disk])
    assert [m.fs for m in outcome.console.mounts] == ["ext2"]
    assert outcome.guest.facts["mount"].split()[1:3] == ["/", "ext2"]
    assert len(outcome.console.freed_kib) == 1


@pytest.mark.machines("x86_64", "arm64", "arm", "riscv64")
@pytest.mark.parametrize("way", ["initrd", "initrdmem"])
def test_address_on_the_command_line(lab: Lab, way: str) -> None:
    """initrd= and initrdmem= name memory that something else than the boot
    loader has filled."""
    path = lab.write("archive", images.compress_bytes(lab.archive(), "gzip"))
    size = path.stat().st_size
    address = lab.machine.memory_at + 0x6000000
    outcome = lab.succeed(
        None,
        [f"{way}={address:#x},{size:#x}"],
        extra=["-device", f"loader,file={vm.quote(path)},addr={address:#x},force-raw=on"],
    )
    if lab.machine.arch == "x86_64":
        assert outcome.console.reserved is not None
        first, last = outcome.console.reserved
        assert first == address and 0 <= last - (first + size - 1) < 4096
    assert outcome.guest.facts["mount"].split()[2] in ("rootfs", "tmpfs", "ramfs")
    assert outcome.guest.facts["content"] == "intact"


def test_own_writer_agrees_with_cpio() -> None:
    """The cpio program reads what images.newc writes."""
    for crc in (False, True):
        data = images.newc([Entry.directory("d"), Entry.file("d/abc", b"12345")], crc=crc)
        assert images.run_tool(["cpio", "-t", "--quiet"], data=data) == b"d\nd/abc\n"
