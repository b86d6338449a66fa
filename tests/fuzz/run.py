#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Runs the fuzz targets that were built from tests/fuzz.

    run.py [--list] [-k WORD] [--seconds N] [--jobs N] BUILD_DIR

Each target first goes through what was found before (tests/fuzz/regressions), then
it looks for more in its share of the time, beginning with the seeds and with the
corpus of earlier runs, which grows in BUILD_DIR/corpus. An input that fails is kept
in BUILD_DIR/found.

Exit status: 0 when no target failed, 1 when one did, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from targets import Target, make_seeds, targets


@dataclass(frozen=True)
class Outcome:
    """What came of one target."""

    target: Target
    executions: int
    corpus: int
    edges: int
    trouble: str  # "" when nothing was found

    def __str__(self) -> str:
        word = "FAIL" if self.trouble else "ok  "
        line = (f"{word} fuzz_{self.target.name:<14} {self.executions:>9} executions, "
                f"{self.corpus:>5} inputs in the corpus, {self.edges:>5} edges covered")
        return f"{line}\n     {self.trouble}" if self.trouble else line


def last_number(pattern: str, text: str) -> int:
    """What the pattern's group matched last in the text, or 0."""
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def replay(target: Target, build: Path, log: Path) -> str:
    """Tries the inputs that failed once; returns what is wrong now, or ""."""
    inputs = files(target.regressions)
    if not inputs or target.run(build, inputs, log) == 0:
        return ""
    tried = re.findall(r"^Running: (.*)$", log.read_text(errors="replace"), re.MULTILINE)
    return f"fails again: {target.program(build)} {tried[-1] if tried else target.regressions}"


def search(target: Target, build: Path, seconds: int, log: Path) -> str:
    """Looks for inputs that fail; returns what was found, or ""."""
    corpus = build / "corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    found = build / "found"
    found.mkdir(exist_ok=True)
    words: list[str | Path] = [
        f"-max_total_time={seconds}", f"-max_len={target.options['max_len']}", "-print_final_stats=1",
        f"-artifact_prefix={found}/{target.name}-", corpus, build / "seeds" / target.name,
    ]
    if dictionary := target.dictionary(build):
        words.append(f"-dict={dictionary}")
    if target.regressions.is_dir():
        words.append(target.regressions)
    status = target.run(build, words, log)
    if status == 0:
        return ""
    kept = re.findall(r"Test unit written to (.*)$", log.read_text(errors="replace"), re.MULTILINE)
    return f"found: {target.program(build)} {kept[-1]}" if kept else f"ended with status {status}, see {log}"


def run(target: Target, build: Path, seconds: int) -> Outcome:
    log = build / "logs" / f"{target.name}.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    trouble = replay(target, build, log) or search(target, build, seconds, log)
    text = log.read_text(errors="replace")
    return Outcome(target, last_number(r"number_of_executed_units:\s+(\d+)", text),
                   len(files(build / "corpus" / target.name)), last_number(r" cov: (\d+)", text), trouble)


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the targets and run none")
    parser.add_argument("-k", dest="word", default="", help="only the targets whose name contains WORD")
    parser.add_argument("--seconds", type=int, default=60, help="how long all of them take together")
    parser.add_argument("--jobs", type=int, default=1, help="how many run at the same time")
    parser.add_argument("folder", nargs="?", type=Path, metavar="BUILD_DIR")
    options = parser.parse_args()
    chosen = targets(options.word)
    if options.list:
        for target in chosen:
            print(f"fuzz_{target.name}")
        return 0
    if options.folder is None or not options.folder.is_dir():
        parser.error("name the folder that the targets were built in")
    if options.seconds < 1 or options.jobs < 1:
        parser.error("--seconds and --jobs take a number from 1 on")
    failed = 0
    if chosen:
        make_seeds(options.folder / "seeds", chosen)
        jobs = min(options.jobs, len(chosen))
        share = max(1, options.seconds * jobs // len(chosen))
        with ThreadPoolExecutor(jobs) as pool:
            for outcome in pool.map(lambda target: run(target, options.folder, share), chosen):
                print(outcome, flush=True)
                failed += bool(outcome.trouble)
    print(f"{len(chosen)} targets: {len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
