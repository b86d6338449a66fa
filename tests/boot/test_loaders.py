# SPDX-License-Identifier: GPL-2.0
"""Boot loaders, each with a compressed file system image and with an archive."""

from __future__ import annotations

import dataclasses
import gzip
import shutil
from pathlib import Path

import pytest

import images
import loaders
import vm
from conftest import Lab
from loaders import initrd_of

KINDS = pytest.mark.parametrize("kind", ["ext2", "cpio"])
UBOOT = pytest.mark.machines("arm64", "arm", "riscv64")
EFI = pytest.mark.machines("x86_64", "arm64")


def check_kind(lab: Lab, outcome: vm.Outcome, kind: str) -> None:
    """The initrd is the root, of the kind that was meant."""
    mounted = outcome.guest.facts["mount"].split()[2]
    assert mounted in (("ext2",) if kind == "ext2" else ("rootfs", "tmpfs", "ramfs"))
    load = lab.only_load(outcome)
    assert load is None or load.how == ("decoded" if kind == "ext2" else "unpacked")


# --- U-Boot -----------------------------------------------------------------------


@UBOOT
@KINDS
@pytest.mark.parametrize("form", ["raw", "mkimage"])
def test_u_boot(lab: Lab, kind: str, form: str) -> None:
    """booti or bootz with the initrd as it lies on the disk (ADDRESS:SIZE), or with
    U-Boot's own header."""
    initrd = initrd_of(lab, kind)
    command = loaders.UBOOT_NAMES[lab.machine.arch][1]
    if form == "raw":
        loaded, where = initrd, "${ramdisk_addr_r}:${filesize}"
    else:
        loaded, where = loaders.mkimage(lab, "ramdisk", initrd, "uInitrd"), "${ramdisk_addr_r}"
    boot = loaders.u_boot(lab, loaders.wanted(lab, initrd), {"kernel": lab.kernel, "initrd": loaded}, [
        "${load} ${kernel_addr_r} /kernel", "${load} ${ramdisk_addr_r} /initrd",
        f"{command} ${{kernel_addr_r}} {where} ${{fdtcontroladdr}}"])
    check_kind(lab, loaders.check(lab, boot), kind)


@UBOOT
@KINDS
def test_u_boot_with_fit(lab: Lab, kind: str) -> None:
    """Kernel and initrd in one file, with hashes."""
    initrd = initrd_of(lab, kind)
    boot = loaders.u_boot(lab, loaders.wanted(lab, initrd), {"fit": loaders.fit(lab, initrd)}, [
        "${load} ${ramdisk_addr_r} /fit", "bootm ${ramdisk_addr_r}#c ${ramdisk_addr_r}#c ${fdtcontroladdr}"])
    check_kind(lab, loaders.check(lab, boot), kind)


@UBOOT
@pytest.mark.parametrize("odd", [0x234, 0x7])
@pytest.mark.parametrize("kind", ["ext2", "cpio", "plain ext2"])
def test_u_boot_with_unaligned_initrd(lab: Lab, kind: str, odd: int) -> None:
    """The initrd stays where it was loaded, at no page's beginning, and is said to
    be a few pages longer than it is; what is there is not part of it."""
    initrd = lab.image("ext2") if kind == "plain ext2" else initrd_of(lab, kind)
    command = loaders.UBOOT_NAMES[lab.machine.arch][1]
    padded = lab.write("padded", initrd.read_bytes() + bytes(3 * 4096 + 100))
    boot = loaders.u_boot(lab, loaders.wanted(lab, initrd), {"kernel": lab.kernel, "initrd": padded}, [
        "${load} ${kernel_addr_r} /kernel", f"setexpr place ${{ramdisk_addr_r}} + {odd:x}", "${load} ${place} /initrd",
        f"setenv initrd_high 0x{'f' * (8 if lab.machine.arch == 'arm' else 16)}",
        f"{command} ${{kernel_addr_r}} ${{place}}:${{filesize}} ${{fdtcontroladdr}}"])
    outcome = loaders.check(lab, boot)
    assert outcome.guest.facts["mount"].split()[2] in (("rootfs", "tmpfs", "ramfs") if kind == "cpio" else ("ext2",))


@pytest.mark.machines("arm64", "riscv64")
@pytest.mark.parametrize("kind", ["cpio", "plain ext2"])
def test_u_boot_with_device_tree_behind_initrd(lab: Lab, kind: str) -> None:
    """In the page in which the initrd ends, where the kernel reads it to the end."""
    script = "head -c 4 /sys/firmware/fdt | od -An -tx1"
    initrd = lab.image("ext2" if kind == "plain ext2" else kind, guest_test=script)
    mask = "f" * 15 + "8"
    wanted = loaders.wanted(lab, initrd, append=["init_on_free=1", "initramfs_async=0"])
    boot = loaders.u_boot(lab, wanted, {"kernel": lab.kernel, "initrd": initrd}, [
        "setenv initrd_high 0xffffffffffffffff", "setenv fdt_high 0xffffffffffffffff",
        "${load} ${kernel_addr_r} /kernel", "setexpr place ${ramdisk_addr_r} + 234", "${load} ${place} /initrd",
        "setexpr tree ${place} + ${filesize}", "setexpr tree ${tree} + 7", f"setexpr tree ${{tree}} \\& {mask}",
        "fdt addr ${fdtcontroladdr}", "fdt move ${fdtcontroladdr} ${tree}",
        "booti ${kernel_addr_r} ${place}:${filesize} ${tree}"])
    outcome = loaders.check(lab, boot)
    # The kernel compares its sum when it makes that file, and the initrd has gone by now.
    assert [line.split() for line in outcome.guest.test_output] == [["d0", "0d", "fe", "ed"]]


# --- PCs ----------------------------------------------------------------------------


@pytest.mark.machines("x86_64")
@pytest.mark.parametrize("how", ["bios", "efi"])
@KINDS
def test_grub(lab: Lab, kind: str, how: str) -> None:
    initrd = initrd_of(lab, kind)
    boot = loaders.wanted(lab, initrd)
    disc = loaders.grub_disc(lab, boot, [initrd])
    extra = loaders.firmware(lab) if how == "efi" else []
    check_kind(lab, loaders.check(lab, loaders.started_by_loader(boot, disc=disc, extra=extra)), kind)


@pytest.mark.machines("x86_64")
def test_grub_with_several_initrds(lab: Lab) -> None:
    """As distributions do it for microcode: an archive that is not compressed, and
    the compressed one behind it."""
    early = lab.write("early", images.newc([images.Entry("early", 0o100644, data=b"here")], pad=0))
    late = lab.write("late", gzip.compress(lab.archive(guest_test="cat /early; echo")))
    boot = loaders.wanted(lab, early)
    disc = loaders.grub_disc(lab, boot, [early, late])
    outcome = loaders.check(lab, loaders.started_by_loader(boot, disc=disc))
    assert outcome.guest.test_output == ["here"]


@pytest.mark.machines("x86_64")
@KINDS
def test_syslinux(lab: Lab, kind: str) -> None:
    """SYSLINUX on a disk with a FAT file system. (ISOLINUX: test_document_options.)"""
    initrd = initrd_of(lab, kind)
    boot = loaders.wanted(lab, initrd)
    config = lab.write("syslinux.cfg", (
        f"DEFAULT linux\nPROMPT 0\nLABEL linux\n KERNEL kernel\n INITRD initrd\n APPEND {vm.command_line(boot)}\n"
    ).encode())
    disk = loaders.fat_disk(lab, {"kernel": lab.kernel, "initrd": initrd, "syslinux.cfg": config})
    images.run_tool(["syslinux", "--install", disk])
    drive = ["-drive", f"file={vm.quote(disk)},format=raw,index=0,media=disk,snapshot=on"]
    check_kind(lab, loaders.check(lab, loaders.started_by_loader(boot, extra=drive)), kind)


# --- UEFI: the kernel is a program of the firmware's ---------------------------------


@EFI
@KINDS
def test_efi_stub_with_file(lab: Lab, kind: str) -> None:
    """The firmware's shell starts the kernel, which loads initrd= itself."""
    initrd = initrd_of(lab, kind)
    boot = loaders.wanted(lab, initrd)
    script = lab.write("startup.nsh", f"fs0:\\kernel.efi initrd=\\initrd {vm.command_line(boot)}\r\n".encode())
    disk = loaders.fat_disk(lab, {"kernel.efi": lab.kernel, "initrd": initrd, "startup.nsh": script})
    outcome = loaders.check(lab, loaders.started_by_loader(boot, disks=[disk], extra=loaders.firmware(lab)))
    check_kind(lab, outcome, kind)
    assert outcome.console.having("is not a memory region") == []


@EFI
@KINDS
def test_efi_stub_with_load_file2(lab: Lab, kind: str) -> None:
    """The firmware offers the initrd by its LoadFile2 protocol."""
    boot = loaders.wanted(lab, initrd_of(lab, kind))
    outcome = loaders.check(lab, dataclasses.replace(boot, extra=loaders.firmware(lab)))
    check_kind(lab, outcome, kind)


# --- another kernel ------------------------------------------------------------------


@pytest.mark.machines("x86_64")
@KINDS
def test_kexec(lab: Lab, kind: str) -> None:
    """A guest starts the same kernel with another initrd."""
    initrd = initrd_of(lab, kind)
    boot = loaders.wanted(lab, initrd, memory="768M")
    tree = lab.tree()
    loaders.add_program(tree, Path("/sbin/kexec"))
    shutil.copyfile(lab.kernel, tree / "kernel")
    shutil.copyfile(initrd, tree / "next")
    (tree / "sbin/init").write_text(
        "#!/bin/busybox sh\nexport PATH=/bin:/sbin\nmount -t proc proc /proc\nmount -t sysfs sysfs /sys\n"
        f"kexec -c -l /kernel --initrd=/next --append='{vm.command_line(boot)}'\nkexec -e\n")
    first = lab.write("first", images.newc(images.tree_entries(tree)))
    outcome = loaders.check(lab, dataclasses.replace(boot, initrd=first, append=["panic_on_warn=1"]))
    mounted = outcome.guest.facts["mount"].split()[2]
    assert mounted in (("ext2",) if kind == "ext2" else ("rootfs", "tmpfs", "ramfs"))
    assert len(outcome.console.having("Linux version")) == 2
