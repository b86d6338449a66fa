# SPDX-License-Identifier: GPL-2.0
"""How boards are told of an initrd: by cells of a device tree, by tags, and in
memory that a 32-bit kernel has no addresses for."""

from __future__ import annotations

from pathlib import Path

import pytest

import images
import kernels
import loaders
import vm
from conftest import Lab
from images import MIB
from loaders import initrd_of

TREES = pytest.mark.machines("arm64", "arm", "riscv64")
KINDS = pytest.mark.parametrize("kind", ["ext2", "cpio"])


def options(lab: Lab, initrd: Path) -> list[str]:
    return vm.root_options(images.detect(initrd), stock=lab.stock, size=16 * MIB)


def device_tree(lab: Lab, memory: str) -> Path:
    """The device tree that QEMU makes for the machine."""
    made = lab.path("dtb")
    machine = lab.machine.options[lab.machine.options.index("-machine") + 1]
    images.run_tool([lab.machine.qemu, "-nodefaults", "-machine", f"{machine},dumpdtb={vm.quote(made)}",
                     *lab.machine.emulated, "-m", memory, "-smp", "1", "-display", "none"])
    return made


def put(tree: Path, name: str, value: int, cells: int) -> None:
    """Sets a property of /chosen to a number of one or two cells."""
    words = [f"{value >> shift & 0xffffffff:#x}" for shift in range(32 * (cells - 1), -1, -32)]
    images.run_tool(["fdtput", "-t", "x", tree, "/chosen", name, *words])


@TREES
@pytest.mark.parametrize("cells", [1, 2])
@KINDS
def test_device_tree(lab: Lab, kind: str, cells: int) -> None:
    """linux,initrd-start and -end, of 32 and of 64 bits, whatever the tree's own
    size of addresses is; the image is not at a page's beginning."""
    initrd = initrd_of(lab, kind)
    size = initrd.stat().st_size
    address = lab.machine.memory_at + 0x6000000 + 0x104
    tree = device_tree(lab, "256M")
    put(tree, "linux,initrd-start", address, cells)
    put(tree, "linux,initrd-end", address + size, cells)
    boot = vm.Boot(lab.kernel, None, machine=lab.machine_name, dtb=tree, append=options(lab, initrd),
                   extra=["-device", f"loader,file={vm.quote(initrd)},addr={address:#x},force-raw=on"],
                   timeout=90 * lab.patience)
    outcome = loaders.check(lab, boot)
    load = lab.only_load(outcome)
    assert load is None or load.bytes_in == size


@TREES
@pytest.mark.parametrize(("start", "end"), [(0x6001000, 0x6000000), (0x70000000, 0x70100000)])
def test_device_tree_that_lies(lab: Lab, start: int, end: int) -> None:
    """An end before the start, and a place where no memory is: the boot goes on."""
    if start > 0x10000000 and lab.machine.arch == "arm64":
        pytest.skip("this architecture takes the image's place for memory, before anybody asks us")
    tree = device_tree(lab, "256M")
    put(tree, "linux,initrd-start", lab.machine.memory_at + start, 2)
    put(tree, "linux,initrd-end", lab.machine.memory_at + end, 2)
    boot = vm.Boot(lab.kernel, None, machine=lab.machine_name, dtb=tree, disks=[lab.real_root()],
                   append=["root=/dev/vda", "ro"], timeout=90 * lab.patience)
    outcome = vm.run(boot, lab.path("boot"))
    assert outcome.success, f"{outcome.reason}\n{outcome.console.tail(25)}"
    assert outcome.guest.facts["mount"].split()[2] == "ext2"


#: Where the kernel lies, from the beginning of memory, in nearly all of the builds.
IN_KERNEL = {"x86_64": 17 * MIB, "arm64": 3 * MIB, "arm": MIB, "riscv64": 3 * MIB}


@pytest.mark.machines("x86_64", "arm64", "arm", "riscv64")
@pytest.mark.cxx_only(reason="takes what it is told to on some architectures, and stops")
@pytest.mark.parametrize("place", ["nowhere", "kernel"])
def test_parameter_that_lies(lab: Lab, place: str) -> None:
    """initrd= with a place where no memory is, or where the kernel is: the boot goes on."""
    if place == "nowhere" and lab.machine.arch == "x86_64":
        pytest.skip("what is there is read, memory or not")
    start = lab.machine.memory_at + (0x70000000 if place == "nowhere" else IN_KERNEL[lab.machine.arch])
    outcome = lab.succeed(None, [f"initrd={start:#x},0x100000", "nokaslr", "root=/dev/vda", "ro"],
                          disks=[lab.real_root()], root=False, clean=False)
    said = outcome.console.having("INITRD: ")
    why = "is not a memory region" if place == "nowhere" else "overlaps in-use memory region"
    assert len(said) == 1 and f"INITRD: {start:#010x}+0x00100000 {why} - disabling initrd" in str(said[0])
    assert outcome.guest.facts["mount"].split()[2] == "ext2"


# --- a real board, of the time before device trees ---------------------------------------


@pytest.mark.machines("arm")
@KINDS
def test_vexpress(lab: Lab, kind: str) -> None:
    """ARM's Versatile Express, with its device tree."""
    initrd = initrd_of(lab, kind)
    boot = vm.Boot(lab.kernel, initrd, machine="vexpress-a9", append=options(lab, initrd), timeout=90 * lab.patience)
    outcome = loaders.check(lab, boot)
    assert outcome.console.having("V2P-CA9")


@pytest.mark.machines("arm")
@KINDS
def test_tags(lab: Lab, kind: str) -> None:
    """The same board, whose boot loader knows of tags (ATAG_INITRD2) only: the
    device tree is behind the kernel."""
    initrd = initrd_of(lab, kind)
    tree = kernels.find_dtb(lab.kernel, vm.MACHINES["vexpress-a9"].dtb)
    kernel = lab.write("zImage-dtb", lab.kernel.read_bytes() + tree.read_bytes())
    boot = vm.Boot(kernel, initrd, machine="vexpress-a9", dtb=vm.NO_DTB, append=options(lab, initrd),
                   timeout=90 * lab.patience)
    outcome = loaders.check(lab, boot)
    assert outcome.console.having("V2P-CA9")


# --- high memory ------------------------------------------------------------------------------


@pytest.mark.machines("arm")
@pytest.mark.cxx_only(reason="does not ask whether it has addresses for it")
def test_initrd_in_high_memory(lab: Lab) -> None:
    """What the kernel cannot read is refused in so many words, and nothing else."""
    address = lab.machine.memory_at + 1200 * MIB
    outcome = lab.succeed(None, [f"initrd={address:#x},0x100000", "root=/dev/vda", "ro"], memory="1536M",
                          disks=[lab.real_root()])
    said = outcome.console.having("INITRD: ")
    assert len(said) == 1
    assert f"INITRD: {address:#010x}+0x00100000 is high memory: let the boot loader put it lower" in str(said[0])


@pytest.mark.machines("arm")
@pytest.mark.cxx_only(reason="reads the whole image through the block layer")
@pytest.mark.parametrize("compressor", ["gzip", "zstd"])
def test_disk_larger_than_low_memory(lab: Lab, compressor: str) -> None:
    """A RAM disk of a gigabyte, which the kernel cannot have addresses for at once."""
    image = lab.image("ext2", compressor, size=1024 * MIB)
    outcome = lab.succeed(image, memory="1900M", timeout=240)
    assert outcome.guest.facts["content"] == "intact"
    load = lab.only_load(outcome)
    assert load is not None and load.bytes_out == 1024 * MIB
    assert outcome.guest.facts["mount"].split()[2] == "ext2"
