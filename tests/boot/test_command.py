# SPDX-License-Identifier: GPL-2.0
"""qemu/boot as a user calls it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Sequence

import pexpect
import pytest

import images
from conftest import ROOT, Lab
from images import Entry

pytestmark = pytest.mark.machines("x86_64")

BOOT = ROOT / "qemu/boot"


def command(lab: Lab, *options: str | Path) -> list[str]:
    """qemu/boot with the kernel under test and `options`."""
    words = [str(BOOT), f"--kernel-image={lab.kernel}", f"--accel={lab.accel}", *map(str, options)]
    return [*words, "--stock"] if lab.stock else words


def call(words: Sequence[str | Path], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(w) for w in words], cwd=cwd, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120)


def summary(text: str) -> dict[str, str]:
    """The lines "Name  text" of the account, with their continuations."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, rest = line.partition("  ")
        if name in ("Kernel", "Image", "Taken", "Time", "Memory", "Root", "Content", "Complaints", "Result"):
            found[name] = rest.strip()
    return found


def test_account_of_an_image(lab: Lab, tmp_path: Path) -> None:
    """The summary has every item, from whatever folder it is called."""
    done = call(command(lab, "--fs", "squashfs"), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = summary(done.stdout)
    assert told["Kernel"].startswith("6.")
    assert told["Image"].startswith("squashfs file system image, ") and told["Image"].endswith(" bytes)")
    assert told["Root"].split()[1:3] == ["/", "squashfs"]
    assert told["Time"].endswith('s to "VFS: Mounted root"')
    assert "KiB given back" in told["Memory"]
    assert told["Content"].startswith("intact")
    assert told["Result"] == "booted: the guest reported success over its own port"
    assert "Complaints" not in told
    if not lab.stock:
        assert "adopted" in told["Taken"] and "0 bytes copied" in told["Taken"]


def test_account_of_an_archive(lab: Lab) -> None:
    """An archive has entries, and no root file system to mount."""
    done = call(command(lab, "--fs=cpio", "--compress=lz4"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = summary(done.stdout)
    assert told["Image"].startswith("cpio archive, lz4-compressed, ")
    assert told["Time"].endswith("s to /init")
    if not lab.stock:
        assert "unpacked" in told["Taken"] and "entries" in told["Taken"]


@pytest.mark.parametrize(("kind", "compressor"), [("cpio", "none"), ("cpio", "xz"), ("ext2", "none"),
                                                  ("cramfs", "gzip")])
def test_image_of_the_users(lab: Lab, kind: str, compressor: str) -> None:
    """--image finds out by itself whether root=/dev/ram0 is needed, and an
    image that reports is believed."""
    image = lab.image(kind, compressor)
    named = image.rename(image.with_name("my, image"))
    done = call(command(lab, "--image", named))
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary(done.stdout)["Result"] == "booted: the guest reported success over its own port"


def test_image_without_a_report(lab: Lab) -> None:
    """The summary says that it was judged from the console."""
    init = Entry.file("init", b"#!/bin/busybox sh\nsleep 100\n", 0o755)
    image = lab.write("image", lab.archive([init]))
    done = call(command(lab, f"--image={image}"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "judged from the console" in summary(done.stdout)["Result"]


def test_failure_shows_the_log(lab: Lab) -> None:
    """A boot that fails ends with 1, the log's last lines and the reason."""
    image = lab.write("image", b"not an image of anything" * 1000)
    done = call(command(lab, f"--image={image}", "--append=rootfstype=ext2", "--memory=192M", "--cpus=2"))
    assert done.returncode == 1
    assert "Kernel panic - not syncing: VFS: Unable to mount root fs" in done.stdout
    assert summary(done.stdout)["Result"].startswith("failed: the kernel panicked: VFS: Unable to mount root fs")


def test_disks(lab: Lab) -> None:
    """--disk gives disks, in the order of the options, and a root on one."""
    disk = lab.real_root("[ -b /dev/vdb ] && [ ! -b /dev/vdc ]\n").rename(lab.path("a, disk"))
    before = disk.read_bytes()
    done = call(command(lab, f"--image={lab.image('cramfs')}", "--disk", disk, f"--disk={disk}",
                        "--append=root=/dev/vda rw"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary(done.stdout)["Root"].split()[1:3] == ["/", "ext2"]
    assert disk.read_bytes() == before
    done = call([BOOT, "--disk=/no/such"])
    assert done.returncode == 1 and "/no/such: there is no such disk" in done.stderr


def test_append_wins(lab: Lab) -> None:
    """Words of the user's come after ours, and all of them count."""
    done = call(command(lab, "--fs", "ext2", "--append", "ro", "--append=rootfstype=ext2 rootdelay=0"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary(done.stdout)["Root"].split()[3].split(",")[0] == "ro"


@pytest.mark.parametrize("options", [["--fs=tar"], ["--compress=arj"], ["--memory=lots"], ["--cpus=0"], ["--append"],
                                     ["--no-such"], ["stray"], ["--fs=ext2", "--image=/dev/null"]])
def test_wrong_usage(options: list[str]) -> None:
    """A wrong command line ends with 2 and says what is wrong with it."""
    done = call([BOOT, *options])
    assert done.returncode == 2
    assert done.stdout == "" and options[-1].lstrip("-").split("=")[0] in done.stderr


def test_missing_image() -> None:
    """A file that is not there is named, before anything is built."""
    done = call([BOOT, "--image=/no/such/image"])
    assert done.returncode == 1
    assert done.stderr.startswith("boot: error: /no/such/image: there is no such image")


def test_help_and_dry_run(tmp_path: Path) -> None:
    """--help names every option; --dry-run prints commands and runs nothing."""
    text = call([BOOT, "--help"]).stdout
    for option in ("arch kernel image fs compress disk append memory cpus stock debug interactive timeout "
                   "kernel-image dry-run verbose help").split():
        assert f"--{option}" in text
    done = call([BOOT, "--dry-run", "--fs=romfs", "--append=quiet"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [shlex.split(line) for line in done.stdout.splitlines()]
    assert any(line[0].endswith("build-kernel.sh") for line in lines)
    qemu = next(line for line in lines if line[0].startswith("qemu-system-"))
    assert qemu[qemu.index("-append") + 1].endswith("root=/dev/ram0 quiet")
    assert list(tmp_path.iterdir()) == []


def test_interactive(lab: Lab) -> None:
    """A shell on the console; "exit" ends it, and the machine with it."""
    child = pexpect.spawn(shlex.join(command(lab, "--interactive", "--fs=ext2")), timeout=60, encoding="utf-8")
    child.expect("Ctrl-A X")
    # (The home is /: newer shells say so.)
    child.expect("[/~] # ")
    child.sendline("echo product=$((6*7)) $(cat /proc/1/comm)")
    child.expect("product=42 init")
    child.sendline("exit")
    child.expect("Result +booted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(lab: Lab, number: signal.Signals) -> None:
    """Ctrl-C leaves no QEMU behind."""
    image = lab.write("sleeper", lab.archive([Entry.file("init", b"#!/bin/busybox sh\nsleep 1000\n", 0o755)]))
    process = subprocess.Popen(command(lab, f"--image={image}", "--append=rdinit=/init"), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True,
                               preexec_fn=heed_interrupts)
    assert process.stdout is not None
    for line in process.stdout:
        if "booting with" in line:
            break
    deadline = time.monotonic() + 20
    while not machines(image) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert machines(image)
    process.send_signal(number)
    process.stdout.read()
    assert process.wait(10) == 128 + number
    assert machines(image) == []


def heed_interrupts() -> None:
    """A test run in the background has SIGINT ignored, which is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def machines(image: Path) -> list[int]:
    """The QEMU processes that run with this image."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"qemu-system" in words[0] and os.fsencode(image.resolve()) in words:
                found.append(int(entry.name))
    return found


def test_images_command(tmp_path: Path) -> None:
    """images.py makes an image by itself and says what it is."""
    target = tmp_path / "out image"
    done = call([sys.executable, ROOT / "qemu/images.py", "--fs=minix", "--size=4M", "--output", target])
    assert done.returncode == 0, done.stderr
    assert target.stat().st_size == 4 * images.MIB
    assert done.stdout.strip() == f"{target}: minix file system image, {4 * images.MIB} bytes"
    assert images.run_tool(["fsck.minix", "-f", target]) is not None
