# SPDX-License-Identifier: GPL-2.0
"""Systems that the tests of the document boot: initrds with a script for
/sbin/init or /linuxrc, and the real roots behind them."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

import extfs
import images
import kernels
import vm
from conftest import Lab

MIB = images.MIB

#: What the caches and the counters of each processor may hide, in KiB: between
#: two moments of one boot, and between two boots.
SLACK = 1536
SLACK_OF_TWO_BOOTS = 6 * 1024

#: How a script of an initrd's begins. It tells facts through the kernel's log,
#: where no line tears another apart; told() finds them.
HEAD = """#!/bin/busybox sh
export PATH=/bin:/sbin
tell() { echo "guest: $1: $2" >/dev/kmsg; }
"""

#: The document's way from the initrd to the new root, as /sbin/init of an
#: initrd. (The first two and the last two lines around `mount` are there for a
#: device node and for the list of file systems, which static nodes and an
#: option -t would do as well.)
PIVOT = HEAD + """
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mkdir /new-root
mount -o ro /dev/vda /new-root
umount /dev
umount /proc
cd /new-root
mkdir initrd
pivot_root . initrd
exec chroot . /sbin/init <dev/console >dev/console 2>&1
"""

#: For scripts that run in the real root: memory in KiB that is free, counting
#: what lies in the processors' own lists, when caches have been dropped; the same when
#: nothing more has come for a second (what is discarded is free after a grace period of
#: RCU, which takes its time on a busy machine); what a command says when it fails; how
#: many pages /dev/ram0 has.
TOOLS = """
memfree() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree:/ { sum += $2 } $1 == "count:" { sum += 4 * $2 } END { print sum }' /proc/meminfo /proc/zoneinfo
}
settled() {
	last=0 now=$(memfree)
	for second in $(seq 60); do
		[ $now -gt $((last + 64)) ] || break
		sleep 1
		last=$now now=$(memfree)
	done
	echo $now
}
error_of() { if said=$("$@" 2>&1); then echo none; else echo "${said##*: }"; fi; }
pages() {
	[ -d /sys/kernel/debug/ramdisk_pages ] || mount -t debugfs debugfs /sys/kernel/debug
	cat /sys/kernel/debug/ramdisk_pages/ram0
}
"""

#: For scripts: the data that retain_initrd has kept, for check_retained().
RETAINED = """
file=/sys/firmware/initrd
[ ! -e $file ] || echo "file=$(stat -c '%a %s' $file) $(sha256sum <$file)"
"""


def told(outcome: vm.Outcome) -> dict[str, str]:
    """What the scripts with HEAD have told, key by key."""
    found: dict[str, str] = {}
    for text in outcome.console.having("guest: "):
        match = re.fullmatch(r"guest: ([^:]+):(.*)", text)
        if match:
            found[match[1]] = match[2].strip()
    return found


def values(outcome: vm.Outcome) -> dict[str, str]:
    """The lines key=value that /etc/guest-test printed."""
    pairs = (line.partition("=") for line in outcome.guest.test_output)
    return {key: value.strip() for key, sign, value in pairs if sign}


def initrd(lab: Lab, *, init: str | None = None, linuxrc: str | None = None, kind: str = "ext2",
           size: int | None = None, extra: dict[str, bytes] | None = None, modules: tuple[str, ...] = (),
           mode: int = 0o755) -> Path:
    """An image of the demonstration tree with these scripts in it, and the
    kernel's modules in /lib/modules, with a list in their order. `mode` is the
    scripts'. An ext image has the device nodes of extfs.NODES."""
    files = dict(extra or {})
    names = []
    for module in kernels.find_modules(lab.kernel, modules):
        names.append(module.name)
        files[f"lib/modules/{module.name}"] = module.read_bytes()
    if names:
        files["lib/modules/order"] = "".join(f"{name}\n" for name in names).encode()
    tree = lab.tree(extra=files)
    for name, script in (("sbin/init", init), ("linuxrc", linuxrc)):
        if script is not None:
            (tree / name).write_text(lab.machine.with_disks(script))
            (tree / name).chmod(mode)
    image = images.build(kind, tree, lab.path("initrd"), size=size)
    return extfs.add_nodes(image) if kind.startswith("ext") else image


def real_root(lab: Lab, guest_test: str | None = None, *, folders: tuple[str, ...] = ("initrd",),
              kind: str = "ext2", extra: dict[str, bytes] | None = None, nodes: bool = True) -> Path:
    """A disk with the demonstration tree and further folders, to be the root
    after the initrd."""
    tree = lab.tree(None if guest_test is None else TOOLS + guest_test, extra=extra)
    for folder in folders:
        (tree / folder).mkdir(parents=True)
    disk = images.build(kind, tree, lab.path("disk"))
    return extfs.add_nodes(disk) if nodes and kind.startswith("ext") else disk


def check_real_root(outcome: vm.Outcome, fs: str = "ext2") -> None:
    """The init that reported was PID 1 of the real root, whole and intact."""
    facts = outcome.guest.facts
    assert facts["pid"] == "1"
    assert facts["mount"].split()[1:3] == ["/", fs]
    assert facts["content"] == "intact"


def check_retained(found: dict[str, str], data: bytes) -> None:
    """RETAINED has found the initrd as it was loaded."""
    mode, size, digest = found["file"].split()[:3]
    assert (mode, int(size), digest) == ("440", len(data), hashlib.sha256(data).hexdigest())


def with_bootconfig(data: bytes, config: str) -> bytes:
    """An initrd with a boot configuration behind it, as `bootconfig -a` does:
    the text with a NUL, NULs up to a multiple of 4, the length and the sum of
    these bytes, and the magic."""
    text = config.encode() + b"\0"
    magic = b"#BOOTCONFIG\n"
    text += b"\0" * (-(len(data) + len(text) + 8 + len(magic)) % 4)
    return data + text + struct.pack("<II", len(text), sum(text) & 0xFFFFFFFF) + magic
