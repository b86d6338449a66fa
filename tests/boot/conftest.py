# SPDX-License-Identifier: GPL-2.0
"""What the boot tests share: the kernel under test, images, boots, checks.

The kernel comes from --kernel-image (or INITRD_KERNEL_IMAGE); tests/run builds
it and says so. With --stock (or INITRD_STOCK=1) the same tests run against
the kernel's own C implementation, for comparison.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Container, Iterable, Iterator, Sequence

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "qemu"))

import images  # noqa: E402
import kernels  # noqa: E402
import vm  # noqa: E402
from report import Load  # noqa: E402

#: Set for a test that failed.
FAILED = pytest.StashKey[bool]()

#: The file systems whose name the kernel prints when it finds them in an
#: image, in its own spelling.
SNIFFED = {
    "romfs": "romfs",
    "cramfs": "cramfs",
    "cramfs+512": "cramfs",
    "squashfs": "squashfs",
    "minix": "Minix",
    "ext2": "ext2",
    "ext3": "ext2",
    "ext4": "ext2",
}

#: The first series whose C implementation has /sys/firmware/initrd.
RETAINED_FILE = (6, 12)

#: What /proc/mounts calls a file system when it is not our own name for it.
MOUNTED_AS = {"cramfs+512": "cramfs", "minix2": "minix"}


def usually(values: Iterable[Any], usual: Container[str]) -> list[Any]:
    """The values of a test's parameter. A run of all parts has those only whose text, or
    `name`, is in `usual`."""
    def param(value: Any) -> Any:
        name = getattr(value, "name", str(value))
        return pytest.param(value, id=name, marks=() if name in usual else (pytest.mark.thorough,))

    return [param(value) for value in values]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("initrd")
    group.addoption("--kernel-image", default=os.environ.get("INITRD_KERNEL_IMAGE"),
                    help="the kernel to boot")
    group.addoption("--stock", action="store_true", default=os.environ.get("INITRD_STOCK") == "1",
                    help="the kernel has the C implementation")
    group.addoption("--kernel-image-without-lz4", default=os.environ.get("INITRD_KERNEL_IMAGE_WITHOUT_LZ4"),
                    help="a kernel with CONFIG_RD_LZ4 off, for the one test that needs it")
    group.addoption("--machine", default="x86_64", choices=vm.MACHINES, help="what to boot it on")
    group.addoption("--patience", type=float, default=1.0, metavar="FACTOR",
                    help="multiplies the time limits, for kernels that are slow")


def reason_of(marker: pytest.Mark, otherwise: str) -> str:
    """The marker's argument `reason`, its last one."""
    return str(marker.kwargs.get("reason") or (marker.args[-1] if marker.args else otherwise))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kernel = config.getoption("--kernel-image")
    release = kernels.kernel_release(Path(kernel)) if kernel and Path(kernel).is_file() else None
    for item in items:
        marker = item.get_closest_marker("cxx_only")
        if marker and config.getoption("--stock"):
            reason = reason_of(marker, "known to fail")
            item.add_marker(pytest.mark.skip(reason=f"the C implementation: {reason}"))
        machine = config.getoption("--machine")
        marker = item.get_closest_marker("machines")
        if marker and machine not in marker.args:
            item.add_marker(pytest.mark.skip(reason=f"for {', '.join(marker.args)} only"))
        if not marker and not vm.MACHINES[machine].busybox:
            item.add_marker(pytest.mark.skip(reason="there is no busybox for the guest"))
        marker = item.get_closest_marker("c_since")
        if marker and config.getoption("--stock") and release and series(release) < series(marker.args[0]):
            reason = reason_of(marker, "too old")
            item.add_marker(pytest.mark.skip(reason=f"the C implementation of {release}: {reason}"))


def series(release: str) -> tuple[int, int]:
    """(6, 12) for "6.12.3"."""
    major, minor = re.findall(r"\d+", release)[:2]
    return int(major), int(minor)


class Lab:
    """Makes images in a folder of its own and boots them."""

    def __init__(self, kernel: Path, folder: Path, *, stock: bool, machine: str = "x86_64",
                 patience: float = 1.0) -> None:
        self.kernel = kernel.resolve()
        self.folder = folder
        self.stock = stock
        self.machine = vm.MACHINES[machine]
        self.machine_name = machine
        self.patience = patience
        self.page_size = kernels.page_size(kernel)
        #: Whether the image's last page is taken for its own where it ends inside it.
        self.owns_last_page = self.machine.arch in ("x86_64", "arm")
        self.accel = vm.choose_accel(machine, kernel)
        self._count = 0

    def has_retained_file(self, release: str) -> bool:
        """Whether the kernel shows what it retains in /sys/firmware/initrd."""
        return not self.stock or series(release) >= RETAINED_FILE

    def path(self, name: str) -> Path:
        """A new file name in the test's folder."""
        self._count += 1
        return self.folder / f"{self._count:02}-{name}"

    def write(self, name: str, data: bytes) -> Path:
        path = self.path(name)
        path.write_bytes(data)
        return path

    def tree(self, guest_test: str | None = None, *, sample: int = 300_000,
             extra: dict[str, bytes] | None = None) -> Path:
        """The demonstration tree; see images.demo_tree."""
        if guest_test is not None:
            guest_test = self.machine.with_disks(guest_test)
        return images.demo_tree(self.path("tree"), guest_test=guest_test, sample=sample, extra=extra,
                                arch=self.machine.arch)

    def image(self, kind: str, compressor: str = "none", *, guest_test: str | None = None,
              size: int | None = None, sample: int = 300_000) -> Path:
        """An image of the demonstration tree."""
        if kind.startswith("cramfs") and self.page_size != 4096:
            pytest.skip("mkfs.cramfs makes blocks of 4 KiB, and the kernel's pages are larger")
        tree = self.tree(guest_test, sample=sample)
        plain = images.build(kind, tree, self.path(kind), size=size)
        return images.compress(plain, compressor)

    def archive(self, entries: Sequence[images.Entry] = (), *, guest_test: str | None = None,
                crc: bool = False) -> bytes:
        """A bootable newc archive: the demonstration tree and then `entries`."""
        base = images.tree_entries(self.tree(guest_test))
        return images.newc([*base, *entries], crc=crc)

    def boot(self, initrd: Path | bytes | None, append: Sequence[str] = (), *, memory: str = "256M",
             cpus: int = 1, disks: Sequence[Path] = (), extra: Sequence[str] = (), reports: bool = True,
             timeout: float = 90.0, clean: bool = True, root: bool = True, kernel: Path | None = None,
             token: str | None = None) -> vm.Outcome:
        """Boots `initrd` and returns what came of it.

        With `root` an image that is a file system gets root=/dev/ram0. What
        `append` and scripts call vda is called so on every machine. With
        `clean` the kernel's log must be free of warnings and worse. The
        verdict is the caller's to check.
        """
        if self.machine.native and (extra or cpus > 1):
            pytest.skip("User Mode Linux has one processor and no devices of QEMU's")
        if not self.machine.has_pci and any(re.search(r"-pci\b|nvme", word) for word in extra):
            pytest.skip("this board has no PCI")
        if isinstance(initrd, bytes):
            initrd = self.write("initrd", initrd)
        words: list[str] = []
        if initrd is not None:
            kind = images.detect(initrd)
            size = initrd.stat().st_size if kind.compressor == "none" else 16 * images.MIB
            words = vm.root_options(kind, stock=self.stock, size=size)
            if not root:
                words = [word for word in words if word not in ("root=/dev/ram0", "rw")]
        if self.stock and not words:
            words = ["bdev_allow_write_mounted=1"]
        # A bug ends the guest at once, and does not wait for the time limit.
        words += ["panic_on_warn=1", "oops=panic"]
        # (Under KASAN in an emulated machine the interpreter of ACPI's tables takes most
        # of a minute. Other processors are found by these tables.)
        if self.machine.arch == "x86_64" and cpus == 1 and kernels.option(kernel or self.kernel, "KASAN") == "y":
            words.append("acpi=off")
        # (QEMU's NVMe raises its pin now and then when its driver uses messages already.)
        if any(option.startswith("nvme,") for option in extra):
            words.append("noirqdebug")
        # Scripts of the guest's may write many lines to /dev/kmsg.
        words += ["printk.devkmsg=on"]
        boot = vm.Boot(kernel or self.kernel, initrd, machine=self.machine_name,
                       append=[*words, *map(self.machine.with_disks, append)], memory=memory, cpus=cpus,
                       timeout=timeout * self.patience, disks=disks, extra=extra, accel=self.accel, reports=reports)
        if token is not None:
            boot.token = token
        outcome = vm.run(boot, self.path("boot"))
        if clean:
            assert outcome.console.troubles == [], outcome.folder / "console.log"
        return outcome

    def succeed(self, initrd: Path | bytes | None, append: Sequence[str] = (), **more: object) -> vm.Outcome:
        """Boots and insists on the guest's own report of success."""
        outcome = self.boot(initrd, append, **more)  # type: ignore[arg-type]
        assert outcome.success, (
            f"{outcome.reason}\n{outcome.console.tail(25)}\n{outcome.guest.test_output}\n"
            f"log: {outcome.folder / 'console.log'}"
        )
        return outcome

    def real_root(self, guest_test: str | None = None) -> Path:
        """An ext2 disk with the demonstration tree, the root to fall back to."""
        return images.build("ext2", self.tree(guest_test), self.path("disk"))

    def only_load(self, outcome: vm.Outcome) -> Load | None:
        """The kernel's single line about the boot loader's image or archive;
        None with the C implementation, which has no such line."""
        if self.stock:
            assert outcome.console.loads == []
            return None
        assert len(outcome.console.loads) == 1, outcome.console.having("initrd: ")
        return outcome.console.loads[0]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Lets fixtures see whether their test failed."""
    result = yield
    report = result.get_result()  # type: ignore[attr-defined]
    if report.failed:
        item.stash[FAILED] = True


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """The kernel under test and a folder that belongs to this test. Images are
    removed afterwards, unless the test failed; the logs stay."""
    kernel = request.config.getoption("--kernel-image")
    if not kernel:
        pytest.fail("no kernel: run tests/run --boot, or give --kernel-image", pytrace=False)
    path = Path(kernel)
    if not path.is_file():
        pytest.fail(f"{path}: there is no such kernel image", pytrace=False)
    yield Lab(path, tmp_path, stock=request.config.getoption("--stock"),
              machine=request.config.getoption("--machine"),
              patience=request.config.getoption("--patience"))
    if FAILED not in request.node.stash:
        for entry in tmp_path.iterdir():
            if entry.name.endswith("-tree"):
                shutil.rmtree(entry)
            elif entry.is_file():
                entry.unlink()
