# SPDX-License-Identifier: GPL-2.0
"""Machines that Debian has no busybox for: big-endian arm64.

Nothing in an image changes with the order of the kernel's bytes: not the fields of
superblocks, not the lengths in compressed streams. But for cramfs and minix, which have
the order of the machine that they were made for.
"""

from __future__ import annotations

import pytest

import images
import kernels
import small_guest
from conftest import Lab

pytestmark = [pytest.mark.smoke, pytest.mark.machines("arm64be")]


@pytest.mark.parametrize("kind", ["cpio", "ext2", "squashfs", "romfs"])
def test_plain(lab: Lab, kind: str) -> None:
    """Unpacked, or adopted."""
    tree = small_guest.tree(lab.path("tree"), small_guest.ARM64_BE, kernels.find_source(lab.kernel))
    small_guest.check(lab.succeed(images.build(kind, tree, lab.path(kind))), tree, kind, "none")


def test_cramfs(lab: Lab) -> None:
    """Of the machine's own order; one of the other order is not mounted."""
    tree = small_guest.tree(lab.path("tree"), small_guest.ARM64_BE, kernels.find_source(lab.kernel))
    for order in ("big", "little"):
        image = lab.path(order)
        images.run_tool(["mkfs.cramfs", "-N", order, tree, image], as_root=True)
        outcome = lab.boot(image, ["root=/dev/ram0", "rw"], clean=False, root=False)
        assert outcome.success == (order == "big"), outcome.console.tail(20)
        assert (outcome.console.having("RAMDISK: cramfs filesystem found at block 0") != []) == outcome.success


@pytest.mark.parametrize("kind", ["cpio", "ext2"])
@pytest.mark.parametrize("compressor", images.COMPRESSORS)
def test_compressed(lab: Lab, kind: str, compressor: str) -> None:
    """Every decompressor, into files and into a RAM disk."""
    tree = small_guest.tree(lab.path("tree"), small_guest.ARM64_BE, kernels.find_source(lab.kernel))
    image = images.compress(images.build(kind, tree, lab.path(kind)), compressor)
    small_guest.check(lab.succeed(image), tree, kind, compressor)
