# SPDX-License-Identifier: GPL-2.0
"""The rooms of initrd/README.md: what each may include, and that nothing else is included."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"(?P<ours>[^"]+)"|<(?P<system>[^>]+)>)', re.M)


@functools.cache
def rooms() -> dict[str, frozenset[str]]:
    """Each room's folder, and the folders that it may include headers of."""
    text = (ROOT / "initrd/README.md").read_text()
    table = re.search(r"^\| room \|.*\n\|---.*\n((?:\| .*\n)*)", text, re.M)
    assert table is not None
    rows = re.findall(r"^\| `([\w/]+)` \|.*\| *([^|]*)\|$", table[1], re.M)
    return {room: frozenset(re.findall(r"`([\w/]+)`", may)) for room, may in rows}


def room_of(path: str) -> str:
    """The room that a file is in: the longest folder that is one."""
    return max((room for room in rooms() if path.startswith(f"{room}/")), key=len, default="")


@functools.cache
def sources() -> list[str]:
    return [str(path.relative_to(ROOT)) for folder in ("initrd", "ramdisk")
            for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".c", ".cc", ".h")]


def included(path: str) -> list[tuple[str, str]]:
    """What a file includes: ("ours" or "system", name)."""
    text = (ROOT / path).read_text()
    return [("ours", match["ours"]) if match["ours"] else ("system", match["system"])
            for match in INCLUDE.finditer(text)]


def test_every_file_is_in_a_room() -> None:
    assert [path for path in sources() if not room_of(path)] == []
    assert [room for room in rooms() if not any(room_of(path) == room for path in sources())] == []


def test_rooms_stand_on_those_before_them() -> None:
    """No room may include one that may include it."""
    order = list(rooms())
    for room, may in rooms().items():
        assert may <= set(order[: order.index(room)]), room


def is_kernels(path: str, name: str) -> bool:
    """What a shim includes of the kernel's own folder."""
    return room_of(path).endswith("/linux") and "/" not in name


@pytest.mark.parametrize("room", rooms())
def test_includes(room: str) -> None:
    """By the table; and by the full path, so that a reader sees the room."""
    may = rooms()[room] | {room}
    wrong = []
    for path in sources():
        if room_of(path) == room:
            wrong += [f"{path}: {name}" for kind, name in included(path)
                      if kind == "ours" and room_of(name) not in may and not is_kernels(path, name)]
    assert wrong == []


def test_only_shims_include_the_kernel() -> None:
    """And all else stands on the project alone. (<new> is for what runs on a host.)"""
    wrong = [f"{path}: <{name}>" for path in sources() for kind, name in included(path)
             if kind == "system" and not room_of(path).endswith(("/linux", "/hosted"))]
    assert wrong == ["initrd/support/utility.h: <new>"]


def test_the_contract_suite_sees_the_contract_alone() -> None:
    """But for a device that is shown, which needs the driver behind it."""
    wrong = [f"{path.name}: {name}" for path in sorted((ROOT / "tests/contract").glob("*.*"))
             for kind, name in included(str(path.relative_to(ROOT))) if kind == "system"
             or not name.startswith(("initrd/seam/", "initrd/support/", "tests/contract/"))]
    assert wrong == ["disks.cc: ramdisk/ramdisk.h"]


def test_the_contract_suite_has_every_case_on_both_sides() -> None:
    """A case is defined once, and its name is in the list."""
    text = "".join(path.read_text() for path in sorted((ROOT / "tests/contract").glob("*.cc")))
    cases = re.findall(r"^void (contract_\w+)\(struct kunit \*test\)$", text, re.M)
    listed = re.findall(r"X\((contract_\w+)\)", (ROOT / "tests/contract/cases.h").read_text())
    assert sorted(cases) == sorted(listed) and len(set(listed)) == len(listed)


def test_headers_have_guards_of_their_path() -> None:
    for path in sources():
        if path.endswith(".h"):
            guard = re.sub(r"[/.]", "_", path).upper()
            text = (ROOT / path).read_text()
            assert f"#ifndef {guard}\n#define {guard}\n" in text, path
