# SPDX-License-Identifier: GPL-2.0
"""One allocation after the other fails, on every way that an initrd goes.

Needs a kernel with qemu/flavours/faults.config, whose fail_initrd= lets the N-th one
fail: each test boots once for each N until there is none left to fail. (The host tests
do the same, and see that nothing is left behind.)
"""

from __future__ import annotations

from typing import Callable, Sequence

import pytest

import images
import kernels
import vm
from conftest import Lab
from guests import check_real_root
from images import MIB, Entry

pytestmark = [pytest.mark.faults, pytest.mark.machines("x86_64")]

#: Where a way ends that should never end.
MOST = 400

#: What says that memory, or room, was missing.
SAID = ("out of memory", "no space", "error 12", "error -12", "ran out of memory")

#: The kernel's line about an allocation that it let fail.
FAILED = "FAULT_INJECTION: forcing a failure"

LINUXRC = "#!/bin/busybox sh\nexit 0\n"


@pytest.fixture(autouse=True)
def _able(lab: Lab) -> None:
    if kernels.option(lab.kernel, "INITRD_CXX_FAULT_INJECTION") != "y":
        pytest.skip("needs a kernel with qemu/flavours/faults.config")


def archive() -> bytes:
    """Everything that an archive may hold; no init, so that the disk becomes the root."""
    return images.newc([
        Entry.directory("folder"), Entry.file("folder/large", images.sample_data(300_000)),
        Entry.file("folder/small", b"small"), Entry.symlink("link", "folder/small"),
        Entry.node("null", 0o020000, 1, 3), Entry.node("pipe", 0o010000, 0, 0),
        Entry("one", 0o100644, b"", nlink=2, ino=7), Entry("two", 0o100644, b"both", nlink=2, ino=7),
    ])


def image(lab: Lab, compressor: str) -> bytes:
    tree = lab.tree()
    (tree / "linuxrc").write_text(LINUXRC)
    (tree / "linuxrc").chmod(0o755)
    plain = images.build("ext2", tree, lab.path("ext2"), size=8 * MIB)
    return images.compress(plain, compressor).read_bytes()


def each_failure(lab: Lab, data: bytes, append: Sequence[str], check: Callable[[vm.Outcome, bool], None], *,
                 real_root: bool = True) -> int:
    """Boots with each allocation failing in turn; returns how many there are. Without a
    real root the kernel may panic, and `check` looks at that."""
    disks = [lab.real_root()] if real_root else []
    initrd = lab.write("initrd", data)
    for number in range(1, MOST):
        outcome = lab.boot(initrd, ["brd.rd_nr=1", f"fail_initrd={number},100,0,1", *append], disks=disks,
                           root=False, clean=False)
        failed = outcome.console.having(FAILED) != []
        if failed and of_built_in_archive(outcome):
            continue
        troubles = outcome.console.troubles
        if not real_root and outcome.console.panic is not None:
            troubles = [line for line in troubles if "Kernel panic" not in line and "Call Trace" not in line]
        try:
            assert troubles == []
            check(outcome, failed)
        except AssertionError as error:
            raise AssertionError(f"allocation {number}: {error}\n{outcome.console.tail(30)}") from error
        if not failed:
            return number - 1
    raise AssertionError(f"more than {MOST} allocations")


def of_built_in_archive(outcome: vm.Outcome) -> bool:
    """Whether what failed belongs to the kernel's own archive, before the image's turn:
    without it a kernel does not boot, with the C code neither."""
    for line in outcome.console.lines:
        if "Trying to unpack rootfs" in line.text or "initrd: noinitrd" in line.text:
            return False
        if FAILED in line.text:
            return True
    return False


def said(outcome: vm.Outcome) -> bool:
    return any(outcome.console.having(words) for words in SAID)


@pytest.mark.parametrize("compressor", ["none", *images.COMPRESSORS])
def test_archive(lab: Lab, compressor: str) -> None:
    """The boot goes on to the real root; what could not be made is named."""
    def check(outcome: vm.Outcome, failed: bool) -> None:
        assert outcome.success, outcome.reason
        check_real_root(outcome)
        assert len(outcome.console.freed_kib) <= 1
        if not failed:
            assert [load.content for load in outcome.console.loads] == ["cpio"]
            assert not said(outcome)
        elif not outcome.console.loads:
            assert said(outcome)

    data = images.compress_bytes(archive(), compressor)
    assert each_failure(lab, data, ["root=/dev/vda"], check) > 15


@pytest.mark.parametrize("compressor", ["none", *images.COMPRESSORS])
def test_image_with_linuxrc(lab: Lab, compressor: str) -> None:
    """The RAM disk is made and linuxrc runs, or not; the real root comes up in any case."""
    def check(outcome: vm.Outcome, failed: bool) -> None:
        assert outcome.success, outcome.reason
        check_real_root(outcome)
        ran = outcome.console.having("Trying to move old root to /initrd") != []
        assert ran or failed
        if not ran and not outcome.console.having("initrd: ext2 image"):
            assert said(outcome)

    assert each_failure(lab, image(lab, compressor), ["root=/dev/vda"], check) > 3


@pytest.mark.parametrize("options", [["noinitrd"], ["retain_initrd"], ["noinitrd", "retain_initrd"]])
def test_kept(lab: Lab, options: list[str]) -> None:
    """What is to stay in memory for /dev/initrd or /sys/firmware/initrd."""
    def check(outcome: vm.Outcome, failed: bool) -> None:
        assert outcome.success, outcome.reason
        check_real_root(outcome)

    each_failure(lab, archive(), ["root=/dev/vda", *options], check)


def test_root_on_the_ram_disk(lab: Lab) -> None:
    """Without another root there is none when the RAM disk fails: the kernel says why."""
    def check(outcome: vm.Outcome, failed: bool) -> None:
        if outcome.success:
            assert outcome.guest.facts["content"] == "intact"
        else:
            assert failed and outcome.console.panic is not None
            assert "Unable to mount root fs" in outcome.console.panic

    data = lab.image("ext2").read_bytes()
    assert each_failure(lab, data, ["root=/dev/ram0"], check, real_root=False) > 3
