# SPDX-License-Identifier: GPL-2.0
"""The READMEs: their commands that boot, and those that run in the guest."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import images
import vm
from conftest import ROOT, Lab

sys.path.insert(0, str(ROOT / "tests"))

import readme  # noqa: E402
from readme import Session, blocks, named  # noqa: E402

pytestmark = pytest.mark.machines("x86_64")

#: Prints how many pages /dev/ram0 holds.
COUNT = """
mount -t debugfs debugfs /sys/kernel/debug
cat /sys/kernel/debug/ramdisk_pages/ram0
"""


def session_for(lab: Lab) -> Session:
    """A folder whose qemu/boot boots the kernel under test."""
    session = Session(lab.path("readme"))
    words = [str(ROOT / "qemu/boot"), f"--kernel-image={lab.kernel}", f"--accel={lab.accel}"]
    if lab.stock:
        words.append("--stock")
    (session.folder / "qemu").mkdir()
    wrapper = session.folder / "qemu/boot"
    wrapper.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    wrapper.chmod(0o755)
    return session


def test_commands_that_boot(lab: Lab) -> None:
    """From the first to the last, in one folder, and every boot succeeds."""
    session = session_for(lab)
    results = 0
    for block in blocks():
        if block.kind == "file":
            session.save(block)
        elif (block.kind, block.word) == ("host", "") or block.kind == "boot":
            results += len(re.findall("^Result +booted: ", session.run(block).stdout, re.M))
    assert results == sum(block.text.count("./qemu/boot") for block in blocks() if block.kind == "boot")
    assert results >= 6


def pivot(lab: Lab, guest: str, check: str) -> list[str]:
    """Boots an initrd with the READMEs' init, pivots to a real root, runs
    their block `guest` there and then `check`, and returns what they said."""
    init = lab.write("init-pivot", named("file", "init-pivot").encode())
    initrd = lab.path("initrd")
    Session(lab.path("make")).run(readme.Block(
        Path(__file__), 0, "sh", f"scripts/mkinitrd.sh --demo --init {init} -o {initrd}", "host", ""))
    tree = lab.tree(f"set -e\nmount -t tmpfs tmpfs /tmp\nawk '$2 ~ \"^/(initrd)?$\" {{ print $2, $3 }}' /proc/mounts\n"
                    f"{named('guest', guest)}\n{check}")
    (tree / "initrd").mkdir()
    disk = images.build("ext2", tree, lab.path("disk"))
    outcome = lab.succeed(initrd, ["real_root=/dev/vda"], disks=[disk])
    assert outcome.guest.facts["pid"] == "1"
    said = outcome.guest.test_output
    assert {"/ ext2", "/initrd ext2"} <= set(said[:3])
    return said


@pytest.mark.cxx_only
def test_pivot_root_and_free(lab: Lab) -> None:
    """The initrd is below /initrd, is unmounted, and its pages are free."""
    assert pivot(lab, "free-ramdisk", COUNT)[-1] == "0"


@pytest.mark.cxx_only
def test_save_the_initrd(lab: Lab) -> None:
    """The image that is taken from /dev/ram0 is the one that was booted."""
    said = pivot(lab, "save-initrd",
                 "zcat /tmp/initrd.gz | dd bs=1 skip=1080 count=2 2>/dev/null | xxd -p\n" + COUNT)
    assert said[-2:] == ["53ef", "0"]  # ext2's magic; no pages left


def noinitrd(lab: Lab, initrd: Path, guest: str, check: str = "") -> list[str]:
    """Boots with noinitrd and a real root, and runs the READMEs' block there."""
    disk = lab.real_root("set -e\nmount -t tmpfs tmpfs /tmp\n" + named("guest", guest) + check +
                         "! head -c 1 /dev/initrd 2>/dev/null\n")
    outcome = lab.succeed(initrd, ["noinitrd", "root=/dev/vda"], disks=[disk], root=False)
    return outcome.guest.test_output


@pytest.mark.cxx_only
def test_dev_initrd_read(lab: Lab) -> None:
    """The bytes are all there, once."""
    data = lab.archive()[:-123]
    said = noinitrd(lab, lab.write("bytes", data), "dev-initrd-read", "sha256sum </tmp/initrd.img\n")
    assert said[-1].split()[0] == hashlib.sha256(data).hexdigest()


@pytest.mark.cxx_only
def test_dev_initrd_mount(lab: Lab) -> None:
    """A file system image can be mounted, once."""
    said = noinitrd(lab, lab.image("ext2"), "dev-initrd-mount")
    assert {"lost+found", "share"} <= set(" ".join(said).split())


@pytest.mark.skipif(shutil.which("grub-mkrescue") is None, reason="there is no grub-mkrescue")
def test_iso(lab: Lab) -> None:
    """The ISO image boots from a CD drive, with GRUB as its boot loader."""
    session = session_for(lab)
    shutil.copy(lab.kernel, session.folder / "vmlinuz")
    for kind in (("host", ""), ("host", "grub-mkrescue")):
        session.run(next(block for block in blocks() if (block.kind, block.word) == kind))
    machine = vm.MACHINES["x86_64"]
    process = subprocess.Popen([machine.qemu, "-nodefaults", *machine.options, "-m", "256M", "-display", "none",
                                "-serial", "stdio", "-cdrom", str(session.folder / "boot.iso")],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.decode(errors="replace"))
            if "hello from the initrd" in said[-1]:
                break
        assert "hello from the initrd" in said[-1], "".join(said[-30:])
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
