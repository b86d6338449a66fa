# SPDX-License-Identifier: GPL-2.0
"""The document's sections on the boot sequence and on changing the root
device: from the initrd as root to the real root, with pivot_root."""

from __future__ import annotations

from pathlib import Path

import pytest

import extfs
import images
import loaders
from conftest import Lab
from guests import MIB, PIVOT, SLACK, TOOLS, check_real_root, initrd, real_root, told, values


@pytest.mark.document("Introduction", "initrd はブートローダーから RAM ディスクをロードする機能を提供します")
@pytest.mark.document("Boot sequence", "ブートローダーがカーネルと初期 RAM ディスクをロードします")
@pytest.mark.document("Boot sequence", "ルートデバイスがマウントされます")
@pytest.mark.document("Boot sequence", "/sbin/init が実行されます")
@pytest.mark.document("Boot sequence", "init によって本当のルートファイルシステムがマウントされます")
@pytest.mark.document("Boot sequence", "init は pivot_root システムコールを使って")
@pytest.mark.document("Boot sequence", "init によって新しいルートファイルシステムで /sbin/init が実行され")
@pytest.mark.document("Boot sequence", "initrd ファイルシステムを削除します")
@pytest.mark.document("Changing the root device", "mounting the new root file system")
@pytest.mark.document("Changing the root device", "mount -o ro /dev/hda1 /new-root")
@pytest.mark.document("Changing the root device", "pivot_root . initrd")
@pytest.mark.document("Changing the root device", "exec chroot . what-follows <dev/console >dev/console 2>&1")
def test_sequence(lab: Lab) -> None:
    """The sequence as it stands: the initrd is the root and its /sbin/init, a
    script, PID 1 and uid 0; then the disk is the root and its /sbin/init PID 1,
    with nothing of the initrd in use, so that it can be unmounted."""
    start = """
        tell before "$$ $(id -u) $(stat -c %d /) $(cat /proc/mounts | grep -c ' / ext2 ')"
        tell stdio "$(stat -L -c %t:%T /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | tr '\\n' ' ')"
    """
    script = PIVOT.replace("mkdir /new-root\n", f"{start}\nmkdir /new-root\n", 1)
    disk = real_root(lab, """
        echo "initrd=$(grep -c ' /initrd ext2 ' /proc/mounts)"
        echo "users=$(ls -l /proc/[0-9]*/exe /proc/[0-9]*/root /proc/[0-9]*/cwd /proc/[0-9]*/fd/* 2>/dev/null |
            grep -c /initrd)"
        umount /initrd
        echo "left=$(grep -c ' /initrd ' /proc/mounts)"
    """)
    outcome = lab.succeed(initrd(lab, init=script), disks=[disk])
    assert [(m.fs, m.device) for m in outcome.console.mounts] == [("ext2", "1:0")]
    assert outcome.console.init is not None and outcome.console.init[0] == "/sbin/init"
    facts = told(outcome)
    assert facts["before"].split() == ["1", "0", str(0x100), "1"]
    assert facts["stdio"] == "5:1 5:1 5:1"
    check_real_root(outcome)
    assert outcome.guest.facts["mount"].split()[3].split(",")[0] == "ro"
    assert outcome.guest.facts["stdio"].split() == ["5:1"] * 3
    assert values(outcome) == {"initrd": "1", "users": "0", "left": "0"}


@pytest.mark.document("Boot sequence", "initrd を通常の RAM ディスクに変換して initrd が使用しているメモリを開放します")
@pytest.mark.parametrize("compressor", ["none", "gzip"])
def test_memory_of_the_initrd(lab: Lab, compressor: str) -> None:
    """What a boot with an image of 72 MiB takes more than one with 8 MiB is the
    RAM disk alone: the initrd's own memory was given back."""
    used = {}
    for size in (8, 72):
        image = lab.image("ext2", guest_test=TOOLS + "echo free=$(memfree)\n", size=size * MIB)
        outcome = lab.succeed(images.compress(image, compressor), [f"ramdisk_size={size * 1024}"], memory="448M")
        used[size] = outcome.guest.number("memtotal") - int(values(outcome)["free"])
    assert used[72] - used[8] < 1.06 * 64 * 1024


@pytest.mark.document("Boot sequence", "アンマウントは行われないので注意してください")
def test_nothing_is_unmounted(lab: Lab) -> None:
    """A process that the initrd started goes on after the change of the root,
    and a file system that was mounted in the initrd is still there."""
    start = """
        mount -t tmpfs tmpfs /run
        echo kept >/run/file
        (cd /run
         trap 'md5sum <../share/sample >answer; exit' USR1
         while :; do sleep 0.1; done) </dev/null >/dev/null 2>&1 &
        echo $! >/run/pid
    """
    script = PIVOT.replace("mount -t proc", f"{start}\nmount -t proc", 1)
    disk = real_root(lab, """
        read pid </initrd/run/pid
        echo "file=$(cat /initrd/run/file)"
        echo "root=$(readlink /proc/$pid/root) exe=$(readlink /proc/$pid/exe)"
        echo "umount=$(error_of umount /initrd/run) $(error_of umount /initrd)"
        kill -USR1 $pid
        while [ -d /proc/$pid ] && ! grep -q ' Z ' /proc/$pid/stat; do sleep 0.1; done
        [ "$(cat /initrd/run/answer)" = "$(md5sum </initrd/share/sample)" ] && echo answer=right
        umount /initrd/run && umount /initrd && echo unmounted=yes
    """)
    outcome = lab.succeed(initrd(lab, init=script), disks=[disk])
    check_real_root(outcome)
    assert values(outcome) == {
        "file": "kept",
        # (pivot_root moves the roots of all processes that had the old one.)
        "root": "/ exe=/initrd/bin/busybox",
        "umount": "Device or resource busy Device or resource busy",
        "answer": "right",
        "unmounted": "yes",
    }


@pytest.mark.document("Changing the root device",
                      "the initrd can be unmounted and the memory allocated by the RAM disk can be freed")
@pytest.mark.cxx_only(reason="blockdev --flushbufs frees no RAM disk")
def test_flushbufs_frees_the_ram_disk(lab: Lab) -> None:
    """umount and blockdev --flushbufs give 64 MiB back; not before the disk is
    out of use, and nothing is lost by trying."""
    disk = real_root(lab, """
        sample=$(md5sum </initrd/share/sample)
        echo "mounted=$(error_of blockdev --flushbufs /dev/ram0)"
        echo 3 >/proc/sys/vm/drop_caches
        [ "$sample" = "$(md5sum </initrd/share/sample)" ] && echo sample=same
        umount /initrd
        start=$(head -c 2097152 /dev/ram0 | md5sum)
        exec 4</dev/ram0
        echo "open=$(error_of blockdev --flushbufs /dev/ram0)"
        echo 3 >/proc/sys/vm/drop_caches
        [ "$start" = "$(head -c 2097152 /dev/ram0 | md5sum)" ] && echo start=same
        exec 4<&-
        before=$(memfree)
        echo "flush=$(error_of blockdev --flushbufs /dev/ram0)"
        echo "freed=$(($(memfree) - before)) pages=$(pages)"
        echo "zeros=$(head -c 2097152 /dev/ram0 | tr -d '\\0' | wc -c)"
        busybox mke2fs /dev/ram0 >/dev/null && mount -t ext2 /dev/ram0 /initrd && umount /initrd && echo usable=yes
    """)
    outcome = lab.succeed(initrd(lab, init=PIVOT, size=64 * MIB), ["bdev_allow_write_mounted=0"], disks=[disk])
    check_real_root(outcome)
    found = values(outcome)
    freed, pages = found.pop("freed").split()
    assert abs(int(freed) - 64 * 1024) < SLACK
    assert pages == "pages=0"
    assert found == {"mounted": "Device or resource busy", "sample": "same", "open": "Device or resource busy",
                     "start": "same", "flush": "none", "zeros": "0", "usable": "yes"}


@pytest.mark.cxx_only(reason="blockdev --flushbufs frees no RAM disk")
def test_flushbufs_long_after(lab: Lab) -> None:
    """Who reads the disk in between, or mounts it read-only, makes no difference."""
    disk = real_root(lab, """
        umount /initrd
        for i in 1 2 3; do busybox blkid /dev/ram0; head -c 1048576 /dev/ram0 >/dev/null; done
        mount -o ro /dev/ram0 /initrd && umount /initrd
        gzip -1 -n </dev/ram0 >/dev/null
        before=$(pages)
        echo "flush=$(error_of blockdev --flushbufs /dev/ram0)"
        echo "had=$([ "$before" -gt 0 ] && echo pages) has=$(pages)"
    """)
    outcome = lab.succeed(initrd(lab, init=PIVOT), ["bdev_allow_write_mounted=0"], disks=[disk])
    assert values(outcome) == {"flush": "none", "had": "pages has=0"}


@pytest.mark.cxx_only(reason="blockdev --flushbufs frees no RAM disk")
@pytest.mark.parametrize("way", ["mkfs", "mount", "program"])
def test_flushbufs_of_a_disk_that_is_put_to_another_use(lab: Lab, way: str) -> None:
    """What was written to it after it was unmounted stays, whatever is done then."""
    script = {
        "mkfs": "busybox mke2fs /dev/ram0 >/dev/null; mount -t ext2 /dev/ram0 /initrd",
        "mount": "mount -o rw /dev/ram0 /initrd",
        # What the page cache holds still when the flush is asked for counts, too.
        "program": "exec 4<>/dev/ram0; dd if=/bin/busybox bs=64k count=16 >&4 2>/dev/null",
    }[way]
    store = """
        cp /bin/busybox /initrd/kept
        umount /initrd
    """ if way != "program" else ""
    check = """
        echo "same=$(head -c 1048576 /dev/ram0 | cmp -n 1048576 - /bin/busybox && echo yes)"
    """ if way == "program" else """
        mount -o ro /dev/ram0 /initrd
        echo "same=$(cmp /initrd/kept /bin/busybox && echo yes)"
    """
    disk = real_root(lab, f"""
        umount /initrd
        {script}
        {store}
        echo "flush=$(error_of blockdev --flushbufs /dev/ram0)"
        {"exec 4>&-" if way == "program" else ""}
        echo "flush=$(error_of blockdev --flushbufs /dev/ram0)"
        echo 3 >/proc/sys/vm/drop_caches
        {check}
    """)
    outcome = lab.succeed(initrd(lab, init=PIVOT), ["bdev_allow_write_mounted=0"], disks=[disk])
    found = values(outcome)
    assert found["same"] == "yes"


@pytest.mark.cxx_only(reason="blockdev --flushbufs frees no RAM disk")
@pytest.mark.machines("x86_64")
def test_flushbufs_by_who_has_written(lab: Lab) -> None:
    """A program writes, and flushes by the same descriptor: what it wrote is in the page
    cache only, and is another use of the disk all the same."""
    tree = lab.tree(TOOLS + """
        umount /initrd
        perl -e 'open(my $disk, "+<", "/dev/ram0") or die "open: $!";
            syswrite($disk, "x" x 65536) == 65536 or die "write: $!";
            ioctl($disk, 0x1261, 0) or print "flush=$!\n"'
        echo 3 >/proc/sys/vm/drop_caches
        echo "kept=$(head -c 65536 /dev/ram0 | tr -cd x | wc -c)"
    """)
    loaders.add_program(tree, Path("/usr/bin/perl"))
    (tree / "initrd").mkdir()
    disk = extfs.add_nodes(images.build("ext2", tree, lab.path("disk")))
    outcome = lab.succeed(initrd(lab, init=PIVOT), disks=[disk])
    assert values(outcome) == {"kept": "65536"}


@pytest.mark.document("Changing the root device",
                      "the initrd can be unmounted and the memory allocated by the RAM disk can be freed")
def test_flushbufs_of_another_ram_disk(lab: Lab) -> None:
    """A RAM disk that held no initrd keeps its data, as other disks do."""
    outcome = lab.succeed(lab.archive(guest_test="""
        busybox mke2fs /dev/ram1 >/dev/null
        mount -t ext2 /dev/ram1 /mnt
        cp /share/sample /mnt
        umount /mnt
        before=$(md5sum </dev/ram1)
        blockdev --flushbufs /dev/ram1
        [ "$before" = "$(md5sum </dev/ram1)" ] && echo kept
        mount -t ext2 -o ro /dev/ram1 /mnt
        cmp /mnt/sample /share/sample && echo same
    """))
    assert outcome.guest.test_output == ["kept", "same"]


@pytest.mark.document("Changing the root device", "udev must be initialized before invoking chroot")
@pytest.mark.document("Installation", "The name is not relevant")
def test_new_root_without_dev(lab: Lab) -> None:
    """A new root with an empty /dev gets its device file system before chroot;
    and the old root goes to a directory of another name."""
    script = PIVOT.replace("mkdir initrd\npivot_root . initrd\n",
                           "mount -t devtmpfs devtmpfs dev\npivot_root . old/root\n")
    disk = real_root(lab, """
        echo "old=$(ls /initrd | wc -l) $(cmp /old/root/bin/busybox /bin/busybox && echo same)"
        umount /old/root && echo unmounted=yes
    """, folders=("initrd", "old/root"), nodes=False)
    outcome = lab.succeed(initrd(lab, init=script), disks=[disk])
    check_real_root(outcome)
    assert outcome.guest.facts["stdio"].split() == ["5:1"] * 3
    assert values(outcome) == {"old": "0 same", "unmounted": "yes"}


@pytest.mark.document("Changing the root device", "implementation details of pivot_root may change with time")
@pytest.mark.document("Installation", "a directory for the initrd file system has to be created")
def test_what_is_to_be_observed(lab: Lab) -> None:
    """Without a directory for the old root there is no change; a new root that
    is writable gets it then and there. Current directory, "." and a relative
    path are what the document asks for."""
    script = PIVOT.replace("mount -o ro", "mount -o rw").replace("mkdir initrd\n", """
        tell missing "$(pivot_root . initrd 2>&1)"
        tell same "$(cd / && pivot_root . tmp 2>&1)"
        mkdir initrd
        [ -x /bin/chroot ] && [ -x bin/chroot ] && tell chroot both
    """)
    disk = real_root(lab, "echo initrd=$(ls /initrd | grep -c sbin)\n", folders=())
    outcome = lab.succeed(initrd(lab, init=script), disks=[disk])
    facts = told(outcome)
    assert facts["missing"].endswith(": No such file or directory")
    assert facts["same"].endswith(": Device or resource busy")
    assert facts["chroot"] == "both"
    check_real_root(outcome)
    assert values(outcome) == {"initrd": "1"}
