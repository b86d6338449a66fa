#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes initrd images: file systems and cpio archives, plain or compressed.

No root and no mount is needed, and every file belongs to uid 0 in the image,
whoever makes it. Import it, or run it: images.py --help.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shlex
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Callable, Iterable, Sequence

import minixfs
import userland

HERE = Path(__file__).resolve().parent
PACKAGES = HERE / "packages"
GUEST_INIT = HERE / "guest-init.sh"

MIB = 1024 * 1024

#: Applets that the demonstration tree has links for.
APPLETS = """
    [ ash awk base64 basename blkdiscard blockdev cat chmod chown chroot clear
    cmp cp cttyhack cut date dd df dirname dmesg du echo env expr false find
    free freeramdisk grep gunzip gzip head hexdump hostname id kill less ln
    losetup ls md5sum mkdir mkfifo mknod more mount mountpoint mv nproc od
    pivot_root poweroff printf ps pwd readlink realpath reboot reset rm rmdir
    sed seq setsid sh sha256sum sleep sort stat stty switch_root sync sysctl
    tail tar tee test top touch tr true tty umount uname uniq uptime vi wc
    which xargs xxd yes zcat
""".split()

#: First bytes of the compressed formats that the kernel knows.
COMPRESSED_MAGICS: tuple[tuple[str, bytes], ...] = (
    ("gzip", b"\x1f\x8b"),
    ("gzip", b"\x1f\x9e"),
    ("bzip2", b"BZ"),
    ("lzma", b"\x5d\x00"),
    ("xz", b"\xfd\x37"),
    ("lzo", b"\x89\x4c"),
    ("lz4", b"\x02\x21"),
    ("lz4", b"\x04\x22\x4d\x18"),
    ("zstd", b"\x28\xb5"),
    # A skippable frame, with which pzstd begins.
    *(("zstd", bytes([first]) + b"\x2a\x4d\x18") for first in range(0x50, 0x60)),
)

#: How each format is made, in the variant that the kernel can read: no CRC64 in
#: xz, the legacy form of lz4, a zstd window of at most 128 MiB.
COMPRESSORS: dict[str, tuple[str, ...]] = {
    "gzip": ("gzip", "-9", "-n"),
    "bzip2": ("bzip2", "-9"),
    "lzma": ("xz", "--format=lzma", "-6"),
    "xz": ("xz", "--check=crc32", "--lzma2=preset=6,dict=1MiB"),
    "lzo": ("lzop", "-9"),
    "lz4": ("lz4", "-l", "-9"),
    "zstd": ("zstd", "-12", "-q"),
}

#: The levels that each compressor takes, and the words that ask for one.
LEVELS: dict[str, tuple[range, Callable[[int], tuple[str, ...]]]] = {
    "gzip": (range(1, 10), lambda n: ("gzip", f"-{n}", "-n")),
    "bzip2": (range(1, 10), lambda n: ("bzip2", f"-{n}")),
    "lzma": (range(0, 10), lambda n: ("xz", "--format=lzma", f"-{n}")),
    "xz": (range(0, 10), lambda n: ("xz", "--check=crc32", f"--lzma2=preset={n},dict=1MiB")),
    "lzo": (range(1, 10), lambda n: ("lzop", f"-{n}")),
    "lz4": (range(1, 13), lambda n: ("lz4", "-l", f"-{n}")),
    "zstd": (range(1, 23), lambda n: ("zstd", *(["--ultra"] if n > 19 else []), f"-{n}", "-q")),
}

DECOMPRESSORS: dict[str, tuple[str, ...]] = {
    "gzip": ("gzip", "-dc"),
    "bzip2": ("bzip2", "-dc"),
    "lzma": ("xz", "--format=lzma", "-dc"),
    "xz": ("xz", "-dc"),
    "lzo": ("lzop", "-dc"),
    "lz4": ("lz4", "-dc"),
    "zstd": ("zstd", "-dcq"),
}


#: Whether run_tool shows what it runs.
verbose = False


class ImageError(Exception):
    """An image cannot be made or read; the text says why and what to do."""


def package_of(command: str) -> str | None:
    """The Debian package that brings `command`, when the list has it."""
    for line in PACKAGES.read_text().splitlines():
        words = line.split()
        if words and words[0] == command:
            return words[1]
    return None


def find_tool(command: str) -> str:
    """The path of `command`; the sbin folders are searched for every user.

    Raises ImageError with the package's name when it is not there.
    """
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    found = shutil.which(command, path=path)
    if found is None:
        package = package_of(command)
        hint = f"; install it: apt-get install {package}" if package else ""
        raise ImageError(f"{command} is missing{hint}")
    return found


def run_tool(
    command: Sequence[str | Path],
    *,
    as_root: bool = False,
    data: bytes | None = None,
    stdin: IO[bytes] | None = None,
    cwd: Path | None = None,
    more_env: dict[str, str] | None = None,
) -> bytes:
    """Runs a tool and returns its standard output.

    With `as_root` an ordinary user's run goes through fakeroot, so that the
    tool sees every file as root's. Its input is `data`, or the open file `stdin`;
    `more_env` goes into its environment. With the module's `verbose` set, the
    command is shown on standard error first. Raises ImageError with the tool's own words
    when it fails.
    """
    words = [find_tool(str(command[0])), *map(str, command[1:])]
    if verbose:
        print(shlex.join(words), file=sys.stderr)
    if as_root and os.geteuid() != 0:
        words = [find_tool("fakeroot"), "--", *words]
    env = {**os.environ, "LC_ALL": "C", **(more_env or {})}
    env.pop("SOURCE_DATE_EPOCH", None)  # recipes give the time in each tool's own way
    source: dict[str, object] = {"input": data} if stdin is None else {"stdin": stdin}
    done = subprocess.run(words, capture_output=True, cwd=cwd, env=env, **source)  # type: ignore[call-overload]
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise ImageError(f"{command[0]} failed: {said[-600:]}")
    return done.stdout


# --- cpio -----------------------------------------------------------------


@dataclass
class Entry:
    """One entry of a newc archive, with the fields that the format has."""

    name: str
    mode: int
    data: bytes = b""
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    nlink: int = 1
    ino: int = 0
    dev: tuple[int, int] = (0, 0)
    rdev: tuple[int, int] = (0, 0)

    @classmethod
    def directory(cls, name: str, mode: int = 0o755, **more: object) -> "Entry":
        return cls(name, stat.S_IFDIR | mode, nlink=2, **more)  # type: ignore[arg-type]

    @classmethod
    def file(cls, name: str, data: bytes, mode: int = 0o644, **more: object) -> "Entry":
        return cls(name, stat.S_IFREG | mode, data, **more)  # type: ignore[arg-type]

    @classmethod
    def symlink(cls, name: str, target: str, **more: object) -> "Entry":
        return cls(name, stat.S_IFLNK | 0o777, os.fsencode(target), **more)  # type: ignore[arg-type]

    @classmethod
    def node(cls, name: str, kind: int, major: int, minor: int, mode: int = 0o600) -> "Entry":
        return cls(name, kind | mode, rdev=(major, minor))


#: The longest name that the kernel takes, with its NULs.
_NAME_MAX = 4096


def newc_entry(entry: Entry, *, crc: bool = False, checksum: int | None = None,
               at: int = 0, align: int = 4) -> bytes:
    """One entry as bytes, padded to 4. With `crc` in the 070702 form, whose
    checksum is the sum of the data's bytes; `checksum` overrides it.

    With `align`, the data of a file of at least so many bytes begins at a
    multiple of it in the archive, where the entry begins at `at`: NULs behind
    the name see to that, unless the name would be too long.
    """
    name = os.fsencode(entry.name) + b"\0"
    if stat.S_ISREG(entry.mode) and len(entry.data) >= align > 4:
        aligned = name + b"\0" * (-(at + 110 + len(name)) % align)
        name = aligned if len(aligned) <= _NAME_MAX else name
    if checksum is None:
        checksum = sum(entry.data) & 0xFFFFFFFF if crc else 0
    fields = (
        entry.ino,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.nlink,
        entry.mtime & 0xFFFFFFFF,
        len(entry.data),
        *entry.dev,
        *entry.rdev,
        len(name),
        checksum,
    )
    head = (b"070702" if crc else b"070701") + b"".join(b"%08X" % f for f in fields) + name
    head += b"\0" * (-len(head) % 4)
    return head + entry.data + b"\0" * (-len(entry.data) % 4)


def newc(
    entries: Iterable[Entry], *, crc: bool = False, trailer: bool = True, pad: int = 512, align: int = 4
) -> bytes:
    """A whole archive: the entries, TRAILER!!!, and NULs up to `pad`. `align`: see
    newc_entry()."""
    out = bytearray()
    for number, entry in enumerate(entries, start=1):
        if entry.ino == 0:
            entry.ino = 0x1000 + number
        out += newc_entry(entry, crc=crc, at=len(out), align=align)
    if trailer:
        out += newc_entry(Entry("TRAILER!!!", 0), crc=crc)
    if pad:
        out += b"\0" * (-len(out) % pad)
    return bytes(out)


def tree_entries(tree: Path) -> list[Entry]:
    """The entries of a directory tree: parents first, all of uid and gid 0."""
    found: list[Entry] = []
    seen: dict[tuple[int, int], int] = {}

    def visit(path: Path, name: str) -> None:
        info = path.lstat()
        entry = Entry(name, info.st_mode, mtime=int(info.st_mtime), nlink=info.st_nlink)
        if stat.S_ISREG(info.st_mode):
            key = (info.st_dev, info.st_ino)
            first = info.st_nlink == 1 or key not in seen
            entry.ino = seen.setdefault(key, 0x10000 + len(seen))
            entry.data = path.read_bytes() if first else b""
        elif stat.S_ISLNK(info.st_mode):
            entry.data = os.fsencode(os.readlink(path))
        elif stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
            entry.rdev = (os.major(info.st_rdev), os.minor(info.st_rdev))
        elif stat.S_ISDIR(info.st_mode):
            entry.nlink = 2  # some file systems say 1
        found.append(entry)
        if stat.S_ISDIR(info.st_mode):
            for child in sorted(path.iterdir()):
                visit(child, child.name if name == "." else f"{name}/{child.name}")

    visit(tree, ".")
    return found


# --- the demonstration tree -------------------------------------------------


def find_busybox(arch: str = "x86_64") -> Path:
    """The statically linked busybox for a guest. Raises ImageError when there is
    none."""
    try:
        return userland.busybox(arch)
    except userland.UserlandError as error:
        raise ImageError(str(error)) from error


def sample_data(size: int, seed: int = 1) -> bytes:
    """`size` bytes, half of them random and half of them text, the same ones
    for the same seed."""
    source = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        out += source.randbytes(4096)
        out += (b"initrd line %08d\n" % source.randrange(10**8)) * 190
    return bytes(out[:size])


def demo_tree(
    where: Path,
    *,
    guest_test: str | None = None,
    sample: int = 300_000,
    extra: dict[str, bytes] | None = None,
    arch: str = "x86_64",
) -> Path:
    """Fills the folder `where` with a small bootable system and returns it.

    It holds busybox, /init and /sbin/init (qemu/guest-init.sh), a data file of
    `sample` bytes and a list of checksums that the guest checks. `guest_test`
    is a shell script that the guest runs and whose output it reports; `extra`
    maps further files' names to their content. There are no device nodes: the
    guest mounts devtmpfs, which works on read-only file systems too.
    """
    for name in "bin dev etc mnt proc root run sbin share sys tmp".split():
        (where / name).mkdir(parents=True, exist_ok=True)
    (where / "tmp").chmod(0o1777)
    shutil.copyfile(find_busybox(arch), where / "bin/busybox")
    (where / "bin/busybox").chmod(0o755)
    for applet in APPLETS:
        link = where / "bin" / applet
        if not link.is_symlink():
            link.symlink_to("busybox")
    shutil.copyfile(GUEST_INIT, where / "sbin/init")
    (where / "sbin/init").chmod(0o755)
    if not (where / "init").is_symlink():
        (where / "init").symlink_to("sbin/init")
    (where / "share/sample").write_bytes(sample_data(sample))
    checked = ["bin/busybox", "sbin/init", "share/sample"]
    if guest_test is not None:
        (where / "etc/guest-test").write_text(guest_test)
        checked.append("etc/guest-test")
    for name, content in (extra or {}).items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        checked.append(name)
    lines = [f"{hashlib.sha256((where / c).read_bytes()).hexdigest()}  {c}\n" for c in checked]
    (where / "etc/manifest.sha256").write_text("".join(lines))
    return where


# --- file systems -------------------------------------------------------------


def tree_bytes(tree: Path) -> int:
    """What the files of a tree take up, in whole kibibytes each."""
    total = 0
    for path in tree.rglob("*"):
        total += 1024
        if path.is_file() and not path.is_symlink():
            total += (path.stat().st_size + 1023) // 1024 * 1024
    return total


@dataclass(frozen=True)
class Recipe:
    """What an image is made with besides its tree. The same tree and the same
    recipe give the same bytes, with the same versions of the tools.

    `size` is the length in bytes, None for one that fits; `epoch` is the time
    that the image itself is stamped with, in seconds since 1970. `align` is for
    archives: see newc_entry().
    """

    size: int | None = None
    epoch: int = 0
    label: str = ""
    uuid: str = "1217d000-0000-4000-8000-000000000001"
    align: int = 4


Maker = Callable[[Path, Path, Recipe], None]


def _ext(kind: str) -> Maker:
    def make(tree: Path, image: Path, recipe: Recipe) -> None:
        length = recipe.size or max(8 * MIB, (tree_bytes(tree) * 3 // 2 + MIB) // MIB * MIB)
        with open(image, "wb") as out:
            out.truncate(length)
        # An inode for every file and some to spare; mke2fs would go by the
        # image's length alone.
        files = sum(1 for _ in tree.rglob("*"))
        inodes = max(files + 11 + max(64, files // 4), length // 8192)
        stamp = {"E2FSPROGS_FAKE_TIME": str(max(recipe.epoch, 1))}
        command = ["mke2fs", "-q", "-F", "-t", kind, "-b", "1024", "-m", "0", "-N", str(inodes)]
        command += ["-U", recipe.uuid, "-L", recipe.label]
        command += ["-E", f"root_owner=0:0,lazy_itable_init=0,hash_seed={recipe.uuid}", "-d", tree, image]
        run_tool(command, as_root=True, more_env=stamp)
        _stamp_inodes(image, recipe.epoch, stamp)

    return make


def ext_usage(image: Path) -> tuple[int, int, int]:
    """Bytes of an ext2, ext3 or ext4 image with blocks of 1 KiB that are in
    use, and how many inodes it has and how many of these are free."""
    with open(image, "rb") as source:
        source.seek(1024)
        inodes, blocks, _, free_blocks, free_inodes = struct.unpack("<5I", source.read(20))
    return (blocks - free_blocks) * 1024, inodes, free_inodes


def _stamp_inodes(image: Path, epoch: int, stamp: dict[str, str]) -> None:
    """Sets the times of access and change, which mke2fs takes from the files of
    the host, where nobody can choose them."""
    _, inodes, free = ext_usage(image)
    script = "".join(
        f"set_inode_field <{number}> {name} @{epoch}\n"
        for number in range(12, inodes - free + 1)  # the files' come first, and 11 is lost+found
        for name in ("atime", "ctime")
    )
    with tempfile.NamedTemporaryFile("w") as commands:
        commands.write(script)
        commands.flush()
        run_tool(["debugfs", "-w", "-f", commands.name, image], more_env=stamp)


def _squashfs(tree: Path, image: Path, recipe: Recipe) -> None:
    run_tool(["mksquashfs", tree, image, "-noappend", "-all-root", "-comp", "gzip",
              "-no-xattrs", "-no-progress", "-quiet", "-processors", "1", "-mkfs-time", str(recipe.epoch)])


def _cramfs(tree: Path, image: Path, recipe: Recipe) -> None:
    run_tool(["mkfs.cramfs", "-n", recipe.label or "initrd", tree, image], as_root=True)


def _cramfs512(tree: Path, image: Path, recipe: Recipe) -> None:
    run_tool(["mkfs.cramfs", "-p", "-n", recipe.label or "initrd", tree, image], as_root=True)


def _romfs(tree: Path, image: Path, recipe: Recipe) -> None:
    run_tool(["genromfs", "-V", recipe.label or "initrd", "-d", tree, "-f", image], as_root=True)


def _erofs(tree: Path, image: Path, recipe: Recipe) -> None:
    run_tool(["mkfs.erofs", "--quiet", "--all-root", f"-T{recipe.epoch}", f"-U{recipe.uuid}", image, tree])


def _minix(version: int) -> Maker:
    def make(tree: Path, image: Path, recipe: Recipe) -> None:
        try:
            image.write_bytes(minixfs.write(tree, recipe.size, version))
        except minixfs.MinixError as error:
            raise ImageError(f"minix: {error}") from error

    return make


def _cpio(tree: Path, image: Path, recipe: Recipe) -> None:
    entries = tree_entries(tree)
    if not any(entry.name == "dev/console" for entry in entries):
        entries.append(Entry.node("dev/console", stat.S_IFCHR, 5, 1))
    image.write_bytes(newc(entries, align=recipe.align))


#: The formats that can be made: name → function(tree, image, recipe).
FORMATS: dict[str, Maker] = {
    "ext2": _ext("ext2"),
    "ext3": _ext("ext3"),
    "ext4": _ext("ext4"),
    "squashfs": _squashfs,
    "cramfs": _cramfs,
    "cramfs+512": _cramfs512,
    "romfs": _romfs,
    "minix": _minix(1),
    "minix2": _minix(2),
    "erofs": _erofs,
    "cpio": _cpio,
}

#: Formats whose size can be chosen; the others are as large as their content.
SIZED = ("ext2", "ext3", "ext4", "minix", "minix2")

#: Formats that hold a label, and how many bytes of it.
LABELS = {"ext2": 16, "ext3": 16, "ext4": 16, "cramfs": 16, "cramfs+512": 16, "romfs": 63}


def build(kind: str, tree: Path, image: Path, *, size: int | None = None, recipe: Recipe | None = None) -> Path:
    """Makes an uncompressed image of `tree` and returns its path.

    `size`, the length in bytes, is short for a recipe of that size alone; it
    counts for the formats in SIZED only. Raises ImageError for an unknown format, a missing tool or a failing one.
    """
    if kind not in FORMATS:
        raise ImageError(f"unknown format {kind}; there are: {' '.join(FORMATS)}")
    image.unlink(missing_ok=True)
    FORMATS[kind](tree, image, recipe or Recipe(size))
    return image


def compressor_command(method: str, level: int | None = None) -> tuple[str, ...]:
    """The command that packs standard input. Raises ImageError for an unknown
    compressor or level."""
    if method not in COMPRESSORS:
        raise ImageError(f"unknown compressor {method}; there are: none {' '.join(COMPRESSORS)}")
    if level is None:
        return COMPRESSORS[method]
    levels, words = LEVELS[method]
    if level not in levels:
        raise ImageError(f"{method} has the levels {levels[0]} to {levels[-1]}, not {level}")
    return words(level)


def compress_bytes(data: bytes, method: str, *, level: int | None = None) -> bytes:
    """`data` in a compressed form that the kernel reads; "none" is itself."""
    if method == "none":
        return data
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.seek(0)
        os.utime(source.fileno(), (0, 0))  # lzop writes it down
        return run_tool(compressor_command(method, level), stdin=source)


def compress(image: Path, method: str, *, level: int | None = None) -> Path:
    """Compresses `image` into a new file beside it, IMAGE.METHOD, and returns
    that; with "none" returns `image`."""
    if method == "none":
        return image
    packed = image.with_name(f"{image.name}.{method}")
    packed.write_bytes(compress_bytes(image.read_bytes(), method, level=level))
    return packed


# --- recognizing ------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What a file is: the compressor around it ("none" for none) and the
    content: cpio, a file system's name, empty, or unknown."""

    compressor: str
    content: str

    @property
    def needs_ram0(self) -> bool:
        """Whether it is a file system image, to be mounted from /dev/ram0."""
        return self.content not in ("cpio", "empty")

    def __str__(self) -> str:
        noun = {"cpio": "cpio archive", "empty": "empty file", "unknown": "image of an unknown kind"}
        text = noun.get(self.content, f"{self.content} file system image")
        return text if self.compressor == "none" else f"{text}, {self.compressor}-compressed"


def _content(head: bytes) -> str:
    if head.lstrip(b"\0")[:6] in (b"070701", b"070702"):
        return "cpio"
    cramfs = (b"\x45\x3d\xcd\x28", b"\x28\xcd\x3d\x45")
    if head[:4] in cramfs or head[0x200:0x204] in cramfs:
        return "cramfs"
    if head[:8] == b"-rom1fs-":
        return "romfs"
    if head[:4] == b"hsqs":
        return "squashfs"
    if head[1024:1028] == b"\xe2\xe1\xf5\xe0":
        return "erofs"
    if head[1024 + 16 : 1024 + 18] in (b"\x7f\x13", b"\x8f\x13"):
        return "minix"
    if head[1024 + 16 : 1024 + 18] in (b"\x68\x24", b"\x78\x24"):
        return "minix2"
    if head[1024 + 56 : 1024 + 58] == b"\x53\xef":
        compatible = int.from_bytes(head[1024 + 92 : 1024 + 96], "little")
        incompatible = int.from_bytes(head[1024 + 96 : 1024 + 100], "little")
        if incompatible & 0x2C0:  # extents, 64 bit, flexible groups
            return "ext4"
        return "ext3" if compatible & 4 else "ext2"
    return "unknown"


def _peek(path: Path, method: str, count: int) -> bytes:
    """The first `count` bytes of what is compressed in `path`, or what comes
    before the stream breaks."""
    with open(path, "rb") as source:
        process = subprocess.Popen(
            [find_tool(DECOMPRESSORS[method][0]), *DECOMPRESSORS[method][1:]],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        data = process.stdout.read(count)
        process.stdout.close()
        process.kill()
        process.wait()
    return data


def detect(path: Path) -> Kind:
    """Looks at a file's first bytes, inside the compression too."""
    with open(path, "rb") as source:
        head = source.read(65536)
    if not head:
        return Kind("none", "empty")
    for method, magic in COMPRESSED_MAGICS:
        if head.startswith(magic):
            inner = _peek(path, method, 65536)
            return Kind(method, _content(inner) if inner else "unknown")
    return Kind("none", _content(head))


def parse_size(text: str) -> int:
    """"8M", "4096K", "1G" or a number of bytes. Raises ValueError."""
    factors = {"K": 1024, "M": MIB, "G": 1024 * MIB}
    factor = factors.get(text[-1:].upper(), 1)
    number = int(text[:-1] if factor > 1 else text)
    if number <= 0:
        raise ValueError(text)
    return number * factor


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="images.py", description=__doc__.splitlines()[0])
    parser.add_argument("--fs", default="ext2", choices=FORMATS, help="the format (ext2)")
    parser.add_argument("--compress", default="none", choices=["none", *COMPRESSORS])
    parser.add_argument("--size", type=parse_size, metavar="N[KMG]",
                        help=f"the image's length; only for {', '.join(SIZED)}")
    parser.add_argument("--tree", type=Path, metavar="DIR",
                        help="the folder to pack (a small busybox system)")
    parser.add_argument("--arch", default="x86_64", choices=userland.DEBIAN_ARCH,
                        help="the architecture of that system's programs (x86_64)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            tree = options.tree or demo_tree(Path(scratch) / "tree", arch=options.arch)
            plain = build(options.fs, tree, Path(scratch) / "image", size=options.size)
            shutil.copyfile(compress(plain, options.compress), options.output)
    except (ImageError, OSError) as error:
        print(f"images.py: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {detect(options.output)}, {options.output.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
