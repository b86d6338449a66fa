# SPDX-License-Identifier: GPL-2.0
"""Writes down what was measured, when, on what, and by which command."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Sequence

import kernels

from . import host, plot, table
from .boots import Lab
from .rows import Row


class Results:
    """The rows and everything that has to be said about them."""

    def __init__(self, rows: Sequence[Row], lab: Lab, command: str, kernel: str) -> None:
        self.rows = list(rows)
        self.lab = lab
        self.command = command
        self.kernel = kernel
        self.date = time.strftime("%Y-%m-%d %H:%M %Z")
        self.machine = host.describe()

    def heading(self) -> list[str]:
        """When, where and how, a line each."""
        ours, stock = (kernels.kernel_release(kernel.image) or self.kernel for kernel in self.lab.kernels)
        return [
            f"Date: {self.date}",
            f"Machine: {self.machine_text()}",
            f"Kernels: {ours} with this project, {stock} with the C code",
            f"Command: {self.command}",
        ]

    def kernel_name(self) -> str:
        """Our kernel's release, or the series that was asked for."""
        return kernels.kernel_release(self.lab.ours.image) or self.kernel

    def machine_text(self) -> str:
        """The machine in one line."""
        machine = self.machine
        return (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
                f"QEMU {machine['qemu']}")

    def verdict(self) -> str:
        """How many targets are met."""
        judged = [row for row in self.rows if row.met is not None]
        return f"{sum(row.met is True for row in judged)} of {len(judged)} targets met"

    def text(self) -> str:
        """For the terminal."""
        return "\n".join([*self.heading(), "", table.text(self.rows), *_indented(table.notes(self.rows)), "",
                          self.verdict()])

    def markdown(self) -> str:
        """For a page."""
        heading = "  \n".join(self.heading())
        remarks = "".join(f"- {note}\n" for note in table.notes(self.rows))
        return f"{heading}\n\n{table.markdown(self.rows)}\n\n{self.verdict()}\n\n{remarks}".rstrip() + "\n"

    def as_json(self) -> str:
        return json.dumps({"date": self.date, "machine": self.machine, "command": self.command,
                           "kernel": self.kernel,
                           "images": {kernel.name: str(kernel.origin) for kernel in self.lab.kernels},
                           "rows": [row.as_dict() for row in self.rows], "boots": self.lab.history}, indent=1) + "\n"

    def write(self, folder: Path) -> None:
        """Writes results.json, table.md and plot.svg."""
        (folder / "results.json").write_text(self.as_json())
        (folder / "table.md").write_text(self.markdown())
        title = f"initrd-cxx beside the kernel's C code, Linux {self.kernel_name()}"
        (folder / "plot.svg").write_text(plot.svg(self.rows, title, f"{self.date}; {self.machine_text()}"))


def _indented(lines: Sequence[str]) -> list[str]:
    return ["", *(f"  {line}" for line in lines)] if lines else []
