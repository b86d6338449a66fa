# SPDX-License-Identifier: GPL-2.0
"""Debian's own initramfs images, made by its own tools, under our kernel: to the
login prompt of the system that they are for."""

from __future__ import annotations

import gzip
from pathlib import Path

import pexpect
import pytest

import images
import vm
from conftest import Debian
from images import Entry
from report import Console

SECONDS = 240


def to_login(debian: Debian, initrd: Path, folder: Path, *, root: str = "root=/dev/vda ro",
             taken: tuple[str, str] = ("cpio", "unpacked")) -> str:
    """Boots it up to the prompt; returns the console's text. `taken` is the content
    and how it was loaded, in the kernel's own words."""
    words = ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-machine", "q35", "-accel", "tcg",
             "-m", "1G", "-kernel", str(debian.kernel), "-initrd", str(initrd), "-append",
             f"console=ttyS0 panic=-1 panic_on_warn=1 {root}", "-serial", "stdio",
             "-drive", f"file={vm.quote(debian.disk)},format=raw,if=none,snapshot=on,id=disk0",
             "-device", "virtio-blk-pci,drive=disk0"]
    log = folder / "console.log"
    with open(log, "w", encoding="utf-8", errors="replace") as output:
        guest = pexpect.spawn("qemu-system-x86_64", words, timeout=SECONDS, encoding="utf-8", codec_errors="replace",
                              logfile=output, echo=False)
        try:
            found = guest.expect(["debian login: ", "Kernel panic", pexpect.EOF])
            assert found == 0, log.read_text(errors="replace")[-3000:]
        finally:
            guest.close(force=True)
    text = log.read_text(errors="replace").replace("\r", "")
    console = Console(text)
    assert console.troubles == [] and len(console.loads) == 1, log
    assert (console.loads[0].content, console.loads[0].how) == taken
    return text


@pytest.mark.parametrize("compressor", ["gzip", "zstd", "xz"])
def test_initramfs_tools(debian: Debian, tmp_path: Path, compressor: str) -> None:
    config = debian.root / "etc/initramfs-tools/initramfs.conf"
    lines = [line for line in config.read_text().splitlines() if not line.startswith(("COMPRESS=", "MODULES="))]
    config.write_text("\n".join([*lines, f"COMPRESS={compressor}", "MODULES=list"]) + "\n")
    debian.run("mkinitramfs", "-o", "/boot/initrd.img", debian.release)
    text = to_login(debian, debian.root / "boot/initrd.img", tmp_path)
    assert "Begin: Running /scripts/init-bottom" in text


@pytest.mark.parametrize("compressor", ["gzip", "zstd"])
def test_dracut(debian: Debian, tmp_path: Path, compressor: str) -> None:
    debian.run("dracut", "--force", "--no-hostonly", "--no-kernel", f"--{compressor}", "--omit", "systemd",
               "/boot/dracut.img", debian.release)
    text = to_login(debian, debian.root / "boot/dracut.img", tmp_path)
    assert "dracut: Switching root" in text or "dracut: Mounted root filesystem" in text


# --- by hand: busybox and klibc, pivot_root and switch_root ----------------------------------

BUSYBOX = """#!/bin/busybox sh
export PATH=/bin
mkdir -p /proc /sys /dev /root
mount -t devtmpfs devtmpfs /dev
echo "by hand: busybox" >/dev/console
mount -t ext4 -o ro /dev/vda /root
mount --move /dev /root/dev
exec switch_root /root /sbin/init
"""

KLIBC = """#!/usr/lib/klibc/bin/sh
export PATH=/usr/lib/klibc/bin
mkdir -p /dev /root
mount -t devtmpfs devtmpfs /dev
echo "by hand: klibc" >/dev/console
mount -t ext4 -o ro /dev/vda /root
mount -o move /dev /root/dev
exec run-init /root /sbin/init
"""

PIVOT = """#!/bin/busybox sh
export PATH=/bin
mount -t devtmpfs devtmpfs /dev
echo "by hand: pivot_root" >/dev/console
mount -t ext4 -o ro /dev/vda /mnt
mount --move /dev /mnt/dev
cd /mnt
pivot_root . mnt
exec chroot . /sbin/init <dev/console >dev/console 2>&1
"""


def folders(*names: str) -> list[Entry]:
    return [Entry.directory(name) for name in names]


def test_busybox_with_switch_root(debian: Debian, tmp_path: Path) -> None:
    busybox = images.find_busybox().read_bytes()
    entries = [*folders("bin"), Entry.file("bin/busybox", busybox, mode=0o755),
               *(Entry.symlink(f"bin/{name}", "busybox") for name in ("sh", "mount", "mkdir", "switch_root")),
               Entry.file("init", BUSYBOX.encode(), mode=0o755)]
    initrd = tmp_path / "initrd"
    initrd.write_bytes(gzip.compress(images.newc(entries)))
    assert "by hand: busybox" in to_login(debian, initrd, tmp_path)


def test_klibc_with_run_init(debian: Debian, tmp_path: Path) -> None:
    entries = [*folders("lib", "usr", "usr/lib", "usr/lib/klibc", "usr/lib/klibc/bin")]
    for path in sorted((debian.root / "usr/lib/klibc/bin").iterdir()):
        if path.name in ("sh", "mount", "mkdir", "run-init"):
            entries.append(Entry.file(f"usr/lib/klibc/bin/{path.name}", path.read_bytes(), mode=0o755))
    for path in (debian.root / "usr/lib").glob("klibc-*.so"):
        entries.append(Entry.file(f"lib/{path.name}", path.read_bytes(), mode=0o755))
    entries.append(Entry.file("init", KLIBC.encode(), mode=0o755))
    initrd = tmp_path / "initrd"
    initrd.write_bytes(images.newc(entries))
    assert "by hand: klibc" in to_login(debian, initrd, tmp_path)


def test_image_with_pivot_root(debian: Debian, tmp_path: Path) -> None:
    """An ext2 image in the RAM disk, not an archive."""
    tree = images.demo_tree(tmp_path / "tree")
    (tree / "sbin/init").write_text(PIVOT)
    image = images.compress(images.build("ext2", tree, tmp_path / "ext2"), "zstd")
    text = to_login(debian, image, tmp_path, root="root=/dev/ram0 rw", taken=("ext2", "decoded"))
    assert "by hand: pivot_root" in text
