# SPDX-License-Identifier: GPL-2.0
"""initrd.sha256= and initrd.verify=: which images are used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import images
from conftest import Lab
from guests import check_real_root, with_bootconfig

pytestmark = pytest.mark.cxx_only(reason="it has no such parameters")

OTHER = hashlib.sha256(b"other").hexdigest()


def digest_of(image: Path) -> str:
    return hashlib.sha256(image.read_bytes()).hexdigest()


@pytest.mark.smoke
@pytest.mark.parametrize(("kind", "compressor"), [("cpio", "none"), ("cpio", "zstd"), ("ext2", "none"),
                                                  ("ext2", "gzip")])
def test_right_image(lab: Lab, kind: str, compressor: str) -> None:
    """It is used, also when the machine would stop otherwise."""
    image = lab.image(kind, compressor)
    digest = digest_of(image)
    outcome = lab.succeed(image, [f"initrd.sha256={OTHER},{digest.upper()}", "initrd.verify=enforce"])
    assert outcome.console.having("initrd: image verified: ") == [
        f"initrd: image verified: {image.stat().st_size} bytes, sha256 {digest}"]
    assert outcome.guest.facts["content"] == "intact"


@pytest.mark.smoke
@pytest.mark.parametrize(("kind", "compressor"), [("cpio", "none"), ("ext2", "none"), ("ext2", "xz")])
def test_other_image(lab: Lab, kind: str, compressor: str) -> None:
    """Both digests are said, its memory is freed, and the real root is booted."""
    image = lab.image(kind, compressor)
    outcome = lab.succeed(image, ["root=/dev/vda", f"initrd.sha256={OTHER}"], disks=[lab.real_root()], root=False)
    check_real_root(outcome)
    assert outcome.console.having("initrd: image refused") == [
        f"initrd: image refused: the sha256 of its {image.stat().st_size} bytes is {digest_of(image)}, wanted {OTHER}"]
    assert outcome.console.loads == [] and outcome.console.having("Trying to unpack") == []
    assert len(outcome.console.freed_kib) == 1 and \
        outcome.console.freed_kib[0] >= (image.stat().st_size - 2 * lab.page_size) // 1024


def test_parts(lab: Lab) -> None:
    """Each part of what a loader has joined by its own digest; what none names is
    refused, or let in where it holds /.extra alone."""
    first = lab.image("cpio", "zstd").read_bytes()
    second = images.newc([images.Entry.directory("t"), images.Entry.file("t/a", b"1")], pad=4)
    extra = images.newc([images.Entry.directory(".extra", 0o555), images.Entry.file(".extra/os-release", b"ID=x", 0o444)],
                        pad=4)
    joined = first + bytes(-len(first) % 4) + second
    digests = [hashlib.sha256(part).hexdigest() for part in (first, second)]
    words = [f"initrd.sha256={','.join(digests)}", "initrd.verify=enforce"]
    outcome = lab.succeed(joined, words)
    assert len(outcome.console.having("initrd: image verified: ")) == 2
    allowed = lab.succeed(joined + extra, [*words, "initrd.unnamed=extra"])
    assert allowed.console.having("initrd: archive of /.extra at offset ")
    stopped = lab.boot(joined + extra, words, clean=False)
    assert stopped.console.panic == "initrd: the image is not the one that is wanted"
    assert stopped.console.having(f"initrd: its first {len(joined)} bytes have a wanted digest")


def test_enforced(lab: Lab) -> None:
    """One bit is enough for the machine to stop."""
    image = lab.image("cpio")
    digest = digest_of(image)
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    outcome = lab.boot(bytes(data), [f"initrd.sha256={digest}", "initrd.verify=enforce"], clean=False)
    assert outcome.console.panic == "initrd: the image is not the one that is wanted"
    assert any(line.endswith(f", wanted {digest}") for line in outcome.console.having("initrd: image refused"))


def test_enforced_without_an_image(lab: Lab) -> None:
    """Who takes the image away does not get past it."""
    outcome = lab.boot(None, [f"initrd.sha256={OTHER}", "initrd.verify=enforce"], clean=False)
    assert outcome.console.panic == "initrd: there is no image to verify"


def test_boot_configuration_cannot_add_a_digest(lab: Lab) -> None:
    """Its keys come to the command line, but from inside the image."""
    if lab.machine.native:
        pytest.skip("User Mode Linux does not tell where the boot configuration is")
    plain = lab.image("cpio").read_bytes()
    image = lab.write("initrd", with_bootconfig(plain, f'kernel.initrd.sha256 = "{hashlib.sha256(plain).hexdigest()}"\n'
                                                "kernel.initrd.verify = refuse\n"))
    stopped = lab.boot(image, ["bootconfig", f"initrd.sha256={OTHER}", "initrd.verify=enforce"], clean=False)
    assert stopped.console.panic == "initrd: the image is not the one that is wanted"
    outcome = lab.succeed(image, ["bootconfig", f"initrd.sha256={digest_of(image)}"])
    assert outcome.console.having("initrd: image verified: ")


def test_boot_configuration_cannot_skip_the_verification(lab: Lab) -> None:
    """It may keep the image from being unpacked, but the machine does not go on to
    a root of its choice."""
    if lab.machine.native:
        pytest.skip("User Mode Linux does not tell where the boot configuration is")
    image = lab.write("initrd", with_bootconfig(lab.image("cpio").read_bytes(),
                                                "kernel.initcall_blacklist = populate_rootfs\n"))
    disks = [lab.real_root()]
    words = ["bootconfig", "initrd.verify=enforce", "root=/dev/vda", "ro"]
    stopped = lab.boot(image, [*words, f"initrd.sha256={OTHER}"], disks=disks, clean=False)
    assert stopped.console.panic == "initrd: the image is not the one that is wanted"
    # The right one is verified in its stead. (Nothing can be mounted then: there is no /root.)
    verified = lab.boot(image, [*words, f"initrd.sha256={digest_of(image)}"], disks=disks, clean=False)
    assert verified.console.having("initrd: image verified: ") and verified.console.loads == []
    assert verified.console.having("called before rootfs_initcalls")


def test_what_is_no_digest(lab: Lab) -> None:
    """It is said, and lets nothing in."""
    image = lab.image("cpio")
    outcome = lab.boot(image, ["initrd.sha256=0123", "initrd.verify=on"], clean=False)
    assert outcome.console.having("initrd: initrd.sha256=0123: not 64 hexadecimal digits, it matches no image")
    assert outcome.console.having("initrd: initrd.verify=on: neither refuse nor enforce, ignored")
    assert outcome.console.having("no digest is given")
    assert not outcome.success and outcome.console.loads == []
