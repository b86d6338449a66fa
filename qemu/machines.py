# SPDX-License-Identifier: GPL-2.0
"""The machines that are booted: what QEMU and the kernel call things on each.

An architecture has a usual machine of its own name; others are boards of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Machine:
    """`console` and `report_port` are device names in the guest; `report_device`
    is how QEMU is told of the port, whose chardev is called "report". `emulated`
    goes with TCG only. `kvm_host` is what uname calls a host that could run it by
    KVM. `dtb` is the device tree, of those that the kernel brings, of a machine for
    which QEMU has none. `memory_at` is where memory begins, `least_cpus` how many
    processors there always are. `native`: the kernel is a program, there is no QEMU.
    `busybox`: there is one of Debian's to run on it. `disk_names` is what the names of
    disks begin with."""

    arch: str
    qemu: str
    options: tuple[str, ...]
    console: str
    report_port: str
    report_device: tuple[str, ...]
    disk: str = "virtio-blk-pci"
    emulated: tuple[str, ...] = ()
    kvm_host: str = ""
    dtb: str = ""
    memory_at: int = 0
    least_cpus: int = 1
    native: bool = False
    busybox: bool = True
    disk_names: str = "vd"

    @property
    def has_pci(self) -> bool:
        """Whether QEMU's devices for PCI can be added to it."""
        return self.disk.endswith("-pci")

    def with_disks(self, text: str) -> str:
        """A text that names disks vda, vdb1, ... with the names that they have here."""
        return re.sub(r"\bvd(?=[a-z][0-9]*\b)", self.disk_names, text)


_SECOND_SERIAL = ("-serial", "chardev:report")
_VIRTIO_CONSOLE = ("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=report")

_ARM64 = Machine(
    arch="arm64",
    qemu="qemu-system-aarch64",
    options=("-machine", "virt,gic-version=3"),
    console="ttyAMA0",
    report_port="hvc0",
    report_device=_VIRTIO_CONSOLE,
    emulated=("-cpu", "cortex-a57"),
    memory_at=0x40000000,
)

MACHINES: dict[str, Machine] = {
    "x86_64": Machine(
        arch="x86_64",
        qemu="qemu-system-x86_64",
        options=("-machine", "q35"),
        console="ttyS0",
        report_port="ttyS1",
        report_device=_SECOND_SERIAL,
        kvm_host="x86_64",
    ),
    "arm64": _ARM64,
    "arm64be": replace(_ARM64, busybox=False),
    # (Without highmem=off its buses lie where 32 bits do not reach.)
    "arm": Machine(
        arch="arm",
        qemu="qemu-system-arm",
        options=("-machine", "virt,highmem=off"),
        console="ttyAMA0",
        report_port="hvc0",
        report_device=_VIRTIO_CONSOLE,
        emulated=("-cpu", "cortex-a15"),
        memory_at=0x40000000,
    ),
    "vexpress-a9": Machine(
        arch="arm",
        qemu="qemu-system-arm",
        options=("-machine", "vexpress-a9"),
        least_cpus=4,
        console="ttyAMA0",
        report_port="ttyAMA1",
        report_device=_SECOND_SERIAL,
        disk="virtio-blk-device",
        dtb="vexpress-v2p-ca9.dtb",
        memory_at=0x60000000,
    ),
    "riscv64": Machine(
        arch="riscv64",
        qemu="qemu-system-riscv64",
        options=("-machine", "virt"),
        console="ttyS0",
        report_port="hvc0",
        report_device=_VIRTIO_CONSOLE,
        memory_at=0x80000000,
    ),
    "um": Machine(
        arch="um",
        qemu="",
        options=(),
        console="tty0",
        report_port="ttyS0",
        report_device=(),
        native=True,
        disk_names="ubd",
    ),
}
