# SPDX-License-Identifier: GPL-2.0
"""What the page allocator expects of pages that it never gave away: in kernels that keep
books on every page, and beside memory of which each page has to be movable.

Most of it needs options that the usual kernel has not got: qemu/flavours."""

from __future__ import annotations

import pytest

import kernels
import vm
from conftest import Lab
from guests import TOOLS
from images import MIB
from test_page_ownership import IN_MEMORY, ON_RAM_DISK, SAMPLE, archive, check_files, check_ram_disk

pytestmark = pytest.mark.page_checks

#: Under lockdep everything takes several times as long.
TIMEOUT = 300.0

#: Every page that can be moved is, which copies what is known of it.
MOVED = IN_MEMORY + """
if [ -e /proc/sys/vm/compact_memory ]; then echo 1 >/proc/sys/vm/compact_memory; fi
intact
"""


def need(lab: Lab, *options: str) -> None:
    missing = [option for option in options if kernels.option(lab.kernel, option) != "y"]
    if missing:
        pytest.skip(f"the kernel has no CONFIG_{' and no CONFIG_'.join(missing)}")


def check_sound(outcome: vm.Outcome) -> None:
    """(Warnings have ended the boot already.)"""
    assert outcome.guest.facts["content"] == "intact"
    assert outcome.console.having("Bad page") == []


@pytest.mark.cxx_only(reason="does not give pages of the RAM disk's back one by one")
@pytest.mark.parametrize("compressor", ["none", "gzip", "zstd"])
def test_tags_of_an_image(lab: Lab, compressor: str) -> None:
    """Who allocated a page is noted; of these nobody has. They go back in blocks, and
    whoever gets one next splits it."""
    need(lab, "MEM_ALLOC_PROFILING_DEBUG")
    image = lab.image("ext2", compressor, guest_test=ON_RAM_DISK, sample=SAMPLE)
    outcome = lab.succeed(image, ["sysctl.vm.mem_profiling=1", "page_owner=on"], timeout=TIMEOUT)
    check_sound(outcome)
    check_ram_disk(outcome)


@pytest.mark.parametrize("form", ["plain", "aligned", "gzip"])
@pytest.mark.parametrize("fs", ["tmpfs", "ramfs"])
def test_tags_of_an_archive(lab: Lab, form: str, fs: str) -> None:
    """The pages of files are moved, and freed, as others are."""
    need(lab, "MEM_ALLOC_PROFILING_DEBUG")
    outcome = lab.succeed(archive(lab, form, MOVED),
                          ["sysctl.vm.mem_profiling=1", "page_owner=on", f"rootfstype={fs}"], timeout=TIMEOUT)
    check_sound(outcome)
    check_files(outcome)


#: The page in the middle of the image is struck, then the disk is emptied; while all
#: memory is handed out, its neighbours are among it, and it is not.
STRUCK = TOOLS + """
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
lru() { # how many pages of $2 from $1 on are on a list of pages in use
	dd if=/proc/kpageflags bs=8 skip=$1 count=$2 2>/dev/null | od -A n -t u8 -w8 -v |
		awk '{ sum += int($1 / 32) % 2 } END { print sum }'
}
echo $page >/sys/kernel/debug/hwpoison/corrupt-pfn 2>/dev/null
umount /initrd
blockdev --flushbufs /dev/ram0
mount -t tmpfs -o size=100% tmpfs /mnt
dd if=/dev/zero of=/mnt/all bs=1M count=$(($(memfree) / 1024 - 20)) 2>/dev/null
echo "struck=$(lru $page 1) before=$(lru $((page - 16)) 16) behind=$(lru $((page + 1)) 16)"
"""


@pytest.mark.machines("x86_64")
@pytest.mark.cxx_only(reason="blockdev --flushbufs frees no RAM disk")
def test_a_page_that_memory_failure_has_struck(lab: Lab) -> None:
    """It is kept out of use, and its neighbours are not."""
    from test_document_pivot_root import PIVOT, initrd, real_root, values
    need(lab, "MEMORY_FAILURE", "HWPOISON_INJECT", "PROC_PAGE_MONITOR")
    address = lab.machine.memory_at + 0x6000000
    page = (address + 4 * MIB) // 4096 + 37
    disk = real_root(lab, f"page={page}\n{STRUCK}")
    data = initrd(lab, init=PIVOT, size=8 * MIB).read_bytes()
    path = lab.write("loaded", data)
    outcome = lab.succeed(None, ["root=/dev/ram0", "rw", f"initrdmem={address:#x},{len(data):#x}"], disks=[disk],
                          extra=["-device", f"loader,file={vm.quote(path)},addr={address:#x},force-raw=on"],
                          timeout=TIMEOUT, clean=False)
    found = dict(pair.split("=") for pair in " ".join(f"{k}={v}" for k, v in values(outcome).items()).split())
    assert found["struck"] == "0"
    assert int(found["before"]) > 0 and int(found["behind"]) > 0


@pytest.mark.machines("x86_64")
@pytest.mark.parametrize(("form", "word"), [("image", "copied"), ("packed image", "decoded")])
@pytest.mark.cxx_only(reason="copies always")
def test_image_in_movable_memory(lab: Lab, form: str, word: str) -> None:
    """movablecore=: the image lies where a RAM disk's pages may not stay, and its memory
    goes back whole."""
    image = lab.image("ext2", "gzip" if form == "packed image" else "none", guest_test=ON_RAM_DISK, sample=SAMPLE)
    outcome = lab.succeed(image, ["movablecore=96M"])
    check_sound(outcome)
    check_ram_disk(outcome)
    line, = outcome.console.having("initrd: ")[-1:]
    assert word in line
    assert outcome.console.having("Freeing initrd memory: ")


@pytest.mark.machines("x86_64")
@pytest.mark.parametrize("form", ["plain", "aligned"])
@pytest.mark.parametrize("fs", ["tmpfs", "ramfs"])
def test_archive_in_movable_memory(lab: Lab, form: str, fs: str) -> None:
    """The same for an archive, whose files keep its pages in a tmpfs only."""
    outcome = lab.succeed(archive(lab, form, IN_MEMORY), ["movablecore=96M", f"rootfstype={fs}"])
    check_sound(outcome)
    check_files(outcome)


@pytest.mark.machines("x86_64")
@pytest.mark.parametrize("nodes", ["2", "4"])
@pytest.mark.cxx_only(reason="does not give pages of the RAM disk's back one by one")
def test_image_on_several_nodes(lab: Lab, nodes: str) -> None:
    """The image's pages are of several nodes' zones."""
    need(lab, "NUMA_EMU")
    image = lab.image("ext2", guest_test=ON_RAM_DISK, size=100 * MIB, sample=SAMPLE)
    outcome = lab.succeed(image, [f"numa=fake={nodes}"], timeout=TIMEOUT)
    check_sound(outcome)
    check_ram_disk(outcome)
