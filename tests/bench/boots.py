# SPDX-License-Identifier: GPL-2.0
"""Boots an input with one of the two kernels, and reads what the guest says."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Sequence

import report
import vm

from .inputs import Ready

#: Instead of a random token: every run of an input is to be the same.
TOKEN = "0" * 32

_POPULATE = re.compile(r"^Trying to unpack rootfs image as initramfs")
_MOUNTED = re.compile(r"^VFS: Mounted root \(")
_INIT = re.compile(r"^Run /\S+ as init process$")


@dataclass(frozen=True)
class Kernel:
    """A kernel to measure; `name` is "ours" or "C". `image` is booted, `origin`
    is where it was built."""

    name: str
    image: Path
    origin: Path

    @classmethod
    def copied(cls, name: str, origin: Path, folder: Path) -> "Kernel":
        """A kernel that stays as it is while others build it anew."""
        folder.mkdir(parents=True, exist_ok=True)
        image = folder / f"kernel-{name}{origin.suffix}"
        shutil.copy(origin, image)
        return cls(name, image, origin.resolve())

    @property
    def stock(self) -> bool:
        return self.name == "C"


@dataclass
class Result:
    """What came of a boot: when what happened, in microseconds of the guest's,
    what the guest reported, and why it failed if it did."""

    ok: bool
    reason: str
    seconds: float = 0.0
    stamps: list[tuple[int, str]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def _time(self, pattern: re.Pattern[str]) -> int | None:
        found = [time for time, text in self.stamps if pattern.match(text)]
        return found[-1] if found else None

    @property
    def populate(self) -> int | None:
        """When the kernel began with the initrd."""
        return self._time(_POPULATE)

    @property
    def end(self) -> int | None:
        """When the root was there: an image mounted, or an archive's init run."""
        mounted = self._time(_MOUNTED)
        return mounted if mounted is not None else self._time(_INIT)

    @property
    def idle(self) -> int:
        """How long the processor waited before init began, in microseconds."""
        return int(self.facts.get("idle", 0)) // 1000

    @property
    def busy(self) -> int | None:
        """The end, had it never waited."""
        return None if self.end is None else self.end - self.idle

    @property
    def load_ms(self) -> int | None:
        """The time in our kernel's own line about the load."""
        loads = report.Console("\n".join(f"[{0:5}.000000] {text}" for _, text in self.stamps)).loads
        return loads[-1].milliseconds if loads else None


def read_result(outcome: vm.Outcome) -> Result:
    """Takes the guest's report apart."""
    guest = outcome.guest
    stamps, facts = [], {}
    for key, value in guest.facts.items():
        if key.startswith("kmsg."):
            time, _, text = value.partition(" ")
            stamps.append((int(time), text))
        else:
            facts[key] = value
    return Result(outcome.success, guest.failure or outcome.reason, outcome.seconds, stamps, facts)


def options_for(ready: Ready) -> list[str]:
    """The kernel's options for an input, the same ones for both kernels."""
    words = ["quiet"]
    if ready.input.is_image:
        # (Ours needs neither the size nor, after its load, leave to mount.)
        kib = max(4096, -(-ready.plain_size // 1024))
        words += ["root=/dev/ram0", "ro", f"ramdisk_size={kib}", "bdev_allow_write_mounted=1"]
    return words + [f"bench.check={check}" for check in ready.checks]


@dataclass
class Lab:
    """The kernels, the place for logs, and how a machine looks."""

    ours: Kernel
    c: Kernel
    folder: Path
    cpu: str
    memory: str
    jobs: int
    repeat: int | None
    tell: Callable[[str], None]
    #: Everything that was booted, for results.json.
    history: list[dict[str, object]] = field(default_factory=list)

    @property
    def kernels(self) -> tuple[Kernel, Kernel]:
        return self.ours, self.c

    def boot(self, instrument: str, kernel: Kernel, ready: Ready, *, append: Sequence[str] = (),
             extra: Sequence[str] = (), memory: str | None = None, cpus: int = 1,
             timeout: float = 900.0) -> Result:
        """Boots once, with TCG."""
        boot = vm.Boot(kernel.image, ready.path, append=[*options_for(ready), *append],
                       memory=memory or self.memory, cpus=cpus, timeout=timeout,
                       extra=["-cpu", self.cpu, *extra], accel="tcg", token=TOKEN)
        folder = self.folder / "-".join((instrument, ready.input.name, kernel.name, memory or "", str(cpus)))
        result = read_result(vm.run(boot, folder))
        self.history.append({"instrument": instrument, "kernel": kernel.name, "input": ready.input.name,
                             "memory": boot.memory, "cpus": cpus, "append": list(append), "ok": result.ok,
                             "reason": result.reason, "populate": result.populate, "end": result.end, "idle": result.idle,
                             "seconds": round(result.seconds, 3)})
        return result
