# SPDX-License-Identifier: GPL-2.0
"""The files that collect.py has collected, and what reads them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/fuzz"), str(ROOT / "qemu")]

import images  # noqa: E402
from boot.conftest import Lab  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("initrd")
    group.addoption("--corpora", type=Path, default=ROOT / "build/corpora/files", help="the folder of the files")
    group.addoption("--fuzz-targets", type=Path, default=ROOT / "build/fuzz", help="where the fuzz targets are built")
    group.addoption("--kernel-image", default=os.environ.get("INITRD_KERNEL_IMAGE"),
                    help="the kernel to boot, of User Mode Linux")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "file" in metafunc.fixturenames:
        files = sorted(metafunc.config.getoption("--corpora").glob("*"))
        metafunc.parametrize("file", files, ids=lambda path: path.name)


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    kernel = request.config.getoption("--kernel-image")
    if not kernel:
        pytest.fail("no kernel: run tests/run --corpora, or give --kernel-image", pytrace=False)
    yield Lab(Path(kernel), tmp_path, stock=False, machine="um", patience=6)


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real root."""
    folder = tmp_path_factory.mktemp("root")
    return images.build("ext2", images.demo_tree(folder / "tree", arch="um"), folder / "disk")
