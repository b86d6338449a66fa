# SPDX-License-Identifier: GPL-2.0
"""What becomes of the initrd's memory: kept and readable, or given back; and
the boot configuration behind the data."""

from __future__ import annotations

import pytest

import images
from conftest import Lab
from guests import RETAINED, SLACK_OF_TWO_BOOTS, TOOLS, check_real_root, check_retained, values, with_bootconfig

FILE = TOOLS + RETAINED


@pytest.mark.smoke
@pytest.mark.c_since("6.12", reason="there is no /sys/firmware/initrd")
@pytest.mark.parametrize(("kind", "compressor"), [("cpio", "none"), ("cpio", "xz"), ("ext2", "none"), ("ext2", "gzip"),
                                                  ("squashfs", "none")])
def test_retained_data(lab: Lab, kind: str, compressor: str) -> None:
    """retain_initrd: /sys/firmware/initrd has the data as the boot loader left
    it, also when it became the RAM disk and that was written to."""
    image = lab.image(kind, compressor, guest_test="touch /tmp/new; sync\n" + FILE)
    outcome = lab.succeed(image, ["retain_initrd"])
    check_retained(values(outcome), image.read_bytes())
    assert outcome.console.freed_kib == []


def test_keepinitrd(lab: Lab) -> None:
    """keepinitrd is retain_initrd on ARM; elsewhere it changes nothing."""
    outcome = lab.succeed(lab.archive(guest_test="ls /sys/firmware/initrd 2>/dev/null | wc -l\n"), ["keepinitrd"])
    kept = lab.machine.arch in ("arm", "arm64")
    assert outcome.guest.test_output == ["1" if kept else "0"]
    assert len(outcome.console.freed_kib) == (0 if kept else 1)


CONFIG = """
kernel.ramdisk_size = 9216
kernel.initrd_test.words = "from the trailer"
init.argument = one
"""

APPLIED = """
    echo "ram1=$(cat /sys/block/ram1/size)"
    echo "words=$(grep -c 'initrd_test.words="from the trailer"' /proc/cmdline)"
    echo "config=$(grep -c ramdisk_size /proc/bootconfig)"
"""


@pytest.mark.parametrize(("kind", "compressor"), [("cpio", "none"), ("cpio", "zstd"), ("ext2", "none"),
                                                  ("ext2", "gzip")])
def test_bootconfig(lab: Lab, kind: str, compressor: str) -> None:
    """A boot configuration behind the initrd is applied, and is no part of the
    initrd: neither of what is loaded nor of what is retained."""
    image = lab.image(kind, compressor, guest_test=FILE + APPLIED)
    data = image.read_bytes()
    image.write_bytes(with_bootconfig(data, CONFIG))
    size = len(data) if compressor == "none" else 8 * images.MIB
    options = ["root=/dev/ram0", "rw"] if kind == "ext2" else []
    outcome = lab.succeed(image, [*options, "bootconfig", "retain_initrd"], root=False)
    found = values(outcome)
    if lab.has_retained_file(outcome.guest.facts["release"]):
        check_retained(found, data)
    assert (found["ram1"], found["words"], found["config"]) == ("18432", "1", "1")
    assert outcome.guest.facts["content"] == "intact"
    assert [line for line in outcome.console.having("initrd: ") if "ignored" in line] == []
    load = lab.only_load(outcome)
    if load is not None:
        assert load.bytes_in == len(data)
        assert kind == "cpio" or load.bytes_out == size


def test_memory_is_given_back(lab: Lab) -> None:
    """An archive leaves no trace: with 48 MiB of NULs behind it as much memory
    is free as without."""
    data = lab.archive(guest_test=TOOLS + "echo free=$(memfree)\n")
    used = []
    for padding in (0, 48 * images.MIB):
        outcome = lab.succeed(data + bytes(padding))
        used.append(outcome.guest.number("memtotal") - int(values(outcome)["free"]))
    assert abs(used[1] - used[0]) < SLACK_OF_TWO_BOOTS


@pytest.mark.parametrize(("option", "kind", "compressor"), [
    ("init_on_free=1", "ext2", "none"), ("init_on_free=1", "ext2", "gzip"), ("init_on_free=1", "cpio", "zstd"),
    ("page_poison=1", "ext2", "none"),
])
def test_with_memory_that_is_overwritten(lab: Lab, option: str, kind: str, compressor: str) -> None:
    """Pages that are wiped when they are freed, or handed out, are none that
    somebody still needs."""
    image = lab.image(kind, compressor, guest_test="echo 3 >/proc/sys/vm/drop_caches; cmp /bin/busybox /bin/ls\n")
    outcome = lab.succeed(image, [option])
    if kind == "ext2":
        check_real_root(outcome)
    assert outcome.guest.facts["content"] == "intact"
