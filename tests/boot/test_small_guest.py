# SPDX-License-Identifier: GPL-2.0
"""Machines that Debian has no busybox for: big-endian arm64.

Nothing in an image changes with the order of the kernel's bytes: not the fields of
superblocks, not the lengths in compressed streams.
"""

from __future__ import annotations

import pytest

import images
import kernels
import small_guest
from conftest import Lab

pytestmark = [pytest.mark.smoke, pytest.mark.machines("arm64be")]


@pytest.mark.parametrize("kind", ["cpio", "ext2", "squashfs", "cramfs", "romfs", "minix"])
def test_plain(lab: Lab, kind: str) -> None:
    """Unpacked, or adopted. (A cramfs has the byte order of who made it: the kernel
    finds it all the same, and says what is wrong when it comes to mounting it.)"""
    tree = small_guest.tree(lab.path("tree"), small_guest.ARM64_BE, kernels.find_source(lab.kernel))
    image = images.build(kind, tree, lab.path(kind))
    if kind == "cramfs":
        outcome = lab.boot(image, clean=False)
        assert outcome.console.having("RAMDISK: cramfs filesystem found at block 0")
        assert outcome.console.having("wrong endianness") and not outcome.success
    else:
        small_guest.check(lab.succeed(image), tree, kind, "none")


@pytest.mark.parametrize("kind", ["cpio", "ext2"])
@pytest.mark.parametrize("compressor", images.COMPRESSORS)
def test_compressed(lab: Lab, kind: str, compressor: str) -> None:
    """Every decompressor, into files and into a RAM disk."""
    tree = small_guest.tree(lab.path("tree"), small_guest.ARM64_BE, kernels.find_source(lab.kernel))
    image = images.compress(images.build(kind, tree, lab.path(kind)), compressor)
    small_guest.check(lab.succeed(image), tree, kind, compressor)
