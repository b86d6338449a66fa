# SPDX-License-Identifier: GPL-2.0
"""Who owns the boot loader's pages, under the kernel's checkers of memory: pages
that were given back are unmapped and hold a pattern that is looked at when they
are handed out again, and every one of them is handed out.

A kernel with qemu/debug.config watches the same boots with KASAN and, in a test
of its own, looks for memory that nobody refers to any more."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import images
import kernels
import vm
from conftest import Lab
from guests import RETAINED, SLACK, SLACK_OF_TWO_BOOTS, TOOLS, check_real_root, check_retained, values
from images import MIB, Entry

POISON = "page_poison=1"
CHECKERS = ("debug_pagealloc=on", POISON)

#: Under KASAN everything takes several times as long.
TIMEOUT = 300.0

SAMPLE = 12 * MIB

#: For the guest's scripts: `fill` has nearly every free page handed out, wiped,
#: and given back, `intact` compares the files with the host's.
CHECK = TOOLS + """
set -e
fill() {
	mount -t tmpfs -o size=100% tmpfs /mnt
	dd if=/dev/zero of=/mnt/all bs=1M count=$(($(memfree) / 1024 - 24)) 2>/dev/null
	umount /mnt
}
intact() {
	cd /
	echo 3 >/proc/sys/vm/drop_caches
	[ -e share/sample ] && sum=etc/manifest.sha256 || { sum=/tmp/rest; grep -v share/sample etc/manifest.sha256 >$sum; }
	sha256sum -c $sum >/dev/null
}
intact
fill
intact
"""

#: The root is a RAM disk: written to, then its free pages are discarded.
ON_RAM_DISK = CHECK + """
mount -o remount,rw /
dd if=/bin/busybox of=/root/copy bs=300k 2>/dev/null
rm /share/sample
sync
free=$(memfree)
pages=$(pages)
busybox fstrim /
echo freed=$(($(settled) - free))
echo discarded=$((pages - $(pages)))
fill
cmp /bin/busybox /root/copy
intact
"""

#: The files are in memory: one is cut inside a page, made longer, overwritten
#: in the middle and deleted.
IN_MEMORY = CHECK + """
free=$(memfree)
busybox truncate -s 5000001 /share/sample
echo cut=$(sha256sum </share/sample)
busybox truncate -s 5010000 /share/sample
echo behind=$(tail -c 9999 /share/sample | tr -d '\\0' | wc -c)
dd if=/bin/busybox of=/share/sample bs=1000 seek=100 count=500 conv=notrunc 2>/dev/null
dd if=/share/sample bs=1000 skip=100 count=500 2>/dev/null | cmp -n 500000 - /bin/busybox
fill
tail -c 4410000 /share/sample | head -c 4400001 | sha256sum >/tmp/end
echo end=$(cat /tmp/end)
rm /share/sample
echo freed=$(($(memfree) - free))
fill
intact
"""


def aligned(entries: list[Entry]) -> bytes:
    """An archive whose files begin at multiples of a page, as gen_init_cpio -a
    and dracut-cpio make them: names are filled up with NULs."""
    out = bytearray()
    for number, entry in enumerate(entries, start=1):
        entry.ino = entry.ino or number
        room = -(len(out) + 110 + len(entry.name) + 1) % 4096
        if entry.data and len(entry.name) + 1 + room < 4096:
            entry.name += "\0" * room
        out += images.newc_entry(entry)
    return bytes(out) + images.newc([])


def archive(lab: Lab, form: str, guest_test: str) -> bytes:
    """A bootable archive: "plain", "aligned", or the name of a compressor."""
    entries = images.tree_entries(lab.tree(guest_test, sample=SAMPLE))
    if form == "aligned":
        return aligned(entries)
    data = images.newc(entries)
    return data if form == "plain" else images.compress_bytes(data, form)


def watched(lab: Lab, initrd: Path | bytes | None, append: tuple[str, ...] = (), **more: object) -> vm.Outcome:
    """Boots under the checkers, which the kernel must know."""
    # (User Mode Linux cannot have the first one and KASAN: it looks at what is gone.)
    checkers = (POISON,) if lab.machine.native and kernels.option(lab.kernel, "KASAN") == "y" else CHECKERS
    outcome = lab.succeed(initrd, [*checkers, *append], timeout=TIMEOUT, **more)
    unknown = " ".join(outcome.console.having("Unknown kernel command line parameters"))
    assert not any(option in unknown for option in checkers), unknown
    assert outcome.console.having("pagealloc: ") == []
    assert outcome.guest.facts["content"] == "intact"
    return outcome


def check_ram_disk(outcome: vm.Outcome, least: int = SAMPLE) -> None:
    """What was discarded is free memory now."""
    found = {key: int(value) for key, value in values(outcome).items()}
    check_real_root(outcome)
    assert found["discarded"] * 4096 >= least - MIB
    # (Other caches may have shrunk meanwhile.)
    assert -SLACK < found["freed"] - 4 * found["discarded"] < 2 * SLACK


def check_files(outcome: vm.Outcome) -> None:
    """The file was what it had to be at every step, and its memory is free."""
    found = values(outcome)
    sample = images.sample_data(SAMPLE)
    end = sample[600000:5000001] + bytes(5010000 - 5000001)
    assert found["cut"].split()[0] == hashlib.sha256(sample[:5000001]).hexdigest()
    assert found["behind"] == "0"
    assert found["end"].split()[0] == hashlib.sha256(end[:4400001]).hexdigest()
    assert abs(int(found["freed"]) - SAMPLE // 1024) < SLACK


@pytest.mark.cxx_only(reason="does not give pages of the RAM disk's back one by one")
@pytest.mark.parametrize(("compressor", "extra"), [("none", 0), ("none", 1), ("none", 2049), ("none", 4097),
                                                   ("gzip", 0), ("zstd", 0)])
def test_ram_disk(lab: Lab, compressor: str, extra: int) -> None:
    """A file system that was taken over or decoded, also with an odd length."""
    image = lab.image("ext2", compressor, guest_test=ON_RAM_DISK, sample=SAMPLE)
    check_ram_disk(watched(lab, image.read_bytes() + b"\x5a" * extra))


@pytest.mark.parametrize(("form", "fs"), [("plain", "tmpfs"), ("aligned", "tmpfs"), ("gzip", "tmpfs"),
                                          ("zstd", "tmpfs"), ("plain", "ramfs"), ("aligned", "ramfs")])
def test_archive(lab: Lab, form: str, fs: str) -> None:
    """Files of an archive, in both file systems that the root can be; pages of
    an aligned one may have become the files'."""
    append = ("rootfstype=ramfs",) if fs == "ramfs" else ()
    check_files(watched(lab, archive(lab, form, IN_MEMORY), append))


@pytest.mark.machines("x86_64", "arm64", "arm", "riscv64")
@pytest.mark.parametrize(("form", "start"), [("image", 1), ("image", 4095), ("packed image", 2048), ("plain", 1),
                                             ("aligned", 2048), ("gzip", 4095)])
@pytest.mark.cxx_only(reason="does not give pages of the RAM disk's back one by one")
def test_misaligned(lab: Lab, form: str, start: int) -> None:
    """The first byte lies anywhere in its page."""
    append: tuple[str, ...] = ()
    if "image" in form:
        compressor = "gzip" if form == "packed image" else "none"
        data = lab.image("ext2", compressor, guest_test=ON_RAM_DISK, sample=SAMPLE).read_bytes()
        append = ("root=/dev/ram0", "rw")
    else:
        data = archive(lab, form, IN_MEMORY)
    path = lab.write("loaded", data)
    address = lab.machine.memory_at + 0x6000000 + start
    outcome = watched(lab, None, (*append, f"initrdmem={address:#x},{len(data):#x}"),
                      extra=["-device", f"loader,file={vm.quote(path)},addr={address:#x},force-raw=on"])
    if append:
        check_ram_disk(outcome)
    else:
        check_files(outcome)


@pytest.mark.c_since("6.12", reason="there is no /sys/firmware/initrd")
@pytest.mark.parametrize("form", ["image", "packed image", "plain", "aligned", "gzip"])
def test_retained(lab: Lab, form: str) -> None:
    """retain_initrd: the data stay what they were while all other memory is
    handed out, and while what was made of them is written to."""
    script = CHECK + """
        mount -o remount,rw / 2>/dev/null
        dd if=/dev/zero of=/share/sample bs=64k count=100 conv=notrunc 2>/dev/null
        sync
        fill
    """ + RETAINED
    if "image" in form:
        compressor = "gzip" if form == "packed image" else "none"
        data = lab.image("ext2", compressor, guest_test=script, sample=SAMPLE).read_bytes()
    else:
        data = archive(lab, form, script)
    outcome = watched(lab, data, ("retain_initrd",))
    check_retained(values(outcome), data)


@pytest.mark.machines("x86_64")
@pytest.mark.cxx_only(reason="needs room for copies")
@pytest.mark.parametrize("compressor", ["none", "lz4"])
def test_little_memory(lab: Lab, compressor: str) -> None:
    """A disk that takes up more than half of the memory. (The checkers of a debugging
    kernel take their part of it.)"""
    image = lab.image("ext2", compressor, guest_test=ON_RAM_DISK, size=144 * MIB, sample=SAMPLE)
    check_ram_disk(watched(lab, image, memory="256M" if lab.patience == 1 else "384M"))


@pytest.mark.parametrize(("kind", "form"), [("ext2", "gzip"), ("ext2", "zstd"), ("ext2", "xz"), ("cpio", "none"),
                                            ("cpio", "gzip"), ("cpio", "zstd")])
@pytest.mark.cxx_only(reason="keeps what it has decoded")
def test_damaged_at_half(lab: Lab, kind: str, form: str) -> None:
    """Reading ends half-way: the pages of the input are free, and those of a
    RAM disk that nobody can use. What was made of an archive so far stays in
    the first root."""
    disk = lab.real_root(CHECK + "echo free=$(memfree)\n")
    if kind == "cpio":
        files = [Entry.file(name, images.sample_data(SAMPLE)) for name in ("first", "second")]
        plain = images.newc(files[:1], trailer=False) + b"\xff" * 4096 + images.newc(files[1:])
        kept = SAMPLE // 1024
    else:
        plain = lab.image(kind, sample=SAMPLE).read_bytes()
        kept = 0
    data = bytearray(images.compress_bytes(plain, form))
    if form != "none":
        half = len(data) // 2
        data[half:half + 4096] = b"\xff" * 4096
    used = []
    for initrd in (None, bytes(data)):
        outcome = watched(lab, initrd, ("root=/dev/vda",), disks=[disk], root=False)
        check_real_root(outcome)
        used.append(outcome.guest.number("memtotal") - int(values(outcome)["free"]))
    assert outcome.console.complaints
    assert used[1] - used[0] < kept + SLACK_OF_TWO_BOOTS


LEAKS = TOOLS + """
mount -t debugfs debugfs /sys/kernel/debug
cd /sys/kernel/debug
[ -e kmemleak ] || { echo leaks=unknown; exit 0; }
sleep 6
echo scan >kmemleak
echo scan >kmemleak
cat kmemleak
echo leaks=$(grep -c unreferenced kmemleak)
"""


@pytest.mark.parametrize(("form", "append"), [
    ("image", ""), ("packed image", ""), ("plain", ""), ("aligned", ""), ("zstd", ""), ("image", "retain_initrd"),
    ("zstd", "retain_initrd"), ("image", "noinitrd"),
])
def test_nothing_is_forgotten(lab: Lab, form: str, append: str) -> None:
    """kmemleak finds no memory that was lost on the way."""
    if "image" in form:
        data = lab.image("ext2", "gzip" if form == "packed image" else "none", guest_test=LEAKS).read_bytes()
    else:
        data = archive(lab, form, LEAKS)
    disks = [lab.real_root(LEAKS)] if append == "noinitrd" else []
    if disks:
        outcome = lab.succeed(data, [append, "root=/dev/vda"], timeout=TIMEOUT, disks=disks, root=False)
    else:
        outcome = lab.succeed(data, append.split(), timeout=TIMEOUT)
    found = values(outcome)["leaks"]
    if found == "unknown":
        pytest.skip("the kernel has no CONFIG_DEBUG_KMEMLEAK (qemu/debug.config)")
    assert found == "0", outcome.guest.test_output
