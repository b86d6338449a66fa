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
from boot.conftest import Lab  # noqa: E402

#: The configurations, with the architecture of each.
CONFIGURATIONS = {
    "module": "x86_64",
    "no-block": "x86_64",
    "i386": "i386",
    "no-ramdisk": "x86_64",
    "no-initrd": "x86_64",
    "load": "x86_64",
}
#: Those that are built for every series; the others for the newest only.
EVERY_SERIES = ("module", "no-block", "i386")
NEWEST = "6.12"


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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("initrd").addoption("--kernel", default=os.environ.get("INITRD_KERNEL", NEWEST),
                                        help="the series or the source tree to build")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the configurations that an older series is not built with."""
    if config.getoption("--kernel") in ("", NEWEST):
        return
    left_out = [item for item in items if item.callspec.params["build"] not in EVERY_SERIES]  # type: ignore
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
