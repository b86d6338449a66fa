# SPDX-License-Identifier: GPL-2.0
"""tests/run: its command line, and that it counts and fails as it should."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "tests/run"


def call(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, cwd=cwd, timeout=300,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [["--nonsense"], ["stray"], ["-k"], ["--kernel"], ["--stock"],
                                   ["--host", "--kernel-image=/dev/null"], ["--arch=vax"], ["--matrix", "--boot"],
                                   ["--fuzz=0"], ["--fuzz", "0"], ["--fuzz=junk"], ["--fuzz", "1.5"], ["--fuzz="],
                                   ["--fuzz", "10", "20"], ["--coverage=90"], ["--matrix", "--fuzz"],
                                   ["--matrix", "--stock"], ["--matrix", "--debug"], ["--matrix", "--machine=um"],
                                   ["--matrix", "--kernel-image=/dev/null"], ["--matrix", "--kernel=5.4"],
                                   ["--matrix", f"--kernel={ROOT}"], ["--matrix", "--arch=vax"],
                                   ["--boot", "--arch=arm64", "--arch=um"], ["--boot", "--machine=arm64be"],
                                   ["--kunit", "--machine=vexpress-a9"], ["--table"], ["--boot", "--table"],
                                   ["--fresh=sid"], ["--fresh", "--host"], ["--fresh", "-k", "x"], ["--fresh", "--"],
                                   ["--host", "--", "--scripts"], ["--fresh=trixie", "stray"]])
def test_wrong_usage(words: list[str]) -> None:
    """2, a word about it on stderr, and nothing run."""
    done = call(RUN, *words)
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.startswith("run: ")


def test_help() -> None:
    """--help names every option, and so does .ci/run's."""
    text = call(RUN, "--help").stdout
    for option in "--host --fuzz --coverage --corpora --matrix --distributions --fresh --kunit --objects --boot --configurations --scripts -k --list --table --kernel --clean --verbose --help".split():
        assert option in text
    assert call(ROOT / ".ci/run", "--help").stdout == text


def test_list(tmp_path: Path) -> None:
    """--list names tests of the parts asked for, from any folder."""
    done = call(RUN, "--list", "--objects", cwd=tmp_path)
    assert done.returncode == 0
    assert "no_weak_symbols" in done.stdout.split()


@pytest.mark.parametrize("words", [["--fuzz"], ["--fuzz", "300"], ["--fuzz=300"]])
def test_list_of_fuzz_targets(words: list[str]) -> None:
    """Each fuzz_NAME.cc is a target, with the bounds of its inputs beside it."""
    sources = sorted((ROOT / "tests/fuzz").glob("fuzz_*.cc"))
    done = call(RUN, *words, "--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [source.stem for source in sources]
    for source in sources:
        assert re.search(r"^max_len = [1-9]\d*$", source.with_suffix(".options").read_text(), re.MULTILINE)
    assert call(RUN, "--list", *words, "-k", "cpio_w").stdout == "fuzz_cpio_written\n"


def test_list_of_coverage() -> None:
    """The folders of the C++, without the seam's shims."""
    lines = call(RUN, "--coverage", "--list").stdout.splitlines()
    assert "coverage initrd/formats" in lines and "coverage ramdisk" in lines
    assert not any(line.endswith("kernel") for line in lines)
    assert call(RUN, "--coverage", "--list", "-k", "rootfs").stdout == "coverage initrd/rootfs\n"


@pytest.mark.parametrize("script", ["run.py", "coverage.py"])
def test_fuzz_scripts_want_a_build(script: str, tmp_path: Path) -> None:
    """2 and a word about it, where there is none."""
    done = call(ROOT / "tests/fuzz" / script, tmp_path / "nothing")
    assert done.returncode == 2
    assert "BUILD_DIR" in done.stderr and "name the folder" in done.stderr


def fake_target(build: Path, name: str, script: str) -> None:
    """A program in place of a fuzz target's."""
    program = build / f"fuzz_{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_fuzz_counts(tmp_path: Path) -> None:
    """A target that ends well has passed, with its figures; one that finds an input
    has failed, and the line that tries it again is shown."""
    fake_target(tmp_path, "cpio", "echo '#9 DONE   cov: 7 ft: 8'; echo stat::number_of_executed_units: 42")
    fake_target(tmp_path, "cpio_written", "echo 'Test unit written to /a/crash-1'; exit 77")
    done = call(ROOT / "tests/fuzz/run.py", "-k", "cpio", "--seconds=1", tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr
    assert re.match(r"ok +fuzz_cpio +42 executions, +0 inputs in the corpus, +7 edges", lines[0])
    assert lines[1].startswith("FAIL fuzz_cpio_written")
    assert lines[2].split() == ["found:", f"{tmp_path}/fuzz_cpio_written", "/a/crash-1"]
    assert lines[-1] == "2 targets: 1 passed, 1 failed, 0 skipped"


def test_fuzz_tries_regressions_first(tmp_path: Path) -> None:
    """What was found once is tried as it is; a target that fails it does not search."""
    old = next((ROOT / "tests/fuzz/regressions/decode").iterdir())
    fake_target(tmp_path, "decode", "for f; do case $f in */regressions/decode/*) echo \"Running: $f\"; exit 1;; esac; done")
    done = call(ROOT / "tests/fuzz/run.py", "-k", "decode", "--seconds=1", tmp_path)
    assert done.returncode == 1
    assert "fails again: " in done.stdout and f"/{old.parent.name}/" in done.stdout
    assert "max_total_time" not in (tmp_path / "logs/decode.log").read_text()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The test runner in a project of its own, with one test that passes, one
    that fails and one that is skipped."""
    project = tmp_path / "a project"
    for name in ("tests/run", "tests/pytest.ini", "scripts/lib.sh", "qemu/packages", "qemu/packages.sh"):
        target = project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod(os.stat(ROOT / name).st_mode)
    # (What is installed on this machine is not what is tested.)
    (project / "qemu/packages").write_text("")
    (project / "tests/scripts").mkdir()
    (project / ".ci").mkdir()
    (project / "tests/scripts/test_x.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.skip\n"
        "def test_left(): pass\n"
    )
    return project


def test_counts(copy: Path) -> None:
    """The last line counts everything, and a failure is an exit status of 1."""
    done = call(copy / "tests/run", "--scripts")
    lines = done.stdout.strip().splitlines()
    # The three shell scripts of the copy pass shellcheck.
    assert lines[-1] == "4 passed, 1 failed, 1 skipped", done.stdout + done.stderr
    assert done.returncode == 1


def test_host_tests(copy: Path) -> None:
    """All of them are run in groups, whose tests are counted; -k and --list are for single ones."""
    host = copy / "tests/host"
    host.mkdir()
    (host / "group").write_text(
        "#!/bin/sh\n"
        "echo '[  PASSED  ] 1 test.'\n"
        "echo '[  SKIPPED ] 1 test, listed below:'\n"
        "echo '[  FAILED  ] 2 tests, listed below:'\n"
        "exit 1\n"
    )
    (host / "group").chmod(0o755)
    (host / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\n"
        "project(host LANGUAGES NONE)\n"
        "enable_testing()\n"
        "add_test(NAME Good.One COMMAND true)\n"
        "add_test(NAME Bad.Two COMMAND false)\n"
        'add_test(NAME all-1 COMMAND echo "[  PASSED  ] 3 tests.")\n'
        'add_test(NAME all-2 COMMAND "${CMAKE_SOURCE_DIR}/group")\n'
        "set_tests_properties(all-1 all-2 PROPERTIES LABELS shard)\n"
    )
    for words, last in (([], "4 passed, 2 failed, 1 skipped"), (["-k", "Good"], "1 passed, 0 failed, 0 skipped"),
                        (["-k", "O|T"], "1 passed, 1 failed, 0 skipped")):
        done = call(copy / "tests/run", "--host", *words)
        assert done.stdout.strip().splitlines()[-1] == last, done.stdout + done.stderr
    listed = call(copy / "tests/run", "--host", "--list").stdout.splitlines()
    assert {"Good.One", "Bad.Two"} <= set(listed) and not any(line.startswith("all-") for line in listed)


def test_pattern(copy: Path) -> None:
    """-k leaves out the rest; when nothing is left, nothing has passed."""
    done = call(copy / "tests/run", "--scripts", "-k", "good")
    assert done.stdout.strip().splitlines()[-1] == "1 passed, 0 failed, 0 skipped"
    assert done.returncode == 0
    done = call(copy / "tests/run", "--scripts", "-k", "nothing_like_it")
    assert done.stdout.strip().splitlines()[-1] == "0 passed, 0 failed, 0 skipped"
    assert done.returncode == 1


def test_a_part_that_cannot_start_has_failed(copy: Path) -> None:
    """A test file that cannot be read counts, although no test in it ran."""
    (copy / "tests/scripts/test_y.py").write_text("this is no python\n")
    done = call(copy / "tests/run", "--scripts")
    assert done.returncode == 1
    last = done.stdout.strip().splitlines()[-1]
    match = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", last)
    assert match is not None and int(match[2]) >= 1


@pytest.fixture
def with_matrix(copy: Path) -> Path:
    """The copy with a matrix of two kernels, which only says what it is asked for."""
    (copy / "tests/matrix.py").write_text(
        "import sys\n"
        "words = sys.argv[1:]\n"
        "if '--list' in words: print('6.12-arm64-plain\\n6.12-um-plain' if 'none' not in words else '', end='')\n"
        "elif '--packages' not in words: print(*words, sep='\\n')\n"
    )
    return copy


@pytest.mark.parametrize(("words", "passed_on"), [
    ([], []),
    (["--arch=um"], ["--arch=um"]),
    (["--arch", "arm64", "--arch", "um", "--clean"], ["--arch=arm64", "--arch=um", "--again"]),
    (["--kernel", "6.1", "--kernel=6.12", "--arch=arm"], ["--arch=arm", "--kernel=6.1", "--kernel=6.12"]),
    (["--table", "--arch=um"], ["--arch=um", "--table"]),
])
def test_matrix(with_matrix: Path, words: list[str], passed_on: list[str]) -> None:
    """Series and architectures pick kernels, as the pattern does."""
    done = call(with_matrix / "tests/run", "--matrix", "-k", "a b", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["-k", "a b", "--jobs", str(len(os.sched_getaffinity(0))), *passed_on]


def test_matrix_without_such_kernels(with_matrix: Path) -> None:
    """1, and a word about it."""
    done = call(with_matrix / "tests/run", "--matrix", "-k", "none")
    assert done.returncode == 1 and "no such kernel" in done.stderr and done.stdout == ""


@pytest.fixture
def booting(copy: Path) -> Path:
    """The copy with a test that needs a kernel, and a script that makes one."""
    (copy / "tests/boot").mkdir()
    (copy / "tests/boot/conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--kernel-image')\n"
        "    parser.addoption('--machine')\n"
    )
    (copy / "tests/boot/test_x.py").write_text(
        "def test_series(request): assert '6.1/' not in request.config.getoption('--kernel-image')\n"
    )
    script = copy / "scripts/build-kernel.sh"
    script.write_text(
        "#!/bin/bash\n"
        f"folder='{copy}'/build/kernel/$2\n"
        f"echo \"$*\" >>'{copy}/built'\n"
        "mkdir -p \"$folder/arch/x86/boot\"\n"
        "ln -sfn . \"$folder/source\"\n"
        "touch \"$folder/arch/x86/boot/bzImage\"\n"
        "echo \"$folder/arch/x86/boot/bzImage\"\n"
    )
    script.chmod(0o755)
    return copy


@pytest.mark.parametrize("options, labels, last", [
    ([], ["boot-6.12", "boot-6.1"], "1 passed, 1 failed, 0 skipped"),
    (["--kernel", "6.12"], ["boot-6.12"], "1 passed, 0 failed, 0 skipped"),
    (["--kernel=6.1"], ["boot-6.1"], "0 passed, 1 failed, 0 skipped"),
    (["--arch=arm64", "--kernel=6.12"], ["boot-6.12-arm64"], "1 passed, 0 failed, 0 skipped"),
    (["--kernel=6.1", "--kernel=6.12"], ["boot-6.1", "boot-6.12"], "1 passed, 1 failed, 0 skipped"),
])
def test_every_series(booting: Path, options: list[str], labels: list[str], last: str) -> None:
    """A part that needs a kernel is run for each series, or for those named;
    the last line counts all."""
    done = call(booting / "tests/run", "--boot", *options)
    lines = done.stdout.strip().splitlines()
    summary = lines[lines.index("==== summary") + 1 : -2]
    assert [line.split()[0] for line in summary] == labels
    assert lines[-1] == last
    assert done.returncode == (0 if " 0 failed" in last else 1)


@pytest.mark.parametrize("words", [[], ["--arch=arm"]])
def test_board(booting: Path, words: list[str]) -> None:
    """Its kernel is one of its architecture, which need not be named."""
    (booting / "tests/boot/test_x.py").write_text(
        "def test_machine(request): assert request.config.getoption('--machine') == 'vexpress-a9'\n"
    )
    done = call(booting / "tests/run", "--boot", "--kernel=6.12", "--machine=vexpress-a9", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^boot-6\.12-vexpress-a9 +1 passed", done.stdout, re.MULTILINE)
    assert (booting / "built").read_text() == "--kernel 6.12 --arch arm\n"


def test_board_with_a_kernel(booting: Path) -> None:
    """What is booted need not be built, but it wants the packages of its architecture."""
    for name, needed in (("no-such-command-1", "x86_64"), ("no-such-command-2", "loaders-arm")):
        with open(booting / "qemu/packages", "a") as file:
            file.write(f"{name} package-of-{needed} {needed}\n")
    library = booting / "scripts/lib.sh"
    library.write_text(library.read_text() + 'install_packages() { printf "missing: %s\\n" "$@"; }\n')
    kernel = booting / "zImage"
    kernel.touch()
    done = call(booting / "tests/run", "--boot", "--machine=vexpress-a9", f"--kernel-image={kernel}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall("^missing: (.*)", done.stdout, re.MULTILINE) == ["package-of-loaders-arm"]
    assert not (booting / "built").exists()


@pytest.mark.parametrize(("words", "labels"), [
    (["--arch=riscv64"], ["kunit-6.12-riscv64", "objects-6.12-riscv64", "boot-6.12-riscv64"]),
    (["--objects", "--arch=riscv64"], ["objects-6.12-riscv64"]),
    (["--arch=um"], ["kunit-6.12-um", "boot-6.12-um"]),
    (["--machine=vexpress-a9"], ["kunit-6.12-vexpress-a9", "objects-6.12-vexpress-a9", "boot-6.12-vexpress-a9"]),
])
def test_parts_of_an_architecture(booting: Path, words: list[str], labels: list[str]) -> None:
    """Its objects are looked at, too, with the suites and the boots, where boot code is
    freed and builds are quiet."""
    (booting / "tests/check_objects.py").write_text(
        "import pathlib, sys\n"
        "assert pathlib.Path(sys.argv[-1], 'source').is_symlink()\n"
        "print('5 checks: 5 passed, 0 failed, 0 skipped')\n"
    )
    done = call(booting / "tests/run", "--kernel=6.12", *words)
    lines = done.stdout.strip().splitlines()
    summary = [line.split(maxsplit=1) for line in lines[lines.index("==== summary") + 1 : -2]]
    assert [label for label, _ in summary] == labels
    assert all(counts.startswith("5 passed, 0 failed, 0 skipped, ") for label, counts in summary if label.startswith("objects"))
    arch = words[-1].split("=")[1].replace("vexpress-a9", "arm")
    assert set((booting / "built").read_text().splitlines()) == {f"--kernel 6.12 --arch {arch}"}
