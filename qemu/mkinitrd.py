#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The part of scripts/mkinitrd.sh that packs a tree into an initrd image.

The tree is copied to a scratch folder, where files are added, everything is
given to root and /dev/console is made; then qemu/images.py makes the image.
Without root all of that happens under fakeroot, so that there is one way only.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import stat
import sys
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Sequence

import images
from images import ImageError, Recipe

ROOT = Path(__file__).resolve().parent.parent

#: Set in the process that runs under fakeroot.
INSIDE = "INITRD_CXX_FAKEROOT"

#: The usual ends of a compressed file's name.
ENDINGS = {"none": "", "gzip": ".gz", "bzip2": ".bz2", "lzma": ".lzma", "xz": ".xz", "lzo": ".lzo",
           "lz4": ".lz4", "zstd": ".zst"}

KIB = 1024


def say(text: str) -> None:
    print(f"mkinitrd.sh: {text}", file=sys.stderr, flush=True)


def warn(text: str) -> None:
    say(f"warning: {text}")


# --- the tree -----------------------------------------------------------------


def copy_tree(source: Path, stage: Path) -> None:
    """Copies what is in `source`, not what is mounted below it."""
    if not source.is_dir():
        raise ImageError(f"{source}: there is no such folder")
    images.run_tool(["cp", "-a", "-x", "--", f"{source}/.", stage])


def place(stage: Path, name: str) -> Path:
    """Where the image's `name` lies in the stage, with the folders above it
    made. Links on the way are followed inside the stage only."""
    path = stage
    *parents, last = [part for part in name.split("/") if part not in ("", ".")] or [""]
    if not last or ".." in (*parents, last):
        raise ImageError(f"{name or '/'}: no name for a file in the image; give one: FILE:PATH")
    for part in parents:
        path = resolve(stage, path / part)
        path.mkdir(exist_ok=True)
    return path / last


def resolve(stage: Path, path: Path) -> Path:
    """`path`, or what the symbolic link there stands for inside the stage."""
    for _ in range(40):
        if not path.is_symlink():
            return path
        target = os.readlink(path)
        start = stage if target.startswith("/") else path.parent
        parts = [*start.relative_to(stage).parts, *target.split("/")]
        kept: list[str] = []
        for part in parts:
            if part == "..":
                kept = kept[:-1]
            elif part not in ("", "."):
                kept.append(part)
                kept = list(resolve(stage, stage.joinpath(*kept[:-1]) / part).relative_to(stage).parts)
        path = stage.joinpath(*kept)
    raise ImageError(f"{path.relative_to(stage)}: too many levels of symbolic links")


def lookup(stage: Path, name: str) -> Path:
    """The file that the image's `name` leads to; it need not be there."""
    path = stage
    for part in name.strip("/").split("/"):
        path = resolve(stage, path / part)
    return path


def install(stage: Path, source: Path, name: str, mode: int | None = None) -> None:
    """Puts a file or a folder of the host into the stage under `name`."""
    if not source.exists():
        raise ImageError(f"{source}: there is no such file")
    target = place(stage, name)
    if source.is_dir():
        target.mkdir(exist_ok=True)
        images.run_tool(["cp", "-a", "-x", "--", f"{source}/.", target])
        return
    if target.is_dir() and not target.is_symlink():
        raise ImageError(f"{name}: is a folder in the image")
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)
    if mode is not None:
        target.chmod(mode)


def add(stage: Path, word: str) -> None:
    """Carries out --add FILE[:PATH]; without PATH the file keeps its name."""
    name, colon, path = word.partition(":")
    install(stage, Path(name), path if colon else name)


def give_to_root(stage: Path) -> None:
    """Makes root the owner of everything; set-user-ID bits survive it."""
    for path in walk(stage):
        info = path.lstat()
        if (info.st_uid, info.st_gid) != (0, 0):
            os.lchown(path, 0, 0)
            if not stat.S_ISLNK(info.st_mode):
                path.chmod(stat.S_IMODE(info.st_mode))


def make_console(stage: Path) -> None:
    """Makes /dev/console, which the kernel opens for the first program."""
    console = place(stage, "dev/console")
    if console.exists() or console.is_symlink():
        if not stat.S_ISCHR(console.lstat().st_mode):
            warn("/dev/console is no character device: the first program may have no input and output")
        return
    os.mknod(console, stat.S_IFCHR | 0o600, os.makedev(5, 1))
    console.chmod(0o600)


def walk(stage: Path) -> Iterator[Path]:
    """The stage and everything in it, always in the same order."""
    yield stage
    for path in sorted(stage.rglob("*")):
        yield path


def newest(stage: Path) -> int:
    return max(int(path.lstat().st_mtime) for path in walk(stage))


def stamp(stage: Path, epoch: int) -> None:
    """Sets times after `epoch` back to it; the rest keep their whole seconds."""
    for path in reversed(list(walk(stage))):
        when = min(int(path.lstat().st_mtime), epoch)
        os.utime(path, (when, when), follow_symlinks=False)


def identity(stage: Path, kind: str) -> str:
    """A UUID that follows from the tree: its names, modes, sizes and times."""
    lines = []
    for path in walk(stage):
        info = path.lstat()
        size = info.st_size if not stat.S_ISDIR(info.st_mode) else 0
        lines.append(f"{path.relative_to(stage)}\0{info.st_mode:o}\0{size}\0{int(info.st_mtime)}")
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "initrd:" + kind + "\n".join(lines)))


# --- what the kernel will run -----------------------------------------------------


def interpreter(program: Path) -> str | None:
    """What has to be in the image for the kernel to run `program`: the
    interpreter of a script or the loader of a dynamic executable."""
    head = program.read_bytes()
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n", 1)[0].split()
        return os.fsdecode(words[0]) if words else None
    if not head.startswith(b"\x7fELF") or len(head) < 64:
        return None
    wide, order = head[4] == 2, "little" if head[5] == 1 else "big"

    def number(at: int, length: int) -> int:
        return int.from_bytes(head[at : at + length], order)  # type: ignore[arg-type]

    table, size, count = (number(32, 8), number(54, 2), number(56, 2)) if wide else (
        number(28, 4), number(42, 2), number(44, 2))
    for at in range(table, table + size * count, size or 1):
        if number(at, 4) == 3:  # PT_INTERP
            start, length = (number(at + 8, 8), number(at + 32, 8)) if wide else (
                number(at + 4, 4), number(at + 16, 4))
            return os.fsdecode(head[start : start + length].rstrip(b"\0"))
    return None


def check_program(stage: Path, name: str) -> bool:
    """Whether the image has the program `name`. Raises ImageError if the
    kernel would be refused to execute it."""
    path = lookup(stage, name)
    if not path.is_file():
        if (stage / name.strip("/")).is_symlink():
            warn(f"{name} is a link to something that is not in the image")
        return False
    if not path.stat().st_mode & 0o111:
        raise ImageError(f"{name} is not executable, and the kernel would not run it: chmod +x it"
                         " (or --no-check)")
    loader = interpreter(path)
    if loader is not None and not lookup(stage, loader).is_file():
        warn(f"{name} needs {loader}, which is not in the image: the kernel cannot run it")
    return True


def check_tree(stage: Path, kind: str) -> None:
    """Looks at what the kernel will start, and complains."""
    found = [name for name in ("/init", "/sbin/init", "/linuxrc") if check_program(stage, name)]
    if kind == "cpio" and "/init" not in found:
        hint = "give rdinit=/sbin/init, or --init" if "/sbin/init" in found else "give one with --init"
        warn(f"there is no /init, so the kernel mounts root= after unpacking; {hint}")
    if kind != "cpio" and not {"/sbin/init", "/linuxrc"} & set(found):
        warn("there is neither /sbin/init nor /linuxrc; give one with --init or --linuxrc")
    if not stage.stat().st_mode & 0o005:
        mode = stat.S_IMODE(stage.stat().st_mode)
        warn(f"the root directory has mode {mode:04o}: only root's programs can use it (chmod 755)")


# --- the image ---------------------------------------------------------------------


def round_up(number: int, unit: int) -> int:
    return -(-number // unit) * unit


def smallest(kind: str, tree: Path, image: Path, recipe: Recipe) -> int:
    """The length in bytes, to a few KiB, of the shortest image of one of the
    formats in images.SIZED that the tree fits into."""
    if kind.startswith("minix"):
        images.build(kind, tree, image)
        size = image.stat().st_size - 64 * KIB
    else:
        size = round_up(images.tree_bytes(tree) + 256 * KIB, 64 * KIB)
        for attempt in range(16):
            try:
                images.build(kind, tree, image, recipe=replace(recipe, size=size))
                break
            except ImageError:
                if attempt == 15:
                    raise
                size = round_up(size * 5 // 4, 64 * KIB)
        size = images.ext_usage(image)[0]
    while not fits(kind, tree, image, replace(recipe, size=size)):
        size = round_up(size + max(8 * KIB, size // 128), KIB)
    return size


def fits(kind: str, tree: Path, image: Path, recipe: Recipe) -> bool:
    try:
        images.build(kind, tree, image, recipe=recipe)
    except ImageError:
        return False
    return True


def no_room(needed: int, had: int) -> ImageError:
    return ImageError(f"the image needs {needed // KIB}K, --size gives {had // KIB}K; give at least"
                      f" --size {round_up(needed, KIB) // KIB}K")


def make_image(kind: str, tree: Path, image: Path, recipe: Recipe) -> None:
    """Makes `image`, of recipe.size bytes or of a size that fits with some
    room. Raises ImageError with the sizes when it does not fit."""
    if kind in images.SIZED:
        if recipe.size is None:
            need = smallest(kind, tree, image, recipe)
            recipe = replace(recipe, size=round_up(need + max(need // 8, 256 * KIB), 64 * KIB))
        try:
            images.build(kind, tree, image, recipe=recipe)
        except ImageError:
            assert recipe.size is not None
            need = smallest(kind, tree, image, recipe)
            if need <= recipe.size:
                raise
            raise no_room(need, recipe.size) from None
        return
    images.build(kind, tree, image, recipe=recipe)
    if recipe.size is not None:
        length = image.stat().st_size
        if length > recipe.size:
            raise no_room(length, recipe.size)
        os.truncate(image, recipe.size)


def deliver(image: Path, output: str, *, force: bool) -> None:
    """Copies the image to its place, all of it or nothing."""
    if output == "-":
        with open(image, "rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    target = Path(output)
    if target.exists() and not target.is_file():
        if not force:
            raise ImageError(f"{output} is no regular file; --force writes to it all the same")
        with open(image, "rb") as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink)
        return
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(image, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def boot_command(output: str) -> str:
    """The command that boots the image, from the current folder."""
    boot = os.path.relpath(ROOT / "qemu/boot")
    if len(boot) > len(str(ROOT / "qemu/boot")):
        boot = str(ROOT / "qemu/boot")
    return shlex.join([boot if "/.." in boot or boot.startswith(("../", "/")) else f"./{boot}", "--image", output])


def listing() -> str:
    """The formats and compressors as a table."""
    def state(tool: str) -> str:
        try:
            images.find_tool(tool)
        except ImageError:
            return f"missing: {images.package_of(tool)}"
        return "ready"

    tools = {"ext2": "mke2fs", "ext3": "mke2fs", "ext4": "mke2fs", "squashfs": "mksquashfs",
             "cramfs": "mkfs.cramfs", "cramfs+512": "mkfs.cramfs", "romfs": "genromfs", "erofs": "mkfs.erofs"}
    notes = {"ext2": "writable", "ext3": "writable", "ext4": "writable", "minix": "writable, up to 64 MiB",
             "minix2": "writable, up to 64 MiB; this project's kernel only", "squashfs": "read-only, compressed",
             "cramfs": "read-only, compressed, files up to 16 MiB", "cramfs+512": "cramfs behind a boot sector",
             "romfs": "read-only", "erofs": "read-only; this project's kernel only",
             "cpio": "newc archive, unpacked into a file system in memory"}
    rows = ["format      tool         state"]
    for kind in images.FORMATS:
        tool = tools.get(kind)
        rows.append(f"{kind:<12}{tool or 'built in':<13}{state(tool) if tool else 'ready':<10}{notes[kind]}")
    rows += ["", "compressor  tool         state     levels"]
    for method, words in images.COMPRESSORS.items():
        levels = images.LEVELS[method][0]
        rows.append(f"{method:<12}{words[0]:<13}{state(words[0]):<10}{levels[0]} to {levels[-1]}: {shlex.join(words)}")
    return "\n".join(rows)


# --- the command line ----------------------------------------------------------------


def become_root(words: Sequence[str]) -> None:
    """Starts this program again under fakeroot unless it may make nodes and
    give files away; returns in the process that may."""
    if os.environ.get(INSIDE):
        return
    with tempfile.TemporaryDirectory() as scratch:
        probe = Path(scratch) / "node"
        try:
            os.mknod(probe, stat.S_IFCHR | 0o600, os.makedev(5, 1))
            os.chown(probe, 0, 0)
            return
        except OSError:
            pass
    command = [images.find_tool("fakeroot"), "--", sys.executable, __file__, *words]
    os.execve(command[0], command, {**os.environ, INSIDE: "1"})


def parser() -> argparse.ArgumentParser:
    """The options as scripts/mkinitrd.sh hands them over, already checked."""
    options = argparse.ArgumentParser(prog="mkinitrd.sh", allow_abbrev=False)
    options.add_argument("--list", action="store_true")
    options.add_argument("--tree", type=Path)
    options.add_argument("--fs", default="ext2", choices=images.FORMATS)
    options.add_argument("--compress", default="none", choices=["none", *images.COMPRESSORS])
    options.add_argument("--level", type=int)
    options.add_argument("--size", type=images.parse_size)
    options.add_argument("--label", default="")
    options.add_argument("--align", type=int, default=4)
    options.add_argument("--init", type=Path)
    options.add_argument("--linuxrc", type=Path)
    options.add_argument("--add", action="append", default=[])
    options.add_argument("--no-check", action="store_true")
    options.add_argument("--output", default="")
    options.add_argument("--force", action="store_true")
    options.add_argument("--quiet", action="store_true")
    options.add_argument("--verbose", action="store_true")
    return options


def source_date_epoch() -> int | None:
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not text.isdecimal():
        raise ImageError(f"SOURCE_DATE_EPOCH={text}: must be a number of seconds since 1970")
    return int(text)


def prepare(options: argparse.Namespace, stage: Path) -> int:
    """Fills the stage and returns the time that the image is stamped with."""
    stage.mkdir(mode=0o755)
    if options.tree is not None:
        copy_tree(options.tree, stage)
        source_time = newest(stage)
    else:
        images.demo_tree(stage)
        source_time = int(images.find_busybox().stat().st_mtime)
    if options.init is not None:
        install(stage, options.init, "sbin/init", 0o755)
        if options.fs == "cpio":
            (stage / "init").unlink(missing_ok=True)
            (stage / "init").symlink_to("sbin/init")
    if options.linuxrc is not None:
        install(stage, options.linuxrc, "linuxrc", 0o755)
    for word in options.add:
        add(stage, word)
    make_console(stage)
    give_to_root(stage)
    if not options.no_check:
        check_tree(stage, options.fs)
    epoch = source_date_epoch()
    if epoch is None:
        epoch = source_time
    stamp(stage, epoch)
    return epoch


def check_output(options: argparse.Namespace) -> None:
    """Refuses places where the image must not go."""
    if options.output == "-":
        if sys.stdout.isatty():
            raise ImageError("will not write an image to a terminal; redirect it, or name a file")
        return
    target = Path(options.output)
    if target.is_dir():
        raise ImageError(f"{target} is a folder; name a file")
    if target.is_file() and not options.force:
        raise ImageError(f"{target} is there already; --force writes over it")
    if not target.parent.is_dir():
        raise ImageError(f"{target.parent}: there is no such folder")
    if options.tree is not None and options.tree.resolve() in target.resolve().parents:
        raise ImageError(f"{target} lies in {options.tree}, and would be packed into itself the next time;"
                         " name another place")


def run(options: argparse.Namespace) -> None:
    check_output(options)
    if len(os.fsencode(options.label)) > images.LABELS.get(options.fs, 0):
        held = ", ".join(f"{kind} ({count} bytes)" for kind, count in images.LABELS.items())
        raise ImageError(f"--label {options.label}: {options.fs} cannot hold it; labels fit into {held}")
    if options.level is not None:
        images.compressor_command(options.compress, options.level)
    with tempfile.TemporaryDirectory(prefix="mkinitrd-") as scratch:
        stage = Path(scratch) / "tree"
        epoch = prepare(options, stage)
        recipe = Recipe(options.size, epoch, options.label, identity(stage, options.fs), options.align)
        image = Path(scratch) / "image"
        make_image(options.fs, stage, image, recipe)
        if options.verbose:
            say(f"{options.fs}: {image.stat().st_size} bytes, {sum(1 for _ in walk(stage))} files, stamped {epoch}")
        packed = images.compress(image, options.compress, level=options.level)
        size = packed.stat().st_size
        deliver(packed, options.output, force=options.force)
    if not options.quiet:
        kind = images.Kind(options.compress, options.fs)
        name = "standard output" if options.output == "-" else options.output
        hint = "" if options.output == "-" else f"; boot it: {boot_command(options.output)}"
        print(f"{name}: {kind}, {size} bytes{hint}", file=sys.stderr if options.output == "-" else sys.stdout)


def main(words: Sequence[str]) -> int:
    options = parser().parse_args(words)
    images.verbose = options.verbose
    if options.list:
        print(listing())
        return 0
    try:
        become_root(words)
        run(options)
    except (ImageError, OSError) as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
