# SPDX-License-Identifier: GPL-2.0
"""Two processors: how much faster our kernel loads an image of independent
parts than with one, by the time in its own line about the load.

QEMU runs each processor in a thread of its own, so this means something on an
otherwise idle machine with two cores or more only.
"""

from __future__ import annotations

import os
from statistics import median
from typing import Sequence

from ..boots import Lab
from ..host import busy
from ..inputs import Input, Store
from ..rows import Row
from ..targets import two_cpus

NAME = "smp"
REPEAT = 7
PACKINGS = ("pzst", "frames.zst", "lz4", "cat.lz4", "blocks.xz", "multi.gz", "bgz", "lzo")


def needed(inputs: Sequence[Input]) -> list[Input]:
    """The inputs that are measured."""
    return [one for one in inputs if one.plain == "ext2-64" and one.packing in PACKINGS]


def measure(lab: Lab, store: Store, inputs: Sequence[Input]) -> list[Row]:
    """One boot after the other, with one and with two processors in turn."""
    rows = []
    cores = os.cpu_count() or 1
    for one in needed(inputs):
        times: dict[int, list[int]] = {1: [], 2: []}
        reason = ""
        for _ in range(lab.repeat or REPEAT):
            for cpus in (1, 2):
                # Nothing else is to run beside the load, and the host's page
                # faults, which come one at a time, are not what is measured.
                result = lab.boot(NAME, lab.ours, store.get(one), append=["initramfs_async=0"],
                                  extra=["-mem-prealloc"], cpus=cpus)
                if result.ok and result.load_ms is not None:
                    times[cpus].append(result.load_ms)
                else:
                    reason = result.reason if not result.ok else "no line about the load"
            if reason:
                break
        if reason:
            rows.append(Row(NAME, one.name, "ms on 2 CPUs", None, target=two_cpus(one.name),
                            note=f"ours: fails ({reason})"))
            lab.tell(f"smp: {one.name}: fails: {reason}")
            continue
        single, double = median(times[1]), median(times[2])
        note = f"{single:g} ms on one CPU; 2 CPUs took {min(times[2])} to {max(times[2])} ms"
        if cores < 2:
            note += "; this machine has one core"
        note += busy()
        rows.append(Row(NAME, one.name, "ms on 2 CPUs", double, None, two_cpus(one.name), note,
                        own_ratio=single / max(double, 1)))
        lab.tell(f"smp: {one.name}: {single:g} ms with one CPU, {double:g} ms with two")
    return rows
