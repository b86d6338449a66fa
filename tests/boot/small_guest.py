# SPDX-License-Identifier: GPL-2.0
"""A guest in one program, for machines that Debian has no busybox for."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import images
import vm

HERE = Path(__file__).resolve().parent

#: The size of the guest's /dev/ram1, which it fills: ramdisk_size of the kernels here.
RAM_DISK = 4096 * 1024


@dataclass(frozen=True)
class Target:
    """What the program is built for: options of clang's, and the folder of the
    kernel's headers for programs."""

    options: tuple[str, ...]
    headers: str


I386 = Target(("-m32", "-march=i686"), "/usr/include/x86_64-linux-gnu")
ARM64_BE = Target(("--target=aarch64_be-linux-gnu",), "/usr/aarch64-linux-gnu/include")


def tree(folder: Path, target: Target, source: Path) -> Path:
    """Makes the new `folder` a small tree, with the program as its init and a file
    that it looks at. `source` is a kernel's source tree."""
    for name in "dev proc sbin share".split():
        (folder / name).mkdir(parents=True)
    (folder / "share/sample").write_bytes(images.sample_data(300_000))
    subprocess.run(
        ["clang-19", *target.options, "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-stack-protector",
         "-static", "-nostdlib", "-fuse-ld=lld", f"-I{target.headers}", "-include",
         source / "tools/include/nolibc/nolibc.h", "-o", folder / "init", HERE / "small_guest.c"],
        check=True,
    )
    (folder / "sbin/init").symlink_to("../init")
    return folder


def _fnv1a(data: bytes) -> int:
    total = 2166136261
    for byte in data:
        total = (total ^ byte) * 16777619 & 0xFFFFFFFF
    return total


def check(outcome: vm.Outcome, made: Path, kind: str, compressor: str) -> None:
    """The tree `made` was the root, whole, from an image of this kind; and a RAM disk
    kept what was written to it."""
    assert outcome.guest.facts["root"] == ("rootfs" if kind == "cpio" else kind)
    assert int(outcome.guest.facts["sum"], 16) == _fnv1a((made / "share/sample").read_bytes())
    assert outcome.guest.number("ram1") == RAM_DISK
    loads = [load for load in outcome.console.loads if load.content == kind]
    assert len(loads) == 1 and loads[0].compressor == compressor
    if kind != "cpio":
        assert [(m.fs, m.device) for m in outcome.console.mounts] == [(kind, "1:0")]
