# SPDX-License-Identifier: GPL-2.0
"""Reads the READMEs: their blocks of commands, and what they are for.

An HTML comment stands before every block of shell:

	<!-- test: host [WORD] -->	commands for the host, run in order in one
				folder, those of all READMEs; WORD is a
				command that they need, or "root"
	<!-- test: boot -->	the same, but they boot a kernel
	<!-- test: file NAME -->	the text of a file that the commands use
	<!-- test: guest NAME -->	commands for the guest
	<!-- not run: WHY -->
"""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: All READMEs, in the order in which their commands are run: what those of one make,
#: those of the next ones use.
READMES = tuple(ROOT / name for name in (
    "README.md",
    "qemu/README.md",
    "scripts/README.md",
    "initrd/README.md",
    "ramdisk/README.md",
    "tests/README.md",
    "tests/bench/README.md",
    "findings/README.md",
))


@dataclass(frozen=True)
class Block:
    """A fenced block: its file and line, language, text, and the comment
    before it (kind is "" without one)."""

    file: Path
    line: int
    language: str
    text: str
    kind: str
    word: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def text() -> str:
    """All READMEs, one after the other."""
    return "\n".join(file.read_text() for file in READMES)


def prose(file: Path) -> str:
    """A README without its fenced blocks."""
    return re.sub(r"^\s*```.*?^\s*```$", "", file.read_text(), flags=re.M | re.S)


def blocks() -> list[Block]:
    """All fenced blocks, in order."""
    return [block for file in READMES for block in blocks_of(file)]


def blocks_of(file: Path) -> list[Block]:
    """Those of one README."""
    found: list[Block] = []
    comment = ""
    start, language = 0, ""
    lines: list[str] | None = None
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        fence = re.fullmatch(r"\s*```(\w*)", line)
        if lines is not None and fence:
            words = re.fullmatch(r"(test|not run): *(\w*) ?(.*)", comment)
            kind, word = "", ""
            if words is not None:
                kind, word = (words[2], words[3]) if words[1] == "test" else ("not run", words[2] + words[3])
            found.append(Block(file, start, language, textwrap.dedent("\n".join(lines)) + "\n", kind, word))
            lines, comment = None, ""
        elif lines is not None:
            lines.append(line)
        elif fence:
            start, language, lines = number, fence[1], []
        elif line.strip():
            match = re.fullmatch(r"\s*<!-- (.*) -->", line)
            comment = match[1] if match else ""
    assert lines is None, f"{file}:{start}: the block does not end"
    return found


def named(kind: str, name: str) -> str:
    """The text of the one block with this comment."""
    texts = [block.text for block in blocks() if (block.kind, block.word) == (kind, name)]
    assert len(texts) == 1, f"{kind} {name}: {len(texts)} blocks"
    return texts[0]


def chapters() -> list[tuple[str, str]]:
    """The title and the text of every heading of the second level, in order."""
    found: list[tuple[str, str]] = []
    for file in READMES:
        parts = re.split(r"^## (.*)$", file.read_text(), flags=re.M)
        found += zip(parts[1::2], parts[2::2])
    return found


def chapter(title: str) -> str:
    """The text of the chapter with this title, wherever it is."""
    return dict(chapters())[title]


class Session:
    """A folder in which the blocks are run, as if it were the project's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scripts").symlink_to(ROOT / "scripts")

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        """Runs a block, which must succeed, or saves it if it is a file."""
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], cwd=self.folder, text=True,
                              env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode == 0, f"{block}:\n{block.text}\n{done.stdout}{done.stderr}"
        return done

    def save(self, block: Block) -> None:
        path = self.folder / block.word
        path.write_text(block.text)
        path.chmod(0o755)
