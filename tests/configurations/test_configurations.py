# SPDX-License-Identifier: GPL-2.0
"""Kernels with more or with less in them than the one that the other tests boot.

Each is built without a warning, has what its configuration says, and boots.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

import check_objects
import images
from boot import small_guest
from boot.conftest import Lab
from conftest import BUILT_IN_PART, CONFIGURATIONS, ROOT, Build, built_in_part

MIB = 1024 * 1024


def configurations(*names: str) -> pytest.MarkDecorator:
    """Runs a test once for each of the configurations named."""
    return pytest.mark.parametrize("build", names, indirect=True)


@configurations(*CONFIGURATIONS)
def test_builds_without_a_warning(build: Build) -> None:
    """Neither make nor build-kernel.sh has anything to say about it."""
    assert [line for line in build.said.splitlines() if "warning" in line] == []
    log = (build.output / "build.log").read_text(errors="replace").splitlines()
    assert [line for line in log if check_objects.BUILD_TROUBLE.search(line)] == []


# (KASAN has constructors of its own in every object.)
@configurations(*[name for name in CONFIGURATIONS if name not in ("no-initrd", "load")])
def test_objects(build: Build, objects: check_objects.Kernel) -> None:
    """The C++ left nothing behind that a kernel has no place for."""
    assert len(objects.sources) > 5
    for check in (check_objects.no_comdat_groups, check_objects.no_weak_symbols,
                  check_objects.no_static_constructors, check_objects.no_runtime_symbols,
                  check_objects.no_orphan_sections, check_objects.boot_code_is_init,
                  check_objects.boot_code_is_freed):
        assert check(objects) == [], check.__doc__
    for name in check_objects.REPLACED:
        assert not (build.output / name).exists()
    assert (Path("ramdisk/disk.cc") in objects.sources) == (build.option("BLK_DEV_RAM") != "n")
    assert (Path("ramdisk/image_device.cc") in objects.sources) == (build.option("BLOCK") == "y")


@configurations("no-initrd")
def test_nothing_of_the_project(build: Build, objects: check_objects.Kernel) -> None:
    """Without a boot image the kernel's own RAM disk is built, and nothing else."""
    assert build.option("INITRD_CXX") == "n"
    assert not objects.sources
    assert (build.output / "drivers/block/brd.o").exists()


@pytest.mark.parametrize("build, compressor", [
    ("module", "none"), ("module", "gzip"), ("no-block", "none"), ("no-block", "zstd"), ("no-ramdisk", "none"),
], indirect=["build"])
def test_archive(build: Build, lab: Lab, compressor: str) -> None:
    """An archive becomes the root file system."""
    outcome = lab.succeed(images.compress(lab.write("archive", lab.archive()), compressor))
    assert outcome.guest.facts["content"] == "intact"
    assert outcome.guest.facts["mount"].split()[2] == "rootfs"
    assert [(load.compressor, load.content) for load in outcome.console.loads] == [(compressor, "cpio")]


@configurations("module", "no-ramdisk")
def test_image_without_a_driver(build: Build, lab: Lab) -> None:
    """A file system has nowhere to go: it is refused as no archive, as C does."""
    outcome = lab.boot(lab.image("ext2"), clean=False, root=False)
    assert outcome.console.having("Initramfs unpacking failed: invalid magic at start of compressed archive")
    assert outcome.console.panic is not None and "Unable to mount root fs" in outcome.console.panic


# ---- an archive that is built in -------------------------------------------------


def found(lines: list[str]) -> dict[str, str]:
    """What the test that is built in says of its files."""
    return dict(line.split() for line in lines)


def expected(**more: bytes) -> dict[str, str]:
    """The files of all compressors, and others by name."""
    files = {"/" + BUILT_IN_PART.format(method=method): built_in_part(method) for method in images.COMPRESSORS}
    files |= {"/share/both": b"built in\n"} | {name: data for name, data in more.items()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


@configurations("built-in")
def test_built_in_alone(build: Build, lab: Lab) -> None:
    """It is the root, and has the closing line that others have."""
    outcome = lab.succeed(None)
    assert found(outcome.guest.test_output) == expected()
    load = outcome.console.built_in
    assert outcome.console.loads == [] and load is not None
    assert (load.content, load.how) == ("cpio", "unpacked")
    assert load.bytes_in == (ROOT / "build/tests/built-in/archive.cpio.parts").stat().st_size
    assert load.entries is not None and load.entries > len(images.COMPRESSORS) + len(images.APPLETS)


@configurations("built-in")
@pytest.mark.parametrize("compressor", ["none", "zstd"])
def test_built_in_and_an_archive(build: Build, lab: Lab, compressor: str) -> None:
    """The boot loader's comes after it, adds to it and replaces files in it; each has a line."""
    added = b"of the boot loader\n" * 5000
    data = images.newc([images.Entry.file("share/both", added), images.Entry.file("share/by-loader", added)])
    outcome = lab.succeed(images.compress(lab.write("archive", data), compressor))
    assert found(outcome.guest.test_output) == expected(**{"/share/both": added, "/share/by-loader": added})
    assert outcome.console.built_in is not None
    assert [(load.compressor, load.content, load.entries) for load in outcome.console.loads] == [(compressor, "cpio", 2)]


@configurations("built-in")
@pytest.mark.parametrize("compressor", ["none", "gzip"])
def test_built_in_and_an_image(build: Build, lab: Lab, compressor: str) -> None:
    """Its /init runs and finds the image as a file."""
    image = images.compress(lab.image("ext2"), compressor)
    outcome = lab.succeed(image)
    assert found(outcome.guest.test_output) == expected(**{"/initrd.image": image.read_bytes()})
    assert outcome.guest.facts["mount"].split()[2] in ("rootfs", "tmpfs")


@configurations("built-in")
def test_built_in_with_an_image_as_root(build: Build, lab: Lab) -> None:
    """Without an init in it that can run, the image becomes the RAM disk and the root."""
    outcome = lab.succeed(lab.image("ext2"), ["rdinit=/none"])
    assert outcome.guest.facts["mount"].split()[2] == "ext2"
    assert outcome.console.built_in is not None
    assert [load.content for load in outcome.console.loads] == ["ext2"]


# ---- the driver as a module ------------------------------------------------------


def partition_table(first: int, sectors: int) -> bytes:
    """A master boot record with one partition of type Linux."""
    entry = struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", first, sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def run_with_module(lab: Lab, build: Build, script: str) -> list[str]:
    """Boots an archive with ramdisk.ko in its place and runs `script`."""
    folder = f"lib/modules/{build.release}"
    entries = [images.Entry.directory(name) for name in ("lib", "lib/modules", folder)]
    entries += [
        images.Entry.file(f"{folder}/ramdisk.ko", (build.output / "init/initrd-cxx/ramdisk/ramdisk.ko").read_bytes()),
        images.Entry.file("share/table", partition_table(64, 4096)),
        images.Entry.file("share/ext2", lab.image("ext2", sample=MIB).read_bytes()),
        images.Entry.symlink("sbin/modprobe", "../bin/busybox"),
    ]
    head = f"""
        set -e
        for name in insmod rmmod depmod modprobe; do ln -sf busybox /bin/$name; done
        mount -t debugfs debugfs /sys/kernel/debug
        module=/{folder}/ramdisk.ko
        pages() {{ cat /sys/kernel/debug/ramdisk_pages/$1; }}
    """
    outcome = lab.succeed(lab.archive(entries, guest_test=head + script))
    return [line.strip() for line in outcome.guest.test_output]


@configurations("module")
def test_module_parameters(build: Build, lab: Lab) -> None:
    """The names and the meaning are those that brd has. Before it is loaded
    there is /dev/initrd, which is no module."""
    lines = run_with_module(lab, build, """
        ls /sys/block
        insmod $module rd_nr=2 rd_size=8192 max_part=4
        ls -1d /sys/block/ram*
        cat /sys/block/ram0/size /sys/block/ram0/dev /sys/block/ram1/dev
        cd /sys/module/ramdisk/parameters; cat rd_nr rd_size max_part
        dd if=/share/table of=/dev/ram1 2>/dev/null
        blockdev --rereadpt /dev/ram1
        cat /sys/block/ram1/ram1p1/start /sys/block/ram1/ram1p1/size
    """)
    assert lines == ["initrd", "/sys/block/ram0", "/sys/block/ram1", "16384", "1:0", "1:4", "2", "8192", "4",
                     "64", "4096"]


@configurations("module")
def test_module_gives_its_memory_back(build: Build, lab: Lab) -> None:
    """Loaded, filled, read back and unloaded, five times: no page is lost."""
    lines = run_with_module(lab, build, """
        for turn in 1 2 3 4 5; do
            insmod $module rd_nr=2 rd_size=8192 max_part=4
            for disk in ram0 ram1; do
                dd if=/share/ext2 of=/dev/$disk bs=1M count=4 2>/dev/null
                dd if=/dev/urandom of=/dev/$disk bs=1M seek=4 count=4 2>/dev/null
            done
            sync
            echo 3 >/proc/sys/vm/drop_caches
            cmp -s -n 4194304 /share/ext2 /dev/ram1 && echo pages $(pages ram0)
            rmmod ramdisk
            [ ! -e /sys/kernel/debug/ramdisk_pages ]
            [ ! -e /dev/ram0 ]
            echo 3 >/proc/sys/vm/drop_caches
            sed -n 's/^MemFree: *\\([0-9]*\\).*/\\1/p' /proc/meminfo
        done
    """)
    assert len(lines) == 10
    assert all(int(line.removeprefix("pages ")) >= 4 * MIB // 4096 for line in lines[::2])
    free = [int(line) for line in lines[1::2]]
    # One disk that stayed would be 8 MiB for each turn.
    assert free[0] - free[-1] < 4096, free


@configurations("module")
def test_module_that_is_in_use(build: Build, lab: Lab) -> None:
    """While a disk is mounted the module stays; then it goes."""
    lines = run_with_module(lab, build, """
        insmod $module rd_size=8192
        dd if=/share/ext2 of=/dev/ram0 bs=64k 2>/dev/null
        mount -t ext2 /dev/ram0 /mnt
        rmmod ramdisk 2>/dev/null || echo refused
        cmp /mnt/bin/busybox /bin/busybox && echo same
        umount /mnt
        rmmod ramdisk && echo gone
        mount -t ext2 /dev/ram0 /mnt 2>/dev/null || echo none
    """)
    assert lines == ["refused", "same", "gone", "none"]


@configurations("module")
def test_module_loads_itself(build: Build, lab: Lab) -> None:
    """Who opens a device file of major 1 gets the driver, by its alias; its
    old names work, too."""
    lines = run_with_module(lab, build, """
        depmod
        mknod /tmp/disk b 1 3
        dd if=/tmp/disk bs=4k count=1 2>/dev/null | tr -d '\\0' | wc -c
        cut -d ' ' -f 1 /proc/modules
        rmmod ramdisk
        for name in brd rd; do
            modprobe $name rd_nr=3
            ls -d /sys/block/ram* | wc -l
            rmmod ramdisk
        done
    """)
    assert lines == ["0", "ramdisk", "3", "3"]


# ---- 32 bits ---------------------------------------------------------------------


#: 1 GiB is more than a 32-bit kernel has addresses for, so that the RAM disk
#: gets pages that have to be mapped.
@configurations("i386")
@pytest.mark.parametrize("kind, compressor, memory", [
    ("cpio", "none", "128M"), ("cpio", "gzip", "1G"), ("cpio", "zstd", "128M"), ("squashfs", "none", "128M"),
    ("ext2", "none", "128M"), ("ext2", "none", "1G"), ("ext2", "gzip", "1G"),
    *[("ext2", compressor, "128M") for compressor in images.COMPRESSORS],
])
def test_32_bits(build: Build, lab: Lab, kind: str, compressor: str, memory: str) -> None:
    """Archives, and images that are adopted or unpacked into the RAM disk."""
    tree = small_guest.tree(lab.path("tree"), small_guest.I386, build.source)
    image = images.compress(images.build(kind, tree, lab.path(kind)), compressor)
    small_guest.check(lab.succeed(image, memory=memory), tree, kind, compressor)
