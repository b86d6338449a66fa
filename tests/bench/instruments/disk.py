# SPDX-License-Identifier: GPL-2.0
"""Reads and writes of the RAM disk, in instructions: on /dev/ram0, which holds
the image, and on a fresh /dev/ram1; past the page cache and through it.
"""

from __future__ import annotations

from typing import Sequence

from ..boots import Lab, Result
from ..content import MIB
from ..inputs import Input, Store
from ..parallel import in_parallel
from ..rows import Row
from ..targets import DISK
from .icount import ICOUNT, OPTIONS

NAME = "io"
IMAGE = Input("ext2-64")

#: What is read and written: the middle of the image, the start of a fresh disk.
LENGTH = 16 * MIB
PLACES = (f"ram0:{32 * MIB}:{LENGTH}", f"ram1:0:{LENGTH}:fresh")


def needed(inputs: Sequence[Input]) -> list[Input]:
    """The image that is booted, if it was asked for."""
    return [one for one in inputs if one == IMAGE]


def label(key: str) -> str:
    """ "ram0 direct read 4K" for the guest's "disk.ram0.direct.read.4096"."""
    _, disk, how, what, block = key.split(".")
    size = int(block)
    return f"{disk} {how} {what} {size // MIB}M" if size >= MIB else f"{disk} {how} {what} {size // 1024}K"


def figures(result: Result) -> dict[str, float]:
    """Thousand instructions per MiB, by what was done."""
    return {label(key): int(value) / (LENGTH // MIB) / 1000
            for key, value in result.facts.items() if key.startswith("disk.")}


def measure(lab: Lab, store: Store, inputs: Sequence[Input]) -> list[Row]:
    """Boots once with each kernel."""
    if not needed(inputs):
        return []
    ready = store.get(IMAGE)
    append = [*OPTIONS, *(f"bench.disk={place}" for place in PLACES)]
    results = in_parallel(lab.jobs, lambda kernel: lab.boot(NAME, kernel, ready, append=append, extra=ICOUNT),
                          lab.kernels)
    note = "; ".join(f"{kernel.name}: fails ({result.reason})"
                     for kernel, result in zip(lab.kernels, results) if not result.ok)
    ours, c = (figures(result) for result in results)
    lab.tell(f"io: {len(ours)} figures of ours, {len(c)} of the C code" + (f"; {note}" if note else ""))
    names = dict.fromkeys([*ours, *c])
    rows = [Row(NAME, name, "thousand instructions per MiB", ours.get(name), c.get(name), DISK,
                note if name not in ours or name not in c else "") for name in names]
    return rows or [Row(NAME, IMAGE.name, "thousand instructions per MiB", None, note=note)]
