#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Measures which lines the host tests and the fuzz targets' inputs reach.

    coverage.py [--list] [-k WORD] [--corpus FOLDER] BUILD_DIR

BUILD_DIR is a build of tests/fuzz with -DCOVERAGE=ON; the corpus is that of
earlier runs of the fuzz targets. Prints the lines of each folder of the project's
C++, and fails for one of which not enough are reached.

Exit status: 0 when all folders passed, 1 when one failed, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from targets import ROOT, Target, make_seeds, targets

#: Per cent of a folder's lines that are to be reached.
AIM = 95
#: The host tests' programs, in BUILD_DIR.
HOST_TESTS = ("host/initrd_host", "host/initrd_host_small", "host/initrd_host_built_in")
#: Fuzz targets that are not built for this: see CMakeLists.txt.
UNCOUNTED = ("disk_threads", "inspect")
#: Shims are C and run in a kernel; their headers declare only.
SEAM = "kernel"


class Failed(Exception):
    """It cannot be measured; the text says why."""


@dataclass
class Lines:
    """Lines that can be reached, and those that are."""

    count: int = 0
    covered: int = 0

    @property
    def per_cent(self) -> float:
        return 100 * self.covered / self.count if self.count else 100

    def add(self, count: int, covered: int) -> None:
        self.count += count
        self.covered += covered


def folders(word: str = "") -> list[str]:
    """The folders of the project's C++ whose name contains `word`."""
    found = {path.parent.relative_to(ROOT).as_posix() for top in ("initrd", "ramdisk")
             for pattern in ("*.cc", "*.h") for path in (ROOT / top).rglob(pattern)}
    return sorted(name for name in found if not name.endswith(f"/{SEAM}") and word in name)


def counted() -> list[Target]:
    """The fuzz targets that count lines."""
    return [target for target in targets() if target.name not in UNCOUNTED]


def run_all(build: Path, corpus: Path) -> None:
    """Runs everything once; each program leaves a profile."""
    profiles = build / "profiles"
    profiles.mkdir(exist_ok=True)
    logs = build / "logs"
    logs.mkdir(exist_ok=True)
    for old in (*profiles.iterdir(), *logs.iterdir()):
        old.unlink()
    make_seeds(build / "seeds", counted())

    def environment(name: str) -> dict[str, str]:
        return {**os.environ, "LLVM_PROFILE_FILE": str(profiles / f"{name}.profraw")}

    for program in HOST_TESTS:
        name = Path(program).name
        with (logs / f"{name}.log").open("wb") as out:
            done = subprocess.run([build / program], stdout=out, stderr=out, check=False, env=environment(name))
        if done.returncode:
            raise Failed(f"{name} failed, see {logs / name}.log")
    for target in counted():
        inputs = (build / "seeds" / target.name, corpus / target.name, target.regressions)
        log = logs / f"{target.name}.log"
        status = target.run(build, ["-runs=0", *(folder for folder in inputs if folder.is_dir())], log,
                            env=environment(target.name))
        if status:
            raise Failed(f"fuzz_{target.name} failed, see {log}")


def tool(*words: str | Path) -> bytes:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"{words[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def measure(build: Path) -> dict[str, Lines]:
    """The lines of each file of the project, by its name."""
    whole = build / "all.profdata"
    programs = [build / name for name in HOST_TESTS] + [target.program(build) for target in counted()]
    objects = [word for program in programs[1:] for word in ("-object", program)]
    tool("llvm-profdata-19", "merge", "-sparse", "-o", whole, *sorted((build / "profiles").iterdir()))
    report = json.loads(tool("llvm-cov-19", "export", "-summary-only", f"-instr-profile={whole}", programs[0],
                             *objects))
    lines = {}
    for file in report["data"][0]["files"]:
        path = Path(file["filename"]).resolve()
        summary = file["summary"]["lines"]
        if path.is_relative_to(ROOT):
            lines[path.relative_to(ROOT).as_posix()] = Lines(summary["count"], summary["covered"])
    return lines


def table(lines: dict[str, Lines], chosen: list[str]) -> int:
    """Prints the folders and their files; returns how many folders fall short."""
    total = Lines()
    failed = 0
    sums: dict[str, Lines] = defaultdict(Lines)
    for name, file in lines.items():
        sums[Path(name).parent.as_posix()].add(file.count, file.covered)
    for folder in chosen:
        there = sums[folder]
        short = there.per_cent < AIM
        failed += short
        total.add(there.count, there.covered)
        print(f"{'FAIL' if short else 'ok  '} {folder:<32} {there.covered:>5} of {there.count:>5} lines "
              f"{there.per_cent:6.1f} %")
        for name, file in sorted(lines.items()):
            if Path(name).parent.as_posix() == folder and file.covered < file.count:
                print(f"       {name:<30} {file.covered:>5} of {file.count:>5}       {file.per_cent:6.1f} %")
    print(f"     {'all':<32} {total.covered:>5} of {total.count:>5} lines {total.per_cent:6.1f} %")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="coverage.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the folders and measure nothing")
    parser.add_argument("-k", dest="word", default="", help="only the folders whose name contains WORD")
    parser.add_argument("--corpus", type=Path, default=ROOT / "build/fuzz/corpus",
                        help="what the fuzz targets have collected")
    parser.add_argument("folder", nargs="?", type=Path, metavar="BUILD_DIR")
    options = parser.parse_args()
    chosen = folders(options.word)
    if options.list:
        for folder in chosen:
            print(f"coverage {folder}")
        return 0
    if options.folder is None or not options.folder.is_dir():
        parser.error("name the folder that was built with -DCOVERAGE=ON")
    try:
        run_all(options.folder, options.corpus)
        lines = measure(options.folder)
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        print(f"coverage.py: {error}", file=sys.stderr)
        return 1
    failed = table(lines, chosen)
    print(f"{len(chosen)} folders: {len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
