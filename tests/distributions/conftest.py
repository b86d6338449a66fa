# SPDX-License-Identifier: GPL-2.0
"""Debian, installed into a folder, with our kernel and its own initramfs tools.

Everything is kept in build/distributions: the root folder, which debootstrap makes
once, and the kernel, which scripts/build-kernel.sh builds with
qemu/distribution.config.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "qemu"), str(ROOT / "tests/boot"), str(ROOT / "tests")]

import images  # noqa: E402
import kernels  # noqa: E402
import userland  # noqa: E402

FOLDER = ROOT / "build/distributions"
RELEASE = "bookworm"
PACKAGES = ("sysvinit-core", "initramfs-tools", "dracut-core", "klibc-utils", "busybox", "udev", "kmod", "login",
            "util-linux", "e2fsprogs", "zstd", "cpio")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("initrd").addoption("--kernel", default="6.12", help="the kernel's series")


@dataclass(frozen=True)
class Debian:
    """An installed system: its root folder, and a disk made of that."""

    kernel: Path
    release: str
    root: Path
    disk: Path

    def run(self, *words: str) -> str:
        """Runs a command in the root folder; returns what it said."""
        done = subprocess.run(["chroot", self.root, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root"},
                              check=False)
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
        return done.stdout


def install(root: Path) -> None:
    """debootstrap, from where this machine's own packages come."""
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    site = userland.archive()
    images.run_tool(["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}",
                     "--exclude=systemd,systemd-sysv", RELEASE, partial, site])
    inittab = partial / "etc/inittab"
    inittab.write_text(inittab.read_text() + "\nS0:23:respawn:/sbin/agetty -L ttyS0 115200 vt100\n")
    (partial / "etc/hostname").write_text("debian\n")
    (partial / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    partial.rename(root)


@pytest.fixture(scope="session")
def debian(request: pytest.FixtureRequest) -> Iterator[Debian]:
    if os.geteuid() != 0:
        pytest.skip("only root can install a system")
    FOLDER.mkdir(parents=True, exist_ok=True)
    series = request.config.getoption("--kernel")
    done = subprocess.run([ROOT / "scripts/build-kernel.sh", "--kernel", series, "--quiet",
                           f"--config={ROOT / 'qemu/distribution.config'}"], stdout=subprocess.PIPE, text=True,
                          check=True)
    kernel = Path(done.stdout.split()[-1])
    release = kernels.kernel_release(kernel)
    assert release is not None
    root = FOLDER / RELEASE
    if not root.exists():
        install(root)
    modules = root / "lib/modules" / release
    modules.mkdir(parents=True, exist_ok=True)
    output = kernel.parents[3]
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(output / name, modules)
    (root / "boot").mkdir(exist_ok=True)
    shutil.copy(output / ".config", root / f"boot/config-{release}")
    system = Debian(kernel, release, root, FOLDER / f"{RELEASE}.ext4")
    system.run("depmod", release)
    if not system.disk.exists():
        images.run_tool(["mke2fs", "-q", "-t", "ext4", "-d", root, system.disk, "1200M"])
    yield system
