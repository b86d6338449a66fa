# SPDX-License-Identifier: GPL-2.0
"""Reads what a boot left behind: the console log and the guest's own report.

`Console` finds the kernel's lines about the initrd in a log, `Guest` parses
the report that qemu/guest-init.sh sends over its own port, and `account`
writes the summary that qemu/boot ends with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_STAMP = re.compile(r"^\[ *(\d+\.\d+)\](?:\[[^\]]*\])? (.*)$")
_VERSION = re.compile(r"Linux version (\S+)")
_LOAD = re.compile(
    r"^initrd: (?P<built_in>built-in )?(?P<format>\S+) (?P<noun>image|archive): "
    r"(?P<taken>\d+) bytes in, (?P<made>\d+) bytes out, "
    r"(?P<how>adopted|moved|decoded|copied|unpacked), "
    r"(?:(?P<copied>\d+) bytes copied|(?P<entries>\d+) entries), "
    r"(?P<ms>\d+) ms$"
)
_FREED = re.compile(r"^Freeing initrd memory: (\d+)K$")
_RESERVED = re.compile(r"^RAMDISK: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]$")
_MOUNTED = re.compile(r"^VFS: Mounted root \((\S+) filesystem\)( readonly)? on device (\d+:\d+)\.$")
_INIT = re.compile(r"^Run (\S+) as init process$")
_PANIC = re.compile(r"Kernel panic - not syncing: (.*)$")
#: What must not appear in the log of a healthy boot.
_TROUBLE = re.compile(
    r"\bWARNING: |\bBUG: |\bBUG at |\bOops\b|kernel BUG|Call Trace:|general protection|"
    r"\bKASAN\b.*:|UBSAN: |KFENCE|\bkmemleak: \d|INFO: (?:task|rcu)|possible circular|"
    r"suspicious RCU|Kernel panic|rcu: INFO|bad page state|Bad page state|list_(?:add|del) corruption|"
    r"CFI failure|stack-protector|unregister_netdevice|segfault"
)


@dataclass(frozen=True)
class Line:
    """One line of a kernel log: seconds since its start (None when the line
    has no stamp) and the text behind the stamp."""

    time: float | None
    text: str


@dataclass(frozen=True)
class Load:
    """The kernel's one line about how it took an image or an archive.

    `format` is the line's first field, such as "ext2", "gzip+ext2" or
    "zstd+cpio". `copied` is None for archives, `entries` is None for images.
    """

    format: str
    noun: str
    bytes_in: int
    bytes_out: int
    how: str
    copied: int | None
    entries: int | None
    milliseconds: int
    built_in: bool = False

    @property
    def compressor(self) -> str:
        """"none" for an uncompressed one."""
        return self.format.partition("+")[0] if "+" in self.format else "none"

    @property
    def content(self) -> str:
        """cpio, a file system's name, or unknown."""
        return self.format.rpartition("+")[2]


@dataclass(frozen=True)
class Mount:
    """The kernel's line "VFS: Mounted root"."""

    fs: str
    readonly: bool
    device: str
    time: float | None


class Console:
    """A kernel log, taken apart. Nothing is read but the text given."""

    def __init__(self, text: str) -> None:
        # (The C implementation shows its progress with a turning bar.)
        self.text = re.sub(".\b", "", text.replace("\r", ""))
        self.lines: list[Line] = []
        for raw in self.text.split("\n"):
            match = _STAMP.match(raw)
            if match:
                self.lines.append(Line(float(match[1]), match[2].strip()))
            elif raw.strip():
                self.lines.append(Line(None, raw.strip()))

    def _find(self, pattern: re.Pattern[str]) -> list[tuple[Line, re.Match[str]]]:
        found = []
        for line in self.lines:
            match = pattern.search(line.text)
            if match:
                found.append((line, match))
        return found

    def having(self, text: str) -> list[str]:
        """The lines that contain `text`, without their stamps."""
        return [line.text for line in self.lines if text in line.text]

    @property
    def version(self) -> str | None:
        """The kernel's release, from its first line."""
        found = self._find(_VERSION)
        return found[0][1][1] if found else None

    @property
    def loads(self) -> list[Load]:
        """Every "initrd: ... bytes in" line of what the boot loader left, in order."""
        return [load for load in self._all_loads() if not load.built_in]

    @property
    def built_in(self) -> Load | None:
        """The same line of the archive that is built into the kernel."""
        return next((load for load in self._all_loads() if load.built_in), None)

    def _all_loads(self) -> list[Load]:
        return [
            Load(
                format=m["format"],
                noun=m["noun"],
                bytes_in=int(m["taken"]),
                bytes_out=int(m["made"]),
                how=m["how"],
                copied=int(m["copied"]) if m["copied"] else None,
                entries=int(m["entries"]) if m["entries"] else None,
                milliseconds=int(m["ms"]),
                built_in=m["built_in"] is not None,
            )
            for _, m in self._find(_LOAD)
        ]

    @property
    def freed_kib(self) -> list[int]:
        """The sizes in all lines "Freeing initrd memory"."""
        return [int(m[1]) for _, m in self._find(_FREED)]

    @property
    def reserved(self) -> tuple[int, int] | None:
        """Where the boot loader put the initrd: first and last address."""
        found = self._find(_RESERVED)
        return (int(found[0][1][1], 16), int(found[0][1][2], 16)) if found else None

    @property
    def mounts(self) -> list[Mount]:
        return [Mount(m[1], bool(m[2]), m[3], line.time) for line, m in self._find(_MOUNTED)]

    @property
    def init(self) -> tuple[str, float | None] | None:
        """The program that the kernel started last as init, and when."""
        found = self._find(_INIT)
        return (found[-1][1][1], found[-1][0].time) if found else None

    @property
    def panic(self) -> str | None:
        """What the kernel said when it panicked."""
        found = self._find(_PANIC)
        return found[0][1][1] if found else None

    @property
    def troubles(self) -> list[str]:
        """The kernel's lines that no healthy boot has: warnings, oopses,
        sanitizer reports. (Programs' lines have no stamp and do not count.)"""
        return [line.text for line, _ in self._find(_TROUBLE) if line.time is not None]

    @property
    def complaints(self) -> list[str]:
        """What the kernel said about an initrd that it could not use."""
        words = (
            "Initramfs unpacking failed",
            "RAMDISK: Couldn't find",
            "RAMDISK: image too big",
            "RAMDISK: EOF",
            "RAMDISK: error",
            "RAMDISK: incomplete",
            "decompressor not configured",
            "rootfs image is not initramfs",
            "disabling initrd",
            "initrd extends beyond",
            "VFS: Cannot open root device",
            "VFS: Unable to mount root",
            "Failed to execute",
            "No working init found",
        )
        return [line.text for line in self.lines if any(word in line.text for word in words)]

    def tail(self, count: int) -> str:
        """The last `count` lines that are not empty."""
        lines = [line for line in self.text.split("\n") if line.strip()]
        return "\n".join(lines[-count:])


@dataclass
class Guest:
    """The guest's report, judged against the run's token.

    `success` is true only when the report began and ended with that token.
    """

    token: str
    began: bool = False
    success: bool = False
    failure: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    test_output: list[str] = field(default_factory=list)
    test_status: int | None = None

    @classmethod
    def parse(cls, text: str, token: str) -> "Guest":
        guest = cls(token)
        testing = False
        for raw in text.replace("\r", "").split("\n"):
            line = raw.rstrip()
            if testing:
                if line.startswith("test-end "):
                    testing = False
                    guest.test_status = int(line.split()[1])
                else:
                    guest.test_output.append(line)
            elif line == f"BEGIN {token}":
                guest.began = True
            elif not guest.began:
                continue
            elif line == "test-begin":
                testing = True
            elif line == f"SUCCESS {token}":
                guest.success = True
            elif line.startswith("FAILURE "):
                guest.failure = line.partition(" ")[2]
            elif ": " in line:
                key, _, value = line.partition(": ")
                guest.facts[key] = value
        return guest

    @property
    def ended(self) -> bool:
        """Whether the last line of the report has arrived."""
        return self.success or self.failure is not None

    def number(self, key: str) -> int:
        """A fact that is a number. Raises KeyError when it was not reported."""
        return int(self.facts[key])


def human(size: int) -> str:
    """A size in bytes in words: "8 MiB (8388608 bytes)"."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.4g} {unit} ({size} bytes)"
    return f"{size} bytes"


def _taken(console: Console) -> list[str]:
    lines = []
    for load in console.loads:
        work = f"{load.copied} bytes copied" if load.copied is not None else f"{load.entries} entries"
        lines.append(
            f"{load.format} {load.noun}, {load.how}: {load.bytes_in} bytes in, "
            f"{load.bytes_out} bytes out, {work}, {load.milliseconds} ms"
        )
    if not lines:
        lines = [line for line in console.having("RAMDISK: ") if "[mem " not in line]
    if not lines and console.freed_kib and not console.having("rootfs image is not initramfs"):
        lines = ["unpacked into rootfs; the kernel gives no figures"]
    return lines or ["the kernel said nothing about it"]


def _times(console: Console) -> list[str]:
    lines = []
    if console.mounts and console.mounts[0].time is not None:
        lines.append(f"{console.mounts[0].time:.3f} s to \"VFS: Mounted root\"")
    if console.init and console.init[1] is not None:
        lines.append(f"{console.init[1]:.3f} s to {console.init[0]}")
    return lines or ["not known: the kernel's lines carry no stamps"]


def _memory(console: Console) -> list[str]:
    freed = console.freed_kib
    if freed:
        return [f"{size} KiB given back (\"Freeing initrd memory\")" for size in freed]
    if any(load.how in ("adopted", "moved") for load in console.loads):
        return ["0 KiB given back: /dev/ram0 took the image's pages over"]
    return ["the kernel did not say that it gave memory back"]


def account(console: Console, guest: Guest, *, image: str, size: int, stock: bool, result: str) -> str:
    """The summary of a boot, a name and a text per line.

    `image` says what the image is and `size` how long it is in bytes; `result`
    is the verdict in words.
    """
    version = console.version or guest.facts.get("release", "unknown")
    rows: list[tuple[str, list[str]]] = [
        ("Kernel", [f"{version}, {'the C' if stock else 'the C++'} implementation of initrd"]),
        ("Image", [f"{image}, {human(size)}"]),
        ("Taken", _taken(console)),
        ("Time", _times(console)),
        ("Memory", _memory(console)),
    ]
    complaints = console.complaints
    if any(mount.device == "1:0" for mount in console.mounts):
        # Said of every image; it has become the root all the same.
        complaints = [text for text in complaints if "looks like an initrd" not in text]
    if complaints:
        rows.append(("Complaints", complaints))
    if "mount" in guest.facts:
        rows.append(("Root", [guest.facts["mount"]]))
    elif console.mounts:
        last = console.mounts[-1]
        rows.append(("Root", [f"{last.fs} on device {last.device}"]))
    if "content" in guest.facts:
        rows.append(("Content", [f"{guest.facts['content']} (the guest's own checksums)"]))
    rows.append(("Result", [result]))
    width = max(len(name) for name, _ in rows)
    out = []
    for name, texts in rows:
        for number, text in enumerate(texts):
            out.append(f"{name if number == 0 else '':<{width}}  {text}")
    return "\n".join(out)
