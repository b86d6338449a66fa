# SPDX-License-Identifier: GPL-2.0
"""The benchmark's inputs: which there are, and where they are kept.

An input is made once, from nothing but this folder's code, and kept under a
key of what it is made by.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Callable, Iterable, Sequence

from .making import GUEST, MAKERS, Check, build_guest
from .packing import PACKINGS
from .parallel import in_parallel

HERE = Path(__file__).resolve().parent
#: What the inputs' bytes depend on.
SOURCES = (HERE / "content.py", HERE / "making.py", HERE / "packing.py", *GUEST)

#: Inputs of another version of the code are kept so long, in seconds.
FORGET = 24 * 3600

WHAT = {
    "ext2-tiny": "ext2 image, 256 KiB: what a boot costs in any case",
    "ext2-16": "ext2 image, 16 MiB",
    "ext2-64": "ext2 image, 64 MiB",
    "ext2-256": "ext2 image, 256 MiB",
    "cpio-tiny": "cpio archive with an init and nothing else",
    "cpio-mixed": "cpio archive, about 1,000 files, 48 MB",
    "cpio-mixed-aligned": "the same with the data at page boundaries",
    "cpio-big": "cpio archive, one file of 45 MiB",
    "cpio-big-aligned": "the same with the data at a page boundary",
    "cpio-100": "cpio archive, five files of 20 MiB",
    "cpio-small": "cpio archive, 20,000 files of 100 bytes to 3 KiB",
}

#: What is compressed, and how.
_ONCE = ("gz", "zst", "lz4", "xz")
_PACKED: dict[str, Sequence[str]] = {
    "ext2-tiny": (*_ONCE, "lzo"),
    "ext2-64": tuple(PACKINGS),
    "cpio-tiny": _ONCE,
    "cpio-mixed": _ONCE,
    "cpio-big": _ONCE,
    "cpio-100": ("gz",),
    "cpio-small": _ONCE,
}


@dataclass(frozen=True)
class Input:
    """One input: the uncompressed one that it is made of, and the packing."""

    plain: str
    packing: str = ""

    @property
    def name(self) -> str:
        return f"{self.plain}.{self.packing}" if self.packing else self.plain

    @property
    def is_image(self) -> bool:
        return self.plain.startswith("ext2")

    @property
    def method(self) -> str:
        """The compressor, or "none"."""
        return PACKINGS[self.packing].method if self.packing else "none"

    @property
    def base(self) -> "Input":
        """The smallest input of the same kind."""
        tiny = "ext2-tiny" if self.is_image else "cpio-tiny"
        usual = {"gzip": "gz", "zstd": "zst", "none": ""}
        return Input(tiny, usual.get(self.method, self.method))

    @property
    def is_base(self) -> bool:
        return self == self.base

    @property
    def what(self) -> str:
        text = WHAT[self.plain]
        return f"{text.split(':')[0]}; {PACKINGS[self.packing].what}" if self.packing else text


def catalogue() -> list[Input]:
    """All inputs, those without a packing first."""
    plain = [Input(name) for name in MAKERS]
    return plain + [Input(name, packing) for name, packings in _PACKED.items() for packing in packings]


def matching(inputs: Iterable[Input], pattern: str) -> list[Input]:
    """Those whose name contains the pattern, or matches it if it has a wildcard;
    several patterns are separated by commas."""
    words = [word for word in pattern.split(",") if word]

    def wanted(name: str) -> bool:
        return not words or any(fnmatchcase(name, word) if "*" in word else word in name for word in words)

    return [one for one in inputs if wanted(one.name)]


@dataclass(frozen=True)
class Ready:
    """An input that has been made: its file, the length when it is unpacked,
    and what the guest has to find in it."""

    input: Input
    path: Path
    plain_size: int
    checks: tuple[Check, ...]

    @property
    def size(self) -> int:
        return self.path.stat().st_size


class Store:
    """Keeps the inputs in a folder, and makes those that are not there."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        key = hashlib.sha256(b"\0".join(path.read_bytes() for path in SOURCES)).hexdigest()[:12]
        self.folder = folder / key
        self.tell = tell
        if folder.is_dir():
            for old in folder.iterdir():
                if old.is_dir() and old != self.folder and old.stat().st_mtime < time.time() - FORGET:
                    shutil.rmtree(old)
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".*"):
            if Path("/proc", left.suffix[1:]).exists():
                continue
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()

    def _keep(self, name: str, make: Callable[[Path], object]) -> None:
        """Lets `make` write a file, which gets its name when it is whole."""
        partial = self.folder / f".{name}.{os.getpid()}"
        try:
            make(partial)
            partial.replace(self.folder / name)
        finally:
            partial.unlink(missing_ok=True)

    def _make_plain(self, name: str) -> None:
        if (self.folder / f"{name}.json").exists():
            return
        self.tell(f"making {name}")
        checks: list[Check] = []
        guest = self.folder / "guest"
        self._keep(name, lambda path: checks.extend(MAKERS[name](path, guest)))
        text = json.dumps([check.as_dict() for check in checks])
        self._keep(f"{name}.json", lambda path: path.write_text(text))

    def _make_packed(self, one: Input) -> None:
        if (self.folder / one.name).exists():
            return
        self.tell(f"making {one.name}")
        data = (self.folder / one.plain).read_bytes()
        self._keep(one.name, lambda path: path.write_bytes(PACKINGS[one.packing].pack(data)))

    def prepare(self, inputs: Iterable[Input], jobs: int) -> None:
        """Makes what is missing, `jobs` at a time. Raises images.ImageError."""
        inputs = list(inputs)
        build_guest(self.folder)
        in_parallel(jobs, self._make_plain, dict.fromkeys(one.plain for one in inputs))
        in_parallel(jobs, self._make_packed, [one for one in inputs if one.packing])

    def get(self, one: Input) -> Ready:
        """An input that prepare() has made."""
        checks = json.loads((self.folder / f"{one.plain}.json").read_text())
        plain = self.folder / one.plain
        return Ready(one, self.folder / one.name, plain.stat().st_size, tuple(Check(**check) for check in checks))


