# SPDX-License-Identifier: GPL-2.0
"""What can be learned of a kernel from its image and from where it was built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable

from images import ImageError

#: Where a build leaves its release.
RELEASE = "include/config/kernel.release"


def _output_of(kernel: Path, name: str) -> Path | None:
    """The folder that a kernel was built in, by a file of that name in it."""
    return next((p for p in kernel.resolve().parents if (p / name).is_file()), None)


def kernel_release(kernel: Path) -> str | None:
    """The release of a kernel, such as "6.12.1": as a bzImage names it in its
    header, or from the folder that it was built in; None where neither says."""
    with open(kernel, "rb") as file:
        head = file.read(0x10000)
    if head[0x202:0x206] == b"HdrS":
        offset = int.from_bytes(head[0x20E:0x210], "little") + 0x200
        return head[offset : offset + 64].split(b" ")[0].decode()
    output = _output_of(kernel, RELEASE)
    return None if output is None else (output / RELEASE).read_text().strip()


def page_size(kernel: Path) -> int:
    """The size of its pages, in bytes: as the header of an arm64 Image names it, which
    may have others than 4 KiB."""
    with open(kernel, "rb") as file:
        head = file.read(64)
    if head[56:60] != b"ARM\x64":
        return 4096
    return {2: 16384, 3: 65536}.get(head[24] >> 1 & 3, 4096)


def option(kernel: Path, name: str) -> str:
    """The value of CONFIG_name of a kernel in the folder that it was built in, "n" when
    it is not set or not known."""
    output = _output_of(kernel, ".config")
    text = "" if output is None else (output / ".config").read_text()
    found = re.search(rf"^CONFIG_{name}=(.*)$", text, re.M)
    return "n" if found is None else found[1]


def find_source(kernel: Path) -> Path:
    """The source tree of a kernel in the folder that it was built in. Raises
    ImageError."""
    output = _output_of(kernel, RELEASE)
    if output is None or not (output / "source").exists():
        raise ImageError(f"{kernel}: there is no source tree beside it")
    return (output / "source").resolve()


def find_dtb(kernel: Path, name: str) -> Path:
    """A device tree that was built with the kernel. Raises ImageError."""
    # (Series differ in where they keep it.)
    for place in ("dts", "dts/arm"):
        path = kernel.resolve().parent / place / name
        if path.is_file():
            return path
    raise ImageError(f"{kernel}: there is no {name} under dts/ beside it")


def find_modules(kernel: Path, names: Iterable[str]) -> list[Path]:
    """The files of a kernel's modules, in the order to load them in, and those
    that they depend on before them.

    `kernel` is a kernel image in the folder that it was built in. Raises
    ImageError for a module that was not built.
    """
    output = _output_of(kernel, "Module.symvers")
    built: dict[str, Path] = {}
    if output is not None:
        # (6.1 lists x.ko, newer kernels list x.o.)
        for line in (output / "modules.order").read_text().split():
            path = output / Path(line).with_suffix(".ko")
            built[path.stem.replace("-", "_")] = path
    found: list[Path] = []

    def add(name: str) -> None:
        path = built.get(name.replace("-", "_"))
        if path is None:
            raise ImageError(f"{kernel}: there is no module {name} beside it")
        match = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for needed in (match[1].decode() if match else "").split(","):
            if needed:
                add(needed)
        if path not in found:
            found.append(path)

    for name in names:
        add(name)
    return found
