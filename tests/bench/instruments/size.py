# SPDX-License-Identifier: GPL-2.0
"""Size: the sections of our objects and of those in whose place they are."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

from ..boots import Kernel, Lab
from ..rows import Row

NAME = "size"

#: The C objects that ours replace.
C_OBJECTS = ("init/initramfs.o", "init/do_mounts_rd.o", "init/do_mounts_initrd.o", "drivers/block/brd.o")
OVERLAY = "init/initrd-cxx"

_SHF_ALLOC = 2


class SizeError(Exception):
    """A file is not an object, or objects are missing."""


@dataclass
class Sizes:
    """Bytes that an object takes in the kernel's memory: for good, until boot
    is over, and those of .exit sections, which a built-in object may drop."""

    resident: int = 0
    init: int = 0
    exit: int = 0

    def add(self, other: "Sizes") -> None:
        self.resident += other.resident
        self.init += other.init
        self.exit += other.exit


def sections(data: bytes) -> Iterable[tuple[str, int]]:
    """Names and sizes of the sections of a 64-bit little-endian ELF object that
    are loaded. Raises SizeError."""
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64:
        raise SizeError("not a 64-bit ELF object")
    (start,) = struct.unpack_from("<Q", data, 40)
    entry, count, names_at = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, start + number * entry) for number in range(count)]
    names = headers[names_at]
    for name, _, flags, _, _, size in headers:
        if flags & _SHF_ALLOC:
            begin = names[4] + name
            yield data[begin : data.index(b"\0", begin)].decode(), size


def classify(parts: Iterable[tuple[str, int]]) -> Sizes:
    """Adds up what stays and what goes. Notes, the module information and the
    linker's own notes are no part of a kernel's memory."""
    sizes = Sizes()
    for name, size in parts:
        if name.startswith((".note", ".modinfo", ".discard", ".llvm")):
            continue
        if name.startswith((".init", ".initcall", ".con_initcall")):
            sizes.init += size
        elif name.startswith(".exit"):
            sizes.exit += size
        else:
            sizes.resident += size
    return sizes


def build_folder(image: Path) -> Path:
    """The folder that a kernel image was built in. Raises SizeError."""
    for folder in image.parents:
        if (folder / "Module.symvers").is_file():
            return folder
    raise SizeError(f"{image} is in no kernel's build folder: there are no objects to look at")


def objects(kernel: Kernel) -> list[Path]:
    """The objects to measure. Raises SizeError when there are none."""
    folder = build_folder(kernel.origin)
    if kernel.stock:
        found = [folder / name for name in C_OBJECTS if (folder / name).is_file()]
    else:
        found = sorted(path for path in (folder / OVERLAY).rglob("*.o")
                       if "tests" not in path.relative_to(folder / OVERLAY).parts)
    if not found:
        raise SizeError(f"{folder}: the objects of this kernel are not there")
    return found


def total(paths: Iterable[Path]) -> Sizes:
    """What all these objects take together. Raises SizeError."""
    sizes = Sizes()
    for path in paths:
        try:
            sizes.add(classify(sections(path.read_bytes())))
        except SizeError as error:
            raise SizeError(f"{path}: {error}") from error
    return sizes


def measure(lab: Lab) -> list[Row]:
    """The sizes of both implementations, without targets."""
    try:
        ours, c = (total(objects(kernel)) for kernel in lab.kernels)
    except SizeError as error:
        return [Row(NAME, "objects", "bytes", None, note=str(error))]
    return [
        Row(NAME, "all sections", "bytes", ours.resident + ours.init + ours.exit, c.resident + c.init + c.exit),
        Row(NAME, "resident after boot", "bytes", ours.resident, c.resident),
        Row(NAME, "freed after boot", "bytes", ours.init, c.init),
        Row(NAME, "exit code", "bytes", ours.exit, c.exit),
    ]
