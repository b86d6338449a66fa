# SPDX-License-Identifier: GPL-2.0
"""scripts/initrd-inspect against the kernel: every line about the initrd that a boot
prints is in the tool's prediction, in the same order, and no other is."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

import guests
import images
import vm
from conftest import ROOT, Lab, usually

sys.path.insert(0, str(ROOT / "tests"))

import verdicts  # noqa: E402
from images import Entry

pytestmark = [pytest.mark.machines("x86_64"), pytest.mark.cxx_only(reason="prints other lines")]

#: The lines that are compared, from their start on.
COMPARED = re.compile(r"initrd: |RAMDISK: (?!\[mem )|Initramfs |Trying to unpack rootfs|rootfs image is not|"
                      r"Freeing initrd memory|Trying to move old root|Unmounting old root|"
                      r"VFS: Mounted root .* on device 1:0")


def without_time(lines: list[str]) -> list[str]:
    """The lines that are compared, without how long it took, nor what is said while it
    does, and without who of those that have /dev/ram0 open for a moment is the last."""
    progress = re.compile(r"initrd: \d+% of \d+ bytes$")
    compared = [re.sub(r", \d+ ms$", "", line) for line in lines if COMPARED.match(line) and not progress.match(line)]
    late = re.compile(r"initrd: /dev/ram0 is in use: its (\d+) KiB will be given back by the last user")
    return [late.sub(r"initrd: \1 KiB of /dev/ram0 given back", line) for line in compared]


def config_of(kernel: Path) -> list[str]:
    """The option that names the kernel's configuration, if that is where the kernel
    was built."""
    for folder in kernel.parents[:4]:
        if (folder / ".config").is_file():
            return [f"--config={folder / '.config'}"]
    return []


def predict(lab: Lab, image: Path, append: str) -> dict[str, Any]:
    done = subprocess.run([str(ROOT / "scripts/initrd-inspect"), "--json", "--append", append,
                           *config_of(lab.kernel), str(image)], capture_output=True, timeout=600)
    assert done.returncode in (0, 1), done.stderr.decode()
    return dict(json.loads(done.stdout))


def boot_and_compare(lab: Lab, image: Path, append: list[str], *, disks: list[Path], root: bool = True,
                     ) -> tuple[vm.Outcome, dict[str, Any]]:
    """Boots it, and compares; the tool gets the command line that the kernel got."""
    outcome = lab.boot(image, append, disks=disks, root=root)
    line = re.findall(r"Kernel command line: (.*)", outcome.console.text)[0]
    told = predict(lab, image, line)
    printed = without_time([line.text for line in outcome.console.lines])
    assert printed == without_time([message["text"] for message in told["messages"]])
    assert len(printed) >= 2
    return outcome, told


def plain_ext2(lab: Lab) -> bytes:
    return lab.image("ext2").read_bytes()


def squashfs_moved(lab: Lab) -> bytes:
    return bytes(3 << 10) + lab.image("squashfs").read_bytes()


def gzip_archive(lab: Lab) -> bytes:
    return gzip.compress(lab.archive())


def microcode_and_zstd(lab: Lab) -> bytes:
    early = images.newc([Entry.directory("early"), Entry.file("early/microcode", b"none" * 2000)])
    return early + bytes(-len(early) % 4) + images.compress_bytes(lab.archive(), "zstd")


def junk_behind(lab: Lab) -> bytes:
    return lab.image("ext2", "gzip").read_bytes() + b"junk behind it"


@pytest.mark.parametrize(("make", "append"), [
    (plain_ext2, []), (squashfs_moved, ["ramdisk_start=3"]), (gzip_archive, []), (microcode_and_zstd, []),
    (junk_behind, []), (plain_ext2, ["retain_initrd"])])
def test_good(lab: Lab, make: Callable[[Lab], bytes], append: list[str]) -> None:
    """What boots, and boots by the prediction, too."""
    data = make(lab)
    image = lab.write("initrd", data)
    words = [*append, *(["root=/dev/ram0"] if make is squashfs_moved else [])]
    outcome, told = boot_and_compare(lab, image, words, disks=[])
    assert outcome.success, outcome.reason
    assert told["boots"], told["findings"]
    assert outcome.console.init is not None
    assert told["program"] in (None, outcome.console.init[0])


def truncated_archive(lab: Lab) -> bytes:
    data = gzip_archive(lab)
    return data[: len(data) // 2]


def truncated_image(lab: Lab) -> bytes:
    data = lab.image("ext2", "gzip").read_bytes()
    return data[: len(data) // 2]


def garbage(lab: Lab) -> bytes:
    return bytes([0x5A]) + images.sample_data(50_000)[1:]


@pytest.mark.parametrize("make", [truncated_archive, truncated_image, garbage])
def test_bad(lab: Lab, make: Callable[[Lab], bytes]) -> None:
    """What does not: the kernel goes on to a disk, with the same complaints as
    predicted. (Of an archive, /init may have come out already.)"""
    outcome, told = boot_and_compare(lab, lab.write("initrd", make(lab)), ["root=/dev/vda", "rdinit=/none"],
                                     disks=[lab.real_root()], root=False)
    assert outcome.success, outcome.reason
    assert not told["boots"] or make is garbage


def test_linuxrc(lab: Lab) -> None:
    """The old way, by an image without /linuxrc."""
    outcome, told = boot_and_compare(lab, lab.image("ext2", "xz"), ["root=/dev/vda"],
                                     disks=[guests.real_root(lab)], root=False)
    assert outcome.success, outcome.reason
    assert told["boots"] and "no-linuxrc" in {finding["code"] for finding in told["findings"]}


#: One of each kind of reason; all others are for those who ask for the boots alone.
OFTEN = {"ext4-default", "ext4-casefold", "ext2-cut", "erofs-lz4", "erofs-48bit", "erofs-wrong-checksum",
         "squashfs-zstd", "squashfs-lzma", "romfs-wrong-checksum", "xz-x86", "xz-delta", "bzip3",
         "partition-gpt", "partition-without-numbers"}
assert {row.name for row in verdicts.ROWS} >= OFTEN


@pytest.mark.parametrize("row", usually(verdicts.ROWS, OFTEN))
def test_verdicts(lab: Lab, row: verdicts.Row) -> None:
    """What it says of an image, and whether that boots."""
    folder = lab.path("work")
    folder.mkdir()
    image = lab.write("initrd", row.make(lab.tree(), folder))
    shutil.rmtree(folder)
    outcome = lab.boot(image, row.append, root=False, clean=False)
    told = predict(lab, image, re.findall(r"Kernel command line: (.*)", outcome.console.text)[0])
    assert (outcome.success, told["boots"]) == (not row.why_not, not row.why_not), (outcome.reason, told["findings"])


# --- memory -------------------------------------------------------------------------------


def large_archive(lab: Lab) -> bytes:
    return lab.archive([Entry.file("large", images.sample_data(40 << 20))])


def large_gzip_archive(lab: Lab) -> bytes:
    return images.compress_bytes(large_archive(lab), "gzip", level=1)


def large_gzip_image(lab: Lab) -> bytes:
    return lab.image("ext2", "gzip", sample=40 << 20, size=56 << 20).read_bytes()


@pytest.mark.parametrize("make", [large_archive, large_gzip_archive, large_gzip_image])
def test_least_memory(lab: Lab, make: Callable[[Lab], bytes]) -> None:
    """8 MiB more than `--memory` says to be the least are enough, and 8 MiB less are not;
    of an archive without root=."""
    image = lab.write("initrd", make(lab))
    append = ["root=/dev/ram0", "rw"] if make is large_gzip_image else []
    told = subprocess.run([str(ROOT / "scripts/initrd-inspect"), "--json", "--memory=40M", "--append",
                           " ".join(append), *config_of(lab.kernel), str(image)], capture_output=True, timeout=600)
    least = json.loads(told.stdout)["memory"]["least"] >> 20
    enough = lab.boot(image, append, memory=f"{least + 8}M", root=False, clean=False)
    assert enough.success, (least, enough.reason, enough.console.tail(25))
    little = lab.boot(image, append, memory=f"{least - 8}M", root=False, clean=False, timeout=30)
    assert not little.success or "no space" in little.console.text, least
