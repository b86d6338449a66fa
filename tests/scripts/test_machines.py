# SPDX-License-Identifier: GPL-2.0
"""The machines, the guests' programs, and the matrix of kernels, without a boot."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "qemu"), str(ROOT / "tests")]

import images  # noqa: E402
import kernels  # noqa: E402
import matrix  # noqa: E402
import readme  # noqa: E402
import userland  # noqa: E402
import vm  # noqa: E402


def dry_run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "qemu/boot", "--dry-run", "--kernel-image=/kernel", *words], capture_output=True,
                          text=True, check=False, env=env)


@pytest.mark.parametrize("name", vm.MACHINES)
def test_command_lines(name: str, tmp_path: Path) -> None:
    """The console, the port of the guest's report, its device, and memory."""
    machine = vm.MACHINES[name]
    boot = vm.Boot(Path("/kernel"), Path("/initrd"), machine=name, dtb=vm.NO_DTB, memory="64M")
    words = vm.command(boot, tmp_path)
    text = " ".join(words)
    assert words[0] == (machine.qemu or "/kernel")
    assert f"console={machine.console} " in text and f"initrd_test.port={machine.report_port}" in text
    assert "64M" in text and "-dtb" not in words
    assert machine.native or "chardev:report" in text or "chardev=report" in text
    assert machine.report_port.startswith("hvc") == ("virtconsole,chardev=report" in words)


def test_machines_of_scripts() -> None:
    """The shell's table has the same as Python's."""
    asked = 'for row in "${MACHINES[@]}"; do echo $row; done; machine_arch arm64be; machine_arch no || known_archs'
    said = subprocess.run(["bash", "-c", f". scripts/lib.sh; {asked}"], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout.splitlines()
    table = [tuple(row.split()) for row in said[:-2]]
    assert sorted(table) == sorted((name, machine.arch) for name, machine in vm.MACHINES.items())
    assert said[-2:] == ["arm64", " ".join(matrix.ARCHS)]


@pytest.mark.parametrize("name", vm.MACHINES)
def test_disks(name: str, tmp_path: Path) -> None:
    """They are there in their order, what is written to them goes elsewhere, and texts
    name them."""
    machine = vm.MACHINES[name]
    disks = [Path("/first"), Path("/second")]
    text = " ".join(vm.command(vm.Boot(Path("/kernel"), None, machine=name, disks=disks, dtb=vm.NO_DTB), tmp_path))
    assert (text.index("/first") < text.index("/second")) == (machine.disk != "virtio-blk-device")
    assert text.count("snapshot=on") == 2 or text.count(f"={tmp_path}/disk") == 2
    named = {"vd": "/dev/vda /dev/vdb1 vdso", "ubd": "/dev/ubda /dev/ubdb1 vdso"}
    assert machine.with_disks("/dev/vda /dev/vdb1 vdso") == named[machine.disk_names]


def test_size_of_pages(tmp_path: Path) -> None:
    """Only the header of an arm64 kernel says that it is not 4 KiB."""
    image = tmp_path / "Image"
    for code, size in ((1, 4096), (2, 16384), (3, 65536)):
        image.write_bytes(bytes(24) + (code << 1).to_bytes(8, "little") + bytes(24) + b"ARM\x64" + bytes(100))
        assert kernels.page_size(image) == size
    image.write_bytes(bytes(24) + b"\x06" + bytes(100))
    assert kernels.page_size(image) == 4096


def test_every_architecture_has_its_files() -> None:
    """A configuration, what kunit.py needs, and a busybox of Debian's."""
    for arch in matrix.ARCHS:
        assert (ROOT / f"qemu/arch/{arch}.config").is_file() and arch in userland.DEBIAN_ARCH and arch in vm.MACHINES
        assert arch == "um" or (ROOT / f"tests/kunit/qemu/{arch}.py").is_file()
    said = subprocess.run([ROOT / "tests/run", "--arch=vax"], capture_output=True, text=True, check=False).stderr
    assert f"(known: {' '.join(matrix.ARCHS)})" in said


@pytest.mark.parametrize(("words", "said"), [(["--arch", "sparc"], "--arch sparc: must be one of"),
                                             (["--machine", "vexpress-a9", "--arch=x86_64"], "goes with --arch arm"),
                                             (["--machine", "arm64", "--arch", "um"], "goes with --arch arm64"),
                                             (["--machine", "pc"], "--machine pc: must be"),
                                             (["--arch", "arm", "--machine", "pc"], "--machine pc: must be")])
def test_machines_that_there_are_not(words: Sequence[str], said: str) -> None:
    """tests/run and qemu/boot refuse the same, before anything is built."""
    done = dry_run(*words)
    assert done.returncode == 2 and said in done.stderr
    done = subprocess.run([ROOT / "tests/run", "--boot", "--list", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and (said in done.stderr or "unknown architecture" in done.stderr)


def test_architecture_of_a_machine(tmp_path: Path) -> None:
    """It need not be named."""
    (tmp_path / "dts").mkdir()
    (tmp_path / "dts/vexpress-v2p-ca9.dtb").touch()
    for words in ([], ["--arch=arm"]):
        said = dry_run("--machine=vexpress-a9", f"--kernel-image={tmp_path}/zImage", *words).stdout
        assert re.search(r"^qemu-system-arm .*-machine vexpress-a9 .*/vexpress-v2p-ca9\.dtb ", said, re.M)
    said = dry_run("--kernel-image=", "--machine=vexpress-a9").stdout
    assert "build-kernel.sh --kernel 6.12 --arch arm \n" in said
    assert "--arch riscv64 \n" in dry_run("--kernel-image=", "--machine=riscv64").stdout
    assert "--arch x86_64 \n" in dry_run("--kernel-image=").stdout


@pytest.mark.parametrize(("method", "magic"), images.COMPRESSED_MAGICS)
def test_tools_of_an_image(method: str, magic: bytes, tmp_path: Path) -> None:
    """What unpacks it is installed where it is missing, whatever the format."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("env", "bash", "dirname", "cat", "head", "od", "tr"):
        (programs / name).symlink_to(shutil.which(name) or name)
    image = tmp_path / "image"
    image.write_bytes((magic + bytes(100))[:100])
    said = dry_run(f"--image={image}", env={"PATH": str(programs)}).stdout.splitlines()[0].split()
    assert said[:2] == ["apt-get", "install"] and images.package_of(images.DECOMPRESSORS[method][0]) in said


def test_compressors_that_the_readme_names() -> None:
    """qemu/README.md compresses an image with each tool that there is a magic number for."""
    tools = set(re.findall(r"^(\w+) .*<ext2\.img >", readme.text(), re.M))
    assert tools == {command[0] for command in images.DECOMPRESSORS.values()}
    assert {method for method, _ in images.COMPRESSED_MAGICS} == set(images.COMPRESSORS)


def test_native_machine_has_limits(tmp_path: Path) -> None:
    """What User Mode Linux cannot do is said before it is started."""
    for wrong in ({"cpus": 2}, {"disc": Path("/disc")}, {"extra": ["-device", "x"]}):
        with pytest.raises(vm.VmError, match="one processor and no devices"):
            vm.command(vm.Boot(Path("/kernel"), None, machine="um", **wrong), tmp_path)  # type: ignore[arg-type]


def test_busybox_of_this_machine() -> None:
    """It is static, and for nothing else than it is for."""
    path = userland.busybox("x86_64")
    assert userland._is_static(path, "amd64") and not userland._is_static(path, "arm64")
    assert not userland._is_static(Path("/bin/sh").resolve(), "amd64")
    assert not userland._is_static(ROOT / "README.md", "amd64")


# --- the matrix ------------------------------------------------------------------------


def test_cells() -> None:
    """Plain kernels of every series and architecture, then those of the flavours'
    files, whose options and packages are known."""
    cells = list(matrix.cells())
    names = [str(cell) for cell in cells]
    assert names[:10] == [f"{series}-{arch}-plain" for series in matrix.SERIES for arch in matrix.ARCHS]
    assert len(set(names)) == len(names) and "6.1-x86_64-preempt-rt" not in names
    by_name = dict(zip(names, cells))
    assert by_name["6.12-x86_64-debug"].options == ("--debug",) and by_name["6.12-x86_64-debug"].patience == "6"
    assert by_name["6.12-arm64-kcfi"].options == (f"--config={ROOT / 'qemu/flavours/kcfi.config'}",)
    assert by_name["6.12-x86_64-modversions"].packages == ("dwarves",)
    assert by_name["6.12-arm64-big-endian"].machine == "arm64be" and by_name["6.12-arm64-scs"].machine == ""
    assert all(cell.arch == vm.MACHINES[cell.machine].arch for cell in cells if cell.machine)


@pytest.mark.parametrize(("pattern", "series", "archs", "flavours"), [
    ("6.1", {"6.1"}, set(matrix.ARCHS), None),
    ("6.12 arm", {"6.12"}, {"arm"}, {"plain"}),
    ("arm64 kcfi", {"6.12", "6.1"}, {"arm64"}, {"kcfi"}),
    ("debug x86_64", {"6.12", "6.1"}, {"x86_64"}, {"debug"}),
    ("preempt x86_64 6.12", {"6.12"}, {"x86_64"}, {"preempt"}),
    ("debug-", {"6.12"}, {"um"}, {"debug-um"}),
    ("6.12-x86_64-pre", {"6.12"}, {"x86_64"}, {"preempt", "preempt-rt"}),
    ("6.1-arm", {"6.1"}, {"arm", "arm64"}, None),
])
def test_picking(pattern: str, series: set[str], archs: set[str], flavours: set[str] | None) -> None:
    """A word that names a series, an architecture or a flavour means no other; any
    other word is a part of the cell's name."""
    cells = matrix.picked(pattern)
    assert {cell.series for cell in cells} == series and {cell.arch for cell in cells} == archs
    assert flavours is None or {cell.flavour for cell in cells} == flavours


def test_series_and_archs(capsys: pytest.CaptureFixture[str]) -> None:
    """They pick cells beside a pattern; those of build-kernel.sh are known."""
    assert matrix.main(["--list", "--kernel=6.12", "--arch=um", "--arch=arm", "-k", "plain"]) == 0
    assert capsys.readouterr().out.split() == ["6.12-arm-plain", "6.12-um-plain"]
    matrix.main(["--list", "--kernel=6.1", "--kernel=6.12", "-k", "debug-um"])
    assert capsys.readouterr().out.split() == ["6.12-um-debug-um"]
    matrix.main(["--list", "-k", "none-such"])
    assert capsys.readouterr().out == ""
    rows = re.findall(r'^\t"(\S+) +linux-source', (ROOT / "scripts/lib.sh").read_text(), re.M)
    assert set(rows) == set(matrix.SERIES)


def test_lost_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kernel that is not what its flavour says is not booted in its place."""
    output = tmp_path / "kernel"
    image = output / "arch/x86/boot/bzImage"
    lost = output / "fragments/unmet"
    for folder in (image.parent, lost.parent):
        folder.mkdir(parents=True)
    commands: list[str] = []

    def said_by(command: list[str | Path], log: Path) -> tuple[int, str]:
        commands.append(Path(command[0]).name)
        return 0, f"{image}\n" if commands[-1] == "build-kernel.sh" else "3 passed, 1 skipped in 2.00s\n"

    monkeypatch.setattr(matrix, "RESULTS", tmp_path)
    monkeypatch.setattr(matrix, "said_by", said_by)
    cell = matrix.picked("6.12-x86_64-kcfi")[0]
    lost.write_text("asked for CONFIG_CFI_CLANG=y, got nothing\n")
    assert matrix.run(cell, 1)["verdict"] == "FAILED" and commands == ["build-kernel.sh"]
    lost.write_text("")
    assert matrix.run(cell, 1)["verdict"] == "passed"
    lost.unlink()
    assert matrix.run(cell, 1)["verdict"] == "passed"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The cells that were run; building is pretended, and "kcfi" fails."""
    names: list[str] = []

    def run(cell: matrix.Cell, jobs: int) -> dict[str, object]:
        names.append(str(cell))
        return {"verdict": "FAILED" if cell.flavour == "kcfi" else "passed", "passed": 7, "failed": 0,
                "skipped": 2}

    monkeypatch.setattr(matrix, "RESULTS", tmp_path)
    monkeypatch.setattr(matrix, "run", run)
    return names


def test_resuming(ran: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What failed is run again, what passed is not, until something changes."""
    assert matrix.main(["-k", "6.12 arm64"]) == 1
    first = list(ran)
    assert "6.12-arm64-plain" in first and all("6.12-arm64" in name for name in first)
    ran.clear()
    assert matrix.main(["-k", "6.12 arm64"]) == 1
    assert ran == ["6.12-arm64-kcfi"]
    ran.clear()
    assert matrix.main(["-k", "6.12-arm64-scs", "--again"]) == 0
    assert ran == ["6.12-arm64-scs"]
    text = capsys.readouterr().out
    assert "| kcfi | FAILED" in text and "| scs | passed, 7 boots, 2 skipped |" in text
    assert text.splitlines()[-1] == "1 passed, 0 failed, 2 skipped"


def test_results_of_before(ran: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A result from before a change counts no more; the table says so."""
    matrix.main(["-k", "6.12-arm64-scs"])
    path = tmp_path / "6.12-arm64-scs.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "inputs": "other"}))
    capsys.readouterr()
    assert matrix.main(["-k", "6.12-arm64-scs", "--table"]) == 0
    assert "passed, 7 boots, 2 skipped (before a change)" in capsys.readouterr().out
    ran.clear()
    matrix.main(["-k", "6.12-arm64-scs"])
    assert ran == ["6.12-arm64-scs"]


def test_table_of_what_was_run(ran: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A cell that was never run has not failed; it is counted."""
    assert matrix.main(["-k", "arm64 scs", "--table"]) == 0 and ran == []
    text = capsys.readouterr().out
    assert "| scs | not run | not run |" in text
    assert text.splitlines()[-1] == "0 passed, 0 failed, 0 skipped, 2 not run"
    matrix.main(["-k", "6.1 arm64 scs"])
    matrix.main(["-k", "6.1 arm64 kcfi"])
    assert matrix.main(["-k", "arm64 scs", "--table"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed, 2 skipped, 1 not run"
    assert matrix.main(["-k", "6.1 arm64", "--table"]) == 1
    assert re.fullmatch(r"1 passed, 1 failed, 4 skipped, \d+ not run", capsys.readouterr().out.splitlines()[-1])


def test_counts_of_a_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Boots are counted, and what was skipped, in the KUnit suites, too."""
    def said_by(command: Sequence[str | Path], log: Path) -> tuple[int, str]:
        if Path(command[0]).name == "build-kernel.sh":
            return 0, "/kernel\n"
        if "--kunit" in command:
            return 0, "kunit-6.1 30 passed, 0 failed, 1 skipped\n\n30 passed, 0 failed, 1 skipped\n"
        return 0, "SKIPPED [3] boot/test_x.py: 9 of them\n37 passed, 3 skipped, 260 deselected in 9.1s\n"

    monkeypatch.setattr(matrix, "RESULTS", tmp_path)
    monkeypatch.setattr(matrix, "said_by", said_by)
    for flavour, skipped in ((matrix.PLAIN, 4), ("scs", 3)):
        result = matrix.run(matrix.Cell("6.1", "arm64", flavour), 1)
        assert (result["verdict"], result["passed"], result["failed"], result["skipped"]) == ("passed", 37, 0, skipped)


def test_sources_of_the_kernel(ran: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new package of one series makes the results of that series old. Nothing is
    wrong with sources that are not there yet, as before the first build."""
    monkeypatch.setattr(matrix, "TARBALLS", tmp_path)
    monkeypatch.setattr(matrix, "BROUGHT", tmp_path / "brought")
    monkeypatch.setattr(matrix, "COMPILER", "no-such-compiler")
    words = ["-k", "arm64 scs"]
    tarball = tmp_path / "linux-source-6.1.tar.xz"
    assert matrix.compiler() == ""

    def built(cell: matrix.Cell, jobs: int) -> dict[str, object]:
        tarball.touch()
        ran.append(str(cell))
        return {"verdict": "passed"}

    monkeypatch.setattr(matrix, "run", built)
    matrix.main(words)
    assert ran == ["6.12-arm64-scs", "6.1-arm64-scs"]
    matrix.main(words)
    assert len(ran) == 2
    tarball.write_text("another")
    matrix.main(words)
    assert ran[2:] == ["6.1-arm64-scs"]


def test_sources_as_the_build_names_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The package's file and what build-kernel.sh wrote of it are one."""
    tarball = tmp_path / "linux-source-6.1.tar.xz"
    tarball.write_text("sources")
    monkeypatch.setattr(matrix, "TARBALLS", tmp_path)
    monkeypatch.setattr(matrix, "BROUGHT", tmp_path / "brought")
    named = matrix.source("6.1")
    said = subprocess.run(["stat", "-c", "%n %s %Y", tarball], capture_output=True, text=True, check=True)
    assert named + "\n" == said.stdout and "stat -c '%n %s %Y'" in (ROOT / "scripts/build-kernel.sh").read_text()
    tarball.unlink()
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/lib.sh", tmp_path / "scripts")
    monkeypatch.setattr(matrix, "ROOT", tmp_path)
    assert matrix.source("6.1") == ""
    (tmp_path / "build/src").mkdir(parents=True)
    (tmp_path / "build/src/linux-6.1.origin").write_text(named + "\n")
    assert matrix.source("6.1") == named


def test_compiler(ran: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another version makes results old; it is the one that kernels are built with."""
    assert f"LLVM_CHOICE={matrix.COMPILER.removeprefix('clang')} " in (ROOT / "scripts/build-kernel.sh").read_text()
    program = tmp_path / "clang"
    monkeypatch.setattr(matrix, "COMPILER", str(program))
    for version in ("19.1.7", "19.1.7", "19.2.0"):
        program.write_text(f"#!/bin/sh\necho clang version {version}\necho Target\n")
        program.chmod(0o755)
        matrix.main(["-k", "6.1 arm64 scs"])
    assert ran == ["6.1-arm64-scs"] * 2 and matrix.compiler() == "clang version 19.2.0"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project of its own that is no clone, on a machine without git."""
    for name in (*matrix.INPUTS, *matrix.KUNIT_INPUTS, *matrix.NO_INPUTS):
        if (ROOT / name).is_dir():
            (tmp_path / name).mkdir(parents=True)
        else:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(name)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    monkeypatch.setattr(matrix, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path


def test_inputs_without_git(exported: Path) -> None:
    """They are the files that there are, but for what is made beside them and what is
    no part of a kernel."""
    found = [matrix.fingerprint(False)]
    (exported / "initrd/formats").mkdir()
    for name in ("initrd/formats/cpio_reader.cc", "qemu/images.py"):
        (exported / name).write_text(name)
        found.append(matrix.fingerprint(False))
    (exported / "initrd/formats/cpio_reader.cc").write_text("changed")
    found.append(matrix.fingerprint(False))
    (exported / "initrd/formats/cpio_reader.cc").rename(exported / "initrd/reader.cc")
    found.append(matrix.fingerprint(False))
    assert len(set(found)) == len(found)
    (exported / "qemu/__pycache__").mkdir()
    for name in ("qemu/__pycache__/images.cpython-311.pyc", "qemu/images.pyc", "initrd/reader.o", "initrd/reader.cc~",
                 "scripts/inspect/main.cc", "README.md", "initrd/README.md", "tests/boot/.test_x.py.swp"):
        (exported / name).write_text(name)
        assert matrix.fingerprint(False) == found[-1], name
    (exported / ".gitignore").unlink()
    assert re.fullmatch("[0-9a-f]{16}", matrix.fingerprint(False))


def test_inputs_of_suites(exported: Path) -> None:
    """What runs tests counts; what runs KUnit suites does for the kernels that run them."""
    assert [matrix.Cell("6.12", "um", flavour).kunit for flavour in (matrix.PLAIN, "debug-um")] == [True, False]
    for name, stays in (("tests/pytest.ini", False), ("tests/.kunitconfig", True), ("tests/run", True)):
        plain, other = map(matrix.fingerprint, (True, False))
        (exported / name).write_text("changed")
        assert matrix.fingerprint(True) != plain and (matrix.fingerprint(False) == other) is stays


def test_no_such_cell(ran: list[str]) -> None:
    assert matrix.main(["-k", "6.12-vax"]) == 1 and ran == []
