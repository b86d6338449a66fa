# SPDX-License-Identifier: GPL-2.0
"""tests/README.md's table of the initrd document is what the boot tests' markers give."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "tests/boot/document.py"


def run(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run([sys.executable, str(root / SCRIPT), *options], capture_output=True, text=True, env=env)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what document.py reads, with a README that has no table yet."""
    for folder in ("tests/boot", "qemu"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests/pytest.ini", tmp_path / "tests")
    (tmp_path / "tests/README.md").write_text(
        "# Title\n\n## The document, paragraph by paragraph\n\nText.\n\n## Licence\n\n| a | b |\n")
    return tmp_path


def test_readme_has_the_table() -> None:
    """Every paragraph, its tests, and where they pass."""
    done = run(ROOT, "--check")
    assert done.returncode == 0, done.stderr


def test_writing_and_checking(copy: Path) -> None:
    """--write makes --check content, and leaves the other sections alone."""
    assert run(copy, "--check").returncode == 1
    done = run(copy, "--write")
    assert done.returncode == 0, done.stderr
    text = (copy / "tests/README.md").read_text()
    assert "Text.\n\n| paragraph | test |" in text and text.endswith("|\n\n## Licence\n\n| a | b |\n")
    assert run(copy, "--check").returncode == 0
    assert run(copy, "--write").returncode == 0
    assert (copy / "tests/README.md").read_text() == text


@pytest.mark.parametrize(("old", "new", "said"), [
    ("pivot_root . initrd", "pivot_root . other", "name no paragraph"),
    ("cxx_only(reason=", "skip(reason=", "another table"),
])
def test_markers_that_changed(copy: Path, old: str, new: str, said: str) -> None:
    """Another paragraph, or another reason, and the table is out of date."""
    assert run(copy, "--write").returncode == 0
    path = copy / "tests/boot/test_document_pivot_root.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    done = run(copy, "--check")
    assert done.returncode == 1 and said in done.stderr


def test_paragraph_without_a_test(copy: Path) -> None:
    """A paragraph that has lost its tests is missed."""
    (copy / "tests/boot/test_document_mixed.py").unlink()
    done = run(copy)
    assert done.returncode == 1 and "has no test" in done.stderr
