# SPDX-License-Identifier: GPL-2.0
"""tests/bench: its command line, its inputs, and what it makes of figures."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "tests/bench/run"
sys.path.insert(0, str(ROOT / "tests"))

from bench import boots, host, inputs, making, plot, table, targets  # noqa: E402
from bench.content import Source, sizes  # noqa: E402
from bench.inputs import Input, catalogue, matching  # noqa: E402
from bench.instruments import disk, icount, memory, size  # noqa: E402
from bench.rows import Row, Target  # noqa: E402

import vm  # noqa: E402
from report import Console, Guest  # noqa: E402


def call(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(RUN), *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=120,
                          stdin=subprocess.DEVNULL)


# --- the command line -------------------------------------------------------------


@pytest.mark.parametrize("words", [
    ["--nonsense"], ["stray"], ["--only"], ["--instruments=watch"], ["--instruments=,"], ["--instruments", "icount,,size"],
    ["--repeat=0"], ["--repeat", "many"], ["--jobs=-1"], ["--memory=much"], ["--cpu=-x"], ["--quick=yes"],
])
def test_wrong_usage(words: list[str]) -> None:
    """2, a word about it on stderr, and nothing run."""
    done = call(*words)
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.startswith("run: ")


def test_help() -> None:
    """--help names every option and every instrument."""
    text = call("--help").stdout
    for word in ("--kernel --instruments --only --quick --repeat --memory --cpu --jobs --kernel-image --stock-kernel-image "
                 "--output --strict --list --clean --help icount size memory io smp uml").split():
        assert re.search(rf"(?<![\w-]){word}\b", text), word


def test_list(tmp_path: Path) -> None:
    """--list names inputs, from any folder; --only picks some."""
    lines = call("--list", cwd=tmp_path).stdout.splitlines()
    assert lines[0] == "instruments: icount size memory io smp uml"
    assert [line.split()[0] for line in lines[2:]] == [one.name for one in catalogue()]
    some = call("--list", "--only=cpio-big*", cwd=tmp_path).stdout.splitlines()[2:]
    assert [line.split()[0] for line in some][:2] == ["cpio-big", "cpio-big-aligned"]
    assert not list(tmp_path.iterdir())


def test_no_such_image(tmp_path: Path) -> None:
    """A kernel image that is not there is named."""
    done = call(f"--kernel-image={tmp_path}/none")
    assert done.returncode == 1 and f"{tmp_path}/none" in done.stderr


def test_no_such_input(tmp_path: Path) -> None:
    """A pattern that matches nothing is a failure that says so."""
    image = tmp_path / "image"
    image.write_bytes(b"no kernel")
    done = call("--only=nothing-like-it", f"--kernel-image={image}", f"--stock-kernel-image={image}",
                f"--output={tmp_path}/out", "--instruments=icount")
    assert done.returncode == 1 and "nothing-like-it" in done.stderr


# --- inputs -----------------------------------------------------------------------


def test_every_input_has_a_base() -> None:
    """And it is one of the inputs, its own base."""
    everything = catalogue()
    assert len({one.name for one in everything}) == len(everything)
    for one in everything:
        assert one.base in everything and one.base.is_base
        assert one.what and one.base.method == one.method
    assert Input("ext2-64", "pzst").base.name == "ext2-tiny.zst"
    assert Input("cpio-big-aligned").base.name == "cpio-tiny"


def test_patterns() -> None:
    names = [one.name for one in matching(catalogue(), "ext2-16,*.bgz")]
    assert names == ["ext2-16", "ext2-64.bgz"]
    assert matching(catalogue(), "") == catalogue()
    assert matching(catalogue(), "nothing") == []


def test_content() -> None:
    """The same for the same seed, however it is taken; about half when packed."""
    one, other = Source(3), Source(3)
    data = one.take(1_000_000)
    assert data == b"".join(other.take(part) for part in (1, 99_999, 900_000))
    assert data != Source(4).take(1_000_000)
    assert 0.4 < len(zlib.compress(data)) / len(data) < 0.7


def test_sizes() -> None:
    found = list(sizes(10_000_000, 500, 100_000, 1))
    assert sum(found) == 10_000_000
    assert all(500 <= size <= 100_000 for size in found[:-1]) and 0 < found[-1] <= 100_000
    assert len(making.small()) == 20_000 and 900 < len(making.mixed()) < 1100


@pytest.mark.parametrize("align", [False, True])
def test_archive(tmp_path: Path, align: bool) -> None:
    """cpio reads it back; with `align` large files' data is at page boundaries."""
    guest, archive = tmp_path / "guest", tmp_path / "archive"
    guest.write_bytes(b"program")
    files = [("usr/a/large", Source(1).take(9000)), ("usr/a/small", b"x" * 99), ("usr/b/last", Source(2).take(5000))]
    checks = making.write_archive(archive, guest, iter(files), align=align)
    data = archive.read_bytes()
    assert len(data) % 512 == 0
    for name, content in files:
        if len(content) >= making.PAGE:
            assert (data.index(content) % making.PAGE == 0) == align, name
    if shutil.which("cpio") and not align:
        done = subprocess.run(["cpio", "-t", "--quiet"], input=data, capture_output=True)
        assert done.stdout.decode().split() == ["dev", "proc", "dev/console", "init", "usr", "usr/a", "usr/a/large",
                                                "usr/a/small", "usr/b", "usr/b/last"]
    assert str(checks[-1]) == f"/usr/b/last:904:4096:{zlib.crc32(files[-1][1][904:]):08x}"
    assert [check.file for check in checks] == ["/usr/a/small", "/usr/b/last"]


def test_store_keeps_and_forgets(tmp_path: Path) -> None:
    """Inputs of another version of the code go; parts of files do not stay."""
    for name, age in (("older", 2 * inputs.FORGET), ("newer", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    said: list[str] = []
    store = inputs.Store(tmp_path, said.append)
    assert {path.name for path in tmp_path.iterdir()} == {store.folder.name, "newer"}

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no room")

    with pytest.raises(OSError):
        store._keep("x", fail)
    assert not list(store.folder.iterdir())


# --- boots ------------------------------------------------------------------------

REPORT = f"""BEGIN {boots.TOKEN}
kmsg.0: 100 Linux version 6.12.1
kmsg.1: 2000 Trying to unpack rootfs image as initramfs...
kmsg.2: 2500 initrd: lz4+ext2 image: 100 bytes in, 300 bytes out, decoded, 0 bytes copied, 7 ms
kmsg.3: 3000 VFS: Mounted root (ext2 filesystem) readonly on device 1:0.
kmsg.4: 3500 Run /sbin/init as init process
disk.ram0.direct.read.4096: 16000000
disk.ram1.buffered.write.1048576: 32000000
SUCCESS {boots.TOKEN}
"""


def result_of(text: str, success: bool = True) -> boots.Result:
    guest = Guest.parse(text, boots.TOKEN)
    return boots.read_result(vm.Outcome(success, "said so", Console(""), guest, 1.5, Path("x")))


def test_stamps() -> None:
    result = result_of(REPORT)
    assert result.ok and (result.populate, result.end, result.load_ms) == (2000, 3000, 7)
    archive = result_of("\n".join(line for line in REPORT.splitlines() if "VFS" not in line and "ext2" not in line))
    assert (archive.end, archive.load_ms) == (3500, None)


def test_a_failure_has_the_guests_words() -> None:
    text = f"BEGIN {boots.TOKEN}\nFAILURE /x is missing at offset 5\n"
    assert result_of(text, False).reason == "/x is missing at offset 5"
    assert result_of("", False).reason == "said so"
    assert result_of("", False).end is None


def test_disk_figures() -> None:
    assert disk.figures(result_of(REPORT)) == {"ram0 direct read 4K": 1000.0, "ram1 buffered write 1M": 2000.0}


def test_options() -> None:
    """Both kernels get the same words; only an image is the root."""
    check = making.Check("/x", 1, 2, 0xAB)
    image = inputs.Ready(Input("ext2-16"), Path("x"), 16 << 20, (check,))
    words = boots.options_for(image)
    assert {"quiet", "root=/dev/ram0", "ramdisk_size=16384", "bench.check=/x:1:2:000000ab"} <= set(words)
    archive = inputs.Ready(Input("cpio-tiny"), Path("x"), 100, ())
    assert boots.options_for(archive) == ["quiet"]


# --- figures ----------------------------------------------------------------------


@pytest.mark.parametrize("limit", range(10, 75))
def test_smallest(limit: int) -> None:
    tried: list[int] = []

    def works(number: int) -> bool:
        tried.append(number)
        return number >= limit

    assert memory.smallest(works, 10, 74) == limit
    assert len(tried) <= 8


def test_nothing_works() -> None:
    assert memory.smallest(lambda number: False, 1, 100) is None


def test_growth() -> None:
    def result(begin: int, end: int) -> boots.Result:
        return boots.Result(True, "", stamps=[(begin, "Trying to unpack rootfs image as initramfs..."),
                                              (end, "VFS: Mounted root (ext2 filesystem) on device 1:0.")])

    small, large = icount.Case(Input("ext2-64")), icount.Case(Input("ext2-256"))
    results = {(small, "ours"): result(100, 300), (large, "ours"): result(100, 310),
               (small, "C"): result(0, 100), (large, "C"): boots.Result(False, "no")}
    row = icount.growth(results)
    assert row is not None and row.ours == pytest.approx(0.05) and row.c is None and row.met
    assert icount.growth({}) is None


def test_waiting_is_no_work() -> None:
    """But it counts for a smallest input, and is told."""
    def result(end: int, idle: int, begin: int = 500) -> boots.Result:
        return boots.Result(True, "", stamps=[(begin, "Trying to unpack rootfs image as initramfs..."),
                                              (end, "Run /init as init process")], facts={"idle": str(idle * 1000)})

    tiny, large = icount.Case(Input("cpio-tiny")), icount.Case(Input("cpio-big"))
    base, whole = result(6000, 2000), result(9000, 100)
    assert icount.figure(large, whole, base) == (8900 - 4000) / 1000
    assert icount.figure(tiny, base, base) == 5.5
    # What the kernel does before counts too, but not the tick that it has missed.
    for early in (500, 10_500, 20_500):
        assert icount.figure(large, result(9000 + early - 450, 100, early + 50), base) == (8900 + 50 - 4000) / 1000
    assert icount.figure(large, boots.Result(False, "no"), base) is None
    assert icount.remarks(large, {"ours": base, "C": boots.Result(False, "no")}) == (
        "ours waits 2.0 ms, not counted; C: fails (no)")
    assert icount.remarks(tiny, {"ours": whole}) == ""


def test_ratio_and_target() -> None:
    row = Row("icount", "x", "u", 2.0, 5.0, Target(2.0))
    assert row.ratio == 2.5 and row.met
    assert Row("icount", "x", "u", 2.0, 3.0, Target(2.0)).met is False
    assert Row("icount", "x", "u", 2.0, None, Target(2.0), "C: fails (x)").met is None
    assert Row("icount", "x", "u", None, 3.0, Target(2.0), "ours: fails (x)").met is False
    assert Row("icount", "x", "u", None, None, Target(2.0), "ours: fails (x); C: fails (x)").met is None
    assert Row("icount", "x", "u", 0.0, 3.0).ratio is None
    assert Row("icount", "x", "growth", 1.0, 3.0).ratio is None
    assert Row("memory", "x", "u", 1.0, 1.9, Target(1.05, "at most", "ours")).met
    assert Row("smp", "x", "u", 100, own_ratio=1.8, target=Target(1.7)).met
    assert str(Target(1.05, "at most")) == "≤ 1.05" and str(targets.instructions("ext2-64")) == "≥ 20"
    assert str(targets.compressed_memory(64 << 20, 8 << 20)) == "≤ 76"


ROWS = [
    Row("icount", "ext2-64", "million instructions", 10.0, 400.0, Target(20)),
    Row("icount", "ext2-64.pzst", "million instructions", 10.0, None, Target(1), "C: fails (panicked: a <b> & c)"),
    Row("icount", "cpio|small", "million instructions", 10.0, 5.0, Target(1)),
    Row("size", "all", "bytes", 1000, 500),
]


def test_tables() -> None:
    assert [table.figure(number) for number in (None, 0.12345, 12.345, 123.45, 12345.6, 54, -0.5)] == [
        "-", "0.123", "12.35", "123.5", "12346", "54", "-0.500"]
    lines = table.text(ROWS).splitlines()
    assert lines[0].split() == list(table.HEADINGS)
    assert lines[1].split() == "ext2-64 icount million instructions 10.00 400.0 40.00 ≥ 20 yes".split()
    assert "fails" in lines[2] and lines[2].endswith("-") and lines[3].endswith("NO")
    assert len({line.index("icount") for line in lines[1:4]}) == 1
    page = table.markdown(ROWS).splitlines()
    assert len(page) == 2 + len(ROWS) and all(re.sub(r"\\\|", "", line).count("|") == 9 for line in page)
    assert table.notes(ROWS) == ["ext2-64.pzst, icount: C: fails (panicked: a <b> & c)"]


def test_plot() -> None:
    """Well-formed, with a bar for each ratio and a word for each failure."""
    picture = plot.svg(ROWS, "A & B", "<today>")
    tree = ElementTree.fromstring(picture)
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in tree.iter(f"{space}text")]
    assert {"A & B", "<today>", "ext2-64", "C: fails", "40"} <= set(texts)
    bars = [element for element in tree.iter(f"{space}rect") if element.get("height") == str(plot.BAR)]
    assert len(bars) == 3
    assert ElementTree.fromstring(plot.svg([], "x", "y")) is not None


def test_scale() -> None:
    scale = plot.Scale([0.3, 40.0])
    assert (scale.low, scale.high) == (0.2, 50)
    assert scale.x(0.2) == plot.LABELS and scale.x(50) == plot.WIDTH - plot.RIGHT
    assert scale.x(1e9) == scale.x(50) and scale.x(0.3) < scale.x(1) < scale.x(40)


def test_host() -> None:
    assert host.cpu_model("processor\t: 0\nmodel name\t: Fast 9000\n") == "Fast 9000"
    assert host.memory_gib("MemTotal:       25165824 kB\n") == 24.0
    assert host.qemu_version("QEMU emulator version 7.2.1 (Debian 1:7.2)\n") == "7.2.1"


# --- objects ----------------------------------------------------------------------


def elf(parts: list[tuple[str, int, int]]) -> bytes:
    """A 64-bit object with sections of these names, flags and sizes."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in parts) + b".shstrtab\0"
    places = [strings.index(name.encode() + b"\0") for name, _, _ in parts]
    headers = [struct.pack("<IIQQQQIIQQ", *[0] * 10)]
    headers += [struct.pack("<IIQQQQIIQQ", place, 1, flags, 0, 0, length, 0, 0, 0, 0)
                for place, (_, flags, length) in zip(places, parts)]
    headers.append(struct.pack("<IIQQQQIIQQ", strings.index(b".shstrtab"), 3, 0, 0, 64, len(strings), 0, 0, 0, 0))
    start = 64 + len(strings)
    head = b"\x7fELF\x02\x01".ljust(40, b"\0") + struct.pack("<Q", start)
    head = head.ljust(58, b"\0") + struct.pack("<HHH", 64, len(headers), len(headers) - 1)
    return head + strings + b"".join(headers)


def test_sections() -> None:
    data = elf([(".text", 6, 100), (".init.text", 6, 30), (".exit.text", 6, 7), (".comment", 0, 50),
                (".bss", 3, 8), (".initcall6.init", 2, 4), (".modinfo", 2, 9)])
    assert size.classify(size.sections(data)) == size.Sizes(resident=108, init=34, exit=7)
    with pytest.raises(size.SizeError):
        list(size.sections(b"#!/bin/sh\n"))


def test_size_without_objects(tmp_path: Path) -> None:
    """An image in no build folder gives a remark and no figure."""
    kernel = boots.Kernel("ours", tmp_path / "copy", tmp_path / "bzImage")
    with pytest.raises(size.SizeError):
        size.objects(kernel)
    (tmp_path / "Module.symvers").touch()
    with pytest.raises(size.SizeError):
        size.objects(kernel)
    folder = tmp_path / size.OVERLAY
    (folder / "tests/kunit").mkdir(parents=True)
    (folder / "boot.o").write_bytes(elf([(".text", 6, 5)]))
    (folder / "tests/kunit/case.o").write_bytes(elf([(".text", 6, 5)]))
    assert size.total(size.objects(kernel)).resident == 5
