# SPDX-License-Identifier: GPL-2.0
"""What the measurements were made on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path


def cpu_model(cpuinfo: str) -> str:
    """The processor's name in the text of /proc/cpuinfo."""
    found = re.search(r"^(?:model name|Hardware|cpu model)\s*:\s*(.+)$", cpuinfo, re.M)
    return found[1].strip() if found else platform.machine()


def memory_gib(meminfo: str) -> float:
    """The memory in the text of /proc/meminfo, in GiB."""
    found = re.search(r"^MemTotal:\s*(\d+) kB$", meminfo, re.M)
    return int(found[1]) / 1024**2 if found else 0.0


def qemu_version(text: str) -> str:
    """The version that `qemu-system-… --version` prints."""
    found = re.search(r"version (\S+)", text)
    return found[1] if found else "unknown"


def busy() -> str:
    """A remark for figures that need an idle machine, if this one is not. (Up to
    one process per core is the measurement itself.)"""
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    return f"; the machine was not idle (load {load:.1f})" if load > cores + 0.5 else ""


def describe() -> dict[str, object]:
    """This machine: processor, cores, memory, QEMU."""
    said = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True)
    return {
        "cpu": cpu_model(Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(memory_gib(Path("/proc/meminfo").read_text()), 1),
        "qemu": qemu_version(said.stdout),
        "load": round(os.getloadavg()[0], 2),
    }
