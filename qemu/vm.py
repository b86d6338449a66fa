#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Boots a kernel with an initrd in QEMU and judges the outcome.

The guest reports over a serial port of its own, with a token that is new for
every run, so that nothing on the console can pass for success. qemu/boot is
the user's way in; the boot tests import this module.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Callable, Iterator, Sequence

import images
import kernels
from machines import MACHINES, Machine
from report import Console, Guest, account

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"

#: How long a kernel may take to die or to power off after it said so.
GRACE = 5.0
#: How long an image that does not report must stay up after its init started.
SETTLE = 5.0
#: The runs under build/boot/ that are kept.
KEPT_RUNS = 10


class VmError(Exception):
    """A machine cannot be started; the text says why and what to do."""


#: For Boot.dtb.
NO_DTB = Path()


@dataclass
class Boot:
    """What to boot and how.

    `append` comes last on the kernel command line, so that it wins over what
    is put there by default. `disks` become virtio disks vda, vdb, ... (ubda, ...
    of User Mode Linux) with snapshots, so that they are not changed. `reports` says that the image runs
    qemu/guest-init.sh; without it success is judged from the console. `machine`
    names one of MACHINES, an architecture's usual one or another of its boards;
    `dtb` is a device tree instead of the machine's; NO_DTB: the boot loader
    does not know of device trees.

    Without a kernel the machine boots from `disc`, a CD, whose boot loader has
    to pass command_line() on.
    """

    kernel: Path | None
    initrd: Path | None
    machine: str = "x86_64"
    append: Sequence[str] = ()
    memory: str = "256M"
    cpus: int = 1
    timeout: float = 120.0
    disks: Sequence[Path] = ()
    extra: Sequence[str] = ()
    accel: str = "tcg"
    interactive: bool = False
    reports: bool = True
    disc: Path | None = None
    dtb: Path | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass
class Outcome:
    """What came of a boot. `reason` is one sentence, for both verdicts."""

    success: bool
    reason: str
    console: Console
    guest: Guest
    seconds: float
    folder: Path


def quote(value: object) -> str:
    """A value for one of QEMU's comma-separated option lists."""
    return str(value).replace(",", ",,")


def command_line(boot: Boot) -> str:
    """The kernel's command line for `boot`."""
    machine = MACHINES[boot.machine]
    words = [
        f"console={machine.console}",
        "panic=-1",
        "printk.time=1",
        "kunit.enable=0",
        f"initrd_test.token={boot.token}",
        f"initrd_test.port={machine.report_port}",
    ]
    if boot.interactive:
        words.append("initrd_test.shell")
    return " ".join([*words, *boot.append])


def command(boot: Boot, folder: Path) -> list[str]:
    """QEMU's command line for `boot`, with its logs in `folder`."""
    machine = MACHINES[boot.machine]
    if machine.native:
        return native_command(boot, folder)
    words = [machine.qemu, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    words += machine.options
    if boot.accel == "kvm":
        words += ["-accel", "kvm", "-cpu", "host"]
    else:
        words += ["-accel", "tcg", *machine.emulated]
    words += ["-m", boot.memory, "-smp", str(max(boot.cpus, machine.least_cpus))]
    if boot.kernel is not None:
        words += ["-kernel", str(boot.kernel), "-append", command_line(boot)]
    dtb = boot.dtb
    if dtb is None and machine.dtb and boot.kernel is not None:
        dtb = kernels.find_dtb(boot.kernel, machine.dtb)
    if dtb not in (None, NO_DTB):
        words += ["-dtb", str(dtb)]
    if boot.initrd is not None:
        words += ["-initrd", str(boot.initrd)]
    if boot.disc is not None:
        words += ["-drive", f"file={quote(boot.disc)},media=cdrom,index=2"]
    log = quote(folder / "console.log")
    if boot.interactive:
        words += ["-chardev", f"stdio,id=console,mux=on,signal=off,logfile={log}"]
        words += ["-mon", "chardev=console"]
    else:
        words += ["-chardev", f"file,id=console,path={log}"]
    words += ["-serial", "chardev:console"]
    words += ["-chardev", f"file,id=report,path={quote(folder / 'report.log')}"]
    words += machine.report_device
    disks = list(enumerate(boot.disks))
    # (QEMU puts what is on no bus of PCI into the device tree from the end.)
    for number, disk in disks if machine.has_pci else reversed(disks):
        words += ["-drive", f"file={quote(disk)},format=raw,if=none,snapshot=on,id=disk{number}"]
        words += ["-device", f"{machine.disk},drive=disk{number}"]
    return [*words, *boot.extra]


#: The file descriptor that User Mode Linux reports on.
REPORT_FD = 3


def native_command(boot: Boot, folder: Path) -> list[str]:
    """The command line of User Mode Linux, a kernel that is a program. run() gives
    it the file descriptor to report on, and its standard output is the console."""
    if boot.disc is not None or boot.extra or boot.cpus != 1:
        raise VmError("User Mode Linux has one processor and no devices of QEMU's")
    words = [str(boot.kernel), f"mem={boot.memory}", f"uml_dir={folder}/", "con=null", "ssl=null",
             "con0=fd:0,fd:1" if boot.interactive else "con0=null,fd:1", f"ssl0=null,fd:{REPORT_FD}"]
    if boot.initrd is not None:
        words.append(f"initrd={boot.initrd}")
    # (The first file takes what is written.)
    words += [f"ubd{number}={folder}/disk{number}.cow,{disk}" for number, disk in enumerate(boot.disks)]
    return [*words, *shlex.split(command_line(boot))]


def _in_child(report: int | None) -> None:
    """Runs in the child before QEMU starts: ends it when this process ends, and
    puts a file to report to where User Mode Linux is told to find it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    if report is not None:
        os.dup2(report, REPORT_FD)


@contextlib.contextmanager
def _running(words: Sequence[str], *, foreground: bool = False,
             native: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Starts QEMU and makes sure that it is gone at the end, whatever happens. With
    `native` it is a kernel itself, whose logs go to that folder.

    In the foreground it shares the terminal, otherwise it gets no input and a
    session of its own, so that Ctrl-C reaches this process only.
    """
    output: IO[bytes] | int | None = None if foreground else subprocess.DEVNULL
    with contextlib.ExitStack() as files:
        report: IO[bytes] | None = None
        if native is not None:
            report = files.enter_context(open(native / "report.log", "ab"))
            if not foreground:
                output = files.enter_context(open(native / "console.log", "ab"))
        process = subprocess.Popen(
            list(words),
            stdin=None if foreground else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE if native is None else output,
            start_new_session=not foreground,
            pass_fds=[REPORT_FD] if report is not None else [],
            preexec_fn=functools.partial(_in_child, report.fileno() if report is not None else None),
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        if native is not None and not foreground:
            # (Its processes on the host, each of which has one of the guest's.)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


class _Follower:
    """Reads a growing file piece by piece."""

    def __init__(self, path: Path, echo: Callable[[str], None] | None = None) -> None:
        self.path = path
        self.data = bytearray()
        self.echo = echo
        self._file = None if not path.exists() else open(path, "rb")

    def read(self) -> bool:
        """Takes in what is new; returns whether there was anything."""
        if self._file is None:
            if not self.path.exists():
                return False
            self._file = open(self.path, "rb")
        new = self._file.read()
        if new and self.echo is not None:
            self.echo(new.decode(errors="replace").replace("\r", ""))
        self.data += new
        return bool(new)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")


def _echo(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _verdict(boot: Boot, console: Console, guest: Guest, ended: str) -> tuple[bool, str]:
    """Success and the sentence for it. `ended` says how the run ended: exit,
    timeout, settled (the guest stayed up after its init started) or an error
    message of QEMU's."""
    if boot.reports or guest.began:
        if guest.success:
            return True, "the guest reported success over its own port"
        if guest.failure is not None:
            return False, f"the guest reported a failure: {guest.failure}"
    if console.panic is not None:
        return False, f"the kernel panicked: {console.panic}"
    if ended.startswith("qemu"):
        return False, ended
    if not boot.reports and console.init is not None:
        started = console.init[0]
        how = "ended by itself" if ended == "exit" else "stayed up"
        if ended in ("exit", "settled"):
            return True, (
                f"reached user space: the kernel started {started} and {how} "
                "(judged from the console, the image sends no report)"
            )
    if ended == "timeout":
        where = "before it started an init" if console.init is None else f"after it started {console.init[0]}"
        return False, f"no report of success within {boot.timeout:g} s; the time ran out {where}"
    if not console.lines:
        return False, "QEMU ended and the kernel had not said a word"
    return False, "the machine went off without a report of success"


def run(boot: Boot, folder: Path, *, verbose: bool = False) -> Outcome:
    """Boots and waits for the end, at most `boot.timeout` seconds.

    The logs go to `folder`: console.log, report.log, and the command. Raises
    VmError when QEMU cannot be started.
    """
    machine = MACHINES[boot.machine]
    if not machine.native and shutil.which(machine.qemu) is None:
        package = images.package_of(machine.qemu)
        raise VmError(f"{machine.qemu} is missing; install it: apt-get install {package}")
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / "console.log", folder / "report.log", *folder.glob("disk*.cow")):
        old.unlink(missing_ok=True)
    words = command(boot, folder)
    (folder / "command").write_text(shlex.join(words) + "\n")

    console = _Follower(folder / "console.log", _echo if verbose else None)
    report = _Follower(folder / "report.log")
    start = time.monotonic()
    ended = ""
    with _running(words, foreground=boot.interactive,
                  native=folder.resolve() if machine.native else None) as process:
        deadline = None if boot.interactive else start + boot.timeout
        last_chance: float | None = None
        while not ended:
            stopped = process.poll() is not None
            grown = console.read()
            grown = report.read() or grown
            if stopped:
                ended = "exit"
                # (User Mode Linux ends itself with a signal when it panics.)
                if process.returncode != 0 and process.stderr is not None:
                    said = process.stderr.read().decode(errors="replace").strip()
                    ended = f"qemu failed (status {process.returncode}): {said[-600:]}"
                break
            now = time.monotonic()
            if grown and last_chance is None and not boot.interactive:
                last_chance = _last_chance(boot, console.text, report.text, now)
            if last_chance is not None and now > last_chance:
                ended = "settled"
            elif deadline is not None and now > deadline:
                ended = "timeout"
            else:
                time.sleep(0.02)
    console.read()
    report.read()
    console.close()
    report.close()

    log = Console(console.text)
    guest = Guest.parse(report.text, boot.token)
    success, reason = _verdict(boot, log, guest, ended)
    return Outcome(success, reason, log, guest, time.monotonic() - start, folder)


def _last_chance(boot: Boot, console: str, report: str, now: float) -> float | None:
    """When to stop waiting for the machine to go off by itself, once its fate
    is known: after a panic, a finished report, or the start of a foreign init."""
    if "Kernel panic - not syncing" in console or Guest.parse(report, boot.token).ended:
        return now + GRACE
    if not boot.reports and Console(console).init is not None:
        return now + SETTLE
    return None


# --- KVM ----------------------------------------------------------------------

# The last bytes of a boot ROM: at the reset vector, 16 bytes below its end,
# `mov al, 21; out 0xf4, al; hlt`, which ends QEMU through isa-debug-exit with
# the status 2 * 21 + 1, unlike any that QEMU itself ends with.
_ROM_SIZE = 65536
_ROM_CODE = b"\xb0\x15\xe6\xf4\xf4"
_ROM_STATUS = 43


def _probe(words: Sequence[str], seconds: float) -> int | None:
    """QEMU's exit status, or None when it hung for `seconds`."""
    with _running(words) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(seconds)
    return None


def _probe_kvm(machine: Machine, kernel: Path) -> str:
    """Tries KVM with a few instructions and then with the kernel itself.
    Returns "works" or what is wrong."""
    common = [machine.qemu, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    common += [*machine.options, "-accel", "kvm", "-cpu", "host"]
    with tempfile.TemporaryDirectory() as scratch:
        rom = Path(scratch) / "rom"
        rom.write_bytes(b"\xf4" * (_ROM_SIZE - 16) + _ROM_CODE.ljust(16, b"\xf4"))
        status = _probe(
            [*common, "-m", "16M", "-bios", str(rom), "-device", "isa-debug-exit,iobase=0xf4,iosize=1"], 3
        )
        if status is None:
            return "hangs at the first instructions"
        if status != _ROM_STATUS:
            return "cannot be used"
        log = Path(scratch) / "log"
        _probe(
            [*common, "-m", "256M", "-kernel", str(kernel), "-chardev", f"file,id=log,path={quote(log)}",
             "-serial", "chardev:log",
             "-append", f"console={machine.console} panic=-1 root=/dev/none kunit.enable=0"],
            15,
        )
        text = log.read_text(errors="replace") if log.exists() else ""
        return "works" if "Kernel panic" in text else "hangs while the kernel boots"


def choose_accel(name: str, kernel: Path, *, tell: Callable[[str], None] = lambda text: None) -> str:
    """"kvm" when the host has a KVM that works, otherwise "tcg".

    /dev/kvm may exist and hang every guest, so it is tried with a time limit,
    once per start of the host; the answer is kept in build/kvm.json.
    """
    device = Path("/dev/kvm")
    machine = MACHINES[name]
    if os.uname().machine != machine.kvm_host or not os.access(device, os.R_OK | os.W_OK):
        return "tcg"
    with contextlib.suppress(OSError):
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        cache = BUILD / "kvm.json"
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(cache.read_text())
            if known.get("boot") == boot_id and known.get("arch") == machine.arch:
                return "kvm" if known.get("state") == "works" else "tcg"
        tell("trying KVM ...")
        state = _probe_kvm(machine, kernel)
        tell(f"KVM {state}" + ("" if state == "works" else "; using emulation (TCG)"))
        BUILD.mkdir(exist_ok=True)
        cache.write_text(json.dumps({"boot": boot_id, "arch": machine.arch, "state": state}) + "\n")
        return "kvm" if state == "works" else "tcg"
    return "tcg"


# --- the command line -----------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vm.py", description="The part of qemu/boot that makes the image and runs QEMU."
    )
    parser.add_argument("--machine", default="x86_64", choices=MACHINES)
    parser.add_argument("--dtb", type=Path)
    parser.add_argument("--kernel-image", type=Path, required=True)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--fs", default="ext2", choices=images.FORMATS)
    parser.add_argument("--compress", default="none", choices=["none", *images.COMPRESSORS])
    parser.add_argument("--disk", action="append", default=[], type=Path)
    parser.add_argument("--append", action="append", default=[])
    parser.add_argument("--memory", default="256M")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120.0)
    parser.add_argument("--accel", default="auto", choices=["auto", "kvm", "tcg"])
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--interactive", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    return parser


def _tell(text: str) -> None:
    print(f"boot: {text}", file=sys.stderr, flush=True)


def _new_folder() -> Path:
    """A folder of its own for this run; the oldest ones go."""
    parent = BUILD / "boot"
    parent.mkdir(parents=True, exist_ok=True)
    runs = sorted((p for p in parent.iterdir() if p.is_dir() and p.name.startswith("run-")),
                  key=lambda p: p.stat().st_mtime)
    for old in runs[: max(0, len(runs) - KEPT_RUNS + 1)]:
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=time.strftime("run-%Y%m%d-%H%M%S-"), dir=parent))


def root_options(kind: images.Kind, *, stock: bool, size: int) -> list[str]:
    """The kernel options that an image of this kind needs to become the root.

    `size` is the length of the image as it lies in the RAM disk. The C
    implementation has to be told a size that the image fits into.
    """
    if not kind.needs_ram0:
        return []
    words = ["root=/dev/ram0"]
    if kind.content in ("ext2", "ext3", "ext4", "minix", "minix2"):
        words.append("rw")
    if stock:
        # Without the first, the loader's own deferred close stands in the way
        # of the mount (CONFIG_BLK_DEV_WRITE_MOUNTED=n).
        words.append("bdev_allow_write_mounted=1")
        words.append(f"ramdisk_size={max(4096, (size + 1023) // 1024)}")
    return words


def _prepare_image(options: argparse.Namespace, folder: Path) -> tuple[Path, images.Kind, int]:
    """The image's path, what it is, and its uncompressed length as far as it
    is known (0 otherwise)."""
    if options.image is not None:
        kind = images.detect(options.image)
        return options.image, kind, options.image.stat().st_size if kind.compressor == "none" else 0
    _tell(f"making the image: {options.fs}, compression {options.compress}")
    tree = images.demo_tree(folder / "tree", arch=MACHINES[options.machine].arch)
    plain = images.build(options.fs, tree, folder / "image")
    size = plain.stat().st_size
    packed = images.compress(plain, options.compress)
    shutil.rmtree(tree)
    return packed, images.detect(packed), size


def _dry_run(options: argparse.Namespace) -> int:
    """Prints the commands and runs none of them."""
    folder = BUILD / "boot/run"
    if options.image is not None:
        image = options.image
        kind = images.detect(image) if image.exists() else images.Kind("none", "unknown")
    else:
        image = folder / "image"
        content = "cramfs" if options.fs.startswith("cramfs") else options.fs
        kind = images.Kind(options.compress, content)
        words = [sys.executable, str(HERE / "images.py"), "--fs", options.fs,
                 "--compress", options.compress, "--output", str(image)]
        print(shlex.join(words))
    append = [*root_options(kind, stock=options.stock, size=8 * images.MIB), *options.append]
    accel = "tcg" if options.accel == "auto" else options.accel
    boot = Boot(options.kernel_image, image, options.machine, append, options.memory, options.cpus,
                options.timeout, options.disk, accel=accel, interactive=options.interactive, dtb=options.dtb)
    print(shlex.join(command(boot, folder)))
    return 0


def _main(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _dry_run(options)
    if not options.kernel_image.is_file():
        raise VmError(f"{options.kernel_image}: there is no such kernel image")
    if options.image is not None and not options.image.is_file():
        raise VmError(f"{options.image}: there is no such image")
    folder = _new_folder()
    image, kind, size = _prepare_image(options, folder)
    accel = options.accel
    if accel == "auto":
        accel = choose_accel(options.machine, options.kernel_image, tell=_tell)
    append = [*root_options(kind, stock=options.stock, size=size), *options.append]
    boot = Boot(
        options.kernel_image.resolve(),
        image.resolve(),
        options.machine,
        append,
        options.memory,
        options.cpus,
        options.timeout,
        [disk.resolve() for disk in options.disk],
        accel=accel,
        interactive=options.interactive,
        reports=options.image is None,
        dtb=options.dtb,
    )
    how = "as a program" if MACHINES[options.machine].native else f"with {accel.upper()}"
    _tell(f"booting {how}, {options.memory} of memory")
    if options.verbose:
        _tell(shlex.join(command(boot, folder)))
    if options.interactive:
        _tell("leave with Ctrl-A X; the demonstration's shell also ends with \"exit\"")
    outcome = run(boot, folder, verbose=options.verbose)
    if options.interactive and not outcome.success and outcome.console.panic is None:
        outcome.success = outcome.console.init is not None
        outcome.reason = "the session was ended at the console"
    if not outcome.success:
        print(outcome.console.tail(30))
    print()
    print(account(outcome.console, outcome.guest, image=str(kind), size=image.stat().st_size,
                  stock=options.stock, result=("booted: " if outcome.success else "failed: ") + outcome.reason))
    print(f"\nThe log: {folder / 'console.log'}")
    return 0 if outcome.success else 1


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        return _main(options)
    except (VmError, images.ImageError, OSError) as error:
        print(f"boot: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("boot: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
