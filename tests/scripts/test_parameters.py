# SPDX-License-Identifier: GPL-2.0
"""initrd/seam/parameters.inc, and what is said of its rows."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import readme  # noqa: E402

#: When a parameter is read, by its kind, in the README's words.
READ = {"EARLY": "early", "SETUP": "at start", "SEEN": "before the image"}


@dataclass(frozen=True)
class Row:
    kind: str
    id: str
    name: str
    setter: str
    option: str
    default: str
    text: str

    def __str__(self) -> str:
        """The row of the README's table."""
        return f"| `{self.name}` | {READ[self.kind]} | {self.default} | {self.text} |"


def rows() -> list[Row]:
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "initrd/seam/parameters.inc").read_text(), flags=re.S)
    string = r'\s*"([^"]*)"\s*'
    found = re.findall(rf"^({'|'.join(READ)})\((\w+),{string},\s*(\w+),{string},{string},{string}\)$", text, re.M)
    assert len(found) == len(re.findall(rf"^(?:{'|'.join(READ)})\(", text, re.M))
    return [Row(*words) for words in found]


def test_each_has_a_name_of_its_own() -> None:
    assert len({row.id for row in rows()}) == len({row.name for row in rows()}) == len(rows()) > 10


def test_setters_are_there() -> None:
    header = (ROOT / "initrd/boot/boot.h").read_text()
    assert [row.setter for row in rows() if f"\tbool {row.setter}(const char *value);" not in header] == []


def test_table_in_the_readme() -> None:
    """It is this table, row by row; the chapter says more of each."""
    chapter = readme.chapter("Kernel parameters")
    table = re.search(r"^\|---\|---\|---\|---\|\n((?:\| .*\n)*)", chapter, re.M)[1].splitlines()
    assert table == [str(row) for row in rows()], "\n".join(str(row) for row in rows())
    told = set(re.findall(r"^([\w.-]+)(?==|\t|$)", chapter, re.M))
    assert {row.name.rstrip("=") for row in rows()} - told == {"dm-mod.create", "dm_mod.create"}
