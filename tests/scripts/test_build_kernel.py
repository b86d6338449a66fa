# SPDX-License-Identifier: GPL-2.0
"""scripts/build-kernel.sh: its command line. (Every other part of the tests
builds kernels with it.)"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/build-kernel.sh"


def call(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SCRIPT), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize("words, about", [
    (["--nonsense"], "--nonsense"),
    (["stray"], "stray"),
    (["--kernel"], "needs a value"),
    (["--kernel=5.4"], "6.1, 6.12"),
    (["--kernel=/nowhere/at/all"], "/nowhere/at/all"),
    (["--arch=pdp11"], "arm, arm64, i386, riscv64, um, x86_64"),
    (["--jobs=0"], "--jobs"),
    (["--llvm="], "--stock"),
    (["--llvm=clang"], "--llvm"),
    (["--config=/nowhere.config"], "/nowhere.config"),
    (["--bare"], "--config"),
])
def test_wrong_usage(words: list[str], about: str) -> None:
    """2, a word about it on stderr, and nothing built."""
    done = call(*words)
    assert done.returncode == 2
    assert done.stdout == "" and about in done.stderr


def test_help() -> None:
    """--help names every option and the default kernel."""
    text = call("--help").stdout
    for option in ("--kernel --arch --stock --debug --config --bare --llvm --build-dir --jobs --sources --reconfigure "
                   "--clean --quiet --verbose --help").split():
        assert option in text
    assert "default: 6.12" in text


def test_sources(tmp_path: Path) -> None:
    """--sources makes a copy of a tree of the user's ready, and builds nothing."""
    tree, build = tmp_path / "tree", tmp_path / "build"
    for name in ("init/Makefile", "drivers/block/Makefile", "usr/Kconfig", "block/ioctl.c"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("# it\n")
    (tree / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\n")
    done = call("--sources", f"--kernel={tree}", f"--build-dir={build}")
    assert done.returncode == 0, done.stderr
    copy = Path(done.stdout.strip())
    assert copy.is_relative_to(build / "src") and (copy / "Makefile").read_text() == (tree / "Makefile").read_text()
    assert (copy / "init/Makefile").read_text() == "# it\n" and not (build / "kernel").exists()
