# SPDX-License-Identifier: GPL-2.0
"""Boot loaders for the tests: disks and discs that they start from, and machines
that start them instead of a kernel.

Everything here is given the boot that is wanted, with its initrd as a file, and
returns the same boot without kernel and initrd, which the loader now brings.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Sequence

import images
import vm
from conftest import Lab
from images import MIB

U_BOOT = Path("/usr/lib/u-boot")
OVMF = Path("/usr/share/ovmf/OVMF.fd")
AAVMF = Path("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")

#: Where a disk's only partition begins.
PARTITION = MIB

#: What U-Boot and its mkimage call the architectures, how it starts a kernel, and
#: an address that a kernel can be put at, clear of U-Boot itself.
UBOOT_NAMES = {
    "arm64": ("arm64", "booti", 0x40400000),
    "arm": ("arm", "bootz", 0x41000000),
    "riscv64": ("riscv", "booti", 0x84000000),
}


def initrd_of(lab: Lab, kind: str) -> Path:
    """A compressed image of a file system, or an archive as it is."""
    return lab.image(kind, "gzip" if kind == "ext2" else "none")


def wanted(lab: Lab, initrd: Path, *, append: Sequence[str] = (), memory: str = "512M") -> vm.Boot:
    """A boot of an image or archive, with the options that it needs."""
    kind = images.detect(initrd)
    words = vm.root_options(kind, stock=lab.stock, size=16 * MIB)
    return vm.Boot(lab.kernel, initrd, machine=lab.machine_name, memory=memory, accel=lab.accel,
                   append=[*words, "panic_on_warn=1", *append], timeout=120 * lab.patience)


def started_by_loader(boot: vm.Boot, *, disks: Sequence[Path] = (), extra: Sequence[str] = (),
                      disc: Path | None = None) -> vm.Boot:
    """The boot without what the loader finds for itself."""
    return dataclasses.replace(boot, kernel=None, initrd=None, disks=disks, extra=extra, disc=disc)


def check(lab: Lab, boot: vm.Boot) -> vm.Outcome:
    """Runs it, and insists on success, silence, and all of the content."""
    outcome = vm.run(boot, lab.path("boot"))
    assert outcome.success, f"{outcome.reason}\n{outcome.console.tail(40)}"
    assert outcome.console.troubles == []
    assert outcome.guest.facts["content"] == "intact" and outcome.guest.facts["pid"] == "1"
    return outcome


# --- U-Boot -----------------------------------------------------------------------


def partitioned(lab: Lab, folder: Path) -> Path:
    """A disk whose one partition is a file system with what is in `folder`."""
    size = sum(path.stat().st_size for path in folder.iterdir()) * 5 // 4 + 8 * MIB
    system = images.build("ext2", folder, lab.path("boot-fs"), size=-(-size // MIB) * MIB)
    disk = lab.path("boot-disk")
    with open(disk, "wb") as output:
        output.seek(PARTITION)
        with open(system, "rb") as data:
            shutil.copyfileobj(data, output)
    subprocess.run(["/sbin/sfdisk", "--quiet", disk], input=f"start={PARTITION // 512}, type=83, bootable\n", text=True,
                   check=True)
    return disk


def mkimage(lab: Lab, kind: str, data: Path, name: str) -> Path:
    """A legacy image of U-Boot's."""
    made = lab.path(name)
    images.run_tool(["mkimage", "-A", UBOOT_NAMES[lab.machine.arch][0], "-O", "linux", "-T", kind, "-C", "none",
                     "-n", name, "-d", data, made])
    return made


def fit(lab: Lab, initrd: Path) -> Path:
    """A flattened image tree with kernel and initrd, and their hashes."""
    arch, _, load = UBOOT_NAMES[lab.machine.arch]

    def node(name: str, data: Path, rest: str) -> str:
        return (f'{name} {{ description = "{name}"; data = /incbin/("{data}"); type = "{name}"; arch = "{arch}"; '
                f'os = "linux"; compression = "none"; {rest} hash-1 {{ algo = "sha256"; }}; }};\n')

    source = lab.path("fit.its")
    source.write_text(
        '/dts-v1/;\n/ { description = "test"; #address-cells = <1>;\nimages {\n'
        + node("kernel", lab.kernel, f"load = <{load:#x}>; entry = <{load:#x}>;")
        + node("ramdisk", initrd, "")
        + '};\nconfigurations { default = "c"; c { kernel = "kernel"; ramdisk = "ramdisk"; }; };\n};\n')
    made = lab.path("fit")
    images.run_tool(["mkimage", "-f", source, made])
    return made


def u_boot(lab: Lab, boot: vm.Boot, files: dict[str, Path], commands: Sequence[str]) -> vm.Boot:
    """U-Boot with a disk with these files; its script sets bootargs and then runs
    the commands, for which ${load} loads a file: "${load} ADDRESS /NAME"."""
    folder = lab.path("boot-files")
    folder.mkdir()
    for name, path in files.items():
        shutil.copyfile(path, folder / name)
    script = lab.path("boot.cmd")
    script.write_text("\n".join([
        f"setenv bootargs '{vm.command_line(boot)}'",
        "setenv load load ${devtype} ${devnum}:${distro_bootpart}",
        *commands, "echo the boot script came back", "poweroff"]) + "\n")
    shutil.copyfile(mkimage(lab, "script", script, "boot.scr"), folder / "boot.scr")
    program = {"arm64": ["-bios", str(U_BOOT / "qemu_arm64/u-boot.bin")],
               "arm": ["-bios", str(U_BOOT / "qemu_arm/u-boot.bin")],
               "riscv64": ["-kernel", str(U_BOOT / "qemu-riscv64_smode/u-boot.bin")]}[lab.machine.arch]
    return started_by_loader(boot, disks=[partitioned(lab, folder)], extra=program)


# --- GRUB and firmware ----------------------------------------------------------------


def grub_disc(lab: Lab, boot: vm.Boot, initrds: Sequence[Path]) -> Path:
    """A disc with GRUB for BIOS and EFI, which loads the initrds one after another."""
    folder = lab.path("grub-tree")
    (folder / "boot/grub").mkdir(parents=True)
    shutil.copyfile(lab.kernel, folder / "boot/kernel")
    names = []
    for number, path in enumerate(initrds):
        shutil.copyfile(path, folder / f"boot/initrd{number}")
        names.append(f"/boot/initrd{number}")
    (folder / "boot/grub/grub.cfg").write_text(
        f"set timeout=0\nmenuentry test {{\n linux /boot/kernel {vm.command_line(boot)}\n"
        f" initrd {' '.join(names)}\n}}\n")
    disc = lab.path("grub-disc")
    images.run_tool(["grub-mkrescue", "-o", disc, folder])
    return disc


def fat_disk(lab: Lab, files: dict[str, Path]) -> Path:
    """A disk without partitions, which is a FAT file system with these files."""
    disk = lab.path("fat-disk")
    size = sum(path.stat().st_size for path in files.values()) * 5 // 4 + 8 * MIB
    with open(disk, "wb") as output:
        output.truncate(-(-size // MIB) * MIB)
    images.run_tool(["mformat", "-i", disk, "-F", "::"] if size > 64 * MIB else ["mformat", "-i", disk, "::"])
    for name, path in files.items():
        images.run_tool(["mcopy", "-i", disk, path, f"::{name}"])
    return disk


def firmware(lab: Lab) -> list[str]:
    """QEMU's options for UEFI firmware."""
    return ["-bios", str(OVMF if lab.machine.arch == "x86_64" else AAVMF)]


# --- kexec ---------------------------------------------------------------------------------


def add_program(tree: Path, program: Path) -> None:
    """Puts a program and the libraries that it needs where they are here."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    words = [word for line in told.splitlines() for word in line.split() if word.startswith("/")]
    for path in [program, *map(Path, words)]:
        place = tree / path.relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o755)
