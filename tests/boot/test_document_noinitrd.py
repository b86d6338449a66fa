# SPDX-License-Identifier: GPL-2.0
"""The document on noinitrd: the normal root is mounted, and the initrd's data
can be read from /dev/initrd, once."""

from __future__ import annotations

import hashlib
import subprocess
from typing import Callable

import pytest

import images
import vm
from conftest import Lab
from guests import MIB, SLACK, TOOLS, check_real_root, real_root, values, with_bootconfig

pytestmark = pytest.mark.cxx_only(reason="there is no /dev/initrd")

ODD = 3 * MIB + 4711

KINDS: dict[str, Callable[[Lab], bytes]] = {
    "archive": lambda lab: lab.archive(),
    "compressed-archive": lambda lab: images.compress_bytes(lab.archive(), "zstd"),
    "ext2": lambda lab: lab.image("ext2").read_bytes(),
    "random": lambda lab: images.sample_data(ODD, seed=7),
    "one-byte": lambda lab: b"\x5a",
}


def noinitrd(lab: Lab, data: bytes, script: str, append: list[str] | None = None, *,
             memory: str = "256M") -> dict[str, str]:
    """Boots `data` with noinitrd and a real root that runs `script`; returns
    what it printed."""
    outcome = lab.succeed(data, ["noinitrd", "root=/dev/vda", *(append or [])], disks=[real_root(lab, script)],
                          root=False, memory=memory)
    check_real_root(outcome)
    assert not [m for m in outcome.console.mounts if m.device == "1:0"]
    assert outcome.console.loads == []
    return values(outcome)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.mark.document("Boot command-line options", "initrd data is preserved but it is not converted to a RAM disk")
@pytest.mark.document("Boot command-line options", "can have any structure")
@pytest.mark.document("Boot command-line options", "/dev/initrd is read-only and it can only be used once")
@pytest.mark.parametrize("kind", KINDS)
def test_any_structure(lab: Lab, kind: str) -> None:
    """Whatever the data is, it is neither unpacked nor loaded; the device has
    it byte for byte, in whole sectors, and is gone when it has been read."""
    data = KINDS[kind](lab)
    found = noinitrd(lab, data, """
        size=$(cat /sys/block/initrd/image_size)
        echo "size=$size sectors=$(cat /sys/block/initrd/size) ro=$(cat /sys/block/initrd/ro)"
        echo "node=$(stat -c '%a %t:%T %F' /dev/initrd)"
        echo "write=$(error_of dd if=/dev/zero of=/dev/initrd count=1)"
        exec 5</dev/initrd
        length=$(blockdev --getsize64 /dev/initrd)
        echo "length=$length ro=$(blockdev --getro /dev/initrd)"
        echo "sum=$(head -c $size /dev/initrd | md5sum)"
        echo "tail=$(tail -c +$((size + 1)) /dev/initrd | od -An -v -tx1 | tr -d ' 0\\n' | wc -c)"
        echo "setrw=$(blockdev --setrw /dev/initrd; error_of dd if=/dev/zero of=/dev/initrd count=1)"
        exec 5<&-
        echo "again=$(error_of cat /dev/initrd)"
        echo "image=$(ls / | grep -c initrd.image)"
        echo "pages=$(pages)"
        echo "rootfs=$(grep -c rootfs /proc/mounts)"
    """)
    length = (len(data) + 511) // 512 * 512
    assert found["size"].split() == [str(len(data)), f"sectors={length // 512}", "ro=1"]
    assert found["node"] == "400 1:fa block special file"
    assert found["write"] == "Read-only file system"
    assert found["length"].split() == [str(length), "ro=1"]
    assert found["sum"].split()[0] == md5(data)
    assert found["tail"] == "0"
    assert found["setrw"] != "none"
    assert found["again"] == "No such device"
    assert found["image"] == "0" and found["pages"] == "0"


@pytest.mark.document("Boot command-line options", "initrd data is preserved but it is not converted to a RAM disk")
@pytest.mark.cxx_only(reason="an archive is unpacked all the same")
def test_nothing_is_unpacked(lab: Lab) -> None:
    """An archive with an /init that could run: none of its entries is there."""
    entries = [images.Entry.file("from-the-archive", b"x")]
    outcome = lab.succeed(lab.archive(entries), ["noinitrd", "root=/dev/vda", "rdinit=/init"],
                          disks=[real_root(lab)], root=False)
    check_real_root(outcome)
    assert outcome.console.init is not None and outcome.console.init[0] == "/sbin/init"
    assert outcome.console.having("Trying to unpack rootfs image") == []
    assert outcome.console.complaints == []


@pytest.mark.smoke
@pytest.mark.document("Boot command-line options", "/dev/initrd is read-only and it can only be used once")
def test_last_close_frees(lab: Lab) -> None:
    """With two readers the data is there until the second one has closed it;
    then 64 MiB are free again."""
    data = images.sample_data(MIB, seed=3) * 64
    found = noinitrd(lab, data, """
        exec 3</dev/initrd
        exec 4</dev/initrd
        exec 3<&-
        echo "held=$(head -c 1048576 <&4 | md5sum)"
        before=$(memfree)
        exec 4<&-
        echo "freed=$(($(memfree) - before))"
        echo "again=$(error_of cat /dev/initrd) $(error_of dd if=/dev/zero of=/dev/initrd count=1)"
        echo "size=$(cat /sys/block/initrd/size)"
    """)
    assert found["held"].split()[0] == md5(data[:MIB])
    # (A processor keeps some free pages by itself, which may be large.)
    assert abs(int(found["freed"]) - 64 * 1024) < max(SLACK, 64 * lab.page_size // 1024)
    assert found["again"] == "No such device No such device"


@pytest.mark.document("Installation", "mknod /dev/initrd b 1 250")
def test_node_made_by_hand(lab: Lab) -> None:
    """The document's two commands, on the real root's own /dev."""
    data = images.sample_data(ODD)
    found = noinitrd(lab, data, """
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/dev
        mknod /mnt/dev/initrd b 1 250
        chmod 400 /mnt/dev/initrd
        echo "node=$(stat -c '%a %t:%T' /mnt/dev/initrd)"
        echo "sum=$(head -c $(cat /sys/block/initrd/image_size) /mnt/dev/initrd | md5sum)"
        echo "again=$(error_of cat /mnt/dev/initrd)"
    """)
    assert found["node"] == "400 1:fa"
    assert found["sum"].split()[0] == md5(data)
    assert found["again"] == "No such device"


@pytest.mark.document("Installation", "mknod /dev/initrd b 1 250")
@pytest.mark.document("Boot command-line options", "/dev/initrd is read-only and it can only be used once")
def test_mounting(lab: Lab) -> None:
    """An image with a file system can be mounted, read-only. Attempts with
    other file systems (without -t mount tries them all), or onto what is no
    folder, do not use it up; umount does."""
    data = lab.image("ext2").read_bytes()
    found = noinitrd(lab, data, """
        echo "wrong=$(error_of mount -t squashfs -o ro /dev/initrd /mnt)"
        echo "late=$(error_of mount -t ext2 -o ro /dev/initrd /share/sample)"
        mount -o ro /dev/initrd /mnt
        echo "remount=$(error_of mount -o remount,rw /mnt)"
        echo "mounted=$(grep ' /mnt ' /proc/mounts | cut -d ' ' -f 3-4 | cut -d , -f 1)"
        echo "same=$(cmp /mnt/bin/busybox /bin/busybox && cmp /mnt/share/sample /share/sample && echo yes)"
        umount /mnt
        echo "again=$(error_of cat /dev/initrd) $(error_of mount -t ext2 -o ro /dev/initrd /mnt)"
    """)
    assert found["wrong"] != "none"
    assert found["late"] != "none"
    assert found["remount"] != "none"
    assert found["mounted"] == "ext2 ro"
    assert found["same"] == "yes"
    assert found["again"].startswith("No such device") and found["again"] != "No such device none"


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_root_on_it(lab: Lab, mode: str) -> None:
    """root=/dev/initrd: the kernel mounts it read-only, whatever is asked for."""
    outcome = lab.succeed(lab.image("ext2"), ["noinitrd", "root=/dev/initrd", mode], root=False)
    assert outcome.guest.facts["mount"].split()[2] == "ext2"
    assert outcome.guest.facts["mount"].split()[3].startswith("ro")
    assert outcome.guest.facts["content"] == "intact"


@pytest.mark.document("Boot command-line options", "can have any structure")
def test_partition_table(lab: Lab) -> None:
    """A partition table in the data makes no partitions, whatever brd.max_part=
    is, also when they are looked for."""
    whole = lab.write("whole", images.sample_data(2 * MIB))
    subprocess.run([images.find_tool("sfdisk"), "-q", str(whole)], check=True, capture_output=True,
                   input=b"label: dos\nstart=100, size=1000, type=83\nstart=2000, type=83\n")
    found = noinitrd(lab, whole.read_bytes(), """
        exec 3</dev/initrd
        blockdev --rereadpt /dev/initrd >/dev/null 2>&1
        echo "partitions=$(ls -d /sys/block/initrd/initrd* /dev/initrd?* 2>/dev/null | wc -l)"
        echo "listed=$(grep -c initrd /proc/partitions)"
        exec 3<&-
    """, ["brd.max_part=4"])
    assert found["partitions"] == "0" and int(found["listed"]) <= 1


@pytest.mark.document("Boot command-line options", "/dev/initrd is read-only and it can only be used once")
def test_retained(lab: Lab) -> None:
    """retain_initrd: the data outlives the last close, and is the same as in
    /sys/firmware/initrd, where the kernel has that."""
    data = images.sample_data(ODD)
    found = noinitrd(lab, data, """
        size=$(cat /sys/block/initrd/image_size)
        echo "first=$(head -c $size /dev/initrd | md5sum)"
        echo "second=$(head -c $size /dev/initrd | md5sum)"
        echo "release=$(uname -r)"
        file=/sys/firmware/initrd
        [ ! -e $file ] || echo "file=$(stat -c '%a %s' $file) $(md5sum <$file)"
    """, ["retain_initrd"])
    assert found["first"].split()[0] == md5(data)
    assert found["second"].split()[0] == md5(data)
    if lab.has_retained_file(found["release"]):
        assert found["file"].split()[:3] == ["440", str(ODD), md5(data)]


@pytest.mark.document("Boot command-line options", "can have any structure")
def test_boot_configuration_is_no_data(lab: Lab) -> None:
    """A boot configuration behind the data is applied, and not in /dev/initrd."""
    data = images.sample_data(ODD)
    found = noinitrd(lab, with_bootconfig(data, "kernel.ramdisk_size = 9216\n"), """
        echo "ram1=$(cat /sys/block/ram1/size)"
        size=$(cat /sys/block/initrd/image_size)
        echo "data=$size $(head -c $size /dev/initrd | md5sum)"
    """, ["bootconfig"])
    assert found["ram1"] == "18432"
    assert found["data"].split()[:2] == [str(ODD), md5(data)]


@pytest.mark.document("Boot command-line options", "/dev/initrd is read-only and it can only be used once")
@pytest.mark.parametrize("case", ["none", "unpacked", "loaded"])
def test_nothing_to_read(lab: Lab, case: str) -> None:
    """Without an initrd, and after one that was unpacked or loaded, 1:250 is no
    device; nothing makes a RAM disk of that number either."""
    script = """
        mknod /run/node b 1 250
        echo "read=$(error_of cat /run/node)"
        echo "write=$(error_of dd if=/dev/zero of=/run/node count=1)"
        echo "disks=$(ls -d /sys/block/ram250 2>/dev/null | wc -l)"
    """
    outcome: vm.Outcome
    if case == "none":
        outcome = lab.succeed(None, ["root=/dev/vda", "rw"], disks=[real_root(lab, script)])
    elif case == "unpacked":
        outcome = lab.succeed(lab.archive(guest_test=TOOLS + script))
    else:
        outcome = lab.succeed(lab.image("ext2", guest_test=TOOLS + script))
    found = values(outcome)
    assert found["read"] == "No such device" and found["write"] == "No such device"
    assert found["disks"] == "0"
