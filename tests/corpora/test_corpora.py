# SPDX-License-Identifier: GPL-2.0
"""Files that other projects test their readers with, read by the fuzz targets, with
all that these check, and left as an initrd by a boot loader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from boot.conftest import Lab
from boot.guests import check_real_root
from targets import Target

#: What a target reads in front of an image, and behind it (see make-seeds.py).
FRAMES = {"identify": (b"", bytes(40)), "cpio": (b"", bytes(40)), "decode": (b"", b""), "boot": (b"", bytes(40)),
          "inspect": (b"root=/dev/ram0 rw\\ ", bytes(40))}

#: What a file system says when the kernel's own driver for it finds it damaged, as most
#: of those here are.
DRIVERS = re.compile(r"(EXT[234]-fs|JBD2|squashfs|SQUASHFS|cramfs|romfs|isofs|MINIX|VFS)")


@pytest.mark.parametrize("name", FRAMES)
def test_fuzz_target(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> None:
    """Every file, whole, by each of the targets that read images."""
    files = sorted(request.config.getoption("--corpora").glob("*"))
    assert files
    before, behind = FRAMES[name]
    inputs = []
    for file in files:
        inputs.append(tmp_path / file.name)
        inputs[-1].write_bytes(before + file.read_bytes() + behind)
    log = tmp_path / "log"
    target = Target(name)
    status = target.run(request.config.getoption("--fuzz-targets"), ["-timeout=120", "-rss_limit_mb=4096", *inputs], log)
    text = log.read_text(errors="replace")
    assert status == 0, text[-3000:]
    assert text.count("Executed ") == len(files)


def test_boot(lab: Lab, disk: Path, file: Path) -> None:
    """Whatever it is taken for, the real root comes up, and the memory is free."""
    outcome = lab.succeed(file, ["root=/dev/vda", "rdinit=/none"], disks=[disk], root=False, clean=False)
    check_real_root(outcome)
    assert [line for line in outcome.console.troubles if not DRIVERS.search(line)] == []
    # (User Mode Linux shares the first and the last page with others.)
    back = outcome.console.having("Freeing initrd memory") + outcome.console.having("of /dev/ram0 given back")
    assert back or file.stat().st_size < 3 * 4096
    assert len(outcome.console.freed_kib) <= 1
