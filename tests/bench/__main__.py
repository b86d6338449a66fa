# SPDX-License-Identifier: GPL-2.0
"""The part of tests/bench/run that measures: makes the inputs, calls the
instruments, and writes the results. The options come checked from the script.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Callable, NoReturn, Sequence

import images
import vm

from . import ROOT
from .boots import Kernel, Lab
from .inputs import Input, Store, catalogue, matching
from .instruments import disk, icount, memory, native, size, smp
from .results import Results
from .rows import Row

#: The inputs of --quick.
QUICK = ("ext2-tiny", "ext2-64", "ext2-256", "ext2-64.lz4", "ext2-64.zst", "cpio-big", "cpio-big-aligned", "cpio-small")

#: The instruments, in the order in which they are used, and the inputs that
#: each needs of those that were asked for.
NEEDED: dict[str, Callable[[Sequence[Input]], list[Input]]] = {
    "icount": icount.needed,
    "size": lambda inputs: [],
    "memory": memory.needed,
    "io": disk.needed,
    "smp": smp.needed,
    "uml": native.needed,
}

STARTED = time.monotonic()


def tell(text: str) -> None:
    """Progress, with the time since the start."""
    seconds = int(time.monotonic() - STARTED)
    sys.stderr.write(f"run: {seconds // 60:3}:{seconds % 60:02} {text}\n")
    sys.stderr.flush()


def parser() -> argparse.ArgumentParser:
    """The options as tests/bench/run hands them over."""
    options = argparse.ArgumentParser(prog="bench", allow_abbrev=False)
    options.add_argument("--list", action="store_true")
    options.add_argument("--kernel", default="6.12")
    options.add_argument("--ours", type=Path)
    options.add_argument("--stock", type=Path)
    options.add_argument("--uml", type=Path)
    options.add_argument("--stock-uml", type=Path)
    options.add_argument("--instruments", default="icount")
    options.add_argument("--only", default="")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--repeat", type=int)
    options.add_argument("--memory", default="1G")
    options.add_argument("--cpu", default="qemu64")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options.add_argument("--output", type=Path, default=ROOT / "build/bench")
    options.add_argument("--inputs", type=Path, default=ROOT / "build/bench/inputs")
    options.add_argument("--strict", action="store_true")
    options.add_argument("--command", default="tests/bench/run")
    return options


def chosen_inputs(options: argparse.Namespace) -> list[Input]:
    """The inputs that were asked for."""
    inputs = catalogue()
    if options.quick:
        inputs = [one for one in inputs if one.name in QUICK]
    return matching(inputs, options.only)


def measure(name: str, lab: Lab, store: Store, inputs: Sequence[Input], options: argparse.Namespace) -> list[Row]:
    """Uses one instrument."""
    if name == "icount":
        return icount.measure(lab, store, inputs, quick=options.quick)
    if name == "size":
        return size.measure(lab)
    if name == "memory":
        return memory.measure(lab, store, inputs)
    if name == "io":
        return disk.measure(lab, store, inputs)
    if name == "smp":
        return smp.measure(lab, store, inputs)
    kernels = (Kernel.copied("ours-uml", options.uml, lab.folder),
               Kernel.copied("C-uml", options.stock_uml, lab.folder))
    return native.measure(lab, kernels, store, inputs)


def main(words: list[str]) -> int:
    options = parser().parse_args(words)
    inputs = chosen_inputs(options)
    if options.list:
        for one in inputs:
            print(f"{one.name:<20} {one.what}")
        return 0
    chosen = [name for name in NEEDED if name in options.instruments.split(",")]
    if not inputs and chosen != ["size"]:
        print(f"run: no input matches \"{options.only}\"; --list names them", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    folder = options.output / "boots"
    lab = Lab(Kernel.copied("ours", options.ours or options.uml, folder),
              Kernel.copied("C", options.stock or options.stock_uml, folder),
              folder, options.cpu, options.memory, options.jobs, options.repeat, tell)
    store = Store(options.inputs, tell)
    store.prepare(dict.fromkeys(one for name in chosen for one in NEEDED[name](inputs)), options.jobs)
    rows = [row for name in chosen for row in measure(name, lab, store, inputs, options)]
    results = Results(rows, lab, options.command, options.kernel)
    results.write(options.output)
    print(results.text())
    print(f"\nWritten: {options.output}/table.md, results.json, plot.svg")
    if all(row.ours is None and row.c is None for row in rows):
        print("run: error: nothing could be measured; the reasons stand above", file=sys.stderr)
        return 1
    return 1 if options.strict and any(row.met is False for row in rows) else 0


def end(status: int, text: str = "") -> NoReturn:
    """Ends at once: what still runs beside this ends with it."""
    if text:
        print(f"run: {text}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: end(128 + number))
    try:
        end(main(sys.argv[1:]))
    except (images.ImageError, vm.VmError, OSError) as error:
        end(1, f"error: {error}")
    except KeyboardInterrupt:
        end(130, "interrupted")
