# SPDX-License-Identifier: GPL-2.0
"""scripts/mkinitrd.sh: every format, owners, /dev/console, sizes, errors."""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts/mkinitrd.sh"
sys.path.insert(0, str(ROOT / "qemu"))

import images  # noqa: E402
import mkinitrd  # noqa: E402

FORMATS = list(images.FORMATS)
METHODS = list(images.COMPRESSORS)
KIB = 1024

#: An account that is not root's.
NOBODY = 65534


def call(*words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None,
         prefix: tuple[str, ...] = (), script: Path = SCRIPT) -> subprocess.CompletedProcess[bytes]:
    """mkinitrd.sh with `words`."""
    return subprocess.run([*prefix, str(script), *map(str, words)], capture_output=True, cwd=cwd,
                          env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, timeout=120)


def make(*words: str | Path, **more: object) -> str:
    """The same, which must succeed; returns what it said."""
    done = call(*words, **more)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def refused(*words: str | Path, **more: object) -> str:
    """The same, which must fail with 1; returns the complaint."""
    done = call(*words, **more)  # type: ignore[arg-type]
    assert done.returncode == 1 and done.stdout == b"", done.stderr.decode()
    return done.stderr.decode()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a file of a stranger, a set-user-ID program and links."""
    top = tmp_path / "a tree"
    (top / "sbin").mkdir(parents=True)
    top.chmod(0o755)
    shutil.copy(images.find_busybox(), top / "sbin/init")
    (top / "sbin/init").chmod(0o755)
    (top / "init").symlink_to("sbin/init")
    (top / "etc").mkdir()
    (top / "etc/hostname").write_text("board\n")
    os.link(top / "etc/hostname", top / "etc/name")
    (top / "su").write_bytes(b"\x7fnot really")
    if os.geteuid() == 0:
        os.chown(top / "su", 1000, 1000)
        os.chown(top / "etc", 1000, 1000)
    (top / "su").chmod(0o4755)
    os.utime(top / "etc/hostname", (1_500_000_000, 1_500_000_000))
    return top


@pytest.fixture
def anyone() -> Iterator[Path]:
    """A folder that every user may write to."""
    path = Path(tempfile.mkdtemp(prefix="mkinitrd-test-", dir="/tmp"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


def anyone_may_read(folder: Path) -> Path:
    """What mkinitrd.sh is made of, copied to a place in `folder`: where this project is,
    in root's home maybe, nobody else may enter."""
    project = folder / "project"
    for name in ("scripts", "qemu", "tests/host"):
        (project / name).mkdir(parents=True)
        for path in (ROOT / name).iterdir():
            if path.is_file() and path.suffix in ("", ".sh", ".py"):
                shutil.copyfile(path, project / name / path.name)
    for path in (project, *project.rglob("*")):
        path.chmod(0o755)
    return project


#: What a listing says of one file: type and mode, uid, gid, device number.
Facts = tuple[int, int, int, int]


def read_ext(image: Path) -> dict[str, Facts]:
    found = {}

    def visit(folder: str) -> None:
        text = images.run_tool(["debugfs", "-R", f"ls -p {folder or '/'}", image]).decode()
        for line in text.splitlines():
            if not line.startswith("/"):
                continue
            _, _, mode, uid, gid, name, _, _ = line.split("/")
            if name in (".", "..", "lost+found"):
                continue
            path = f"{folder}/{name}"
            number = 0
            if stat.S_ISCHR(int(mode, 8)):
                told = images.run_tool(["debugfs", "-R", f"stat {path}", image]).decode()
                major, minor = re.findall(r"major/minor number: (\d+):(\d+)", told)[0]
                number = os.makedev(int(major), int(minor))
            found[path] = (int(mode, 8), int(uid), int(gid), number)
            if stat.S_ISDIR(int(mode, 8)):
                visit(path)

    visit("")
    return found


#: What a listing has in place of a size where the file is a device.
SIZE_OR_NUMBER = r"(?:(?P<major>\d+), +(?P<minor>\d+)|\d+)"


def read_long_listing(text: str, pattern: str) -> dict[str, Facts]:
    """A listing as of "ls -l", as unsquashfs and cpio print it."""
    kinds = {"-": stat.S_IFREG, "d": stat.S_IFDIR, "c": stat.S_IFCHR, "l": stat.S_IFLNK}
    found = {}
    for line in text.splitlines():
        match = re.match(pattern, line)
        if match is None:
            continue
        word = match["mode"]
        mode = kinds[word[0]]
        for at, letter in enumerate(word[1:]):
            if letter not in "-ST":
                mode |= 0o400 >> at
        mode |= 0o4000 if word[3] in "sS" else 0
        number = os.makedev(int(match["major"]), int(match["minor"])) if match["major"] else 0
        found["/" + match["name"]] = (mode, int(match["uid"]), int(match["gid"]), number)
    return found


def read_squashfs(image: Path) -> dict[str, Facts]:
    text = images.run_tool(["unsquashfs", "-lln", image]).decode()
    return read_long_listing(text, rf"(?P<mode>\S{{10}}) (?P<uid>\d+)/(?P<gid>\d+) +{SIZE_OR_NUMBER} "
                                   r"\S+ \S+ squashfs-root/(?P<name>[^ ]+)")


def read_cpio(image: Path) -> dict[str, Facts]:
    text = images.run_tool(["cpio", "-tvn", "--quiet"], data=image.read_bytes()).decode()
    return read_long_listing(text, rf"(?P<mode>\S{{10}}) +\d+ (?P<uid>\d+) +(?P<gid>\d+) +{SIZE_OR_NUMBER}"
                                   r" \w{3} +\d+ +[\d:]+ (?P<name>[^ ]+)")


def read_minix(image: Path) -> dict[str, Facts]:
    """Version 1 by its layout: 32-byte inodes, 16-bit zones."""
    data = image.read_bytes()
    _, _, imap, zmap, _, _, _, magic = struct.unpack_from("<6HIH", data, 1024)
    assert magic == 0x138F
    table = (2 + imap + zmap) * 1024

    def inode(number: int) -> tuple[int, ...]:
        return struct.unpack_from("<HHIIBB9H", data, table + (number - 1) * 32)

    found = {}

    def visit(number: int, folder: str) -> None:
        mode, _, size, _, _, _, *zones = inode(number)
        listing = b"".join(data[zone * 1024 : zone * 1024 + 1024] for zone in zones[:7] if zone)[:size]
        for at in range(0, size, 32):
            child, raw = struct.unpack_from("<H30s", listing, at)
            name = raw.rstrip(b"\0").decode()
            if name in (".", ".."):
                continue
            mode, uid, _, _, gid, _, first, *_ = inode(child)
            found[f"{folder}/{name}"] = (mode, uid, gid, first if stat.S_ISCHR(mode) else 0)
            if stat.S_ISDIR(mode):
                visit(child, f"{folder}/{name}")

    visit(1, "")
    return found


READERS = {"ext2": read_ext, "ext3": read_ext, "ext4": read_ext, "squashfs": read_squashfs, "cpio": read_cpio,
           "minix": read_minix}


@pytest.mark.parametrize("kind", list(READERS))
def test_owners_and_console(tree: Path, tmp_path: Path, kind: str) -> None:
    """Every file is root's, /dev/console is there, set-user-ID survives."""
    image = tmp_path / "image"
    make(f"--fs={kind}", tree, "-o", image)
    facts = READERS[kind](image)
    assert {fact[1:3] for fact in facts.values()} == {(0, 0)}
    assert facts["/dev/console"] == (stat.S_IFCHR | 0o600, 0, 0, os.makedev(5, 1))
    assert facts["/su"][0] == stat.S_IFREG | 0o4755
    assert facts["/sbin/init"][0] == stat.S_IFREG | 0o755
    assert stat.S_ISLNK(facts["/init"][0])
    assert {"/etc", "/etc/hostname", "/etc/name"} <= set(facts)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("kind", list(READERS))
def test_without_root(anyone: Path, kind: str) -> None:
    """An ordinary user gets the bytes that root gets, under fakeroot."""
    top = anyone / "tree"
    (top / "sbin").mkdir(parents=True)
    (top / "sbin/init").write_text("#!/sbin/init\n")
    (top / "sbin/init").chmod(0o755)
    for path in (top, *top.rglob("*")):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    make(f"--fs={kind}", top, "-o", anyone / "by root")
    project = anyone_may_read(anyone)
    make(f"--fs={kind}", top, "-o", anyone / "by nobody", script=project / "scripts/mkinitrd.sh",
         prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--"))
    assert (anyone / "by root").read_bytes() == (anyone / "by nobody").read_bytes()
    facts = READERS[kind](anyone / "by nobody")
    assert facts["/dev/console"] == (stat.S_IFCHR | 0o600, 0, 0, os.makedev(5, 1))


@pytest.mark.parametrize("kind", FORMATS)
def test_recognized_and_reproducible(tree: Path, tmp_path: Path, kind: str) -> None:
    """The file is what it was to be, and the second one has the same bytes,
    although the tree was copied and read in between."""
    one, two = tmp_path / "one", tmp_path / "two"
    said = make("--fs", kind, tree, "-o", one)
    other = tmp_path / "elsewhere"
    subprocess.run(["cp", "-a", tree, other], check=True)
    subprocess.run(["grep", "-r", "board", str(tree)], check=True, capture_output=True)
    make(f"--fs={kind}", f"--output={two}", other)
    assert one.read_bytes() == two.read_bytes()
    assert str(images.detect(one)).startswith(kind.removesuffix("+512"))
    assert re.fullmatch(rf"{one}: .*, {one.stat().st_size} bytes; boot it: .*qemu/boot --image {one}\n", said)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["ext2", "cpio"])
def test_compressed(tree: Path, tmp_path: Path, kind: str, method: str) -> None:
    """The compressors' own tools give the plain image back, and the form is
    one that the kernel reads. The bytes are the same ones twice."""
    plain, packed, again = tmp_path / "plain", tmp_path / "packed", tmp_path / "again"
    make(f"--fs={kind}", tree, "-o", plain)
    for target in (packed, again):
        make(f"--fs={kind}", f"--compress={method}", tree, "-o", target)
    assert packed.read_bytes() == again.read_bytes()
    assert images.detect(packed) == images.Kind(method, kind)
    assert images.run_tool(images.DECOMPRESSORS[method], data=packed.read_bytes()) == plain.read_bytes()
    if method == "xz":
        assert packed.read_bytes()[7] == 1  # the check: CRC32
    if method == "gzip":
        assert packed.read_bytes()[4:8] == bytes(4)  # no time
    if method == "lz4":
        assert packed.read_bytes()[:4] == b"\x02\x21\x4c\x18"  # legacy


@pytest.mark.parametrize("method", METHODS)
def test_levels(tree: Path, tmp_path: Path, method: str) -> None:
    """The lowest and the highest level work; one beyond is refused."""
    levels = images.LEVELS[method][0]
    sizes = []
    for level in (levels[0], levels[-1]):
        make("--fs=cpio", f"--compress={method}", f"--level={level}", tree, "-o", tmp_path / f"{level}")
        sizes.append((tmp_path / f"{level}").stat().st_size)
    assert sizes[1] < sizes[0]
    said = refused("--fs=cpio", f"--compress={method}", f"--level={levels[-1] + 1}", tree, "-o", tmp_path / "x")
    assert f"{levels[0]} to {levels[-1]}" in said


def test_source_date_epoch(tree: Path, tmp_path: Path) -> None:
    """No time in the image is later; an earlier one stays."""
    image = tmp_path / "image"
    make("--fs=ext2", tree, "-o", image, env={"SOURCE_DATE_EPOCH": "1600000000"})
    for name, when in (("/su", 1_600_000_000), ("/etc/hostname", 1_500_000_000)):
        told = images.run_tool(["debugfs", "-R", f"stat {name}", image]).decode()
        assert re.findall(r"mtime: 0x([0-9a-f]+)", told) == [f"{when:08x}"]
        assert re.findall(r"[ac]time: 0x([0-9a-f]+)", told)[:2] == [f"{1_600_000_000:08x}"] * 2
    assert "SOURCE_DATE_EPOCH=yesterday" in refused(tree, "-o", tmp_path / "x", env={"SOURCE_DATE_EPOCH": "yesterday"})


@pytest.mark.parametrize("kind", FORMATS)
def test_too_small(tree: Path, tmp_path: Path, kind: str) -> None:
    """The message names both sizes, and the size that it asks for is enough."""
    image = tmp_path / "image"
    said = refused(f"--fs={kind}", "--size=300K", tree, "-o", image)
    match = re.search(r"the image needs (\d+)K, --size gives 300K; give at least --size (\d+K)\n", said)
    assert match is not None and int(match[1]) > 300, said
    assert not image.exists()
    make(f"--fs={kind}", f"--size={match[2]}", tree, "-o", image)
    assert image.stat().st_size == int(match[2][:-1]) * KIB


@pytest.mark.parametrize("kind", FORMATS)
def test_size(tree: Path, tmp_path: Path, kind: str) -> None:
    """The image is as long as was asked for."""
    image = tmp_path / "image"
    make(f"--fs={kind}", "--size=6M", tree, "-o", image)
    assert image.stat().st_size == 6 * KIB * KIB
    assert str(images.detect(image)).startswith(kind.removesuffix("+512"))


def test_many_small_files(tmp_path: Path) -> None:
    """There are inodes for everything, and a few to spare."""
    top = tmp_path / "tree"
    (top / "many").mkdir(parents=True)
    for number in range(3000):
        (top / f"many/{number}").write_text("x")
    image = tmp_path / "image"
    make("--fs=ext2", "--no-check", top, "-o", image)
    images.run_tool(["e2fsck", "-fn", image])
    _, inodes, free = images.ext_usage(image)
    assert inodes - free == 3000 + 11 + 3 and free >= 64
    assert image.stat().st_size < 8 * KIB * KIB


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4", "minix", "minix2"])
def test_sound(tree: Path, tmp_path: Path, kind: str) -> None:
    """The file system's own checker finds nothing, and there is free room."""
    image = tmp_path / "image"
    make(f"--fs={kind}", tree, "-o", image)
    if kind.startswith("ext"):
        images.run_tool(["e2fsck", "-fn", image])
        used, _, free_inodes = images.ext_usage(image)
        assert image.stat().st_size - used >= 256 * KIB and free_inodes >= 64
    else:
        images.run_tool(["fsck.minix", "-f", image])


def test_init_linuxrc_add(tmp_path: Path) -> None:
    """Files of the host's go where they were sent, with the right modes."""
    host = tmp_path / "host"
    host.mkdir()
    for name in ("first", "rc", "data"):
        (host / name).write_text(f"#!/bin/sh\n: {name}\n")
        (host / name).chmod(0o600)
    (host / "folder").mkdir()
    (host / "folder/in it").write_text("x")
    image = tmp_path / "image"
    make("--demo", "--fs=cpio", f"--init={host}/first", "--linuxrc", host / "rc", f"--add={host}/data:/etc/x/data",
         f"--add={host}/folder:lib", f"--add={host}/data", "-o", image)
    names = images.run_tool(["cpio", "-t", "--quiet"], data=image.read_bytes()).decode().splitlines()
    assert {"etc/x/data", "lib/in it", f"{host}/data"[1:]} <= set(names)
    out = tmp_path / "out"
    out.mkdir()
    images.run_tool(["cpio", "-idm", "--quiet", "sbin/init", "linuxrc", "etc/x/data", "init"],
                    data=image.read_bytes(), cwd=out)
    assert (out / "sbin/init").read_text().endswith("first\n") and (out / "init").read_text().endswith("first\n")
    modes = [(out / name).stat().st_mode & 0o777 for name in ("sbin/init", "linuxrc", "etc/x/data")]
    assert modes == [0o755, 0o755, 0o600]


def test_add_stays_inside(tmp_path: Path, tree: Path) -> None:
    """A link in the tree does not lead a file out of the image."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree / "way").symlink_to(outside)
    (tree / "up").symlink_to("../../../..")
    (tree / "abs").symlink_to("/etc")
    make("--fs=cpio", f"--add={images.GUEST_INIT}:up/top", f"--add={images.GUEST_INIT}:abs/inside", tree,
         "-o", tmp_path / "image")
    names = images.run_tool(["cpio", "-t", "--quiet"], data=(tmp_path / "image").read_bytes()).decode().splitlines()
    assert {"top", "etc/inside"} <= set(names)
    assert list(outside.iterdir()) == []
    assert "no name for a file" in refused(f"--add={images.GUEST_INIT}:../x", tree, "-o", tmp_path / "x")


def test_init_without_x(tree: Path, tmp_path: Path) -> None:
    """The kernel could not execute it, so the image is not made."""
    (tree / "sbin/init").chmod(0o644)
    said = refused(tree, "-o", tmp_path / "image")
    assert "/init is not executable" in said and "chmod +x" in said
    make("--no-check", tree, "-o", tmp_path / "image")


def test_warnings(tree: Path, tmp_path: Path) -> None:
    """What boots and fails later is warned of: no init, a script's or a
    program's interpreter that is not there, a closed root directory."""
    image = tmp_path / "image"

    def said(*words: str | Path) -> str:
        return call("--force", *words, tree, "-o", image).stderr.decode()

    assert said() == ""
    (tree / "sbin/init").write_text("#!/bin/ash -e\n")
    assert "/sbin/init needs /bin/ash" in said()
    shutil.copy("/bin/true", tree / "sbin/init")
    assert re.search(r"/sbin/init needs /lib\S*/ld\S+", said())
    (tree / "sbin/init").unlink()
    assert "/init is a link to something that is not in the image" in said("--fs=cpio")
    assert "neither /sbin/init nor /linuxrc" in said()
    assert "there is no /init" in said("--fs=cpio")
    assert "only root's programs can use it" not in said()
    tree.chmod(0o700)
    assert "mode 0700" in said()


def test_interpreters() -> None:
    """The loader of a dynamic program is found, and a static one has none."""
    assert mkinitrd.interpreter(Path(sys.executable).resolve()) is not None
    assert mkinitrd.interpreter(images.find_busybox()) is None


def test_output(tree: Path, tmp_path: Path) -> None:
    """A file is written over only with --force, a pipe gets the image alone,
    and a failure leaves nothing."""
    image = tmp_path / "image"
    image.write_text("precious")
    assert "--force" in refused(tree, "-o", image)
    assert image.read_text() == "precious"
    make("-f", tree, "-o", image)
    done = call("--fs=ext2", tree, "-o", "-")
    assert done.returncode == 0 and done.stdout == image.read_bytes()
    assert done.stderr.decode().startswith("standard output: ext2 file system image, ")
    assert "is a folder" in refused(tree, "-o", tmp_path)
    assert "no such folder" in refused(tree, "-o", tmp_path / "no/where")
    assert "packed into itself" in refused(tree, "-o", tree / "image")
    assert make("-q", "-f", tree, "-o", image) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a tree", "image"]


def test_verbose(tree: Path, tmp_path: Path) -> None:
    """The commands are shown on standard error."""
    done = call("-v", "--compress=gzip", tree, "-o", tmp_path / "image")
    assert "mke2fs " in done.stderr.decode() and "gzip -9 -n" in done.stderr.decode()


@pytest.mark.parametrize(("kind", "where"), [("ext4", 1024 + 120), ("cramfs", 48), ("romfs", 16)])
def test_label(tree: Path, tmp_path: Path, kind: str, where: int) -> None:
    """The label is in the superblock; formats without one refuse it."""
    make(f"--fs={kind}", "--label=my board", tree, "-o", tmp_path / "image")
    assert (tmp_path / "image").read_bytes()[where : where + 9] == b"my board\0"
    assert "cannot hold it" in refused("--fs=minix", "--label=x", tree, "-o", tmp_path / "x")
    assert "cannot hold it" in refused(f"--fs={kind}", f"--label={'x' * 64}", tree, "-o", tmp_path / "x")


def test_align(tree: Path, tmp_path: Path) -> None:
    """Data begins where it was asked to, in an archive that cpio reads."""
    content = bytes(range(256)) * 40
    (tree / "large").write_bytes(content)
    (tree / ("n" * 200)).write_bytes(content[::-1])
    (tree / "small").write_bytes(b"few")
    make("--fs=cpio", "--align=4096", "--no-check", tree, "-o", tmp_path / "aligned")
    image = (tmp_path / "aligned").read_bytes()
    assert image.find(content) % 4096 == 0 and image.find(content) > 0
    assert image.find(content[::-1]) % 4096 == 0
    (tmp_path / "out").mkdir()
    subprocess.run(["cpio", "-idm", "--quiet", "--no-absolute-filenames"], input=image, cwd=tmp_path / "out",
                   check=True)
    for name in ("large", "n" * 200, "small"):
        assert (tmp_path / "out" / name).read_bytes() == (tree / name).read_bytes()
    assert "--align goes with --fs cpio" in call("--align=4096", tree, "-o", tmp_path / "x").stderr.decode()
    assert "must be one of" in call("--fs=cpio", "--align=5000", tree, "-o", tmp_path / "x").stderr.decode()


def test_names_that_do_not_fit(tree: Path, tmp_path: Path) -> None:
    """A limit of the format is named with the file that breaks it."""
    (tree / ("n" * 31)).touch()
    assert "longer than 30 bytes" in refused("--fs=minix", tree, "-o", tmp_path / "image")
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize("words", [["--fs=tar"], ["--compress=arj"], ["--size=big"], ["--size=0"], ["--level=high"],
                                   ["--level=3"], ["--nonsense"], ["-o"], ["--add"], ["one", "two"], [],
                                   ["--demo", "/tmp", "-o", "x"], ["", "-o", "x"]])
def test_wrong_usage(words: list[str], tmp_path: Path) -> None:
    """2, a word about it on stderr, and nothing made."""
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b"" and done.stderr.startswith(b"mkinitrd.sh: ")
    assert list(tmp_path.iterdir()) == []


def test_missing_input(tmp_path: Path) -> None:
    """Files that are not there are named."""
    assert "/no/such: there is no such folder" in refused("/no/such", "-o", tmp_path / "x")
    for option in ("--init", "--linuxrc", "--add"):
        assert "/no/such: there is no such file" in refused("--demo", f"{option}=/no/such", "-o", tmp_path / "x")


def test_missing_tool(tree: Path, tmp_path: Path) -> None:
    """A tool that is not there is named with its package."""
    tools = tmp_path / "bin"
    tools.mkdir()
    path = {"PATH": str(tools), "INITRD_CXX_FAKEROOT": "1"}
    (tools / "cp").symlink_to(shutil.which("cp") or "/bin/cp")
    done = subprocess.run([sys.executable, ROOT / "qemu/mkinitrd.py", "--fs=romfs", f"--tree={tree}",
                           f"--output={tmp_path / 'x'}"], env=path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "genromfs is missing; install it: apt-get install genromfs" in done.stderr


def test_help_and_list() -> None:
    """--help names every option; --list every format and compressor."""
    text = make("--help")
    for option in ("output fs compress level size label align demo init linuxrc add no-check force list quiet verbose "
                   "help").split():
        assert f"--{option}" in text
    text = make("--list")
    for name in (*FORMATS, *METHODS):
        assert re.search(rf"^{re.escape(name)} ", text, re.M)
    formats = re.search(r"FORMATS=\((.*)\)", SCRIPT.read_text())
    methods = re.search(r"METHODS=\(none (.*)\)", SCRIPT.read_text())
    assert formats is not None and sorted(formats[1].split()) == sorted(FORMATS)
    assert methods is not None and methods[1].split() == METHODS
