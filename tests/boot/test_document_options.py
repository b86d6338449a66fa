# SPDX-License-Identifier: GPL-2.0
"""The document on initrd=, root=/dev/ram0 and rw, and on archives made by cpio.
(noinitrd is in test_document_noinitrd.py.)"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import images
import vm
from conftest import Lab
from guests import TOOLS, check_real_root, values

ISOLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin")
LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")


def bootable_disc(lab: Lab, files: dict[str, Path | bytes], append: str) -> Path:
    """A CD with these files and ISOLINUX on it, which boots /bzImage."""
    folder = lab.path("disc-tree")
    folder.mkdir()
    shutil.copy(ISOLINUX, folder)
    shutil.copy(LDLINUX, folder)
    shutil.copy(lab.kernel, folder / "bzImage")
    config = f"DEFAULT linux\nPROMPT 0\nLABEL linux\n KERNEL /bzImage\n APPEND {append}\n"
    (folder / "isolinux.cfg").write_text(config)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    disc = lab.path("disc")
    images.run_tool(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", disc, "-b", "isolinux.bin", "-c", "boot.cat",
                     "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", folder])
    return disc


@pytest.mark.machines("x86_64")
@pytest.mark.document("Boot command-line options", "Loads the specified file as the initial RAM disk")
@pytest.mark.document("Booting with initrd", "LOADLIN <kernel> initrd=<disk_image>")
@pytest.mark.document("Booting with initrd", "For other boot loaders, please refer to the respective documentation")
@pytest.mark.document("Usage scenarios", "CD-ROM distributors may use it")
@pytest.mark.parametrize("kind", ["ext2", "cpio"])
def test_boot_loader_from_cd(lab: Lab, kind: str) -> None:
    """A boot loader that reads initrd=FILE from the command line, as LOADLIN
    did, loads kernel and initrd from a CD. The kernel sees that option as well
    and does not take the name for an address."""
    boot = vm.Boot(None, None)
    script = "read line </proc/cmdline\necho \"line=$line\"\n"
    initrd = images.compress(lab.image(kind, guest_test=script), "gzip")
    options = ["initrd=/initrd.gz"]
    if kind == "ext2":
        options += ["root=/dev/ram0", "rw", "ramdisk_size=16384", "bdev_allow_write_mounted=1"]
    boot.append = [*options, "panic_on_warn=1"]
    boot.disc = bootable_disc(lab, {"initrd.gz": initrd}, vm.command_line(boot))
    outcome = vm.run(boot, lab.path("boot"))
    assert outcome.success, f"{outcome.reason}\n{outcome.console.tail(25)}"
    assert outcome.console.troubles == []
    assert outcome.guest.facts["content"] == "intact" and outcome.guest.facts["pid"] == "1"
    assert " initrd=/initrd.gz" in values(outcome)["line"]
    assert outcome.console.having("is not a memory region") == []
    assert outcome.guest.facts["mount"].split()[2] in (("ext2",) if kind == "ext2" else ("rootfs", "tmpfs", "ramfs"))


@pytest.mark.document("Boot command-line options",
                      "initrd is mounted as root, and the normal boot procedure is followed")
@pytest.mark.document("Booting with initrd", "root=/dev/ram0 rw")
@pytest.mark.document("Booting with initrd", "rw is only necessary if writing to the initrd file system")
@pytest.mark.parametrize("access", ["rw", "ro", ""])
def test_root_on_the_ram_disk(lab: Lab, access: str) -> None:
    """root=/dev/ram0 makes the initrd the root and runs its /sbin/init; no
    linuxrc is asked for. Without rw it is read-only, with rw it can be written."""
    script = TOOLS + "echo \"write=$(error_of touch /new)\"\necho \"device=$(stat -c %d /)\"\n"
    image = lab.image("ext2", guest_test=script)
    outcome = lab.succeed(image, ["root=/dev/ram0", *([access] if access else [])], root=False)
    check_real_root(outcome)
    assert outcome.guest.facts["mount"].split()[3].split(",")[0] == (access or "ro")
    assert outcome.console.mounts[0].readonly == (access != "rw")
    assert values(outcome) == {"write": "none" if access == "rw" else "Read-only file system", "device": str(0x100)}
    assert outcome.console.having("linuxrc") == [] and outcome.console.having("old root") == []


@pytest.mark.document("Compressed cpio images", "圧縮された cpio アーカイブからの ramdisk の生成をサポート")
@pytest.mark.document("Compressed cpio images", "find . | cpio --quiet -H newc -o | gzip -9 -n")
@pytest.mark.document("Compressed cpio images", "gzip -cd /boot/imagefile.img | cpio -imd --quiet")
def test_document_commands_of_cpio(lab: Lab) -> None:
    """The image that the document's first command makes boots; its second one
    unpacks it, in the guest, to what the root has been unpacked to."""
    tree = lab.tree("""
        set -e
        mkdir /tmp/imagefile
        cd /tmp/imagefile
        gzip -cd /dev/vda 2>/dev/null | cpio -imd --quiet
        find . -type f | sort | xargs sha256sum >/tmp/unpacked
        cd /
        sha256sum -c /tmp/unpacked | grep -c ': OK'
        wc -l </tmp/unpacked
        ls -l /tmp/imagefile/bin | grep -c '^l'
    """)
    image = lab.path("imagefile.img")
    shell = ["sh", "-c", f"find . | cpio --quiet -H newc -o | gzip -9 -n > {image}"]
    images.run_tool(shell, as_root=True, cwd=tree)
    disk = lab.write("disk", image.read_bytes() + bytes(-image.stat().st_size % 512))
    outcome = lab.succeed(image, disks=[disk])
    right, all_files, links = (int(line) for line in outcome.guest.test_output)
    assert right == all_files > 4
    assert links == len(images.APPLETS)
    assert outcome.guest.facts["content"] == "intact"
