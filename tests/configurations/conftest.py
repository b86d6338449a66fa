# SPDX-License-Identifier: GPL-2.0
"""Builds small kernels, one for each of the configurations here, and boots them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "qemu")]

import check_objects  # noqa: E402
import images  # noqa: E402
from boot.conftest import Lab  # noqa: E402

#: The configurations, with the architecture of each.
CONFIGURATIONS = {
    "module": "x86_64",
    "no-block": "x86_64",
    "i386": "i386",
    "no-ramdisk": "x86_64",
    "no-initrd": "x86_64",
    "load": "x86_64",
    "built-in": "x86_64",
}
#: Those that are built for every series; the others for the newest only.
EVERY_SERIES = ("module", "no-block", "i386")
NEWEST = "6.12"
#: Those of a run of all parts: a kernel takes minutes to build on two processors.
FEW = ("module", "built-in")


@dataclass(frozen=True)
class Build:
    """A kernel that was built; `said` is what build-kernel.sh wrote to stderr."""

    name: str
    image: Path
    said: str

    @property
    def output(self) -> Path:
        return self.image.parents[3]

    @property
    def source(self) -> Path:
        return (self.output / "source").resolve()

    @property
    def release(self) -> str:
        return (self.output / "include/config/kernel.release").read_text().strip()

    def option(self, name: str) -> str:
        """The value of CONFIG_name, "n" when it is not set."""
        for line in (self.output / ".config").read_text().splitlines():
            if line.startswith(f"CONFIG_{name}="):
                return line.partition("=")[2]
        return "n"


#: What the archive of the configuration "built-in" has for each compressor.
BUILT_IN_PART = "share/by-{method}"
#: Its test, which says what it finds, there and in what the boot loader added.
BUILT_IN_TEST = """
for file in /share/by-* /share/both /initrd.image; do
    [ ! -f $file ] || echo $file $(sha256sum <$file | cut -c 1-64)
done
"""


def built_in_part(method: str) -> bytes:
    """A file's content, of some pages."""
    return (f"{method}: a line that is built in\n" * 1000).encode()


def built_in_archive(folder: Path) -> Path:
    """What is built in: a system that boots, and for each compressor an archive behind it.
    (The same bytes at the same place every time: a kernel is built once.)"""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tree = images.demo_tree(folder / "tree", guest_test=BUILT_IN_TEST)
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)
    data = images.newc([*images.tree_entries(tree), images.Entry.file("share/both", b"built in\n")])
    # (Nothing but NULs may follow the legacy format of lz4 in today's kernels: it is the last.)
    for method in sorted(images.COMPRESSORS, key=lambda method: method == "lz4"):
        part = folder / method
        part.write_bytes(images.newc([images.Entry.file(BUILT_IN_PART.format(method=method), built_in_part(method))]))
        packed = images.compress(part, method).read_bytes()
        data += packed + bytes(-len(packed) % 4)
    # (The kernel takes a file of such a name as it is.)
    archive = folder / "archive.cpio.parts"
    archive.write_bytes(data)
    return archive


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("initrd").addoption("--kernel", default=os.environ.get("INITRD_KERNEL", NEWEST),
                                        help="the series or the source tree to build")
    parser.getgroup("initrd").addoption("--few", action="store_true",
                                        help=f"only the configurations {' and '.join(FEW)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the configurations that an older series is not built with, and those
    that a run of all parts has no time for."""
    chosen = set(CONFIGURATIONS)
    if config.getoption("--kernel") not in ("", NEWEST):
        chosen &= set(EVERY_SERIES)
    if config.getoption("--few"):
        chosen &= set(FEW)
    left_out = [item for item in items if item.callspec.params["build"] not in chosen]  # type: ignore
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def builds(request: pytest.FixtureRequest) -> Callable[[str], Build]:
    """Builds a configuration by its name, once, with scripts/build-kernel.sh."""
    done: dict[str, Build] = {}

    def build(name: str) -> Build:
        if name not in done:
            command = [str(ROOT / "scripts/build-kernel.sh"), "--quiet", "--bare",
                       f"--kernel={request.config.getoption('--kernel')}", f"--arch={CONFIGURATIONS[name]}"]
            command += [f"--config={HERE / part}.config" for part in ("base", name)]
            if name == "built-in":
                archive = built_in_archive(ROOT / "build/tests/built-in")
                source = archive.with_name("source.config")
                source.write_text(f'CONFIG_INITRAMFS_SOURCE="{archive}"\n')
                command.append(f"--config={source}")
            ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if ran.returncode != 0:
                pytest.fail(f"{name}: the kernel was not built\n{ran.stderr[-6000:]}", pytrace=False)
            done[name] = Build(name, Path(ran.stdout.strip()), ran.stderr)
        return done[name]

    return build


@pytest.fixture
def build(request: pytest.FixtureRequest, builds: Callable[[str], Build]) -> Build:
    """The configuration that a test names with @configurations."""
    return builds(request.param)


@pytest.fixture
def lab(build: Build, tmp_path: Path) -> Iterator[Lab]:
    """The kernel of `build` and a folder that belongs to this test."""
    yield Lab(build.image, tmp_path, stock=False)
    for tree in tmp_path.glob("*-tree"):
        shutil.rmtree(tree)


@pytest.fixture
def objects(build: Build) -> check_objects.Kernel:
    """What tests/check_objects.py looks at."""
    return check_objects.Kernel(build.output)
