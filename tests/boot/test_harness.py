# SPDX-License-Identifier: GPL-2.0
"""That a boot counts as a success only when the guest says so, and on the
right channel."""

from __future__ import annotations

import time

import images
import vm
from conftest import Lab
from images import Entry

SCRIPT_HEAD = """#!/bin/busybox sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -c /dev/null ] || mount -t devtmpfs devtmpfs /dev
"""


#: Turns the machine off; without ACPI (see Lab.boot) only a restart does, with QEMU's -no-reboot.
LEAVE = "grep -q acpi=off /proc/cmdline && reboot -f\npoweroff -f\n"


def archive_with(lab: Lab, body: str) -> bytes:
    """The demonstration tree with another /init."""
    init = Entry.file("init", (SCRIPT_HEAD + body).encode(), 0o755)
    return lab.archive([init])


def test_console_cannot_fake_success(lab: Lab) -> None:
    """The token on the console is worth nothing."""
    body = 'for i in 1 2 3; do echo "BEGIN fixed"; echo "SUCCESS fixed"; done\n' + LEAVE
    outcome = lab.boot(archive_with(lab, body), token="fixed")
    assert outcome.console.having("SUCCESS fixed")
    assert not outcome.success
    assert outcome.reason == "the machine went off without a report of success"


def test_wrong_token(lab: Lab) -> None:
    """A report with the token of another run is none."""
    body = "{ echo BEGIN 0123; echo SUCCESS 0123; } >/dev/ttyS1\n" + LEAVE
    outcome = lab.boot(archive_with(lab, body))
    assert not outcome.success and not outcome.guest.began


def test_failure_in_the_guest(lab: Lab) -> None:
    """A guest test that fails is a failed boot."""
    outcome = lab.boot(lab.archive(guest_test="echo before; exit 3\n"))
    assert not outcome.success
    assert outcome.guest.test_output == ["before"]
    assert "status 3" in outcome.reason


def test_damaged_files_are_noticed(lab: Lab) -> None:
    """The guest compares its files with the host's checksums."""
    outcome = lab.boot(lab.archive([Entry.file("share/sample", b"something else")]))
    assert not outcome.success
    assert outcome.guest.facts["content"] == "damaged"


def test_init_that_ends(lab: Lab) -> None:
    """The panic that follows is named."""
    outcome = lab.boot(archive_with(lab, "exit 0\n"), clean=False)
    assert not outcome.success
    assert outcome.reason.startswith("the kernel panicked: Attempted to kill init!")


def test_timeout(lab: Lab) -> None:
    """A guest that does nothing is ended, and not long after its time. (The way in which
    User Mode Linux ends then is not clean.)"""
    start = time.monotonic()
    outcome = lab.boot(archive_with(lab, "sleep 1000\n"), timeout=8 / lab.patience, clean=not lab.machine.native)
    assert not outcome.success
    assert outcome.reason == "no report of success within 8 s; the time ran out after it started /init"
    assert time.monotonic() - start < 20


def test_image_that_does_not_report(lab: Lab) -> None:
    """Of a foreign image it is said that it was judged from the console."""
    outcome = lab.boot(archive_with(lab, "sleep 1000\n"), reports=False, timeout=60,
                       clean=not lab.machine.native)
    assert outcome.success
    assert "judged from the console" in outcome.reason


def test_foreign_image_that_panics(lab: Lab) -> None:
    """Reaching user space is not enough when a panic follows."""
    outcome = lab.boot(archive_with(lab, "exit 0\n"), reports=False, clean=False)
    assert not outcome.success


def test_images_are_recognized(lab: Lab) -> None:
    """Every kind of image is known by its content, in every compression."""
    tree = lab.tree()
    for kind in images.FORMATS:
        plain = images.build(kind, tree, lab.path("image"))
        wanted = "cramfs" if kind == "cramfs+512" else kind
        assert images.detect(plain) == images.Kind("none", wanted)
    plain = images.build("cpio", tree, lab.path("image"))
    for compressor in images.COMPRESSORS:
        found = images.detect(images.compress(plain, compressor))
        assert found == images.Kind(compressor, "cpio")
        assert vm.root_options(found, stock=True, size=0) == []
