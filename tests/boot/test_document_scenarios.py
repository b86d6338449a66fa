# SPDX-License-Identifier: GPL-2.0
"""The document's usage scenarios: drivers as modules in the initrd."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import extfs
import images
import kernels
from conftest import Lab
from guests import HEAD, MIB, check_real_root, initrd, real_root, told, values

#: Brings the devices to light that a script needs, and puts that away again.
OPEN = """
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
"""
CLOSE = "umount /dev /sys /proc\n"

#: From here it goes on as in the document: $device is mounted on /new-root.
CHANGE = """
cd /new-root
pivot_root . initrd
exec chroot . /sbin/init <dev/console >dev/console 2>&1
"""

LOAD_MODULES = """
for name in $(cat /lib/modules/order); do insmod /lib/modules/$name; done
"""

#: /sbin/init for a machine that /etc/hardware describes, a list of modules and
#: a root device.
CONFIGURED = HEAD + OPEN + """
. /etc/hardware
for name in $modules; do insmod /lib/modules/$name.ko; done
until [ -b $device ]; do sleep 0.1; done
tell modules "$(cut -d ' ' -f 1 /proc/modules | sort | tr '\\n' ' ')"
mkdir -p /new-root
mount -o ro $device /new-root
""" + CLOSE + CHANGE

#: /sbin/init of the installation's initrd: finds out what is needed, loads it,
#: makes the root file system and goes there.
INSTALL = HEAD + OPEN + """
for function in /sys/bus/pci/devices/*; do
    case $(cat $function/class) in
    0x010802) modules="nvme-core nvme" device=/dev/nvme0n1 ;;
    esac
done
tell needed "$modules"
for name in $modules; do insmod /lib/modules/$name.ko; done
until [ -b $device ]; do sleep 0.1; done
busybox mke2fs $device >/dev/null
mkdir /new-root
mount -t ext2 $device /new-root
cd /new-root
mkdir boot dev etc initrd mnt proc run sys tmp
mknod dev/console c 5 1
cp -a /bin /share .
mkdir sbin
cp /stage/init sbin/init
chmod +x sbin/init
cp /stage/guest-test etc/guest-test
{ echo "modules='$modules'"; echo "device=$device"; } >etc/hardware
""" + CLOSE + CHANGE

#: What the new root goes on with: it turns the initrd that is on /initrd into
#: the one for this machine. In the system that is installed it only looks.
CONTINUE = """
if [ -e /boot/initrd.gz ]; then
    echo "system=installed"
    exit 0
fi
cp /etc/hardware /initrd/etc/hardware
cp /initrd/stage/boot /initrd/sbin/init
rm -r /initrd/stage
umount /initrd
mount -t tmpfs tmpfs /mnt
dd if=/dev/ram0 of=/boot/initrd bs=64k 2>/dev/null
gzip -9 /boot/initrd
sync
echo "size=$(stat -c %s /boot/initrd.gz)"
"""

NVME = ["-device", "nvme,drive=nvme,serial=1"]


def nvme(disk: Path) -> list[str]:
    """QEMU's options for an NVMe disk, which keeps what is written."""
    return ["-drive", f"file={disk},format=raw,if=none,id=nvme", *NVME]


@pytest.fixture
def modules(lab: Lab) -> tuple[str, ...]:
    """The modules of the kernel under test, where it has them."""
    names = ("nvme", "isofs")
    try:
        kernels.find_modules(lab.kernel, names)
    except images.ImageError as error:
        pytest.skip(f"needs a kernel of scripts/build-kernel.sh: {error}")
    return names


@pytest.mark.document("Introduction", "システムの起動を二段階で行う")
@pytest.mark.document("Installation",
                      "the root file system creation procedure should create the /initrd directory")
@pytest.mark.document("Usage scenarios", "modular kernel configuration at system installation")
@pytest.mark.document("Usage scenarios", "re-use the configuration data during normal system operation")
def test_installation(lab: Lab, modules: tuple[str, ...]) -> None:
    """The eight steps. A kernel without the disk's driver boots an initrd that
    finds the disk, loads the driver, makes a root file system and goes there;
    what runs there writes /dev/ram0, changed, to a file. With that initrd the
    installed system boots."""
    stage = {"stage/init": images.GUEST_INIT.read_bytes(), "stage/guest-test": CONTINUE.encode(),
             "stage/boot": CONFIGURED.encode()}
    image = initrd(lab, init=INSTALL, extra=stage, modules=modules)
    disk = lab.write("nvme", bytes(24 * MIB))
    outcome = lab.succeed(image, extra=nvme(disk))
    assert told(outcome)["needed"] == "nvme-core nvme"
    assert outcome.guest.facts["pid"] == "1" and outcome.guest.facts["mount"].split()[1:3] == ["/", "ext2"]
    size = int(values(outcome)["size"])

    made = lab.write("initrd.gz", extfs.read_file(disk, "boot/initrd.gz"))
    assert made.stat().st_size == size
    outcome = lab.succeed(made, ["root=/dev/ram0", "rw"], root=False, extra=nvme(disk))
    assert told(outcome) == {"modules": "nvme nvme_core"}
    assert outcome.guest.facts["mount"].split()[:3] == ["/dev/nvme0n1", "/", "ext2"]
    assert values(outcome) == {"system": "installed"}


@pytest.mark.document("Usage scenarios", "systems with different hardware configurations")
def test_one_kernel_for_all(lab: Lab, modules: tuple[str, ...]) -> None:
    """Two machines, one kernel, and one initrd with all modules but for a file
    that /sbin/init reads: an ext2 root on NVMe, an ext4 one on virtio."""
    machines = {
        "ext2": (b"modules='nvme-core nvme'\ndevice=/dev/nvme0n1\n", "nvme nvme_core"),
        "ext4": (b"modules=\ndevice=/dev/vda\n", ""),
    }
    for kind, (hardware, loaded) in machines.items():
        image = initrd(lab, init=CONFIGURED, extra={"etc/hardware": hardware}, modules=modules)
        disk = real_root(lab, kind=kind)
        outcome = lab.succeed(image, extra=nvme(disk)) if loaded else lab.succeed(image, disks=[disk])
        check_real_root(outcome, kind)
        assert told(outcome) == {"modules": loaded}


@pytest.mark.document("Usage scenarios", "more convenient recovery disks")
def test_recovery(lab: Lab) -> None:
    """Nobody says where the root is: the initrd looks at every partition of
    every disk, checks what it finds, and goes to the one that is whole."""
    script = HEAD + OPEN + """
    mkdir /new-root
    for device in $(awk '$4 ~ /^(vd|ubd)/ { print "/dev/" $4 }' /proc/partitions); do
        mount -o ro $device /new-root 2>/dev/null || { tell $device none; continue; }
        if [ -x /new-root/sbin/init ] && (cd /new-root && sha256sum -c etc/manifest.sha256 >/dev/null 2>&1); then
            tell $device sound
            break
        fi
        tell $device damaged
        umount /new-root
    done
    """ + CLOSE + CHANGE
    broken = bytearray(real_root(lab).read_bytes())
    at = broken.index(images.sample_data(300_000)[:512])
    broken[at : at + 16] = bytes(16)
    sound = real_root(lab).read_bytes()
    junk = lab.write("junk", images.sample_data(MIB))
    whole = lab.write("partitioned", bytes(MIB) + broken + sound)
    sectors = [len(broken) // 512, len(sound) // 512]
    subprocess.run([images.find_tool("sfdisk"), "-q", str(whole)], check=True, capture_output=True,
                   input=f"label: dos\nstart=2048, size={sectors[0]}, type=83\n"
                         f"start={2048 + sectors[0]}, size={sectors[1]}, type=83\n".encode())
    outcome = lab.succeed(initrd(lab, init=script), disks=[junk, whole])
    check_real_root(outcome)
    seen = {"vda": "none", "vdb": "none", "vdb1": "damaged", "vdb2": "sound"}
    assert told(outcome) == {lab.machine.with_disks(f"/dev/{name}"): what for name, what in seen.items()}


@pytest.mark.document("Usage scenarios", "CD-ROM distributors may use it")
def test_bigger_ram_disk_from_cd(lab: Lab, modules: tuple[str, ...]) -> None:
    """A small initrd has the module for the CD's file system, unpacks a larger
    RAM disk from the CD, and makes that the root."""
    script = HEAD + OPEN + LOAD_MODULES + """
    mkdir /cd /new-root
    mount -t iso9660 -o ro /dev/vda /cd
    zcat /cd/root.gz >/dev/ram1
    umount /cd
    mount -t ext2 /dev/ram1 /new-root
    """ + CLOSE + CHANGE
    folder = lab.path("cd-tree")
    folder.mkdir()
    root = images.compress(real_root(lab, "umount /initrd && echo size=$(cat /sys/block/ram1/size)\n"), "gzip")
    root.rename(folder / "root.gz")
    disc = lab.path("cd")
    images.run_tool(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", disc, folder])
    outcome = lab.succeed(initrd(lab, init=script, modules=("isofs",), size=4 * MIB),
                          ["ramdisk_size=20480"], disks=[disc])
    check_real_root(outcome)
    assert outcome.guest.facts["mount"].split()[0] == "/dev/ram1"
    assert values(outcome) == {"size": "40960"}


WAIT = "until [ -b /dev/nvme0n1 ]; do sleep 0.1; done\n"


@pytest.mark.document("Obsolete root change mechanism",
                      "mounting the \"real\" root device as the root file system when linuxrc exits")
@pytest.mark.parametrize("way", [
    "number",
    pytest.param("name", marks=pytest.mark.cxx_only(reason="root= is looked up before linuxrc only")),
    pytest.param("rootwait", marks=pytest.mark.cxx_only(reason="root= is looked up before linuxrc only")),
])
def test_driver_loaded_by_linuxrc(lab: Lab, modules: tuple[str, ...], way: str) -> None:
    """linuxrc loads the driver of the real root's disk, and gives the disk's
    number; or root= names it, which is found only now, with rootwait even when
    linuxrc has not waited for it."""
    script = HEAD + OPEN + LOAD_MODULES
    if way != "rootwait":
        script += WAIT
    if way == "number":
        script += """
        IFS=: read major minor </sys/block/nvme0n1/dev
        echo $((major * 256 + minor)) >/proc/sys/kernel/real-root-dev
        """
    root = {"number": ["root=/dev/vda"], "name": ["root=/dev/nvme0n1"], "rootwait": ["root=/dev/nvme0n1", "rootwait"]}
    image = initrd(lab, linuxrc=script + "tell linuxrc ran\n" + CLOSE, modules=("nvme",))
    disk = real_root(lab, "umount /initrd && echo unmounted=yes\n")
    outcome = lab.succeed(image, root[way], extra=nvme(disk), root=False)
    check_real_root(outcome)
    assert told(outcome) == {"linuxrc": "ran"}
    assert values(outcome) == {"unmounted": "yes"}
    assert outcome.console.mounts[-1].device.startswith("259:")
