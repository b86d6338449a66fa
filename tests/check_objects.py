#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks what the C++ compiler left in a built kernel.

    check_objects.py [--list] [-k WORD] [--verbose] BUILD_DIR

BUILD_DIR is the kernel's output folder (make O=). The objects must hold
nothing that the kernel cannot link or that nobody would run: no COMDAT groups,
no weak symbols, no static constructors, no C++ run-time, no section of its own
per function; boot code must lie in .init sections, and it is freed after boot.
The C objects that ours replace must not be there, and the build must not have
given a warning. ELF files are read directly, so no tools are needed.

Exit status: 0 when all checks passed, 1 when one failed, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import re
import struct
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
OVERLAY = Path("init/initrd-cxx")

SHT_SYMTAB, SHT_GROUP = 2, 17
SHF_ALLOC = 2
STB_WEAK, STB_GNU_UNIQUE = 2, 10
STT_SECTION, STT_FILE = 3, 4
SHN_UNDEF, SHN_ABS = 0, 0xFFF1


class BadObject(Exception):
    """A file is no ELF object that can be read here."""


@dataclass(frozen=True)
class Section:
    name: str
    kind: int
    flags: int
    size: int


@dataclass(frozen=True)
class Symbol:
    name: str
    binding: int
    kind: int
    section: int

    @property
    def defined(self) -> bool:
        return self.section != SHN_UNDEF


class Object:
    """The sections and symbols of an ELF object, 32 or 64 bit, either order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        if self.data[:4] != b"\x7fELF":
            raise BadObject(f"{path} is no ELF object")
        self.wide = self.data[4] == 2
        self.order = "<" if self.data[5] == 1 else ">"
        self._headers = list(self._section_headers())
        self.sections = [Section(self._name(h), h["type"], h["flags"], h["size"]) for h in self._headers]

    def _section_headers(self) -> Iterator[dict[str, int]]:
        if self.wide:
            table, = struct.unpack_from(self.order + "Q", self.data, 40)
            size, count, self._names = struct.unpack_from(self.order + "HHH", self.data, 58)
            form = self.order + "IIQQQQIIQQ"
        else:
            table, = struct.unpack_from(self.order + "I", self.data, 32)
            size, count, self._names = struct.unpack_from(self.order + "HHH", self.data, 46)
            form = self.order + "10I"
        keys = ("name", "type", "flags", "addr", "offset", "size", "link", "info", "align", "entsize")
        for number in range(count):
            yield dict(zip(keys, struct.unpack_from(form, self.data, table + number * size)))

    def _string(self, table: dict[str, int], offset: int) -> str:
        start = table["offset"] + offset
        return self.data[start : self.data.index(b"\0", start)].decode(errors="replace")

    def _name(self, header: dict[str, int]) -> str:
        return self._string(self._headers[self._names], header["name"])

    @cached_property
    def symbols(self) -> list[Symbol]:
        """All symbols but those of sections and files."""
        found = []
        for header in self._headers:
            if header["type"] != SHT_SYMTAB:
                continue
            strings = self._headers[header["link"]]
            for at in range(header["offset"], header["offset"] + header["size"], header["entsize"]):
                if self.wide:
                    name, info, _, section = struct.unpack_from(self.order + "IBBH", self.data, at)
                else:
                    name, _, _, info, _, section = struct.unpack_from(self.order + "IIIBBH", self.data, at)
                if name and info & 15 not in (STT_SECTION, STT_FILE):
                    found.append(Symbol(self._string(strings, name), info >> 4, info & 15, section))
        return found

    def alloc_sections(self) -> list[str]:
        """Names of the sections that take up room in the kernel's image."""
        return [s.name for s in self.sections if s.flags & SHF_ALLOC and s.size and s.kind != SHT_GROUP]


#: Symbols of the C++ run-time, which the kernel does not have: new and delete,
#: static destruction, guards, exceptions, type information.
RUNTIME = re.compile(r"^(__cxa_|__cxx_|__dso_handle|_Zn[wa]|_Zd[la]|_ZGV|__gxx_personality|_Unwind_|"
                     r"_ZT[IS]|_ZSt|_ZNSt|_ZNKSt|__gnu_cxx|atexit$)")

CONSTRUCTORS = re.compile(r"^\.(pre)?(init|fini)_array|^\.[cd]tors")
ORPHANS = re.compile(r"^\.(text|rodata|data|bss)(\.(unlikely|hot|startup|exit))?\.+_Z|"
                     r"^\.gnu\.linkonce|^\.gcc_except_table|^\.t(data|bss)|^\.(init\.)?data\.rel\.ro\._Z")

#: What an object that only boot needs may have: .init sections, and the
#: tables in which the kernel keeps facts about code.
BOOT_SECTIONS = re.compile(
    r"^\.init\.(text|data|data\.rel\.ro|bss|rodata|rodata\.str[0-9.]+|rodata\.cst[0-9]+)$|"
    r"^(__mcount_loc|__patchable_function_entries|__bug_table|__ex_table|__jump_table|"
    r"\.orc_(unwind|unwind_ip|header)|\.altinstructions|\.altinstr_replacement|\.altinstr_aux|"
    r"\.retpoline_sites|\.return_sites|\.call_sites|\.ibt_endbr_seal|\.cfi_sites|\.kcfi_traps|"
    r"\.static_call_sites|\.smp_locks|\.alternative|\.note\..*|\.discard\..*|\.printk_index|"
    r"\.ARM\.ex(idx|tab)(\.init\.text)?)$"
)

#: Lines of a build that must not be there.
BUILD_TROUBLE = re.compile(r"\bwarning\b[: ]|\bWARNING\b|\bobjtool: |\bmodpost: |^ld\S*: |\bld\.lld: ",
                           re.IGNORECASE)

REPLACED = ("init/initramfs.o", "init/do_mounts_rd.o", "init/do_mounts_initrd.o", "drivers/block/brd.o")


class Kernel:
    """A kernel's output folder and the project's C++ objects in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources: dict[Path, Path] = {}
        for top in ("initrd", "ramdisk", "tests/contract", "tests/kunit"):
            for source in sorted((ROOT / top).rglob("*.cc")):
                relative = source.relative_to(ROOT)
                built = folder / OVERLAY / relative.with_suffix(".o")
                if built.exists():
                    self.sources[relative] = built
        self.objects = {source: Object(built) for source, built in self.sources.items()}

    @cached_property
    def boot_only(self) -> list[Path]:
        """The sources whose code is freed after boot: all of initrd/, and
        what ramdisk/Kbuild lists in init-cxx."""
        listed = set()
        for folder in ("initrd", "ramdisk"):
            makefile = (ROOT / folder / "Kbuild").read_text()
            for match in re.finditer(r"^init-cxx\s*[:+]?=\s*(.*(?:\\\n.*)*)", makefile, re.MULTILINE):
                listed |= {Path(folder) / word for word in match[1].split() if word.endswith(".o")}
        return [s for s in self.sources if s.parts[0] == "initrd" or s.with_suffix(".o") in listed]

    @cached_property
    def addresses(self) -> dict[str, list[int]]:
        """Where vmlinux has each symbol, from System.map."""
        found: dict[str, list[int]] = {}
        for line in (self.folder / "System.map").read_text().splitlines():
            address, _, name = line.split(maxsplit=2)
            found.setdefault(name, []).append(int(address, 16))
        return found

    def area(self, first: str, last: str) -> range:
        return range(self.addresses[first][0], self.addresses[last][0])


Check = Callable[[Kernel], "list[str]"]
CHECKS: dict[str, Check] = {}


class Skipped(Exception):
    """A check cannot say anything here; the text says why."""


def check(function: Check) -> Check:
    """Enters a function in CHECKS. It returns what is wrong, a line each."""
    CHECKS[function.__name__] = function
    return function


@check
def objects_are_there(kernel: Kernel) -> list[str]:
    """The C++ was built at all: boot, formats, image, rootfs, load, ramdisk."""
    have = {str(source) for source in kernel.sources}
    wanted = ["initrd/boot/", "initrd/formats/", "initrd/image/", "initrd/rootfs/", "initrd/load/",
              "ramdisk/"]
    return [f"nothing was built of {w}" for w in wanted if not any(h.startswith(w) for h in have)]


@check
def no_comdat_groups(kernel: Kernel) -> list[str]:
    """Inline functions and templates do not leave groups behind."""
    return [f"{source}: a group section {s.name}" for source, o in kernel.objects.items()
            for s in o.sections if s.kind == SHT_GROUP]


@check
def no_weak_symbols(kernel: Kernel) -> list[str]:
    """Nothing is weak or unique, neither defined nor wanted."""
    return [f"{source}: {s.name}" for source, o in kernel.objects.items() for s in o.symbols
            if s.binding in (STB_WEAK, STB_GNU_UNIQUE)]


@check
def no_static_constructors(kernel: Kernel) -> list[str]:
    """Nothing waits for somebody to run it before the kernel starts."""
    wrong = [f"{source}: section {s.name}" for source, o in kernel.objects.items() for s in o.sections
             if CONSTRUCTORS.match(s.name)]
    wrong += [f"{source}: {s.name}" for source, o in kernel.objects.items() for s in o.symbols
              if s.name.startswith(("_GLOBAL__sub_I_", "__cxx_global_var_init"))]
    return wrong


@check
def no_runtime_symbols(kernel: Kernel) -> list[str]:
    """No new, delete, guards, exceptions, type information, standard library."""
    return [f"{source}: {s.name}" for source, o in kernel.objects.items() for s in o.symbols
            if RUNTIME.match(s.name)]


@check
def no_orphan_sections(kernel: Kernel) -> list[str]:
    """No function or variable has a section to itself."""
    return [f"{source}: {s.name}" for source, o in kernel.objects.items() for s in o.sections
            if ORPHANS.match(s.name)]


@check
def boot_code_is_init(kernel: Kernel) -> list[str]:
    """What only boot needs has nothing outside of .init sections."""
    return [f"{source}: {name}" for source in kernel.boot_only
            for name in kernel.objects[source].alloc_sections() if not BOOT_SECTIONS.match(name)]


@check
def boot_code_is_freed(kernel: Kernel) -> list[str]:
    """In vmlinux, every symbol of it lies between __init_begin and __init_end."""
    init = kernel.area("__init_begin", "__init_end")
    wrong, seen = [], 0
    for source in kernel.boot_only:
        for symbol in kernel.objects[source].symbols:
            if not (symbol.defined and symbol.name.startswith("_Z")):
                continue
            places = kernel.addresses.get(symbol.name)
            if places is None:
                continue  # (constants that the linker merged have no address)
            seen += 1
            if not any(place in init for place in places):
                wrong.append(f"{source}: {symbol.name} at {places[0]:#x}")
    if seen < 10:
        wrong.append(f"only {seen} C++ symbols of boot code in System.map")
    return wrong


@check
def driver_is_in_the_kernel(kernel: Kernel) -> list[str]:
    """The RAM disk's C++ functions are in vmlinux, outside of .init."""
    init = kernel.area("__init_begin", "__init_end")
    names = {s.name for source in kernel.sources if source.parts[0] == "ramdisk" and source not in kernel.boot_only
             for s in kernel.objects[source].symbols if s.defined and s.name.startswith("_Z")}
    there = [name for name in names if name in kernel.addresses]
    if not there:
        return ["none of the RAM disk's C++ symbols is in System.map"]
    return [name for name in there if all(place in init for place in kernel.addresses[name])]


@check
def replaced_objects_are_absent(kernel: Kernel) -> list[str]:
    """init/initramfs.o and the others are neither built nor linked."""
    wrong = []
    for name in REPLACED:
        folder, _, base = name.rpartition("/")
        archive = kernel.folder / folder / ".built-in.a.cmd"
        if not archive.exists():
            wrong.append(f"there is no {archive.relative_to(kernel.folder)}")
        elif re.search(rf"(?<![\w/.-])(?:{re.escape(folder)}/)?{re.escape(base)}(?![\w.])", archive.read_text()):
            wrong.append(f"{name} is part of {folder}/built-in.a")
        if (kernel.folder / name).exists():
            wrong.append(f"{name} was built")
    return wrong


@check
def build_was_quiet(kernel: Kernel) -> list[str]:
    """Compiler, objtool, modpost and linker had nothing to say."""
    log = kernel.folder / "build.log"
    if not log.exists():
        raise Skipped("there is no build.log; build with scripts/build-kernel.sh")
    text = log.read_text(errors="replace")
    if not re.search(rf"^ +CXX .*{OVERLAY}/", text, re.MULTILINE):
        raise Skipped("the last build had no C++ to compile")
    return [line.strip() for line in text.splitlines() if BUILD_TROUBLE.search(line)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="check_objects.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the checks and do nothing")
    parser.add_argument("-k", dest="word", default="", help="only the checks whose name contains WORD")
    parser.add_argument("--verbose", action="store_true", help="say what each check is about")
    parser.add_argument("folder", nargs="?", type=Path, metavar="BUILD_DIR")
    options = parser.parse_args()
    chosen = {name: function for name, function in CHECKS.items() if options.word in name}
    if options.list:
        print("\n".join(chosen))
        return 0
    if options.folder is None or not options.folder.is_dir():
        parser.error("name the output folder of a built kernel")
    try:
        kernel = Kernel(options.folder)
    except (BadObject, OSError) as error:
        print(f"check_objects.py: {error}", file=sys.stderr)
        return 1
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, function in chosen.items():
        try:
            wrong = function(kernel)
        except Skipped as reason:
            counts["skipped"] += 1
            print(f"SKIP {name}: {reason}")
            continue
        except (KeyError, OSError) as error:
            wrong = [f"cannot be told: {error!r}"]
        counts["failed" if wrong else "passed"] += 1
        print(f"{'FAIL' if wrong else 'ok  '} {name}")
        if options.verbose:
            print(f"     {function.__doc__}")
        for line in wrong[:20]:
            print(f"     {line}")
        if len(wrong) > 20:
            print(f"     and {len(wrong) - 20} more")
    print(f"{len(kernel.objects)} objects: {counts['passed']} passed, {counts['failed']} failed, "
          f"{counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
