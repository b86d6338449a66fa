# SPDX-License-Identifier: GPL-2.0
"""The document's section on installation: making an initrd, step by step."""

from __future__ import annotations

import pytest

import images
from conftest import Lab
from guests import MIB, check_real_root, values

#: /sbin/init of the images made here: a trial when it is not PID 1.
TRIAL = b"""#!/bin/busybox sh
exec </dev/console >/dev/console 2>&1
[ $$ = 1 ] || { /bin/busybox echo "trial on $(/bin/busybox stat -L -c %t:%T /dev/console)" >/trial; exit 0; }
exec /sbin/report
"""

#: Fills /mnt with what an initrd needs.
POPULATE = """
    mkdir /mnt/dev
    mknod /mnt/dev/console c 5 1
    mkdir /mnt/proc /mnt/sys /mnt/tmp /mnt/etc /mnt/sbin
    cp -a /bin /share /mnt
    cp /sbin/init /mnt/sbin/report
    cp /trial /mnt/sbin/init
    chmod +x /mnt/sbin/init
    grep -v -e guest-test -e sbin/init -e trial /etc/manifest.sha256 >/mnt/etc/manifest.sha256
    echo 'cat /trial; stat -c %a:%t:%T /dev/console' >/mnt/etc/guest-test
"""


@pytest.mark.document("Installation", "creating a file system on a block device")
@pytest.mark.document("Installation", "a RAM disk (fast, but allocates physical memory)")
@pytest.mark.document("Installation", "a loopback device (the most elegant solution)")
@pytest.mark.document("Installation", "mke2fs -F -m0 initrd")
@pytest.mark.document("Installation", "mknod /mnt/dev/console c 5 1")
@pytest.mark.document("Installation", "chroot /mnt /sbin/init")
@pytest.mark.document("Installation", "gzip -9 initrd")
@pytest.mark.parametrize("way", ["loop", "ram"])
def test_making_an_image(lab: Lab, way: str) -> None:
    """The document's steps, in a guest: a file system on a loopback device or a
    RAM disk, the console device, /sbin/init, a trial with chroot, gzip. The
    host takes the result from a disk and boots it."""
    # (The document's 300k would not hold busybox.)
    make, finish = {
        "loop": ("dd if=/dev/zero of=initrd bs=4000k count=1; mke2fs -F -m0 initrd; mount -t ext2 -o loop initrd /mnt",
                 "true"),
        "ram": ("mke2fs -m0 /dev/ram1; mount -t ext2 /dev/ram1 /mnt", "dd if=/dev/ram1 of=initrd bs=1k"),
    }[way]
    script = f"""set -e
    PATH=$PATH:/usr/bin
    mke2fs() {{ busybox mke2fs "$@" >/dev/null; }}
    cd /tmp
    {make}
    {POPULATE}
    chroot /mnt /sbin/init
    umount /mnt
    {finish}
    gzip -9 initrd
    echo "size=$(stat -c %s initrd.gz)"
    dd if=initrd.gz of=/dev/vda bs=4k conv=fsync
    """
    disk = lab.write("out", bytes(4 * MIB))
    tree = lab.tree(script, extra={"trial": TRIAL})
    archive = images.build("cpio", tree, lab.path("archive"))
    outcome = lab.succeed(archive, extra=["-drive", f"file={disk},format=raw,if=none,id=out",
                                          "-device", "virtio-blk-pci,drive=out"])
    size = int(values(outcome)["size"])
    made = lab.write("initrd.gz", disk.read_bytes()[:size])
    assert images.detect(made) == images.Kind("gzip", "ext2")
    outcome = lab.succeed(made, ["root=/dev/ram0", "rw"], root=False)
    check_real_root(outcome)
    assert outcome.guest.facts["stdio"].split() == ["5:1"] * 3
    assert outcome.guest.test_output[0] == "trial on 5:1"
    assert outcome.guest.test_output[1].endswith(":5:1")


@pytest.mark.document("Installation", "use the Minix FS instead of Ext2")
def test_minix(lab: Lab) -> None:
    """A Minix image, hardly larger than its files, boots and can be written."""
    tree = lab.tree("echo text >/new && sync && cat /new && grep -o ' / minix rw' /proc/mounts\n")
    image = images.build("minix", tree, lab.path("initrd"), size=(images.tree_bytes(tree) // MIB + 1) * MIB)
    outcome = lab.succeed(image, ["root=/dev/ram0", "rw"], root=False)
    check_real_root(outcome, "minix")
    assert outcome.guest.test_output == ["text", " / minix rw"]


@pytest.mark.document("Installation", '/sbin/init permissions must include "x" (execute)')
@pytest.mark.parametrize("mode", [0o755, 0o500, 0o644])
def test_init_must_be_executable(lab: Lab, mode: int) -> None:
    """Without the x bit, and with no other init to be found, the kernel says
    what is wrong and stops."""
    tree = lab.tree()
    (tree / "sbin/init").chmod(mode)
    (tree / "bin/sh").unlink()
    image = images.build("ext2", tree, lab.path("initrd"))
    outcome = lab.boot(image, clean=bool(mode & 0o100))
    assert outcome.success == bool(mode & 0o100)
    if not mode & 0o100:
        assert outcome.console.having("/sbin/init exists but couldn't execute it (error -13)")
        assert outcome.console.panic is not None and "No working init found" in outcome.console.panic


@pytest.mark.document("Installation", "only add a symbolic link from /sbin/init to /bin/sh")
def test_shell_for_an_init(lab: Lab) -> None:
    """/sbin/init can be the shell: it runs on the console, and reads the file
    that ENV names, which the kernel passes on from the command line."""
    tree = lab.tree()
    (tree / "sbin/init").rename(tree / "sbin/report")
    (tree / "sbin/init").symlink_to("../bin/sh")
    # (busybox goes by its name, and would be another init.)
    (tree / "bin/sh").unlink()
    (tree / "bin/sh").write_text("#!/bin/busybox sh\nexec /bin/busybox sh\n")
    (tree / "bin/sh").chmod(0o755)
    (tree / "etc/manifest.sha256").unlink()
    image = images.build("ext2", tree, lab.path("initrd"))
    outcome = lab.succeed(image, ["ENV=/sbin/report"])
    assert outcome.guest.facts["pid"] == "1"
    assert outcome.console.init is not None and outcome.console.init[0] == "/sbin/init"


@pytest.mark.document("Installation", "compiled with RAM disk support")
def test_kernel_with_all_that_is_needed(lab: Lab) -> None:
    """Both options are on, and /sbin/init, a script, runs an ELF program from
    the image before any module could be loaded."""
    outcome = lab.succeed(lab.image("ext2", guest_test="""
        zcat /proc/config.gz | grep -E '^CONFIG_(BLK_DEV_INITRD|BLK_DEV_RAM|EXT4_FS|BINFMT_ELF|BINFMT_SCRIPT)=' | sort
        echo "modules $(wc -l </proc/modules)"
    """))
    assert outcome.guest.test_output == ["CONFIG_BINFMT_ELF=y", "CONFIG_BINFMT_SCRIPT=y", "CONFIG_BLK_DEV_INITRD=y",
                                         "CONFIG_BLK_DEV_RAM=y", "CONFIG_EXT4_FS=y", "modules 0"]
