#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Collects the files that other projects test their own readers with.

    collect.py FOLDER

Downloads Debian's source packages of the projects below, from where this system gets
its packages, and puts their compressed files, archives and file systems, whole ones and
damaged ones, into FOLDER/files. Nothing of them is compiled or run. What is there is
not downloaded again.

Exit status: 0, 1 when a package cannot be had (the text says why), 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import binascii
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "qemu"))

import userland  # noqa: E402

#: Debian's source packages, each for what its tests bring.
PACKAGES = {
    "xz-utils": "streams that are right, wrong, and not supported, one for each rule of the format",
    "libarchive": "archives and streams, those of its reported faults among them",
    "e2fsprogs": "file systems with one damage each",
    "libzstd": "frames",
    "lz4": "frames",
    "bzip2": "streams",
    "busybox": "streams that were once read wrongly",
}
#: What the names of their data end with; .uu is text for any of them.
KINDS = {".xz", ".lzma", ".lz", ".bz2", ".gz", ".tgz", ".zst", ".lz4", ".lzo", ".bin", ".cpio", ".Z", ".uu"}
#: The longest that is taken, in bytes.
LONGEST = 4 << 20

SOURCES_FILE = "sources.list"


class Failed(Exception):
    """Something cannot be had; the text says why."""


def run(*words: str | Path, folder: Path) -> None:
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failed(f"{words[0]}: {(done.stderr or done.stdout).strip()[-500:]}")


def download(folder: Path) -> None:
    """The packages' sources, into `folder`, which gets lists of its own."""
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    (folder / SOURCES_FILE).write_text(userland.source_packages())
    options = ["-o", f"Dir::Etc::sourcelist={folder / SOURCES_FILE}", "-o", "Dir::Etc::sourceparts=/dev/null",
               "-o", f"Dir::State::Lists={folder / 'lists'}", "-o", "APT::Sandbox::User=root"]
    print("collect.py: looking for the sources ...", flush=True)
    run("apt-get", *options, "-q", "update", folder=folder)
    for package in PACKAGES:
        print(f"collect.py: {package} ...", flush=True)
        run("apt-get", *options, "-q", "source", "--download-only", package, folder=folder)


def decoded(text: bytes) -> bytes:
    """What uuencode made of it. (Lines that lost their blanks at the end are taken.)"""
    out = bytearray()
    lines = iter(text.splitlines())
    next((line for line in lines if line.startswith(b"begin ")), None)
    for line in lines:
        if line == b"end":
            break
        length = (line[0] - 32) & 63 if line else 0
        if not length:
            continue
        try:
            out += binascii.a2b_uu(line[:1 + (length * 4 + 2) // 3])
        except binascii.Error:
            return b""
    return bytes(out)


def data_of(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The test data in a source archive, by their names and those of their folders."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = Path(member.name)
            if not member.isfile() or name.suffix not in KINDS or member.size > LONGEST:
                continue
            file = tar.extractfile(member)
            data = file.read() if file is not None else b""
            if name.suffix == ".uu":
                name, data = name.with_suffix(""), decoded(data)
            if data:
                # (Folders have many of one name.)
                yield re.sub(r"[^A-Za-z0-9._+-]", "_", f"{name.parent.name}-{name.name}"), data


def collect(folder: Path) -> int:
    """Fills folder/files and returns how many there are."""
    done = folder / "complete"
    files = folder / "files"
    wanted = repr((sorted(PACKAGES), sorted(KINDS), LONGEST))
    if not done.is_file() or done.read_text() != wanted:
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir(parents=True)
        download(folder)
        for package in PACKAGES:
            found = sorted(folder.glob(f"{package}_*.orig.tar.*[!c]"))
            if not found:
                raise Failed(f"{package}: there is no source archive in {folder}")
            for name, data in data_of(found[-1]):
                (files / f"{package}-{name}").write_bytes(data)
        done.write_text(wanted)
    return sum(1 for _ in files.iterdir())


def main() -> int:
    parser = argparse.ArgumentParser(prog="collect.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where they go, and where they are kept")
    folder = parser.parse_args().folder.resolve()
    try:
        print(f"collect.py: {collect(folder)} files in {folder / 'files'}")
    except (Failed, userland.UserlandError, OSError, tarfile.TarError) as error:
        print(f"collect.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
