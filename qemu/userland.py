# SPDX-License-Identifier: GPL-2.0
"""Programs for the guest: Debian's statically linked busybox, of its architecture.

For this machine's own architecture it is the one that is installed. For others the
package is downloaded with this machine's own apt settings, but into folders under
build/, so that nothing changes on the machine, and nobody has to be root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator, Sequence

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"

#: What Debian calls an architecture.
DEBIAN_ARCH = {"x86_64": "amd64", "um": "amd64", "i386": "i386", "arm64": "arm64", "arm": "armhf", "riscv64": "riscv64"}

#: The release to take it from where this machine's does not have the architecture.
ELSEWHERE = "trixie"

_ELF_MACHINE = {"amd64": 62, "i386": 3, "arm64": 183, "armhf": 40, "riscv64": 243}


class UserlandError(Exception):
    """There are no programs for the guest; the text says why and what to do."""


def _is_static(program: Path, debian: str) -> bool:
    head = program.read_bytes()[:4096]
    return (head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") == _ELF_MACHINE[debian]
            and b"/ld-" not in head)


def _installed(debian: str) -> Path | None:
    for candidate in (Path("/bin/busybox"), Path("/usr/bin/busybox")):
        if candidate.exists() and _is_static(candidate, debian):
            return candidate
    return None


def _suites() -> Iterator[tuple[str, str, str]]:
    """Where this machine's packages of Debian's come from: addresses, each with a release
    and the keyring, or ""."""
    text = _apt("indextargets", "--format", "$(SITE) $(RELEASE) $(LABEL) $(SIGNED_BY)", "Created-By: Packages")
    for line in text.splitlines():
        site, release, label, *keyring = line.split()
        if label == "Debian":
            yield site, release, keyring[0] if keyring and keyring[0].startswith("/") else ""


def _line(kind: str, site: str, release: str, keyring: str) -> str:
    """A line of apt's list of sources."""
    return f"{kind} {f'[signed-by={keyring}] ' if keyring else ''}{site} {release} main\n"


def source_packages() -> str:
    """A list of sources for apt: where the source packages are that belong to this machine's
    packages of Debian's. Raises UserlandError."""
    lines = dict.fromkeys(_line("deb-src", *suite) for suite in _suites())
    if not lines:
        raise UserlandError("apt-get knows of no archive of Debian's")
    return "".join(lines)


def archive() -> str:
    """The address of an archive of Debian's. Raises UserlandError."""
    for site, _, _ in _suites():
        return site
    raise UserlandError("apt-get knows of no archive of Debian's")


def _sources(release: str) -> str:
    """The same archives, for another release, in the one-line format."""
    sites = {site: keyring for site, _, keyring in _suites()}
    return "".join(_line("deb", site, release, keyring) for site, keyring in sites.items())


def _apt(*words: str, folder: Path | None = None) -> str:
    done = subprocess.run(["apt-get", *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}, check=False)
    if done.returncode:
        raise UserlandError("apt-get " + " ".join(words) + " failed: " + done.stderr.strip()[-400:])
    return done.stdout


def _download(debian: str, scratch: Path, release: str | None) -> Path:
    """The package in the folder `scratch`, from this machine's sources or from
    those of another release."""
    options = [f"APT::Architecture={debian}", f"APT::Architectures={debian}", f"Dir::State::Lists={scratch}/lists",
               f"Dir::Cache={scratch}/cache", "Debug::NoLocking=1"]
    if release is not None:
        (scratch / "sources.list").write_text(_sources(release))
        options += [f"Dir::Etc::SourceList={scratch}/sources.list", "Dir::Etc::SourceParts=/nonexistent"]
    words = [word for option in options for word in ("-o", option)]
    for name in ("lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True, exist_ok=True)
    # (It complains of sources that do not have the architecture.)
    subprocess.run(["apt-get", *words, "-qq", "update"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    _apt(*words, "-qq", "download", "busybox-static", folder=scratch)
    found = sorted(scratch.glob("busybox-static_*.deb"))
    if not found:
        raise UserlandError(f"apt-get brought no busybox-static for {debian}")
    return found[0]


def _fetch(debian: str, where: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UserlandError(f"put a statically linked busybox for {debian} at {where}: this is no Debian system, "
                            "from which it could be downloaded")
    where.parent.mkdir(parents=True, exist_ok=True)
    problems: Sequence[str] = ()
    with tempfile.TemporaryDirectory(dir=where.parent) as scratch:
        for release in (None, ELSEWHERE):
            try:
                package = _download(debian, Path(scratch), release)
            except UserlandError as error:
                problems = [*problems, str(error)]
                continue
            subprocess.run(["dpkg-deb", "-x", package, Path(scratch) / "root"], check=True)
            program = next(path for path in (Path(scratch) / "root/bin/busybox", Path(scratch) / "root/usr/bin/busybox")
                           if path.exists())
            if not _is_static(program, debian):
                raise UserlandError(f"{package.name}: its busybox is not static, or not for {debian}")
            os.replace(program, where)
            return
    raise UserlandError(f"no busybox-static for {debian}: " + "; ".join(problems))


def busybox(arch: str = "x86_64") -> Path:
    """A statically linked busybox for a kernel of `arch`, a word of qemu/arch/;
    downloaded once. Raises UserlandError."""
    debian = DEBIAN_ARCH[arch]
    there = _installed(debian)
    if there is not None:
        return there
    where = BUILD / "userland" / debian / "busybox"
    if where.exists():
        return where
    if debian == DEBIAN_ARCH.get(os.uname().machine):
        raise UserlandError("busybox is missing, or not static; install it: apt-get install busybox-static")
    _fetch(debian, where)
    return where
