# SPDX-License-Identifier: GPL-2.0
"""tests/check_objects.py finds what it is there to find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "tests/check_objects.py"
FLAGS = ["-std=gnu++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
         "-fno-asynchronous-unwind-tables", "-fno-pic", "-O1", "-w"]

#: A function in .init.text, as boot code should be.
CLEAN = '__attribute__((section(".init.text"))) int good(int x) { return x + 1; }\n'

SYSTEM_MAP = """\
ffffffff81000000 T _stext
ffffffff82000000 T __init_begin
ffffffff82000010 T _Z4goodi
ffffffff82100000 T __init_end
"""


class Build:
    """A kernel's output folder with one C++ object of ours in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("init", "drivers/block"):
            (folder / name).mkdir(parents=True)
            (folder / name / ".built-in.a.cmd").write_text("savedcmd := ar main.o loop.o\n")
        (folder / "System.map").write_text(SYSTEM_MAP)
        (folder / "build.log").write_text("  CXX     init/initrd-cxx/initrd/boot/boot.o\n")

    def compile(self, text: str, *flags: str, source: str = "initrd/boot/boot.cc") -> None:
        """Compiles `text` to where the object of `source` belongs."""
        target = (self.folder / "init/initrd-cxx" / source).with_suffix(".o")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["clang++-19", *FLAGS, *flags, "-x", "c++", "-c", "-o", str(target), "-"],
                       input=text, text=True, check=True)

    def check(self, name: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, str(CHECK), "-k", name, str(self.folder)],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path / "out put")


@pytest.mark.parametrize("name", ["comdat", "weak", "constructors", "runtime", "orphan", "boot_code_is_init",
                                  "replaced", "quiet"])
def test_clean_object(build: Build, name: str) -> None:
    """An object as it should be passes each check by itself."""
    build.compile(CLEAN)
    status, said = build.check(name)
    assert status == 0, said
    assert "1 passed, 0 failed, 0 skipped" in said


@pytest.mark.parametrize(("name", "text", "flags", "found"), [
    ("comdat", "inline int f(int x) { return x; } int (*p)(int) = f;", [], "group"),
    ("weak", "__attribute__((weak)) int f() { return 1; }", [], "_Z1fv"),
    ("weak", "__attribute__((weak)) int f(); int g() { return f(); }", [], "_Z1fv"),
    ("constructors", "int f(); int x = f();", [], ".init_array"),
    ("constructors", "int f(); int x = f();", ["-fno-use-init-array"], ".ctors"),
    ("runtime", "int *f() { return new int; }", [], "_Znw"),
    ("runtime", "void f(int *p) { delete p; }", [], "_ZdlPv"),
    ("runtime", "struct A { virtual void f() = 0; A(); }; A::A() {}", [], "__cxa_pure_virtual"),
    ("runtime", "struct A { ~A(); }; void f() { static A a; }", [], "__cxa_atexit"),
    ("runtime", "int g(); int f() { static int x = g(); return x; }", ["-fthreadsafe-statics"], "_ZGV"),
    ("runtime", "struct A { virtual void f(); }; void A::f() {}", ["-frtti"], "_ZTI1A"),
    ("orphan", "int f() { return 1; }", ["-ffunction-sections"], ".text._Z1fv"),
    ("orphan", "__thread int t = 1;", [], ".tdata"),
    ("boot_code_is_init", "int f() { return 1; }", [], ".text"),
    ("boot_code_is_init", CLEAN + "int state = 3;", [], ".data"),
    ("boot_code_is_init", CLEAN + "int state;", [], ".bss"),
    ("boot_code_is_init", CLEAN + 'extern const char *const s[]; const char *const s[] = {"a", "b"};', [], ".rodata"),
])
def test_bad_object(build: Build, name: str, text: str, flags: list[str], found: str) -> None:
    """Each fault is found and named."""
    build.compile(text, *flags)
    status, said = build.check(name)
    assert status == 1, said
    assert "initrd/boot/boot.cc" in said and found in said


def test_boot_code_outside_of_init(build: Build) -> None:
    """A symbol of boot code outside of the area that is freed is named."""
    names = "".join(f'__attribute__((section(".init.text"))) int f{n}() {{ return {n}; }}\n' for n in range(12))
    build.compile(names)
    places = "".join(f"ffffffff8200{n:04x} T _Z{2 if n < 10 else 3}f{n}v\n" for n in range(12))
    (build.folder / "System.map").write_text(SYSTEM_MAP + places)
    assert build.check("boot_code_is_freed")[0] == 0
    (build.folder / "System.map").write_text(SYSTEM_MAP + places.replace("ffffffff82000003", "ffffffff81000003"))
    status, said = build.check("boot_code_is_freed")
    assert status == 1 and "_Z2f3v" in said


def test_c_objects_are_noticed(build: Build) -> None:
    """The replaced objects must be neither linked nor lie about."""
    build.compile(CLEAN)
    (build.folder / "drivers/block/.built-in.a.cmd").write_text("savedcmd := ar brd.o loop.o\n")
    (build.folder / "init/initramfs.o").touch()
    status, said = build.check("replaced")
    assert status == 1
    assert "drivers/block/brd.o is part of" in said and "init/initramfs.o was built" in said


@pytest.mark.parametrize("line", [
    "vmlinux.o: warning: objtool: foo+0x10: unreachable instruction",
    "WARNING: modpost: vmlinux: section mismatch in reference: a (section: .text) -> b (section: .init.text)",
    "ld.lld: warning: vmlinux.a(boot.o):(.foo) is being placed in '.foo'",
    "init/initrd-cxx/initrd/boot/boot.cc:1:2: warning: unused variable 'x'",
])
def test_noise_in_the_build(build: Build, line: str) -> None:
    """Warnings in the log are shown."""
    build.compile(CLEAN)
    with open(build.folder / "build.log", "a") as log:
        log.write(line + "\n")
    status, said = build.check("quiet")
    assert status == 1 and line in said


def test_missing_parts(build: Build) -> None:
    """A kernel without our objects does not pass."""
    status, said = build.check("objects_are_there")
    assert status == 1 and "nothing was built of initrd/boot/" in said


def test_wrong_usage(tmp_path: Path) -> None:
    """No folder, or one that is not there: 2."""
    for words in ([], [str(tmp_path / "none")]):
        assert subprocess.run([sys.executable, str(CHECK), *words], capture_output=True).returncode == 2
