# SPDX-License-Identifier: GPL-2.0
"""The fuzz targets: a target is a file fuzz_NAME.cc, with its options beside it."""

from __future__ import annotations

import configparser
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

#: No input may take longer (seconds) or more memory (MiB), whatever it claims.
TIMEOUT = 10
MEMORY = 2048


@dataclass(frozen=True)
class Target:
    """One target, by its name without "fuzz_"."""

    name: str

    @cached_property
    def options(self) -> configparser.SectionProxy:
        """What fuzz_NAME.options says: `max_len` in bytes, and `dict`, the names of
        dictionaries in this folder."""
        parser = configparser.ConfigParser()
        parser.read_string((HERE / f"fuzz_{self.name}.options").read_text())
        return parser["libfuzzer"]

    @property
    def regressions(self) -> Path:
        """What was found once, and is tried first in every run; may not exist."""
        return HERE / "regressions" / self.name

    def program(self, build: Path) -> Path:
        return build / f"fuzz_{self.name}"

    def dictionary(self, build: Path) -> Path | None:
        """All its dictionaries as one file, which is what libFuzzer takes."""
        names = self.options.get("dict", "").split()
        if not names:
            return None
        whole = build / f"fuzz_{self.name}.dict"
        whole.write_text("".join((HERE / name).read_text() for name in names))
        return whole

    def run(self, build: Path, words: Sequence[str | Path], log: Path, **more: object) -> int:
        """Runs the program within its bounds and returns its exit status; what it
        says goes behind what the log holds."""
        command = [self.program(build), f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}", *words]
        with log.open("ab") as out:
            return subprocess.run([str(word) for word in command], stdout=out, stderr=out, check=False,
                                  stdin=subprocess.DEVNULL, **more).returncode  # type: ignore[call-overload]


def targets(word: str = "") -> list[Target]:
    """Those whose name contains `word`, by name."""
    names = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.cc"))
    return [Target(name) for name in names if word in f"fuzz_{name}"]


def make_seeds(folder: Path, chosen: Sequence[Target]) -> None:
    """Puts the seeds of each target into a folder of its own below `folder`."""
    subprocess.run([sys.executable, HERE / "make-seeds.py", folder, *(target.name for target in chosen)], check=True)
