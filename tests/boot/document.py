#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The initrd document, paragraph by paragraph, and the tests of each.

PARAGRAPHS names every paragraph by its section and words of its own. A test
says with the marker document(section, words) which one it tests. Run this file
for the table of them all that tests/README.md has:

    document.py             print the table's rows
    document.py --check     whether tests/README.md has these rows, and no others
    document.py --write     put them there
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
README = ROOT / "tests/README.md"
HEADING = "## The document, paragraph by paragraph"
COLUMNS = ("paragraph", "test", "6.1", "6.12", "C on 6.12")

INTRODUCTION = "Introduction"
SEQUENCE = "Boot sequence"
OPTIONS = "Boot command-line options"
CPIO = "Compressed cpio images"
INSTALLATION = "Installation"
BOOTING = "Booting with initrd"
ROOT_DEVICE = "Changing the root device"
SCENARIOS = "Usage scenarios"
OBSOLETE = "Obsolete root change mechanism"
MIXED = "Mixed change_root and pivot_root mechanism"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of the document. `untested` says why a paragraph that asks
    nothing of a kernel, or nothing that a test can try, has no test."""

    section: str
    words: str
    untested: str = ""


PARAGRAPHS = (
    Paragraph(INTRODUCTION, "initrd はブートローダーから RAM ディスクをロードする機能を提供します"),
    Paragraph(INTRODUCTION, "システムの起動を二段階で行う"),
    Paragraph(SEQUENCE, "ブートローダーがカーネルと初期 RAM ディスクをロードします"),
    Paragraph(SEQUENCE, "initrd を通常の RAM ディスクに変換して initrd が使用しているメモリを開放します"),
    Paragraph(SEQUENCE, "ルートデバイスが /dev/ram0 ではない場合、古い (非推奨の) change_root による方法が使われます"),
    Paragraph(SEQUENCE, "ルートデバイスがマウントされます"),
    Paragraph(SEQUENCE, "/sbin/init が実行されます"),
    Paragraph(SEQUENCE, "init によって本当のルートファイルシステムがマウントされます"),
    Paragraph(SEQUENCE, "init は pivot_root システムコールを使って"),
    Paragraph(SEQUENCE, "init によって新しいルートファイルシステムで /sbin/init が実行され"),
    Paragraph(SEQUENCE, "initrd ファイルシステムを削除します"),
    Paragraph(SEQUENCE, "アンマウントは行われないので注意してください"),
    Paragraph(OPTIONS, "Loads the specified file as the initial RAM disk"),
    Paragraph(OPTIONS, "initrd data is preserved but it is not converted to a RAM disk"),
    Paragraph(OPTIONS, "can have any structure"),
    Paragraph(OPTIONS, "/dev/initrd is read-only and it can only be used once"),
    Paragraph(OPTIONS, "initrd is mounted as root, and the normal boot procedure is followed"),
    Paragraph(CPIO, "圧縮された cpio アーカイブからの ramdisk の生成をサポート"),
    Paragraph(CPIO, "find . | cpio --quiet -H newc -o | gzip -9 -n"),
    Paragraph(CPIO, "gzip -cd /boot/imagefile.img | cpio -imd --quiet"),
    Paragraph(INSTALLATION, "a directory for the initrd file system has to be created"),
    Paragraph(INSTALLATION, "The name is not relevant"),
    Paragraph(INSTALLATION, "the root file system creation procedure should create the /initrd directory"),
    Paragraph(INSTALLATION, "mknod /dev/initrd b 1 250"),
    Paragraph(INSTALLATION, "compiled with RAM disk support"),
    Paragraph(INSTALLATION, "creating a file system on a block device"),
    Paragraph(INSTALLATION, "a floppy disk (works everywhere but it's painfully slow)",
              untested="a block device as any other, to the kernel that makes the image"),
    Paragraph(INSTALLATION, "a RAM disk (fast, but allocates physical memory)"),
    Paragraph(INSTALLATION, "a loopback device (the most elegant solution)"),
    Paragraph(INSTALLATION, "mke2fs -F -m0 initrd"),
    Paragraph(INSTALLATION, "use the Minix FS instead of Ext2"),
    Paragraph(INSTALLATION, "mknod /mnt/dev/console c 5 1"),
    Paragraph(INSTALLATION, '/sbin/init permissions must include "x" (execute)'),
    Paragraph(INSTALLATION, "chroot /mnt /sbin/init"),
    Paragraph(INSTALLATION, "gzip -9 initrd"),
    Paragraph(INSTALLATION, "only add a symbolic link from /sbin/init to /bin/sh"),
    Paragraph(BOOTING, "root=/dev/ram0 rw"),
    Paragraph(BOOTING, "rw is only necessary if writing to the initrd file system"),
    Paragraph(BOOTING, "LOADLIN <kernel> initrd=<disk_image>"),
    Paragraph(BOOTING, "With LILO, you add the option INITRD=<path>",
              untested="LILO's own file; to the kernel no other than the next row"),
    Paragraph(BOOTING, "For other boot loaders, please refer to the respective documentation"),
    Paragraph(ROOT_DEVICE, "mounting the new root file system"),
    Paragraph(ROOT_DEVICE, "mount -o ro /dev/hda1 /new-root"),
    Paragraph(ROOT_DEVICE, "pivot_root . initrd"),
    Paragraph(ROOT_DEVICE, "exec chroot . what-follows <dev/console >dev/console 2>&1"),
    Paragraph(ROOT_DEVICE, "udev must be initialized before invoking chroot"),
    Paragraph(ROOT_DEVICE, "implementation details of pivot_root may change with time"),
    Paragraph(ROOT_DEVICE, "the initrd can be unmounted and the memory allocated by the RAM disk can be freed"),
    Paragraph(ROOT_DEVICE, "use initrd with an NFS-mounted root",
              untested="the kernel for the tests has no network; pivot_root does not ask what it is given"),
    Paragraph(SCENARIOS, "modular kernel configuration at system installation"),
    Paragraph(SCENARIOS, "re-use the configuration data during normal system operation"),
    Paragraph(SCENARIOS, "systems with different hardware configurations"),
    Paragraph(SCENARIOS, "more convenient recovery disks"),
    Paragraph(SCENARIOS, "CD-ROM distributors may use it"),
    Paragraph(OBSOLETE, "Current kernels still support it"),
    Paragraph(OBSOLETE, "mounting the \"real\" root device as the root file system when linuxrc exits"),
    Paragraph(OBSOLETE, "the one set with rdev in the kernel image"),
    Paragraph(OBSOLETE, "The initrd file system is then unmounted"),
    Paragraph(OBSOLETE, "if it is still busy, moved to a directory /initrd"),
    Paragraph(OBSOLETE, "you do not have to specify the boot command options root, init, or rw"),
    Paragraph(OBSOLETE, "they will affect the real root file system, not the initrd environment"),
    Paragraph(OBSOLETE, "echo 0x301 >/proc/sys/kernel/real-root-dev"),
    Paragraph(OBSOLETE, "incompatible with NFS and similar file systems",
              untested="the kernel for the tests has no network"),
    Paragraph(OBSOLETE, "the new, supported mechanism is called pivot_root",
              untested="names; each has a section of its own"),
    Paragraph(MIXED, "create both /linuxrc and /sbin/init in your initrd image"),
    Paragraph(MIXED, "echo 0x0100 >/proc/sys/kernel/real-root-dev"),
    Paragraph(MIXED, "the kernel would mount again your initrd as root, this time executing /sbin/init"),
    Paragraph(MIXED, "before the final execution of the real /sbin/init"),
)


@dataclass
class Tested:
    """A test function: how many cases it has, and why the C implementation is
    known not to pass some of them."""

    name: str
    cases: int = 0
    not_c: list[str] = field(default_factory=list)


class Collector:
    """A plugin for pytest: gathers the tests of each paragraph."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, str], dict[str, Tested]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("document"):
                section, words = marker.args
                name = f"{item.path.name}::{getattr(item, 'originalname', item.name)}"
                test = self.tests.setdefault((section, words), {}).setdefault(name, Tested(name))
                test.cases += 1
                self._note(item, "cxx_only", test.not_c)

    @staticmethod
    def _note(item: pytest.Item, name: str, reasons: list[str]) -> None:
        marker = item.get_closest_marker(name)
        if marker is not None:
            reasons.append(str(marker.kwargs.get("reason", "")))


class DocumentError(Exception):
    """The markers and PARAGRAPHS do not agree; the text says where."""


def collect() -> dict[tuple[str, str], dict[str, Tested]]:
    """The tests of test_document_*.py, by paragraph. Boots nothing. Raises
    DocumentError when a marker names no paragraph, or a paragraph has no test."""
    collector = Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main(["-c", str(HERE.parent / "pytest.ini"), "--rootdir", str(HERE.parent), "--collect-only",
                              "-q", *map(str, sorted(HERE.glob("test_document_*.py")))], plugins=[collector])
    if status != 0:
        raise DocumentError(f"the tests cannot be collected:\n{said.getvalue()}")
    known = {(p.section, p.words) for p in PARAGRAPHS}
    stray = [f"{section}: {words}" for section, words in collector.tests if (section, words) not in known]
    if stray:
        raise DocumentError("markers that name no paragraph of PARAGRAPHS: " + "; ".join(stray))
    for paragraph in PARAGRAPHS:
        if bool(paragraph.untested) == ((paragraph.section, paragraph.words) in collector.tests):
            what = "has tests, and a reason why not" if paragraph.untested else "has no test"
            raise DocumentError(f"{paragraph.section}: {paragraph.words}: {what}")
    return collector.tests


def _verdict(tests: Sequence[Tested], failing: Sequence[list[str]]) -> str:
    """yes, no or partly, with what the markers give for reasons."""
    cases = sum(test.cases for test in tests)
    reasons = [reason for reasons in failing for reason in reasons]
    if not reasons:
        return "yes"
    texts = "; ".join(dict.fromkeys(filter(None, reasons)))
    return ("no" if len(reasons) == cases else "partly") + (f": {texts}" if texts else "")


def rows() -> list[str]:
    """The table, a line each, in the order of the document."""
    tests_of = collect()
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for paragraph in PARAGRAPHS:
        tests = list(tests_of.get((paragraph.section, paragraph.words), {}).values())
        if paragraph.untested:
            cells = [f"none: {paragraph.untested}", "–", "–", "–"]
        else:
            cells = [
                ", ".join(f"`{test.name}`" for test in tests),
                # No marker takes a test from these two.
                _verdict(tests, []),
                _verdict(tests, []),
                _verdict(tests, [test.not_c for test in tests]),
            ]
        words = paragraph.words.replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| {paragraph.section}: “{words}” | " + " | ".join(cells) + " |")
    return lines


def split_readme(text: str) -> tuple[list[str], list[str], list[str]]:
    """The README's lines: before the table, of it, and after it. Raises
    DocumentError when it has no such section."""
    lines = text.splitlines()
    if HEADING not in lines:
        raise DocumentError(f"{README.relative_to(ROOT)} has no section “{HEADING[3:]}”")
    at = lines.index(HEADING) + 1
    end = next((n for n in range(at, len(lines)) if lines[n].startswith("## ")), len(lines))
    first = next((n for n in range(at, end) if lines[n].startswith("|")), None)
    if first is None:
        # No table yet: it goes to the section's end.
        while end > at and not lines[end - 1].strip():
            end -= 1
        return [*lines[:end], ""], [], lines[end:]
    last = next((n for n in range(first, end) if not lines[n].startswith("|")), end)
    return lines[:first], lines[first:last], lines[last:]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="document.py", description=(__doc__ or "").splitlines()[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="compare the table in tests/README.md")
    group.add_argument("--write", action="store_true", help="put the table into tests/README.md")
    options = parser.parse_args(arguments)
    try:
        table = rows()
        if not options.check and not options.write:
            print("\n".join(table))
            return 0
        before, found, after = split_readme(README.read_text())
    except DocumentError as error:
        print(f"document.py: {error}", file=sys.stderr)
        return 1
    if options.write:
        README.write_text("\n".join([*before, *table, *after]) + "\n")
    elif found != table:
        print(f"document.py: {README.relative_to(ROOT)} has another table than the tests' markers give; "
              f"run tests/boot/document.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
