# SPDX-License-Identifier: GPL-2.0
"""Images that scripts/mkinitrd.sh made, booted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import images
from conftest import MOUNTED_AS, ROOT, Lab

pytestmark = pytest.mark.machines("x86_64")

SCRIPT = ROOT / "scripts/mkinitrd.sh"

#: A guest's own check of what mkinitrd.sh promises about every image.
GUEST_TEST = b"""\
mkdir -p /run && mount -t tmpfs tmpfs /run && mkdir /run/root && mount --bind / /run/root
stat -c '%F %t:%T %a %u' /run/root/dev/console
stat -c '%a %u %g' /etc/guest-test
"""

#: File systems that the C implementation does not load.
BEYOND = ("erofs", "minix2")


def make(*words: str | Path) -> None:
    subprocess.run([str(SCRIPT), *map(str, words)], check=True, capture_output=True)


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.cxx_only] if kind in BEYOND else [])
                                  for kind in images.FORMATS])
def test_mkinitrd(lab: Lab, kind: str) -> None:
    """Every format boots as it was made, with the console's node in it, under
    the devtmpfs that is mounted over it, and all files root's."""
    script = lab.write("guest-test", GUEST_TEST)
    image = lab.path("image")
    make("--demo", f"--fs={kind}", f"--add={script}:/etc/guest-test", "-o", image)
    outcome = lab.succeed(image)
    assert outcome.guest.facts["content"] == "intact"
    assert outcome.guest.test_output[-2:] == ["character special file 5:1 600 0", "644 0 0"]
    if kind != "cpio":
        assert outcome.guest.facts["mount"].split()[2] == MOUNTED_AS.get(kind, kind)


def test_mkinitrd_linuxrc(lab: Lab) -> None:
    """--linuxrc makes an image for change_root: linuxrc leaves a word in the
    initrd, which the real root finds in /initrd."""
    linuxrc = lab.write("linuxrc", b"#!/bin/sh\necho linuxrc was here >/word\n")
    image = lab.path("image")
    make("--demo", "--compress=zstd", f"--linuxrc={linuxrc}", "-o", image)
    tree = lab.tree("cat /initrd/word\n")
    (tree / "initrd").mkdir()
    disk = images.build("ext2", tree, lab.path("disk"))
    outcome = lab.succeed(image, ["root=/dev/vda"], disks=[disk], root=False)
    assert outcome.guest.test_output == ["linuxrc was here"]
