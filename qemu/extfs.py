# SPDX-License-Identifier: GPL-2.0
"""Reads and changes ext2, ext3 and ext4 images in place, without mounting them
and without being root."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from images import ImageError, find_tool


@dataclass(frozen=True)
class Node:
    """A device node: c or b, and its numbers."""

    kind: str
    major: int
    minor: int
    mode: int = 0o600


#: What a program needs that runs before anything is mounted on /dev.
NODES = {
    "dev/console": Node("c", 5, 1),
    "dev/null": Node("c", 1, 3, 0o666),
    "dev/kmsg": Node("c", 1, 11),
}


def _debugfs(image: Path, commands: Sequence[str], *, write: bool = False) -> None:
    """Has debugfs work on an ext2, ext3 or ext4 image. Raises ImageError when
    it complains about anything (its exit status does not tell)."""
    words = [find_tool("debugfs"), *(["-w"] if write else []), "-f", "-", str(image)]
    done = subprocess.run(words, input="\n".join(commands) + "\n", capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C", "DEBUGFS_PAGER": "__none__"})
    said = [line for line in done.stderr.splitlines() if not re.match(r"debugfs \d", line)]
    if done.returncode != 0 or said:
        raise ImageError(f"debugfs failed: {' '.join(said)[-600:]}")


def add_nodes(image: Path, nodes: dict[str, Node] = NODES) -> Path:
    """Makes device nodes in an ext2, ext3 or ext4 image, which takes root or
    fakeroot everywhere else; their folders must be there. Returns `image`."""
    commands = []
    for name, node in nodes.items():
        folder, _, last = name.rpartition("/")
        kind = stat.S_IFCHR if node.kind == "c" else stat.S_IFBLK
        commands += [f"cd /{folder}", f"mknod {last} {node.kind} {node.major} {node.minor}",
                     f"sif {last} mode 0{kind | node.mode:o}"]
    _debugfs(image, commands, write=True)
    return image


def read_file(image: Path, name: str) -> bytes:
    """A file's content, out of an ext2, ext3 or ext4 image."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "file"
        _debugfs(image, [f"dump /{name} {target}"])
        return target.read_bytes()
