# SPDX-License-Identifier: GPL-2.0
"""Memory: the smallest machine, in MiB, in which an input boots and is whole."""

from __future__ import annotations

from typing import Callable, Sequence

from ..boots import Kernel, Lab
from ..content import MIB
from ..inputs import Input, Ready, Store
from ..packing import PACKINGS
from ..parallel import in_parallel
from ..rows import Row, Target
from ..targets import ARCHIVE_MEMORY, IMAGE_SLOPE, WHOLE_MACHINE, compressed_memory

NAME = "memory"

#: The smallest size that is tried, and how often the image's a boot may need.
LEAST = 12
MOST = 4
TIMEOUT = 60.0

#: What is measured: two sizes of images, for the slope, and the rest beside the
#: smallest input.
SLOPE = (Input("ext2-16"), Input("ext2-64"))
ABOVE_BASE = tuple(Input("ext2-64", packing) for packing in ("gz", "zst", "lz4", "xz")) + (
    Input("cpio-mixed"), Input("cpio-big"), Input("cpio-big-aligned"))
#: Without root= or another option, so that the first root is a tmpfs with its usual
#: limit: the smallest machine itself.
NO_OPTIONS = (Input("cpio-100"), Input("cpio-100", "gz"))


def smallest(works: Callable[[int], bool], low: int, high: int) -> int | None:
    """The smallest number from `low` to `high` that works, where all above it
    do; None when `high` does not."""
    if not works(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return high


def needed(inputs: Sequence[Input]) -> list[Input]:
    """What has to be made: the inputs to measure, and the smallest ones."""
    found = [one for one in (*SLOPE, *ABOVE_BASE) if one in inputs]
    alone = [one for one in NO_OPTIONS if one in inputs]
    if all(one in found for one in SLOPE) or any(one in found for one in ABOVE_BASE):
        return list(dict.fromkeys([*(one.base for one in found), *found, *alone]))
    return alone


def boots_with(lab: Lab, kernel: Kernel, ready: Ready, mebibytes: int) -> bool:
    # (Of a tmpfs the default is that it holds half of the memory, in C.)
    append = [] if ready.input.is_image or ready.input in NO_OPTIONS else ["rootfstype=ramfs"]
    return lab.boot(NAME, kernel, ready, append=append, memory=f"{mebibytes}M", timeout=TIMEOUT).ok


def search(lab: Lab, kernel: Kernel, ready: Ready) -> int | None:
    """The smallest machine for this input, None when it never boots."""
    whole = max(ready.plain_size, ready.size) // MIB
    found = smallest(lambda size: boots_with(lab, kernel, ready, size), LEAST + ready.size // MIB, 64 + MOST * whole)
    lab.tell(f"memory: {ready.input.name}, {kernel.name}: {found} MiB")
    return found


def measure(lab: Lab, store: Store, inputs: Sequence[Input]) -> list[Row]:
    """Searches for each input and kernel, several at a time."""
    todo = needed(inputs)
    pairs = [(one, kernel) for one in todo for kernel in lab.kernels]
    done = in_parallel(lab.jobs, lambda pair: search(lab, pair[1], store.get(pair[0])), pairs)
    least = {(one, kernel.name): result for (one, kernel), result in zip(pairs, done)}

    def above(one: Input, other: Input, name: str, unit: float) -> float | None:
        """What `one` needs more than `other`, in parts of `unit` bytes."""
        whole, base = least[one, name], least[other, name]
        return None if whole is None or base is None else (whole - base) * MIB / unit

    def row(name: str, one: Input, other: Input, unit: str, factor: float, target: Target) -> Row:
        sizes = [f"{kernel.name} boots with {least[one, kernel.name]} MiB" if least[one, kernel.name] else
                 f"{kernel.name}: fails" for kernel in lab.kernels]
        return Row(NAME, name, unit, above(one, other, "ours", factor), above(one, other, "C", factor), target,
                   "; ".join(sizes))

    rows = []
    if all(one in todo for one in SLOPE):
        small, large = SLOPE
        growth = store.get(large).plain_size - store.get(small).plain_size
        rows.append(row("ext2, 16 to 64 MiB", large, small, "MiB per MiB", growth, IMAGE_SLOPE))
    for one in (one for one in ABOVE_BASE if one in todo):
        size = store.get(one).plain_size
        if one.is_image:
            target = compressed_memory(size, PACKINGS[one.packing].window)
            rows.append(row(one.name, one, one.base, "MiB above the smallest", MIB, target))
        else:
            rows.append(row(one.name, one, one.base, "size of the archive", size, ARCHIVE_MEMORY))
    rows += [Row(NAME, f"{one.name}, no options", "MiB, the smallest machine", least[one, "ours"], least[one, "C"],
                 WHOLE_MACHINE, "; ".join(f"{name}: fails" for name in ("ours", "C") if not least[one, name]))
             for one in NO_OPTIONS if one in todo]
    return rows
