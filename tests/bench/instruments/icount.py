# SPDX-License-Identifier: GPL-2.0
"""Instructions: QEMU counts them, one per nanosecond of the guest's clock.

The figure of an input is what its boot takes, from the kernel's start to the
mounted root or to init, less what the boot of the smallest input of the same
kind takes: all that the input's content costs, wherever the kernel does it.
Time in which the processor waits goes by without instructions, and is left out.
The figure of a smallest input is the time from the beginning of its load to
the end, which has everything in it that happens meanwhile, and here the waiting
counts, a million for each millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ..boots import Kernel, Lab, Result
from ..inputs import Input, Ready, Store
from ..parallel import in_parallel
from ..rows import Row
from ..targets import GROWTH, instructions

NAME = "icount"
ICOUNT = ("-icount", "shift=0,sleep=off")
#: The local APIC's timer is measured in a busy loop, which takes QEMU seconds.
OPTIONS = ("nolapic",)

#: Microseconds between two ticks of the kernel's timer (CONFIG_HZ_100).
TICK = 10_000

#: Archives whose files are also unpacked into a ramfs instead of a tmpfs.
RAMFS = ("cpio-big", "cpio-big-aligned", "cpio-mixed")


@dataclass(frozen=True)
class Case:
    """An input and the options that it is booted with."""

    input: Input
    append: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.input.name} (ramfs)" if self.append else self.input.name

    @property
    def base(self) -> "Case":
        return Case(self.input.base, self.append)


def cases(inputs: Sequence[Input], *, quick: bool = False) -> list[Case]:
    """What is measured for these inputs."""
    found = [Case(one) for one in inputs]
    if not quick:
        found += [Case(one, ("rootfstype=ramfs",)) for one in inputs if one.name in RAMFS]
    return found


def needed(inputs: Sequence[Input]) -> list[Input]:
    """The inputs and the smallest ones that they are compared with."""
    return list(dict.fromkeys([*(one.base for one in inputs), *inputs]))


def boot(lab: Lab, kernel: Kernel, case: Case, ready: Ready) -> Result:
    """Boots, as often as was asked; all boots must be the same to the digit."""
    results = [lab.boot(NAME, kernel, ready, append=[*OPTIONS, *case.append], extra=ICOUNT)
               for _ in range(lab.repeat or 1)]
    ends = {result.end for result in results}
    if len(ends) > 1:
        lab.tell(f"warning: {case.name}, {kernel.name}: the boots differ: {sorted(ends, key=str)} µs")
    lab.tell(f"icount: {case.name}, {kernel.name}: {results[0].end} µs" if results[0].ok else
             f"icount: {case.name}, {kernel.name}: fails: {results[0].reason}")
    return results[0]


def without_ticks(microseconds: int) -> int:
    """A difference between two boots' early stamps, without whole ticks: while
    the timer is set up, a boot waits in a busy loop for the next tick, and may
    just miss one."""
    return (microseconds + TICK // 2) % TICK - TICK // 2


def figure(case: Case, whole: Result, base: Result) -> float | None:
    """Million instructions that the input's content takes."""
    if not whole.ok or not base.ok or whole.populate is None or base.populate is None:
        return None
    if whole.end is None or whole.busy is None or base.busy is None:
        return None
    if case.input.is_base:
        return (whole.end - whole.populate) / 1000
    late = (whole.busy - whole.populate) - (base.busy - base.populate)
    return (late + without_ticks(whole.populate - base.populate)) / 1000


def remarks(case: Case, results: dict[str, Result]) -> str:
    """Which of the boots failed, or waited for a millisecond or more."""
    said = []
    for name, result in results.items():
        if not result.ok:
            said.append(f"{name}: fails ({result.reason})")
        elif result.idle >= 1000:
            said.append(f"{name} waits {result.idle / 1000:.1f} ms" + ("" if case.input.is_base else ", not counted"))
    return "; ".join(said)


def growth(results: dict[tuple[Case, str], Result]) -> Row | None:
    """How much longer a plain image takes that is four times as large: from
    the beginning of the load to the mounted root."""
    spans: dict[str, list[int]] = {}
    for name in ("ours", "C"):
        pair = [results.get((Case(Input(plain)), name)) for plain in ("ext2-64", "ext2-256")]
        for result in pair:
            if result is not None and result.ok and result.busy is not None and result.populate is not None:
                spans.setdefault(name, []).append(result.busy - result.populate)
    if len(spans.get("ours", ())) != 2:
        return None
    figures = {name: span[1] / span[0] - 1 for name, span in spans.items() if len(span) == 2}
    return Row(NAME, "ext2, 64 to 256 MiB", "growth", figures["ours"], figures.get("C"), GROWTH)


def measure(lab: Lab, store: Store, inputs: Sequence[Input], *, quick: bool = False) -> list[Row]:
    """Boots each input once with each kernel, several at a time."""
    todo = cases(inputs, quick=quick)
    everything = list(dict.fromkeys([*(case.base for case in todo), *todo]))
    pairs = [(case, kernel) for case in everything for kernel in lab.kernels]
    done = in_parallel(lab.jobs, lambda pair: boot(lab, pair[1], pair[0], store.get(pair[0].input)), pairs)
    results = {(case, kernel.name): result for (case, kernel), result in zip(pairs, done)}

    rows = []
    for case in todo:
        ours, c = (figure(case, results[case, name], results[case.base, name]) for name in ("ours", "C"))
        rows.append(Row(NAME, case.name, "million instructions", ours, c, instructions(case.name),
                        remarks(case, {name: results[case, name] for name in ("ours", "C")})))
    grown = growth(results)
    return rows + [grown] if grown else rows
