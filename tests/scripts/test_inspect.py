# SPDX-License-Identifier: GPL-2.0
"""scripts/initrd-inspect: what it says of good images and of bad ones, its exit
status, its JSON, and that --extract stays in its folder."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import os
import pty
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/initrd-inspect"
PAGE = ROOT / "scripts/inspect/initrd-inspect.1"
sys.path[:0] = [str(ROOT / "qemu"), str(ROOT / "tests")]

import images  # noqa: E402
import readme  # noqa: E402
import verdicts  # noqa: E402
from images import Entry  # noqa: E402

RAM0 = "--append=root=/dev/ram0 rw"
SCRIPT_TEXT = b"#!/bin/sh\necho hello\n"

#: The fields of the report and of what is in it, as the manual page lists them.
FIELDS = {
    "": ["schema", "version", "image", "size", "append", "bootconfig", "outcome", "segments", "load", "file_system",
         "claimed", "program", "program_in", "memory", "messages", "steps", "findings", "boots", "entries"],
    "segments": ["offset", "size", "out", "compressor", "format", "streams", "whole", "use"],
    "load": ["format", "how", "in", "out", "copied"],
    "memory": ["peak", "end", "least"],
    "messages": ["level", "text"],
    "findings": ["severity", "code", "text", "advice"],
    "entries": ["name", "type", "mode", "uid", "gid", "nlink", "size", "mtime", "target", "major", "minor", "segment"],
}


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Built once; what it says of that is not what the tests look at."""
    subprocess.run([str(SCRIPT), "--version"], check=True, capture_output=True, timeout=600)


def call(*words: str | Path, data: bytes | None = None,
         env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([str(SCRIPT), *map(str, words)], capture_output=True, input=data or b"",
                          env={**os.environ, **(env or {})}, timeout=60)


def report(image: Path | bytes, *words: str | Path, status: int | None = None) -> dict[str, Any]:
    """The report as JSON, its fields checked, and the exit status with it."""
    source, data = ("-", image) if isinstance(image, bytes) else (image, None)
    done = call(source, "--json", *words, data=data)
    assert done.stderr == b"" and done.returncode in (0, 1), done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    assert list(found) == FIELDS[""]
    for name, fields in FIELDS.items():
        items = found.get(name) or []
        for item in items if isinstance(items, list) else [items]:
            assert list(item) == fields, name
    assert found["schema"] == 1
    assert found["boots"] == (done.returncode == 0)
    assert found["boots"] == ("error" not in {finding["severity"] for finding in found["findings"]})
    assert status in (None, done.returncode), found["findings"]
    return found


def codes(found: dict[str, Any], severity: str = "") -> set[str]:
    return {finding["code"] for finding in found["findings"] if severity in ("", finding["severity"])}


def texts(found: dict[str, Any]) -> list[str]:
    return [message["text"] for message in found["messages"]]


def end_of(archive: bytes) -> int:
    """Where an archive ends, without what fills it up."""
    return archive.rindex(b"TRAILER!!!") + 14


def entries(*more: Entry) -> list[Entry]:
    """What an archive needs to boot, and `more`."""
    return [Entry.directory("bin"), Entry.file("bin/sh", images.find_busybox().read_bytes(), mode=0o755),
            Entry.file("init", SCRIPT_TEXT, mode=0o755), *more]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that boots, with a linuxrc."""
    top = tmp_path_factory.mktemp("tree")
    for name in ("bin", "sbin", "dev"):
        (top / name).mkdir()
    shutil.copy(images.find_busybox(), top / "bin/busybox")
    (top / "bin/sh").symlink_to("/bin/busybox")
    (top / "sbin/init").write_bytes(SCRIPT_TEXT)
    (top / "sbin/init").chmod(0o755)
    shutil.copy(top / "sbin/init", top / "linuxrc")
    return top


def image(tree: Path, kind: str, compressor: str = "none") -> Path:
    """An image of the tree, made once for all tests."""
    path = tree.parent / f"{kind}-{compressor}"
    if not path.exists():
        made = images.build(kind, tree, path.with_suffix(f".{os.getpid()}"))
        images.compress(made, compressor).rename(path)
    return path


# --- what it is --------------------------------------------------------------------


@pytest.mark.parametrize("compressor", ["none", *images.COMPRESSORS])
def test_archives(compressor: str) -> None:
    """In every compressor: one segment, every entry, and it boots."""
    data = images.newc(entries(Entry.node("dev-null", stat.S_IFCHR, 1, 3), Entry.symlink("link", "init")))
    packed = images.compress_bytes(data, compressor)
    found = report(packed, "--list", status=0)
    assert found["outcome"] == "archive"
    assert [(s["offset"], s["size"], s["compressor"], s["format"], s["whole"]) for s in found["segments"]] == [
        (0, end_of(data), None, "cpio", True) if compressor == "none" else (0, len(packed), compressor, "cpio", True)]
    assert {e["name"]: e["type"] for e in found["entries"]} == {
        "bin": "directory", "bin/sh": "file", "init": "file", "dev-null": "character", "link": "symlink"}
    assert (found["program"], found["program_in"]) == ("/init", "archive")
    prefix = "" if compressor == "none" else f"{compressor}+"
    assert texts(found)[1].startswith(f"initrd: {prefix}cpio archive: {len(packed)} bytes in, ")


@pytest.mark.parametrize("kind", [kind for kind in images.FORMATS if kind != "cpio"])
def test_file_systems(tree: Path, kind: str) -> None:
    """Each one's pages become the RAM disk's."""
    path = image(tree, kind)
    found = report(path, RAM0, "--no-tools", status=0)
    size = path.stat().st_size
    assert found["outcome"] == "disk" and found["program_in"] == "image"
    assert found["load"]["how"] == "adopted" and found["load"]["copied"] == 0
    assert (found["load"]["in"], found["load"]["out"]) == (size, size)
    assert re.fullmatch(r"VFS: Mounted root \(\w+ filesystem\)( readonly)? on device 1:0\.", texts(found)[-1])
    assert (" readonly" in texts(found)[-1]) == (not kind.startswith(("ext", "minix")))
    # It needs its own size of memory, and hardly more.
    assert size <= found["memory"]["peak"] < size + (1 << 20)


@pytest.mark.parametrize("compressor", images.COMPRESSORS)
def test_compressed_images(tree: Path, compressor: str) -> None:
    packed, plain = image(tree, "ext2", compressor), image(tree, "ext2").stat().st_size
    found = report(packed, RAM0, status=0)
    assert found["load"] == {"format": f"{compressor}+ext2", "how": "decoded", "in": packed.stat().st_size,
                             "out": plain, "copied": 0}
    assert [(s["compressor"], s["format"], s["out"]) for s in found["segments"]] == [(compressor, "ext2", plain)]


def test_damaged_images(tree: Path, tmp_path: Path) -> None:
    """What came out before the damage is mounted, if the file system is in it."""
    packed = image(tree, "ext2", "gzip").read_bytes()
    wrong_sum = bytearray(packed)
    wrong_sum[-8] ^= 1
    half = packed[: len(packed) // 2]
    for data, program in ((bytes(wrong_sum), "/sbin/init"), (half, None)):
        found = report(data, f"{RAM0} ramdisk_size=16M", "--list", status=1)
        assert (found["outcome"], found["file_system"], found["load"]) == ("disk", "ext2", None)
        assert texts(found)[-1] == "VFS: Mounted root (ext2 filesystem) on device 1:0."
        assert "kernel-error" in codes(found, "error") and not found["segments"][0]["whole"]
        assert "but damaged" in found["steps"][1] and "is mounted as the root" in found["steps"][-1]
        assert program in (None, found["program"]) and "linuxrc" in {entry["name"] for entry in found["entries"]}
    # With another root, nothing of it stays.
    assert report(bytes(wrong_sum), "--append=root=/dev/vda", status=1)["outcome"] == "useless"
    # What is larger than the device is not mounted: of 4 MiB, or as the configuration says.
    config = tmp_path / "config"
    options = ["BLK_DEV_INITRD=y", "BLK_DEV_RAM=y", "BLOCK=y", "RD_GZIP=y", "EXT2_FS=y", "BLK_DEV_RAM_SIZE=16384"]
    config.write_text("".join(f"CONFIG_{option}\n" for option in options))
    assert "VFS: Mounted" in texts(report(half, RAM0, f"--config={config}", status=1))[-1]
    found = report(half, RAM0, status=1)
    panic = "Kernel panic - not syncing: VFS: Unable to mount root fs on "
    assert texts(found)[-1] == panic + '"/dev/ram0" or unknown-block(1,0)'
    assert found["steps"][-1] == "/dev/ram0 is to be the root, but it cannot be mounted: the kernel stops."
    config.write_text("# Linux/x86 6.1.192 Kernel Configuration\n" + config.read_text().replace("=16384", "=4096"))
    assert texts(report(half, RAM0, f"--config={config}", status=1))[-1] == panic + "unknown-block(1,0)"


def test_large_images(tree: Path) -> None:
    """As much of memory as there is may become the RAM disk."""
    data = image(tree, "ext2").read_bytes() + bytes(260 << 20)
    packed = images.compress_bytes(data, "zstd", level=1)
    found = report(packed, RAM0, "--no-tools", status=0)
    assert found["load"]["out"] == len(data)


def test_segments() -> None:
    """Microcode in front, zeros between, two compressors behind each other, and one
    archive in several members."""
    early = images.newc([Entry.file("microcode", bytes(3000))]) + bytes(512)
    zstd = images.compress_bytes(images.newc(entries()), "zstd")
    late = images.newc([Entry.file("late", b"x" * 5000)])
    members = gzip.compress(late[:2000]) + gzip.compress(late[2000:])
    gap = bytes(-len(early + zstd) % 4 + 8)
    found = report(early + zstd + gap + members, status=0)
    begin = [0, len(early), len(early + zstd + gap)]
    assert [(s["offset"], s["compressor"], s["streams"]) for s in found["segments"]] == [
        (begin[0], None, 0), (begin[1], "zstd", 1), (begin[2], "gzip", 2)]
    assert found["segments"][2]["size"] == len(members) and found["segments"][2]["out"] == len(late)
    assert [(e["name"], e["segment"]) for e in found["entries"]] == [
        ("microcode", 0), ("bin", 1), ("bin/sh", 1), ("init", 1), ("late", 2)]


def test_boot_configuration() -> None:
    """It is cut off first, and its checksum looked at."""
    data = images.newc(entries())
    text = b"kernel.quiet\0"
    text += bytes(-(len(data) + len(text) + 20) % 4)

    def behind(total: int, text: bytes = text) -> bytes:
        return data + text + len(text).to_bytes(4, "little") + total.to_bytes(4, "little") + b"#BOOTCONFIG\n"

    found = report(behind(sum(text)), status=0)
    assert found["bootconfig"] == len(text) + 20 and found["segments"][0]["size"] == end_of(data)
    # A digest is that of all that the boot loader left.
    for loaded, status in ((behind(sum(text)), 0), (data, 1)):
        digest = hashlib.sha256(loaded).hexdigest()
        found = report(behind(sum(text)), f"--append=initrd.sha256={digest}", status=status)
        assert (f"initrd: image verified: {len(loaded)} bytes, sha256 {digest}" in texts(found)) == (status == 0)
    found = report(behind(sum(text) + 1))
    assert found["bootconfig"] is None and "bootconfig" in codes(found, "warning")
    # As much as there may be, and more.
    for size, cut in ((32764, True), (32768, False)):
        found = report(behind(size * ord("x"), b"x" * size), status=0)
        assert (found["bootconfig"] == size + 20) == cut == ("bootconfig" not in codes(found, "warning"))


def test_empty_image() -> None:
    assert report(b"", "--append=root=/dev/sda1", status=0)["outcome"] == "nothing"
    assert codes(report(b"", status=1), "error") == {"no-root"}
    # Nothing but NULs is nothing, too, and the kernel says so.
    found = report(bytes(5), "--append=root=/dev/sda1", status=0)
    assert found["outcome"] == "useless"
    assert any("nothing but NULs" in text for text in texts(found))


# --- what the command line makes of it -----------------------------------------------


def test_root_is_needed(tree: Path) -> None:
    """An image without root= panics, and the prediction says so."""
    found = report(image(tree, "ext2"), "--no-tools", status=1)
    assert "no-root" in codes(found, "error")
    assert texts(found)[-1] == "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"


def test_linuxrc(tree: Path, tmp_path: Path) -> None:
    """With another root, the image's linuxrc runs, if debugfs finds it there."""
    found = report(image(tree, "ext2"), "--append=root=/dev/vda", status=0)
    assert "VFS: Mounted root (ext2 filesystem) on device 1:0." in texts(found)
    assert "initrd: linuxrc exited with status 0" in texts(found)
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy, symlinks=True)
    (copy / "linuxrc").unlink()
    found = report(images.build("ext2", copy, tmp_path / "image"), "--append=root=/dev/vda", status=0)
    assert "initrd: no /linuxrc, or not the interpreter that it names" in texts(found)
    assert "no-linuxrc" in codes(found, "warning")


def test_noinitrd(tree: Path) -> None:
    found = report(image(tree, "ext2"), "--append=noinitrd root=/dev/vda", status=0)
    assert found["outcome"] == "preserved"
    size = image(tree, "ext2").stat().st_size
    assert texts(found) == [f"initrd: noinitrd: {size} bytes in /dev/initrd, nothing is unpacked or loaded"]


def test_ramdisk_start(tree: Path) -> None:
    data = bytes(5 << 10) + image(tree, "romfs").read_bytes()
    found = report(data, f"{RAM0} ramdisk_start=5", status=0)
    assert (found["file_system"], found["segments"][0]["offset"]) == ("romfs", 5 << 10)
    assert "RAMDISK: romfs filesystem found at block 5" in texts(found)
    assert "ramdisk_start= is behind the end" in " ".join(texts(report(data, f"{RAM0} ramdisk_start=99999", status=1)))


def test_retain_and_quotes(tree: Path) -> None:
    """What is kept is copied; quotes hold a value together, and -- ends the line."""
    found = report(image(tree, "romfs"), RAM0 + ' retain_initrd dyndbg="a b" -- noinitrd', status=0)
    assert found["load"]["how"] == "copied" and found["outcome"] == "disk"


def test_load_address(tree: Path) -> None:
    """Beside the start of a page it is moved, and the tool says how to avoid that."""
    found = report(image(tree, "romfs"), RAM0, "--load-address=0x4000200", status=0)
    assert found["load"]["how"] == "moved" and "moved" in codes(found, "note")


def test_rdinit() -> None:
    data = images.newc(entries(Entry.directory("sbin"), Entry.file("sbin/init", SCRIPT_TEXT, mode=0o755)))
    assert report(data, "--append=rdinit=/sbin/init", status=0)["program"] == "/sbin/init"
    assert codes(report(data, "--append=rdinit=/nothing", status=1), "error") == {"no-init"}


def test_wrong_values() -> None:
    """The kernel's complaints about parameters are in the prediction."""
    found = report(images.newc(entries()), "--append=ramdisk_start=x ramdisk_size=y load_ramdisk=1 prompt_ramdisk=0")
    assert texts(found)[:4] == ["initrd: ramdisk_start=: not a block number, ignored",
                                "initrd: ramdisk_size=y: not a size, ignored",
                                "ignoring the deprecated load_ramdisk= option",
                                "ignoring the deprecated prompt_ramdisk= option"]


def test_initrd_size() -> None:
    """initrd= with a size that is not the file's."""
    data = images.newc(entries())
    assert "initrd-size" in codes(report(data, f"--append=initrd=0x4000000,{len(data) - 100}", status=1), "error")
    assert "initrd-size" not in codes(report(data, f"--append=initrd=0x4000000,{len(data)}", status=0))


# --- what would go wrong ---------------------------------------------------------------


def test_programs() -> None:
    """Permission, interpreter, loader, format."""
    shell = images.find_busybox().read_bytes()

    def wrong(*init: Entry) -> set[str]:
        return codes(report(images.newc([Entry.directory("bin"), *init]), status=1), "error")

    assert wrong(Entry.file("init", SCRIPT_TEXT, mode=0o644)) == {"init-not-executable"}
    assert wrong(Entry.file("init", SCRIPT_TEXT, mode=0o755)) == {"no-interpreter"}
    assert wrong(Entry.file("bin/sh", shell, mode=0o644), Entry.file("init", SCRIPT_TEXT, mode=0o755)) == {
        "not-executable"}
    assert wrong(Entry.file("init", b"echo hello\n", mode=0o755)) == {"no-program-format"}
    assert wrong(Entry.file("init", b"", mode=0o755)) == {"no-program-format"}
    dynamic = Path("/bin/true").read_bytes()
    assert wrong(Entry.file("init", dynamic, mode=0o755)) == {"no-interpreter"}
    assert wrong() == {"no-init"}
    # An object is no program, nor is a script that names nobody, or too late.
    assert wrong(Entry.file("init", patched(shell, 16, b"\1"), mode=0o755)) == {"no-program-format"}
    assert wrong(Entry.file("init", b"#!\n", mode=0o755)) == {"no-program-format"}
    assert wrong(Entry.file("init", b"#!" + b" " * 300 + b"/bin/sh\n", mode=0o755)) == {"no-program-format"}
    # Lines that end as on DOS.
    script = Entry.file("init", b"#!/bin/sh\r\necho\r\n", mode=0o755)
    assert wrong(Entry.file("bin/sh", shell, mode=0o755), script) == {"carriage-return"}


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return verdicts.patched(data, at, value)


def test_first_programs() -> None:
    """That /init is there is all that the kernel looks at: where it cannot be run, it runs
    another program of the archive's, and mounts no root."""
    shell = images.find_busybox().read_bytes()

    def look(*more: Entry, append: str = "root=/dev/vda") -> dict[str, Any]:
        return report(images.newc([Entry.directory("bin"), Entry.directory("sbin"), *more]), f"--append={append}")

    folder = Entry.directory("init")
    found = look(folder, append="")
    assert codes(found, "error") == {"no-program"} and "is a folder" in found["findings"][0]["text"]
    assert "stops" in found["steps"][-1] and found["program"] is None
    # A shell without a system is nothing that anybody wants; another init may be.
    found = look(folder, Entry.file("bin/sh", shell, mode=0o755))
    assert codes(found, "error") == {"no-program"} and found["program"] == "/bin/sh"
    found = look(folder, Entry.file("sbin/init", shell, mode=0o755))
    assert found["boots"] and found["program"] == "/sbin/init" and "no-program" in codes(found, "warning")
    found = look(folder, Entry.file("sbin/init", shell, mode=0o755), append="init=/none")
    assert not found["boots"] and found["program"] is None
    # A link that leads nowhere is no /init at all.
    found = look(Entry.symlink("init", "/lib/systemd/systemd"), append="")
    assert codes(found, "error") == {"no-init"}
    assert "is a link to /lib/systemd/systemd, which is not there" in found["findings"][0]["text"]
    assert codes(look(Entry.symlink("init", "x"))) == {"no-init", "no-console"} - {"no-console"}


def test_architectures(tmp_path: Path) -> None:
    """Programs of another kind than the kernel's."""
    shell = images.find_busybox().read_bytes()
    config = tmp_path / "config"

    def look(machine: int, *options: str) -> dict[str, Any]:
        config.write_text("".join(f"CONFIG_{option}=y\n" for option in (
            "BLK_DEV_INITRD", "BLOCK", "BLK_DEV_RAM", "BINFMT_ELF", *options)))
        data = images.newc([Entry.file("init", patched(shell, 18, machine.to_bytes(2, "little")), mode=0o755)])
        return report(data, *([f"--config={config}"] if options else []))

    assert "wrong-machine" in codes(look(183, "X86_64"), "error")
    assert "no-binfmt" in codes(look(3, "X86_64"), "error")
    assert not codes(look(3, "X86_64", "IA32_EMULATION"), "error")
    assert "no-binfmt" in codes(look(40, "ARM64"), "error")
    assert "machine" in codes(look(0x1234), "note")


@pytest.fixture
def whole_tree(tree: Path, tmp_path: Path) -> Path:
    """A tree that boots as an archive, too."""
    whole = tmp_path / "whole"
    shutil.copytree(tree, whole, symlinks=True)
    whole.chmod(0o755)
    shutil.copy(whole / "sbin/init", whole / "init")
    return whole


def test_verdicts(whole_tree: Path, tmp_path: Path) -> None:
    """Images that the tests' kernel boots, and images that it does not."""
    tree = whole_tree
    wrong = {}
    config = ROOT / "qemu/kernel.config"
    for row in verdicts.ROWS:
        found = report(row.make(tree, tmp_path), f"--append={' '.join(row.append)}", f"--config={config}")
        says = " ".join(finding["text"] for finding in found["findings"] if finding["severity"] == "error")
        if found["boots"] == bool(row.why_not) or (row.why_not and row.why_not not in codes(found, "error")) \
                or row.words not in says:
            wrong[row.name] = found["findings"]
    assert wrong == {}


def test_other_kernels(whole_tree: Path, tmp_path: Path) -> None:
    """What depends on the configuration, and on the series that its first lines name."""
    tree = whole_tree
    config = tmp_path / "config"
    usual = ("BLK_DEV_INITRD", "BLOCK", "BLK_DEV_RAM", "RD_XZ", "EXT4_FS", "EROFS_FS", "EROFS_FS_ZIP", "SQUASHFS",
             "SQUASHFS_XZ", "XFS_FS", "BINFMT_ELF", "BINFMT_SCRIPT")
    rows = {row.name: row for row in verdicts.ROWS}

    def boots(name: str, *options: str, series: str = "6.12.117") -> bool:
        config.write_text(f"#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 {series} Kernel "
                          "Configuration\n#\n" + "".join(f"CONFIG_{option}=y\n" for option in (*usual, *options)))
        row = rows[name]
        return bool(report(row.make(tree, tmp_path), f"--append={' '.join(row.append)}",
                           f"--config={config}")["boots"])

    assert boots("ext4-casefold", "UNICODE") and not boots("ext4-casefold")
    assert boots("xz-arm", "XZ_DEC_ARM") and not boots("xz-x86") and boots("xz-x86", "XZ_DEC_X86")
    assert boots("xz-arm64", "XZ_DEC_ARM64") and boots("xz-crc32")
    assert boots("erofs-lzma", "EROFS_FS_ZIP_LZMA") and boots("erofs-zstd", "EROFS_FS_ZIP_ZSTD")
    assert boots("squashfs-x86", "XZ_DEC_X86") and not boots("squashfs-x86")
    assert boots("erofs-48bit", series="6.15.2") and not boots("erofs-metabox", series="6.16.0")
    assert boots("erofs-metabox", series="7.2.0")
    assert boots("ext4-blocks-65536", "PAGE_SIZE_64KB") and not boots("squashfs-blocks-4096", "ARM64_16K_PAGES")
    assert boots("ext4-blocks-65536", "TRANSPARENT_HUGEPAGE", series="7.2.0")
    # An ext2 or ext3 is mounted by whichever driver there is.
    for name, options, ok in (("ext3", ("EXT2_FS",), True), ("ext4-default", ("EXT2_FS",), False),
                              ("ext2-dir-index", ("EXT2_FS",), True)):
        usual = ("BLK_DEV_INITRD", "BLOCK", "BLK_DEV_RAM", "BINFMT_ELF", "BINFMT_SCRIPT")
        assert boots(name, *options) == ok, name
    # Without a configuration it has what all series have.
    for name, ok in (("xz-arm", True), ("xz-arm64", False), ("xz-delta", False), ("ext4-casefold", True),
                     ("erofs-lzma", True), ("erofs-48bit", False)):
        row = rows[name]
        assert bool(report(row.make(tree, tmp_path), f"--append={' '.join(row.append)}")["boots"]) == ok, name


def test_folders_of_archives() -> None:
    """A later folder in place of a link, and a root folder that nobody may enter."""
    merged = [Entry.directory("usr"), Entry.directory("usr/bin"), Entry.symlink("bin", "usr/bin"),
              Entry.file("usr/bin/sh", images.find_busybox().read_bytes(), mode=0o755),
              Entry.file("init", SCRIPT_TEXT, mode=0o755)]
    assert report(images.newc(merged), status=0)["findings"] == []
    later = images.newc([Entry.directory("./bin"), Entry.file("./bin/more", b"")])
    found = report(images.newc(merged) + later, status=1)
    assert codes(found) == {"link-replaced", "no-interpreter", "init-instead"}
    assert "bin -> usr/bin" in found["findings"][0]["text"] + found["findings"][-1]["text"]
    # The other way round nothing is lost.
    assert "link-replaced" not in codes(report(later + images.newc(merged)))
    for mode, said in ((0o700, True), (0o755, False), (0o750, True)):
        found = report(images.newc(entries(Entry.directory(".", mode=mode))), status=0)
        assert (codes(found, "warning") == {"root-mode"}) == said


def test_advice(tree: Path) -> None:
    """root=/dev/ram0 is advised only for what could be mounted."""
    def advice(data: bytes) -> str:
        return " ".join(str(finding["advice"]) for finding in report(data, status=1)["findings"])

    assert "root=/dev/ram0" in advice(image(tree, "ext2").read_bytes())
    for data in (gzip.compress(images.sample_data(100_000)), gzip.compress(b"x" * 257 + b"ustar" + bytes(1000)),
                 bytes([0x5A]) + images.sample_data(50_000)):
        assert "root=/dev/ram0" not in advice(data)


def test_programs_in_images(tree: Path, tmp_path: Path) -> None:
    """The same in file systems that a tool can look into."""
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy, symlinks=True)
    (copy / "bin/sh").unlink()
    for kind in ("ext2", "ext4", "squashfs"):
        assert report(image(tree, kind), RAM0, status=0)["program"] == "/sbin/init"
        found = report(images.build(kind, copy, tmp_path / kind), RAM0, status=1)
        assert codes(found, "error") == {"no-interpreter"}
        found = report(image(tree, kind), f"{RAM0} init=/bin/none", status=1)
        assert codes(found, "error") == {"no-program"}
    assert "not-looked-inside" in codes(report(image(tree, "romfs"), RAM0, status=0), "note")


def test_configuration(tree: Path, tmp_path: Path) -> None:
    """Each option that is missing is named."""
    config = tmp_path / "config"
    full = ["BLK_DEV_INITRD", "BLK_DEV_RAM", "BLOCK", "RD_GZIP", "EXT2_FS", "BINFMT_ELF", "BINFMT_SCRIPT",
            "DEVTMPFS", "DEVTMPFS_MOUNT", "INITRD_CXX", "X86_64"]
    gzipped = image(tree, "ext2", "gzip")

    def found_with(without: str, *more: str, status: int) -> dict[str, Any]:
        lines = [f"CONFIG_{name}=y" for name in full if name != without] + [f"CONFIG_{line}" for line in more]
        config.write_text("# a comment\n" + "\n".join([*lines, f"# CONFIG_{without} is not set"]) + "\n")
        return report(gzipped, RAM0, f"--config={config}", status=status)

    assert codes(found_with("NONE", status=0)) == set()
    assert codes(found_with("BLK_DEV_INITRD", status=1)) == {"no-initrd"}
    assert "RAMDISK: gzip decompressor not configured!" in texts(found_with("RD_GZIP", status=1))
    assert "Unpacking initramfs..." in texts(found_with("BLK_DEV_RAM", status=1))
    assert "no-ramdisk" in codes(found_with("BLK_DEV_RAM", "BLK_DEV_RAM=m", status=1), "error")
    found = found_with("EXT2_FS", status=1)
    assert [f["text"] for f in found["findings"] if f["code"] == "no-driver"] == [
        "this kernel cannot mount the ext2 image: it lacks CONFIG_EXT4_FS=y"]
    assert codes(found_with("BINFMT_SCRIPT", status=1)) == {"no-binfmt"}
    assert codes(found_with("X86_64", "ARM64=y", status=1), "error") == {"wrong-machine"}
    assert codes(found_with("DEVTMPFS", status=0)) == {"no-devtmpfs"}
    assert codes(found_with("DEVTMPFS_MOUNT", status=0)) == {"no-console"}
    assert codes(found_with("INITRD_CXX", status=0)) == {"other-code"}
    found = found_with("NONE", "INITRAMFS_FORCE=y", status=1)
    assert found["outcome"] == "ignored" and "forced" in codes(found)
    assert "built-in" in codes(found_with("NONE", 'INITRAMFS_SOURCE="list"', status=0))


@pytest.mark.parametrize(("architecture", "freed"), [("X86_64", 8), ("ARM", 8), ("ARM64", 4), ("RISCV", 4), ("UML", 4)])
def test_pages_shared_with_others(tmp_path: Path, architecture: str, freed: int) -> None:
    """A page that the image ends in is not freed everywhere."""
    config = tmp_path / "config"
    config.write_text(f"CONFIG_BLK_DEV_INITRD=y\nCONFIG_{architecture}=y\n")
    archive = images.newc([Entry.file("init", bytes(4096), 0o755)])
    assert 4096 < len(archive) < 8192
    assert f"Freeing initrd memory: {freed}K" in texts(report(archive, f"--config={config}"))


@pytest.mark.parametrize(("options", "given", "whole"), [
    ("X86_64 X86", "a=1", "a=1"), ("X86_64 X86 CMDLINE_BOOL", "a=1", "own=1 a=1"),
    ("X86 CMDLINE_BOOL", "", "own=1 "), ("X86 CMDLINE_BOOL CMDLINE_OVERRIDE", "a=1", "own=1"),
    ("ARM64 CMDLINE_FROM_BOOTLOADER", "a=1", "a=1"), ("ARM64 CMDLINE_FROM_BOOTLOADER", "", "own=1"),
    ("ARM CMDLINE_EXTEND", "a=1", "a=1 own=1"), ("RISCV CMDLINE_FORCE", "a=1", "own=1")])
def test_command_line_of_the_configuration(options: str, given: str, whole: str, tmp_path: Path) -> None:
    """What is built in, and what the boot loader gives, as each architecture takes them."""
    config = tmp_path / "config"
    lines = [f"CONFIG_{option}=y\n" for option in ("BLK_DEV_INITRD", "INITRD_CXX", *options.split())]
    config.write_text("".join(lines) + 'CONFIG_CMDLINE="own=1"\n')
    found = report(b"", f"--append={given}", f"--config={config}")
    assert found["append"] == whole and ("command-line" in codes(found, "note")) == (whole != given)
    # It is the one that counts, quotes and all.
    config.write_text("".join(lines) + r'CONFIG_CMDLINE="x=\"a b\" noinitrd"' + "\n")
    found = report(b"no image", f"--append={given}", f"--config={config}")
    assert (found["outcome"] == "ignored") == (whole != given)


def test_memory(tree: Path) -> None:
    """Too little for it, and enough; decoded takes more than adopted."""
    plain, packed = image(tree, "ext2"), image(tree, "ext2", "gzip")
    kernel = "--kernel-memory=16M"
    size = 16 + plain.stat().st_size // (1 << 20)
    assert report(plain, RAM0, kernel, f"--memory={size + 2}M", status=0)["load"]["how"] == "adopted"
    found = report(packed, RAM0, kernel, f"--memory={size}M", status=1)
    assert "memory" in codes(found, "error") and "no space" in " ".join(texts(found))
    assert report(packed, RAM0, kernel, f"--memory={2 * size}M", status=0)["load"]["how"] == "decoded"
    assert codes(report(b"", "--append=root=/dev/vda", "--memory=8M", status=1), "error") == {"memory", "kernel-error"}


@pytest.mark.parametrize(("append", "memory", "status"), [
    ("", 64, 0), ("", 50, 1), ("root=/dev/vda", 64, 0), ("root=/dev/vda rootfstype=tmpfs", 64, 0),
    ("initramfs_options=size=90%", 64, 0), ("initramfs_options=size=80%", 64, 0), ("initramfs_options=size=50%", 64, 1),
    ("initramfs_options=size=1M", 64, 1), ("initramfs_options=mode=755,size=44M", 64, 0),
    ("initramfs_options=nr_blocks=2K", 64, 1), ("initramfs_options=nr_blocks=12K", 64, 0),
    ("initramfs_options=size=0", 64, 0), ("initramfs_options=nr_inodes=3", 64, 1),
    ("initramfs_options=nr_inodes=9", 64, 0), ("initramfs_options=nr_inodes=0", 64, 0),
    ("root=/dev/vda initramfs_options=size=1M", 64, 0)])
def test_room_of_the_root(append: str, memory: int, status: int) -> None:
    """rootfs may have what the initrd gives back, too, unless initramfs_options= says how
    much; with root= it is a ramfs."""
    data = images.compress_bytes(images.newc(entries(Entry.file("large", bytes(40 << 20)))), "gzip")
    found = report(data, f"--append={append}", f"--memory={memory}M", "--kernel-memory=8M")
    short = {"room"} if append else {"memory"}
    assert codes(found) >= {*short, "kernel-error"} if status else codes(found).isdisjoint({"room", "kernel-error"})
    inodes = append == "initramfs_options=nr_inodes=3"
    assert ("not-made" in codes(found)) == inodes
    assert any("too few inodes" in finding["text"] for finding in found["findings"]) == inodes


def test_many_files() -> None:
    """Each takes an inode, of which there are as many as half of the memory has pages; and the
    limit counts what the archive gives back."""
    data = images.newc(entries(*(Entry.file(f"f{number}", b"") for number in range(4000))))
    assert len(data) > 2 << 20
    for memory, status in ((13, 0), (32, 0)):
        report(images.compress_bytes(data, "gzip"), f"--memory={memory + 8}M", "--kernel-memory=8M", status=status)
    found = report(data, "--memory=64M", "--kernel-memory=8M", "--append=initramfs_options=nr_inodes=3000", status=1)
    assert "room" in codes(found, "error") and any("no inodes are left of 3000" in text for text in texts(found))


@pytest.mark.parametrize(("option", "least"), [("ARM64_4K_PAGES", 20), ("ARM64_16K_PAGES", 46), ("ARM64_64K_PAGES", 140)])
def test_large_pages(tmp_path: Path, option: str, least: int) -> None:
    """A file takes whole pages, however large those are."""
    config = tmp_path / "config"
    config.write_text(f"CONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_GZIP=y\nCONFIG_TMPFS=y\nCONFIG_ARM64=y\nCONFIG_{option}=y\n")
    data = images.compress_bytes(images.newc(entries(*(Entry.file(f"f{n}", b"x") for n in range(2000)))), "gzip")
    found = report(data, f"--config={config}", "--memory=12M", "--kernel-memory=8M")
    assert abs(found["memory"]["least"] / (1 << 20) - least) <= 3


def test_built_in() -> None:
    """What is built into the kernel is unpacked first, and may bring /init."""
    path = ROOT / "build/tests"
    path.mkdir(parents=True, exist_ok=True)
    built_in = path / f"inspect-built-in-{os.getpid()}"
    built_in.write_bytes(images.compress_bytes(images.newc(entries()), "gzip"))
    try:
        found = report(b"no image at all", f"--built-in={built_in}")
        assert found["outcome"] == "file" and found["program"] == "/init"
        data = images.newc([Entry.file("more", b"x")])
        found = report(data, f"--built-in={built_in}")
        assert [e["name"] for e in found["entries"]] == ["more"] and found["segments"][0]["offset"] == 0
    finally:
        built_in.unlink()


@pytest.mark.parametrize("compressor", images.COMPRESSORS)
def test_truncated(compressor: str) -> None:
    """Half of it: an error with the place, and no crash."""
    data = images.compress_bytes(images.newc(entries()), compressor)
    found = report(data[: len(data) // 2], status=1)
    assert "kernel-error" in codes(found, "error")
    assert not found["segments"][-1]["whole"]


def test_checks_of_xz(tree: Path) -> None:
    """What plain xz writes is read; a check that is not known is refused, with the advice."""
    plain = image(tree, "romfs").read_bytes()
    assert report(images.run_tool(["xz", "-c"], data=plain), RAM0, status=0)["boots"]
    packed = images.run_tool(["xz", "--check=sha256", "-c"], data=plain)
    assert any("compress with xz --check=crc32" in text for text in texts(report(packed, RAM0, status=1)))


@pytest.mark.parametrize("packer", [
    ["xz", "--check=crc32", "--lzma2=preset=0,dict=300MiB", "-c"],
    ["zstd", "-q", "-1", "--ultra", "--long=29", "-c"]], ids=["xz", "zstd"])
def test_windows_are_bounded_by_the_memory(packer: list[str]) -> None:
    """What looks back farther than its own library is used to, on a machine that has the
    memory for that, and on one that has not."""
    data = images.newc(entries(Entry.file("f", bytes(1 << 20))))
    packed = images.run_tool(packer, data=data)
    assert report(packed, "--memory=1G", status=0)["boots"]
    if packer[0] == "zstd":  # has no need of it: less than that comes out
        assert report(packed, "--memory=200M", status=0)["boots"]
    else:
        found = report(packed, "--memory=200M", status=1)
        assert any("out of memory for the dictionary of xz data" in text for text in texts(found))


def test_window_of_32_bits(tmp_path: Path) -> None:
    """zstd of 32 bits takes no window of 2 GiB, whatever comes out."""
    packed = images.run_tool(["zstd", "-q", "-1", "--ultra", "--long=31", "-c"], data=images.newc(entries()))
    assert report(packed, status=0)["boots"]
    config = tmp_path / "config"
    for machine, refused in ("ARM", True), ("ARM64", False):
        lines = ["BLK_DEV_INITRD", "RD_ZSTD", machine, *["64BIT"] * (not refused)]
        config.write_text("".join(f"CONFIG_{line}=y\n" for line in lines))
        assert refused == any("window" in text and "smaller --long" in text
                              for text in texts(report(packed, f"--config={config}")))


def test_digests(tree: Path) -> None:
    """The right one, and another one: in every letter, or not at all."""
    data = image(tree, "romfs").read_bytes()
    right = hashlib.sha256(data).hexdigest()
    good = report(data, f"{RAM0} initrd.sha256={right} initrd.verify=enforce", status=0)
    assert f"initrd: image verified: {len(data)} bytes, sha256 {right}" in texts(good)
    for mode in ("refuse", "enforce"):
        bad = report(data, f"{RAM0} initrd.sha256={'0' * 64} initrd.verify={mode}", status=1)
        assert any(text.startswith("initrd: image refused") for text in texts(bad))
        stopped = "initrd: the image is not the one that is wanted" in json.dumps(bad)
        assert stopped == (mode == "enforce")


@pytest.mark.parametrize(("append", "refused"), [
    ("initrd.sha256", True), ("initrd.sha256=", True), ("initrd.sha25", False), ("initrd.sha2567=1", False),
    ("-- initrd.sha256", False), ("quiet=initrd.sha256=", False)])
def test_bare_parameters(append: str, refused: bool) -> None:
    """A digest that is forgotten is one that no image has."""
    found = report(images.newc(entries()), f"--append={append}", status=int(refused))
    assert (found["outcome"] == "useless") == refused
    if refused:
        assert any("no digest is given" in text for text in texts(found))
    # A bare initrd.verify is complained about.
    found = report(images.newc(entries()), "--append=initrd.verify")
    assert texts(found)[0] == "initrd: initrd.verify=: neither refuse nor enforce, ignored"


@pytest.mark.parametrize("more", ["", " noinitrd", " retain_initrd", " ramdisk_start=1"])
def test_refused_archives(more: str, tmp_path: Path) -> None:
    """Nothing is unpacked from them, and nothing is said to be."""
    data = images.newc(entries())
    append = f"--append=initrd.sha256={'0' * 64} root=/dev/sda1{more}"
    found = report(data, append, status=1)
    assert found["outcome"] == "useless" and found["entries"] is None
    assert [(s["offset"], s["size"]) for s in found["segments"]] == [(0, end_of(data))]
    assert codes(found) == {"kernel-error"}
    assert found["steps"][1:3] == ["The kernel refuses it: it is not verified.",
                                   f"Its memory goes back: {len(data) + 4095 >> 12 << 2}K."]
    assert call("-", append, "-x", tmp_path / "x", data=data).returncode == 3
    assert not (tmp_path / "x").exists()


def test_verification_of_the_configuration(tmp_path: Path) -> None:
    """Digests that are built in, what follows a refusal, a kernel that cannot verify."""
    config = tmp_path / "config"
    data = images.newc(entries())
    right, wrong = hashlib.sha256(data).hexdigest(), "0" * 64

    def found_with(*more: str, append: str = "", image: bytes = data, status: int) -> dict[str, Any]:
        lines = ["BLK_DEV_INITRD=y", "BINFMT_ELF=y", "BINFMT_SCRIPT=y", "DEVTMPFS=y", "X86_64=y", *more]
        config.write_text("".join(f"CONFIG_{line}\n" for line in lines))
        return report(image, f"--append={append}", f"--config={config}", status=status)

    verify, enforce = ("INITRD_CXX=y", "INITRD_CXX_VERIFY=y"), "INITRD_CXX_VERIFY_ENFORCE=y"
    verified = f"initrd: image verified: {len(data)} bytes, sha256 {right}"
    assert verified in texts(found_with(*verify, f'INITRD_CXX_SHA256="{right},{wrong}"', enforce, status=0))
    found = found_with(*verify, f'INITRD_CXX_SHA256="{wrong}"', enforce, append=f"initrd.sha256={right}", status=1)
    assert texts(found)[0] == "initrd: initrd.sha256= is ignored: this kernel has its digests built in"
    assert texts(found)[-1] == "Kernel panic - not syncing: initrd: the image is not the one that is wanted"
    assert "no-root" not in codes(found) and found["steps"][-1] == "The kernel panics on the way."
    # Refused, it goes on; to refuse is no way out of enforcing; no image is none that is wanted.
    found = found_with(*verify, f'INITRD_CXX_SHA256="{wrong}"', append="root=/dev/sda1", status=1)
    assert texts(found)[0].startswith("initrd: image refused") and "panic" not in " ".join(texts(found))
    for append, some in (("initrd.verify=refuse root=/dev/sda1", data), ("root=/dev/sda1", b"")):
        assert "panic" in " ".join(texts(found_with(*verify, enforce, append=append, image=some, status=1)))
    found = found_with("INITRD_CXX=y", "INITRD_CXX_VERIFY=n", append=f"initrd.sha256={right}", status=1)
    assert "initrd: image refused: it cannot be verified without CONFIG_INITRD_CXX_VERIFY" in texts(found)
    # Another kernel does not know the parameter.
    found = found_with(append=f"initrd.sha256={wrong}", status=0)
    assert found["outcome"] == "archive" and "unused-parameter" in codes(found, "warning")


def test_junk(tree: Path) -> None:
    """Behind an image and behind an archive it is a warning."""
    packed = image(tree, "romfs", "gzip").read_bytes()
    found = report(packed + b"junk", RAM0, status=0)
    assert codes(found, "warning") == {"kernel-warning"}
    assert any(f"4 bytes of junk behind the gzip data at offset {len(packed)}" in text for text in texts(found))
    found = report(images.newc(entries()) + b"junk", status=0)
    assert codes(found, "warning") == {"kernel-warning"}
    assert any("4 bytes of junk behind the archive" in text for text in texts(found))


def test_unaligned_archives() -> None:
    """The second archive begins at an odd offset: taken here, refused by C kernels."""
    first = images.compress_bytes(images.newc([Entry.file("x", b"")]), "gzip")
    first += bytes(1 if len(first) % 4 == 0 else 0)
    found = report(first + images.newc(entries()), status=0)
    assert codes(found) >= {"unaligned", "kernel-warning"} and not codes(found, "error")
    assert any("C kernels refuse it" in finding["text"] for finding in found["findings"])
    assert [segment["offset"] for segment in found["segments"]] == [0, len(first)]
    assert found["entries"] and {entry["segment"] for entry in found["entries"]} == {0, 1}
    found = report(images.newc(entries()) + bytes(1), status=0)
    assert codes(found) == {"odd-length"} and "C kernels" in found["findings"][0]["text"]


# --- what loaders and people join --------------------------------------------------------


@pytest.fixture(scope="module")
def parts(tree: Path) -> dict[str, bytes]:
    """Archives with an init (i) and without (a), a file system (e), and junk (j)."""
    made = {"a": images.newc([Entry.file("more", b"x" * 900)]) + bytes(512), "i": images.newc(entries()) + bytes(512),
            "e": image(tree, "ext2").read_bytes(), "j": b"junk at the end."}
    made |= {f"{name}.{suffix}": images.compress_bytes(made[name], compressor)
             for name in "aie" for suffix, compressor in (("gz", "gzip"), ("zst", "zstd"), ("lz4", "lz4"))}
    text = b"kernel.quiet\0\0\0\0"
    made["b"] = text + len(text).to_bytes(4, "little") + sum(text).to_bytes(4, "little") + b"#BOOTCONFIG\n"
    return made


#: What stands behind one another, what becomes of each, and of all of it.
JOINED = {
    "a e": ("unpacked loaded", "disk"), "a.gz e": ("unpacked loaded", "disk"), "a e.gz": ("unpacked loaded", "disk"),
    "a.gz e.gz": ("unpacked loaded", "disk"), "a.zst e.gz": ("unpacked loaded", "disk"),
    "a.lz4 a e.zst": ("unpacked unpacked loaded", "disk"),
    "e a": ("loaded -", "disk"), "e a.gz": ("loaded -", "disk"), "e.gz a": ("loaded -", "disk"),
    "e.gz a.gz": ("loaded -", "disk"), "e.zst a.gz": ("loaded -", "disk"), "e.gz a.gz a.zst": ("loaded - -", "disk"),
    "a e a": ("unpacked loaded -", "disk"), "a.gz e.gz a.gz": ("unpacked loaded -", "disk"),
    "e.gz j": ("loaded -", "disk"), "e j": ("loaded -", "disk"),
    "e i": ("file unpacked", "archive"), "e.gz i": ("file unpacked", "archive"),
    "a e i": ("unpacked file unpacked", "archive"), "i e": ("unpacked file", "archive"),
    "i.gz e.zst": ("unpacked file", "archive"), "i.gz e a": ("unpacked file unpacked", "archive"),
    "a i.gz": ("unpacked unpacked", "archive"), "a a i": ("unpacked unpacked unpacked", "archive"),
    "a.lz4 i": ("unpacked unpacked", "archive"), "a b i": ("unpacked - unpacked", "archive"),
    "i j": ("unpacked -", "archive"), "a.gz b i.gz": ("unpacked - unpacked", "archive"),
}


@pytest.mark.parametrize("joined", JOINED)
def test_joined(parts: dict[str, bytes], joined: str) -> None:
    """Each segment ends where it ends, and what becomes of it is what the kernel does."""
    names, (uses, outcome) = joined.split(), JOINED[joined]
    data, expected = b"", []
    for name, use in zip(names, uses.split()):
        part = parts[name]
        compressor = {"gz": "gzip", "zst": "zstd", "lz4": "lz4"}.get(name.partition(".")[2])
        size = end_of(part) if name in "ai" else len(part)
        content = {"a": "cpio", "i": "cpio", "e": "ext2", "b": "bootconfig", "j": None}[name[0]]
        expected.append((len(data), size, compressor, content, None if use == "-" else use))
        data += part + bytes(-len(part) % 4)
    found = report(data, RAM0, status=0)
    assert [(s["offset"], s["size"], s["compressor"], s["format"], s["use"]) for s in found["segments"]] == expected
    assert found["outcome"] == outcome and all(segment["whole"] for segment in found["segments"] if segment["format"])
    assert ("not-used" in codes(found, "note")) == ("-" in uses)
    if outcome == "archive":
        assert {entry["segment"] for entry in found["entries"]} == {
            number for number, use in enumerate(uses.split()) if use == "unpacked"}
    # An image that is looked at is read once.
    assert [segment["streams"] for segment in found["segments"]] == [int("." in name) for name in names]


def test_end_of_lz4(parts: dict[str, bytes]) -> None:
    """C kernels find the end of `lz4 -l` by four NULs; this one does without."""
    for gap, last, said in ((0, "i", True), (4, "i", False), (0, "", False)):
        first = parts["a.lz4" if last else "i.lz4"]
        found = report(first + bytes(gap) + parts.get(last, b""), status=0)
        assert ("lz4-end" in codes(found, "note")) == said
        assert found["segments"][0]["size"] == len(first)


def test_not_read(parts: dict[str, bytes]) -> None:
    """What is preserved or refused is told apart, too."""
    data = parts["a.gz"] + bytes(-len(parts["a.gz"]) % 4) + parts["e"]
    for append, use in (("noinitrd root=/dev/vda", "preserved"), (f"initrd.sha256={'0' * 64}", None)):
        found = report(data, f"--append={append}", "--no-tools")
        assert [(s["compressor"], s["format"], s["use"]) for s in found["segments"]] == [
            ("gzip", "cpio", use), (None, "ext2", use)]
        assert "not-used" not in codes(found)


# --- hostile images ---------------------------------------------------------------------


def odd_entries() -> list[Entry]:
    return [Entry.file("../../climbing", b"x"), Entry.file("/absolute", b"x"), Entry.file("nowhere/x", b"x"),
            Entry.file("\x1b[31mred\n", b""), Entry.symlink("out", "/tmp"), Entry.file("out/x", b"x"),
            Entry.symlink("up", "../../.."), Entry.file("up/y", b"x"), Entry.node("null", stat.S_IFCHR, 1, 3)]


def test_odd_names() -> None:
    data = images.newc(entries(*odd_entries()))
    found = report(data, status=0)
    assert codes(found) == {"climbing", "absolute", "not-made", "kernel-warning"}
    assert any("not made" in text for text in texts(found))
    text = call("-", "--list", data=data).stdout
    assert b"\\033[31mred\\012" in text and b"\x1b" not in text
    # No two names look the same: a backslash is escaped, as all is that is not seen.
    names = {"nl\n": r"nl\012", r"nl\012": r"nl\134012", "a\u061cb": r"a\330\234b",
             "t\U000e0041": r"t\363\240\201\201", "\u65e5\u672c": "\u65e5\u672c"}
    found = report(images.newc(entries(*(Entry.file(name, b"") for name in names))), status=0)
    assert [entry["name"] for entry in found["entries"]][-len(names):] == list(names.values())
    # Once, wherever it is said.
    data = images.newc([Entry.file("init", b"#!/i\\t\n", mode=0o755), Entry.file("i\\t", SCRIPT_TEXT)])
    assert report(data, status=1)["findings"][0] == {
        "severity": "error", "code": "not-executable", "text": r"/i\134t has no permission to be executed: error -13",
        "advice": r"chmod +x /i\134t, and make the image again"}
    # A name with nothing in it, and data of a folder, are left out by the kernel.
    folder = bytearray(images.newc([Entry.file("odd", b"data")]))
    folder[14:22] = b"%08X" % (stat.S_IFDIR | 0o755)
    assert "skipped" in codes(report(bytes(folder)))


def test_extract_stays_inside(tmp_path: Path) -> None:
    """Whatever names and links there are, nothing outside the folder changes."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "image").write_bytes(images.newc(entries(
        *odd_entries(), Entry.symlink("to", str(outside)), Entry.file("to/file", b"x"),
        Entry.symlink("rel", "../outside"), Entry.file("rel/file", b"x"),
        Entry.symlink("dir", str(outside)), Entry.directory("dir"), Entry.file("dir/file", b"inside"))))
    target = tmp_path / "deep/in"
    target.parent.mkdir()
    done = call(tmp_path / "image", f"--extract={target}")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "image", "outside"]
    assert list(outside.iterdir()) == [] and list(target.parent.iterdir()) == [target]
    assert (target / "dir/file").read_bytes() == b"inside" and not (target / "dir").is_symlink()
    # What climbs ends at the root, which is the folder.
    assert (target / "climbing").read_bytes() == b"x" and (target / "absolute").read_bytes() == b"x"
    assert (target / "y").read_bytes() == b"x"
    assert os.readlink(target / "out") == "/tmp" and not os.path.lexists("/tmp/x/file")
    assert not (target / "null").exists() and b"left out" in done.stderr
    assert stat.S_IMODE((target / "init").stat().st_mode) == 0o755


def test_extract_is_careful(tmp_path: Path) -> None:
    """Not into a folder with something in it, nor over a file; an empty one will do."""
    data = tmp_path / "image"
    data.write_bytes(images.newc(entries()))
    full, empty = tmp_path / "full", tmp_path / "empty"
    full.mkdir()
    empty.mkdir()
    (full / "init").write_bytes(b"mine")
    for target in (full, full / "init", tmp_path / "none/at/all"):
        assert call(data, "--extract", target).returncode == 3
    assert (full / "init").read_bytes() == b"mine" and len(list(full.iterdir())) == 1
    assert call(data, "-x", empty).returncode == 0
    assert (empty / "init").read_bytes() == SCRIPT_TEXT
    # Nothing is unpacked from what is no archive.
    assert call("-", "--extract", tmp_path / "other", data=b"no archive").returncode == 3
    assert not (tmp_path / "other").exists()


def test_extract_links(tmp_path: Path) -> None:
    """Names of one file are one file."""
    data = images.newc([Entry.file("a", b"", ino=7, nlink=2), Entry.file("b", b"text", ino=7, nlink=2)])
    assert call("-", "-x", tmp_path / "x", data=data).returncode == 1  # there is no /init
    assert (tmp_path / "x/a").read_bytes() == b"text"
    assert (tmp_path / "x/a").stat().st_ino == (tmp_path / "x/b").stat().st_ino


@pytest.mark.skipif(os.geteuid() != 0, reason="for root")
def test_extract_nodes(tmp_path: Path) -> None:
    data = images.newc(entries(Entry.node("null", stat.S_IFCHR, 1, 3), Entry.file("s", b"", mode=0o4755, uid=7)))
    assert call("-", "-x", tmp_path / "x", "--nodes", data=data).returncode == 0
    assert os.stat(tmp_path / "x/null").st_rdev == os.makedev(1, 3)
    assert (stat.S_IMODE(os.stat(tmp_path / "x/s").st_mode), os.stat(tmp_path / "x/s").st_uid) == (0o4755, 7)
    # Whatever the umask is, and with their times.
    more = images.newc(entries(*(dataclasses.replace(entry, mtime=86400) for entry in (
        Entry.node("null", stat.S_IFCHR, 1, 3, mode=0o666), Entry.node("fifo", stat.S_IFIFO, 0, 0, mode=0o622),
        Entry.symlink("link", "none")))))
    before = os.umask(0o77)
    done = call("-", "-x", tmp_path / "z", "--nodes", data=more)
    os.umask(before)
    assert done.returncode == 0
    found = {name: os.lstat(tmp_path / "z" / name) for name in ("null", "fifo", "link")}
    assert (stat.S_IMODE(found["null"].st_mode), stat.S_IMODE(found["fifo"].st_mode)) == (0o666, 0o622)
    assert {int(status.st_mtime) for status in found.values()} == {86400}
    assert call("-", "-x", tmp_path / "y", data=data).returncode == 0
    assert (stat.S_IMODE(os.stat(tmp_path / "y/s").st_mode), os.stat(tmp_path / "y/s").st_uid) == (0o755, 0)


@pytest.mark.parametrize("compressor", ["gzip", "xz", "zstd"])
def test_bombs(compressor: str) -> None:
    """More than the limit comes out: it stops, and says so."""
    bomb = images.compress_bytes(images.newc([Entry.file("bomb", bytes(20 << 20))]), compressor, level=1)
    found = report(bomb, "--limit=8M", status=1)
    assert "limit" in codes(found, "error") and found["memory"]["peak"] <= 8 << 20
    # What the kernel would skip takes no memory, but time.
    folder = bytearray(images.newc([Entry.file("bomb", bytes(40 << 20))]))
    folder[14:22] = b"%08X" % (stat.S_IFDIR | 0o755)
    found = report(images.compress_bytes(bytes(folder), compressor, level=1), "--limit=8M", status=1)
    assert "limit" in codes(found, "error")
    assert call("-", "--limit=1M", data=bytes(2 << 20)).returncode == 3


#: Runs its arguments, and says on standard error how much memory they have taken at most.
MEASURE = """import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, file=sys.stderr)
sys.exit(status)"""


def most_memory(*words: str | Path, env: dict[str, str] | None = None) -> tuple[dict[str, Any], int]:
    """The report, and the most memory that it took, in MiB."""
    done = subprocess.run([sys.executable, "-c", MEASURE, SCRIPT, "--json", *words], capture_output=True, timeout=60,
                          env={**os.environ, **(env or {})})
    assert done.returncode in (0, 1)
    return dict(json.loads(done.stdout)), int(done.stderr)


def test_long_links(tmp_path: Path) -> None:
    """Links whose targets would be large files: no more of them is read than of a path."""
    path, commands = tmp_path / "image", tmp_path / "commands"
    names = [f"l{number}" for number in range(6)]
    commands.write_text("".join(f"write /dev/null {name}\nset_inode_field {name} mode 0120777\n"
                                f"set_inode_field {name} size {60 << 20}\n" for name in names))
    images.run_tool(["mke2fs", "-q", "-t", "ext2", path, "1M"])
    images.run_tool(["debugfs", "-w", "-f", commands, path])
    found, memory = most_memory(path, RAM0, "--list")
    links = [entry for entry in found["entries"] if entry["type"] == "symlink"]
    assert [entry["name"] for entry in links] == names and memory < 100
    # The kernel would see nothing of them, either: they begin with a NUL.
    assert {entry["target"] for entry in links} == {None}


def test_tools_without_end(tmp_path: Path, tree: Path) -> None:
    """A tool that would print for ever, or has more to print than anybody reads."""
    tool = tmp_path / "debugfs"
    for name, most in (("x", 100_000), ("x" * 250, 65_000)):
        tool.write_text(f"#!/bin/sh\nhead -n 1 $2\nexec yes /12/100644/0/0/{name}/5/\n")
        tool.chmod(0o755)
        path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        found, memory = most_memory(image(tree, "ext2"), RAM0, "--list", env=path)
        assert 10_000 < len(found["entries"]) <= most and memory < 600
        assert "many-entries" in codes(found, "warning")


def test_many_links() -> None:
    """Links through links through links are given up like the kernel gives them up."""
    chain = [Entry.directory("x"), Entry.symlink("l0", "x")]
    for number in range(1, 12):
        chain.append(Entry.symlink(f"l{number}", "/".join([f"l{number - 1}/.."] * 400) + f"/l{number - 1}"))
    found = report(images.newc(entries(*chain, Entry.file("l11/file", b""))), status=0)
    assert codes(found) == {"not-made", "kernel-warning"}


def test_deep_folders(tmp_path: Path) -> None:
    """Deeper than a path may be, by way of a link, and each with another beside it."""
    deep = [Entry.directory("/".join(["deeper"] * depth + last)) for depth in range(1, 569) for last in ([], ["x"])]
    link = [Entry.symlink("l", "/".join(["deeper"] * 568))]
    more = [Entry.directory("l/" + "/".join(["further"] * depth + last))
            for depth in range(1, 500) for last in ([], ["x"])]
    data = images.newc(entries(*deep, *link, *more))
    assert report(data, status=0)["findings"] == []
    assert call("-", "-x", tmp_path / "x", data=data).returncode == 0
    subprocess.run(["rm", "-rf", str(tmp_path / "x")], check=True)


def test_any_bytes() -> None:
    """Garbage of every format's beginning: a report, whatever it says."""
    magics = [bytes(range(256)), b"\x1f\x8b", b"BZh", b"\x5d\0\0", b"\xfd7zXZ\0", b"\x89LZO", b"\x02\x21L\x18",
              b"\x28\xb5\x2f\xfd", b"070701", b"hsqs", b"-rom1fs-"]
    for magic in magics:
        data = magic + images.sample_data(20_000)
        assert "internal" not in codes(report(data, "--no-tools"))


# --- the command line ---------------------------------------------------------------------


@pytest.mark.parametrize("words", [
    [], ["--nonsense", "x"], ["a", "b"], ["--memory", "x"], ["--memory=0", "x"], ["--memory=12q", "x"],
    ["--color=blue", "x"], ["--nodes", "x"], ["--append"], ["--list=1", "x"], ["--limit=-1", "x"]])
def test_wrong_usage(words: list[str]) -> None:
    done = call(*words)
    assert done.returncode == 2 and done.stdout == b"" and b"--help" in done.stderr


def test_unreadable(tmp_path: Path) -> None:
    for words in ([tmp_path / "none"], [tmp_path], ["-", "--config", tmp_path / "none"],
                  ["-", "--built-in", tmp_path / "none"]):
        done = call(*words)
        assert done.returncode == 3 and done.stdout == b"" and done.stderr.startswith(b"initrd-inspect: ")
    with open("/dev/full", "wb") as full:
        assert subprocess.run([str(SCRIPT), "-"], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE).returncode == 3


def test_both_forms(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(images.newc(entries()))
    apart = call(path, "--append", "rdinit=/x", "--memory", "64M", "-c", "/dev/null")
    assert apart.stdout == call("--append=rdinit=/x", "-m64M", path, "--config=/dev/null").stdout


def test_help_and_manual() -> None:
    """--help names every option, and so does the manual page, which is in order."""
    text = call("--help").stdout.decode()
    assert text.startswith("Usage: initrd-inspect ")
    groff = subprocess.run(["groff", "-ww", "-mdoc", "-Tascii", "-P-cbou", "-rHY=0", str(PAGE)], capture_output=True,
                           text=True, check=True)
    assert groff.stderr == ""
    page = groff.stdout
    options = set(re.findall(r"(--[a-z-]+)", text)) - {"--config;"}
    assert {"--append", "--extract", "--json", "--color"} <= options
    assert [option for option in options if option not in page] == []
    assert re.fullmatch(r"initrd-inspect \(initrd-cxx\) \d+\.\d+\n", call("--version").stdout.decode())
    for fields in FIELDS.values():
        assert [field for field in fields if field not in page] == []
    sources = [path.read_text() for path in (ROOT / "scripts/inspect").glob("*.cc")]
    known = set(re.findall(r'Severity::k\w+,\s*"([a-z-]+)"', "\n".join(sources)))
    known |= {"no-driver", "unmountable"}
    assert {"no-init", "no-partition"} <= known
    assert [code for code in sorted(known) if code not in page] == []


def on_a_terminal(*words: str, env: dict[str, str]) -> bytes:
    """What it prints on a terminal of its own."""
    main, side = pty.openpty()
    process = subprocess.Popen([str(SCRIPT), *words], stdin=subprocess.DEVNULL, stdout=side,
                               env={**os.environ, "TERM": "linux", **env})
    os.close(side)
    text = b""
    try:
        while piece := os.read(main, 65536):
            text += piece
    except OSError:
        pass  # the terminal's end
    process.wait()
    os.close(main)
    return text


def test_colour() -> None:
    none = {"NO_COLOR": ""}
    assert b"\x1b[" in on_a_terminal("-", env=none)
    assert b"\x1b" not in on_a_terminal("-", env={"NO_COLOR": "1"})
    assert b"\x1b" not in on_a_terminal("-", env={**none, "TERM": "dumb"})
    assert b"\x1b" not in on_a_terminal("-", "--color=never", env=none)
    assert b"\x1b" not in call("-").stdout
    assert b"\x1b[" in call("-", "--color=always", env={"NO_COLOR": "1"}).stdout


def test_readme(tmp_path: Path) -> None:
    """What scripts/README.md shows is what is printed, but for numbers."""
    session = readme.Session(tmp_path / "readme")
    blocks = readme.blocks()
    shown = next(number for number, block in enumerate(blocks)
                 if block.text.startswith("scripts/initrd-inspect initrd.img"))
    session.run(next(block for block in blocks if block.kind == "host"))
    printed = session.run(blocks[shown]).stdout
    assert re.sub(r"[\d.]+", "N", printed) == re.sub(r"[\d.]+", "N", blocks[shown + 1].text)


def test_text() -> None:
    """People read the same as programs do."""
    data = images.newc(entries())
    text, found = call("-", "--list", data=data).stdout.decode(), report(data)
    for line in [*texts(found), *found["steps"]]:
        assert line in text
    assert re.search(r"^-rwxr-xr-x 0/0 +\d+ [\d: -]*init$", text, re.M)
    assert text.endswith("\nIt boots, as far as can be told.\n")
    assert call("-", data=b"nothing").stdout.endswith(b"\nSomething would go wrong.\n")
