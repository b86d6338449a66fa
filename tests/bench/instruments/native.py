# SPDX-License-Identifier: GPL-2.0
"""Native speed: both kernels as User Mode Linux, which runs as a program.

Measured is the time from the program's start to the first word of init, by the
host's clock (the kernel's own has steps of 10 ms there), less the same for the
smallest input of the same kind. Medians of boots in turn.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Sequence

from report import Guest

from ..boots import TOKEN, Kernel, Lab, options_for
from ..host import busy
from ..inputs import Input, Ready, Store
from ..rows import Row
from ..targets import NATIVE

NAME = "uml"
REPEAT = 7
MEMORY = "1536M"
TIMEOUT = 120.0

INPUTS = ("ext2-64", "ext2-256", "ext2-64.gz", "ext2-64.zst", "ext2-64.lz4", "ext2-64.xz", "cpio-mixed", "cpio-big",
          "cpio-big-aligned", "cpio-small", "cpio-mixed.gz", "cpio-mixed.zst")


def measured(inputs: Sequence[Input]) -> list[Input]:
    """The inputs that have a figure of their own."""
    return [one for one in inputs if one.name in INPUTS]


def needed(inputs: Sequence[Input]) -> list[Input]:
    """These and the smallest ones of the same kinds."""
    found = measured(inputs)
    return list(dict.fromkeys([*(one.base for one in found), *found]))


def _in_child() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def command(kernel: Kernel, ready: Ready, folder: Path, report: int) -> list[str]:
    """User Mode Linux with its serial line on the file descriptor `report`."""
    return [str(kernel.image), f"mem={MEMORY}", f"initrd={ready.path}", f"uml_dir={folder}/", "con=null",
            "ssl=null", f"ssl0=null,fd:{report}", f"initrd_test.token={TOKEN}", "initrd_test.port=ttyS0",
            "kunit.enable=0", "panic=-1", *options_for(ready)]


def run(words: Sequence[str], log: Path, report: tuple[int, int]) -> tuple[float | None, str]:
    """Starts the program and reads `report`, a pipe, until it ends. Returns the
    seconds to the first word of init's, if one came, and everything it said."""
    begun: float | None = None
    said = bytearray()
    start = time.monotonic()
    with open(log, "wb") as output, os.fdopen(report[0], "rb", buffering=0) as pipe, \
            selectors.DefaultSelector() as ready:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   pass_fds=[report[1]], start_new_session=True, preexec_fn=_in_child)
        os.close(report[1])
        ready.register(pipe, selectors.EVENT_READ)
        try:
            while ready.select(max(0.0, start + TIMEOUT - time.monotonic())):
                piece = pipe.read(65536)
                if not piece:
                    break
                said += piece
                if begun is None and b"BEGIN " in said:
                    begun = time.monotonic() - start
                if Guest.parse(said.decode(errors="replace"), TOKEN).ended:
                    break
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return begun, said.decode(errors="replace")


def boot(lab: Lab, kernel: Kernel, ready: Ready) -> tuple[float | None, str]:
    """Boots once; returns the seconds, or None and why it failed."""
    folder = lab.folder / f"{NAME}-{ready.input.name}-{kernel.name}"
    folder.mkdir(parents=True, exist_ok=True)
    pipe = os.pipe()
    seconds, said = run(command(kernel, ready, folder, pipe[1]), folder / "console.log", pipe)
    (folder / "report.log").write_text(said)
    guest = Guest.parse(said, TOKEN)
    lab.history.append({"instrument": NAME, "kernel": kernel.name, "input": ready.input.name,
                        "ok": guest.success, "reason": guest.failure or "", "seconds": seconds})
    if guest.success and seconds is not None:
        return seconds, ""
    return None, guest.failure or "no report of success"


def measure(lab: Lab, kernels: tuple[Kernel, Kernel], store: Store, inputs: Sequence[Input]) -> list[Row]:
    """Boots both kernels in turn, one boot at a time."""
    medians: dict[tuple[Input, int], float | None] = {}
    remarks: dict[Input, list[str]] = {}
    for one in needed(inputs):
        times: tuple[list[float], list[float]] = ([], [])
        failed: dict[int, str] = {}
        for _ in range(lab.repeat or REPEAT):
            for number, kernel in enumerate(kernels):
                if number in failed:
                    continue
                seconds, reason = boot(lab, kernel, store.get(one))
                if seconds is None:
                    failed[number] = reason
                else:
                    times[number].append(seconds)
        for number, name in enumerate(("ours", "C")):
            medians[one, number] = None if number in failed else median(times[number])
            if number in failed:
                remarks.setdefault(one, []).append(f"{name}: fails ({failed[number]})")
            else:
                remarks.setdefault(one, []).append(f"{name} {min(times[number]):.3f} to {max(times[number]):.3f} s")
        lab.tell(f"uml: {one.name}: {'; '.join(remarks[one])}")

    def above(one: Input, number: int) -> float | None:
        """Milliseconds more than the smallest input of the kind takes."""
        whole, base = medians[one, number], medians[one.base, number]
        return None if whole is None or base is None else (whole - base) * 1000

    return [Row(NAME, one.name, "ms", above(one, 0), above(one, 1), NATIVE,
                "whole boots: " + "; ".join(remarks[one]) + busy()) for one in measured(inputs)]
