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
    for option in ("--kernel --arch --stock --debug --config --bare --llvm --build-dir --jobs --reconfigure "
                   "--clean --quiet --verbose --help").split():
        assert option in text
    assert "default: 6.12" in text
