#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Builds and boots every kernel of the matrix: series, architectures, flavours.

tests/run --matrix runs it. Each cell is a kernel, built by build-kernel.sh and
booted with the tests that are marked "smoke", or with the mark that its file names;
the plain kernels run their KUnit suites, too. A cell that passed is not run again
until something that it is made of changes, so that the whole can be interrupted at
any time. The last line counts cells that passed and failed, the tests that were
skipped in them and, with --table, the cells that were never run, which are no failures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "qemu"))

from machines import MACHINES  # noqa: E402

FLAVOURS = ROOT / "qemu/flavours"
RESULTS = ROOT / "build/matrix"

SERIES = ("6.12", "6.1")
ARCHS = tuple(name for name, machine in MACHINES.items() if name == machine.arch)
PLAIN = "plain"

#: What a flavour's file may say in a comment.
SAID = ("archs", "machine", "series", "options", "packages", "patience", "tests")

#: What a result depends on, besides the kernel's own sources and the compiler.
INPUTS = ("Kbuild", "Kconfig", "initrd", "ramdisk", "qemu", "scripts", "tests/boot", "tests/contract", "tests/kunit", "tests/pytest.ini")
#: The same, where KUnit suites are run.
KUNIT_INPUTS = ("tests/.kunitconfig", "tests/run")
#: What lies below them and is no part of a kernel.
NO_INPUTS = ("scripts/inspect",)

#: Where Debian's packages put the kernel's sources, and what build-kernel.sh compiles them with.
TARBALLS = Path("/usr/src")
#: The same of packages that this machine's own suites do not have, in a folder for each.
BROUGHT = ROOT / "build/apt/unpacked"
COMPILER = "clang-19"


@dataclass(frozen=True)
class Cell:
    """A kernel: what it is made of, and how slow it is compared with others."""

    series: str
    arch: str
    flavour: str
    options: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    patience: str = "1"
    machine: str = ""
    tests: str = "smoke"

    def __str__(self) -> str:
        return "-".join(self.fields)

    @property
    def fields(self) -> tuple[str, str, str]:
        return self.series, self.arch, self.flavour

    @property
    def kunit(self) -> bool:
        """Whether its KUnit suites are run."""
        return self.flavour == PLAIN

    @property
    def result(self) -> Path:
        return RESULTS / f"{self}.json"


def cells() -> Iterator[Cell]:
    """All of them: the plain ones first, then the flavours."""
    for series in SERIES:
        for arch in ARCHS:
            yield Cell(series, arch, PLAIN)
    for path in sorted(FLAVOURS.glob("*.config")):
        said = dict(re.findall(rf"^# ({'|'.join(SAID)}): *(.*)$", path.read_text(), re.M))
        config = () if re.search(r"^(CONFIG_|# CONFIG_)", path.read_text(), re.M) is None else (f"--config={path}",)
        for series in said.get("series", " ".join(SERIES)).split():
            for arch in said["archs"].split():
                yield Cell(series, arch, path.stem, (*said.get("options", "").split(), *config),
                           tuple(said.get("packages", "").split()), said.get("patience", "1"), said.get("machine", ""),
                           said.get("tests", "smoke"))


def no_part_of_it() -> tuple[str, ...]:
    """Patterns of the names that are made beside sources, those in .gitignore, and of texts
    for people."""
    try:
        lines = (ROOT / ".gitignore").read_text().splitlines()
    except OSError:
        lines = []
    return ("__pycache__", "*.pyc", "*.md", *(line.rstrip("/") for line in lines if line and line[0] not in "#/"))


def files_below(path: Path, left_out: Sequence[str]) -> Iterator[Path]:
    """The files of a folder, or the file itself, without git, which may not be there."""
    if path.is_dir() and not path.is_symlink():
        for child in sorted(path.iterdir()):
            if not any(fnmatch(child.name, pattern) for pattern in left_out):
                yield from files_below(child, left_out)
    elif path.is_file() and not any(path.is_relative_to(ROOT / name) for name in NO_INPUTS):
        yield path


def fingerprint(kunit: bool) -> str:
    """A hash of all files that are inputs, by name and content."""
    digest = hashlib.sha256()
    left_out = no_part_of_it()
    for name in (*INPUTS, *(KUNIT_INPUTS if kunit else ())):
        for path in files_below(ROOT / name, left_out):
            content = hashlib.sha256(path.read_bytes()).digest()
            digest.update(bytes(path.relative_to(ROOT)) + b"\0" + content)
    return digest.hexdigest()[:16]


def source(series: str) -> str:
    """What identifies the kernel's sources, as build-kernel.sh keeps it beside them;
    "" where there are none yet."""
    row = subprocess.run(["bash", "-c", '. scripts/lib.sh && series_row "$1"', "-", series], cwd=ROOT,
                         capture_output=True, text=True, check=True).stdout.split()
    _, package, folder, *_ = row
    tarballs = [path for place in (TARBALLS, BROUGHT / package / "usr/src")
                for path in sorted(place.glob(f"{folder}.tar.*"))]
    try:
        if tarballs:
            found = tarballs[0].stat()
            return f"{tarballs[0]} {found.st_size} {int(found.st_mtime)}"
        return (ROOT / f"build/src/linux-{series}.origin").read_text().strip()
    except OSError:
        return ""


def compiler() -> str:
    """The first line of its version; "" where it is not installed yet."""
    try:
        done = subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.split("\n")[0]


@cache
def made_of(series: str, kunit: bool) -> dict[str, str]:
    """What a result of such a cell is good for, as it was when this was first called."""
    return {"inputs": fingerprint(kunit), "source": source(series), "compiler": compiler()}


def is_current(cell: Cell, result: dict[str, object]) -> bool:
    return made_of(cell.series, cell.kunit).items() <= result.items()


def picked(pattern: str) -> list[Cell]:
    """The cells that all words of a pattern stand for. A word that is the name of a
    series, an architecture or a flavour means just that, and not what contains it."""
    everything = list(cells())
    values = {value for cell in everything for value in cell.fields}
    return [cell for cell in everything
            if all(word in (cell.fields if word in values else str(cell)) for word in pattern.split())]


def known(cell: Cell) -> dict[str, object]:
    """The cell's last result, or {}."""
    try:
        found = json.loads(cell.result.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and "verdict" in found else {}


def said_by(command: Sequence[str | Path], log: Path) -> tuple[int, str]:
    """Runs a command; its output goes to a log, and is returned with its status."""
    with open(log, "ab") as output:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output,
                              check=False)
        output.write(done.stdout)
    return done.returncode, done.stdout.decode(errors="replace")


def counted(said: str) -> dict[str, int]:
    """The numbers in what pytest or tests/run says last."""
    return {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", said)}


def unmet(image: Path) -> list[str]:
    """What build-kernel.sh was asked for and the kernel's configuration has not."""
    found = (folder / "fragments/unmet" for folder in image.parents)
    lost = next((path for path in found if path.exists()), None)
    return lost.read_text().splitlines() if lost else []


def run(cell: Cell, jobs: int) -> dict[str, object]:
    """Builds and boots; returns what is kept of it."""
    log = RESULTS / f"{cell}.log"
    log.unlink(missing_ok=True)
    start = time.monotonic()
    status, said = said_by([ROOT / "scripts/build-kernel.sh", "--kernel", cell.series, "--arch", cell.arch,
                            "--quiet", *cell.options], log)
    built = time.monotonic() - start
    if status != 0:
        return {"verdict": "not built", "build": built, "log": str(log)}
    image = said.split()[-1]
    if lost := unmet(Path(image)):
        print(f"matrix: {cell}: the kernel is not what it was to be:", *lost, sep="\n    ", flush=True)
        return {"verdict": "FAILED", "build": built, "log": str(log)}
    status, said = said_by(["/usr/bin/python3", "-m", "pytest", "-c", "tests/pytest.ini", "--rootdir", "tests",
                            "tests/boot", "-m", cell.tests, "-n", str(jobs), "-q", "--basetemp",
                            RESULTS / f"tmp-{cell}", "--kernel-image", image, "--machine", cell.machine or cell.arch,
                            "--patience", cell.patience], log)
    count = counted(said)
    failed = count.get("failed", 0) + count.get("error", 0) + count.get("errors", 0)
    skipped = count.get("skipped", 0)
    good = status == 0 and count.get("passed", 0) > 0 and not failed
    if good and cell.kunit:
        status, said = said_by([ROOT / "tests/run", "--kunit", "--kernel", cell.series, "--arch", cell.arch], log)
        good = status == 0
        skipped += counted(said).get("skipped", 0)
    return {"verdict": "passed" if good else "FAILED", "passed": count.get("passed", 0), "failed": failed,
            "skipped": skipped, "build": built, "boots": time.monotonic() - start - built, "log": str(log)}


def table(chosen: Sequence[Cell]) -> str:
    """Markdown: series and architecture beside each other, flavours below."""
    columns = [(series, arch) for series in SERIES for arch in ARCHS
               if any((cell.series, cell.arch) == (series, arch) for cell in chosen)]
    lines = ["| flavour | " + " | ".join(f"{series} {arch}" for series, arch in columns) + " |",
             "|---" * (len(columns) + 1) + "|"]
    for flavour in dict.fromkeys(cell.flavour for cell in chosen):
        row = []
        for series, arch in columns:
            cell = next((c for c in chosen if (c.series, c.arch, c.flavour) == (series, arch, flavour)), None)
            result = {} if cell is None else known(cell)
            if cell is None:
                row.append("")
            elif not result:
                row.append("not run")
            else:
                stale = "" if is_current(cell, result) else " (before a change)"
                boots = f", {result['passed']} boots" if result.get("passed") else ""
                left = f", {result['skipped']} skipped" if result.get("skipped") else ""
                row.append(f"{result['verdict']}{boots}{left}{stale}")
        lines.append(f"| {flavour} | " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/run --matrix", description=__doc__)
    parser.add_argument("-k", dest="pattern", default="", metavar="PATTERN",
                        help="only cells that match all words: a series, architecture or flavour, or else a part "
                        'of the cell\'s name: "6.1 arm", "6.12-x86_64-pre"')
    parser.add_argument("--kernel", action="append", choices=SERIES, help="only this series; may be repeated")
    parser.add_argument("--arch", action="append", choices=ARCHS, help="only this architecture; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the cells, run none")
    parser.add_argument("--table", action="store_true", help="show the results that there are, run none")
    parser.add_argument("--again", action="store_true", help="run also what has passed")
    parser.add_argument("--packages", action="store_true", help="name the packages that the cells need")
    parser.add_argument("--jobs", type=int, default=2, help="boots at a time (2)")
    options = parser.parse_args(arguments)
    chosen = [cell for cell in picked(options.pattern)
              if cell.series in (options.kernel or SERIES) and cell.arch in (options.arch or ARCHS)]
    if options.list:
        for cell in chosen:
            print(cell)
        return 0
    if options.packages:
        for name in sorted({name for cell in chosen for name in cell.packages}):
            print(name)
        return 0
    RESULTS.mkdir(parents=True, exist_ok=True)
    made_of.cache_clear()
    passed = failed = skipped = not_run = 0
    for number, cell in enumerate(chosen, start=1):
        result = known(cell)
        current = result.get("verdict") == "passed" and is_current(cell, result)
        if not options.table and (options.again or not current):
            print(f"matrix: {number} of {len(chosen)}: {cell} ...", flush=True)
            inputs = fingerprint(cell.kunit)
            result = run(cell, options.jobs)
            # (Somebody may have edited a file by now, and the first build installs the
            # sources and the compiler.)
            made_of.cache_clear()
            result |= {**made_of(cell.series, cell.kunit), "inputs": inputs}
            cell.result.write_text(json.dumps(result, indent=1) + "\n")
            print(f"matrix: {cell}: {result['verdict']}", flush=True)
        verdict = result.get("verdict")
        passed += verdict == "passed"
        failed += verdict not in ("passed", None)
        not_run += verdict is None
        skipped += int(str(result.get("skipped", 0)))
    (RESULTS / "table.md").write_text(table(list(cells())))
    print(table(chosen))
    print(f"{passed} passed, {failed} failed, {skipped} skipped" + (f", {not_run} not run" if not_run else ""))
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
