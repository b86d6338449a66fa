# SPDX-License-Identifier: GPL-2.0
"""scripts/prepare-kernel.sh on small stand-ins for a kernel tree.

Each test has a project of its own (the scripts, and a few source files) and a
tree of its own, so that files can come and go. The last tests use this project
and what build-kernel.sh unpacked, if it did.

    /usr/bin/python3 -m pytest tests/scripts/test_prepare_kernel.py
"""

import hashlib
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEGIN = "# initrd-cxx: begin"
OVERLAY = "init/initrd-cxx"

TREE = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
    "init/Makefile": (
        "obj-y := main.o mounts.o\n"
        "obj-$(CONFIG_BLK_DEV_INITRD) += initramfs.o\n"
        "mounts-y := do_mounts.o\n"
        "mounts-$(CONFIG_BLK_DEV_RAM) += do_mounts_rd.o\n"
        "mounts-$(CONFIG_BLK_DEV_INITRD) += do_mounts_initrd.o\n"
    ),
    "init/Kconfig": 'if BLK_DEV_INITRD\n\nsource "usr/Kconfig"\n\nendif\n',
    "init/main.c": "int x;\n",
    "drivers/block/Makefile": "obj-$(CONFIG_BLK_DEV_RAM)\t+= brd.o\nobj-y += loop.o\n",
    "usr/Kconfig": "config RD_GZIP\n\tbool\n",
    "block/ioctl.c": """\
static int blkdev_common_ioctl(struct block_device *bdev, blk_mode_t mode,
			       unsigned int cmd, unsigned long arg,
			       void __user *argp);

static int blkdev_other_ioctl(unsigned int cmd)
{
	switch (cmd) {
	case BLKFLSBUF:
		return 1;
	}
	return 0;
}

static int blkdev_common_ioctl(struct block_device *bdev, blk_mode_t mode,
			       unsigned int cmd, unsigned long arg,
			       void __user *argp)
{
	switch (cmd) {
	case BLKFLSBUF:
		return blkdev_flushbuf(bdev, cmd, arg);
	case BLKROSET:
		return blkdev_roset(bdev, cmd, arg);
	}
	return blkdev_other_ioctl(cmd);
}
""",
}

#: The files that get a block.
BLOCK_FILES = ("init/Makefile", "drivers/block/Makefile", "usr/Kconfig", "block/ioctl.c")
#: Those whose block stands at the end.
ENDS = BLOCK_FILES[:3]

PROJECT = {
    "Kbuild": "obj-y += initrd/\n",
    "Kconfig": "config INITRD_CXX\n\tbool\n",
    "README.md": "not for the tree\n",
    "initrd/boot/boot.cc": "int boot;\n",
    "initrd/Kbuild": "obj-y += boot/boot.o\n",
    "initrd/formats/cpio_reader.h": "int reader;\n",
    "initrd/hosted/world.cc": "not for the tree\n",
    "initrd/formats/notes.md": "not for the tree\n",
    "initrd/formats/.hidden.h": "not for the tree\n",
    "initrd/formats/cpio_reader.o": "not for the tree\n",
    "initrd/seam/parameters.inc": "ROW(1)\n",
    "initrd/linux/memory.c": "int memory;\n",
    "ramdisk/entry.S": "nop\n",
    "ramdisk/generate.py": "not for the tree\n",
    "tests/kunit/cpio_kunit.c": "int kunit;\n",
    "tests/host/main.cc": "not for the tree\n",
    "scripts/Makefile.cxx": "# rule\n",
    "scripts/other.sh": "not for the tree\n",
}

IN_TREE = {
    "Kbuild",
    "Kconfig",
    "initrd/boot/boot.cc",
    "initrd/Kbuild",
    "initrd/formats/cpio_reader.h",
    "initrd/linux/memory.c",
    "initrd/seam/parameters.inc",
    "ramdisk/entry.S",
    "tests/kunit/cpio_kunit.c",
    "scripts/Makefile.cxx",
}


def write_files(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def snapshot(folder, mtimes=False):
    """Everything below a folder: type, mode, contents or target, maybe mtime."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_dir():
            content = None
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (
            stat.filemode(status.st_mode),
            content,
            status.st_mtime_ns if mtimes else None,
        )
    return found


def contents(folder):
    """The files below a folder with their text, links followed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Setup:
    """A project and a kernel tree, in folders whose names have blanks."""

    def __init__(self, tmp_path):
        self.project = tmp_path / "the project"
        self.tree = tmp_path / "linux tree"
        self.tmp = tmp_path
        write_files(self.project, PROJECT)
        for name in ("prepare-kernel.sh", "lib.sh"):
            shutil.copy2(ROOT / "scripts" / name, self.project / "scripts" / name)
        write_files(self.tree, TREE)
        (self.tree / "init/Makefile").chmod(0o640)

    @property
    def overlay(self):
        return self.tree / OVERLAY

    def run(self, *options, tree=None, status=0, cwd="/", env=None):
        """Run the script; check the exit status; return stdout + stderr."""
        done = subprocess.run(
            [self.project / "scripts/prepare-kernel.sh", f"--linux={tree or self.tree}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=env,
            timeout=60,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def run_raw(self, *words, status):
        done = subprocess.run(
            [self.project / "scripts/prepare-kernel.sh", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, done.stdout
        return done.stdout


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path)


@pytest.fixture(params=["link", "copy"])
def mode(request):
    return request.param


def test_install(setup, mode):
    setup.run(f"--mode={mode}")
    files = {str(p.relative_to(setup.overlay)) for p in setup.overlay.rglob("*") if p.is_file()}
    assert files == IN_TREE | {"overlay.manifest"}
    for name in IN_TREE:
        path = setup.overlay / name
        assert path.is_symlink() == (mode == "link")
        assert path.read_text() == PROJECT[name]
        if mode == "link":
            assert os.readlink(path) == str(setup.project / name)
    assert not any(p.is_symlink() for p in setup.overlay.rglob("*") if p.is_dir())
    text = (setup.tree / "init/Makefile").read_text()
    assert text.startswith(TREE["init/Makefile"])
    assert "$(filter-out do_mounts_rd.o do_mounts_initrd.o,$(mounts-y))" in text
    assert stat.S_IMODE((setup.tree / "init/Makefile").stat().st_mode) == 0o640
    assert "filter-out brd.o,$(obj-m)" in (setup.tree / "drivers/block/Makefile").read_text()
    assert f'source "{OVERLAY}/Kconfig"' in (setup.tree / "usr/Kconfig").read_text()


def test_block_inside_a_function(setup):
    """The block stands in the right function, after the right line, indented."""
    setup.run()
    text = (setup.tree / "block/ioctl.c").read_text()
    block = re.search(r"^\t\t/\* initrd-cxx: begin .* \*/\n(.*\n)*?\t\t/\* initrd-cxx: end \*/\n", text, re.M)
    assert block and text.count("initrd-cxx: begin") == 1
    assert text[: block.start()].endswith("argp)\n{\n\tswitch (cmd) {\n\tcase BLKFLSBUF:\n")
    assert text[block.end() :].startswith("\t\treturn blkdev_flushbuf(bdev, cmd, arg);\n")
    assert text[: block.start()] + text[block.end() :] == TREE["block/ioctl.c"]
    assert all(re.match(r"\t\t|$", line) for line in block[0].splitlines())


#: What block/ioctl.c needs of a kernel, with a RAM disk's driver and a program
#: that asks for BLKFLSBUF. 100 is the answer of the block layer itself.
BLOCK_LAYER = """\
#define __user
#define ENOTTY 25
#define IS_ENABLED(option) option
enum { BLKFLSBUF = 5, BLKROSET, CAP_SYS_ADMIN };
typedef int blk_mode_t;
struct block_device;
struct operations { int (*ioctl)(struct block_device *, blk_mode_t, unsigned, unsigned long); };
struct disk { int major; const struct operations *fops; };
struct block_device { struct disk *bd_disk; };
static int capable(int what) { return what == CAP_SYS_ADMIN && CAPABLE; }
static int blkdev_flushbuf(struct block_device *bdev, unsigned cmd, unsigned long arg) { return 100; }
static int blkdev_roset(struct block_device *bdev, unsigned cmd, unsigned long arg) { return 101; }
#include "block/ioctl.c"
static int driver(struct block_device *bdev, blk_mode_t mode, unsigned cmd, unsigned long arg)
{
	return mode == 3 && cmd == BLKFLSBUF && arg == 4 ? ANSWER : 99;
}
int main(void)
{
	const struct operations with = { driver }, without = { 0 };
	struct disk disk = { MAJOR, HAS_IOCTL ? &with : &without };
	struct block_device bdev = { &disk };

	return blkdev_common_ioctl(&bdev, 3, BLKFLSBUF, 4, 0) != EXPECTED;
}
"""


@pytest.mark.parametrize(
    "different, expected",
    [
        ({}, 7),
        ({"ANSWER": 0}, 0),
        ({"ANSWER": -25}, 100),
        ({"HAS_IOCTL": 0}, 100),
        ({"MAJOR": 8}, 100),
        ({"CAPABLE": 0}, 100),
        ({"CONFIG_INITRD_CXX": 0}, 100),
    ],
)
def test_block_asks_the_driver(setup, different, expected):
    setup.run()
    values = {"CONFIG_INITRD_CXX": 1, "MAJOR": 1, "HAS_IOCTL": 1, "CAPABLE": 1, "ANSWER": 7} | different
    (setup.tmp / "program.c").write_text(BLOCK_LAYER)
    subprocess.run(
        ["clang-19", "-Wall", "-Werror", f"-I{setup.tree}", "-o", setup.tmp / "program", setup.tmp / "program.c"]
        + [f"-D{name}={value}" for name, value in (values | {"EXPECTED": expected}).items()],
        check=True,
    )
    subprocess.run([setup.tmp / "program"], check=True)


def test_edits_around_the_block(setup):
    """Lines above and below may change; the block is found all the same."""

    def edit(text):
        text = text.replace("\treturn blkdev_other", "\tcmd++;\n\treturn blkdev_other")
        return "/* an edit */\n" + text.replace("\t\treturn blkdev_flush", "\t\tcmd--;\n\t\treturn blkdev_flush")

    setup.run()
    path = setup.tree / "block/ioctl.c"
    path.write_text(edit(path.read_text()))
    before = snapshot(setup.tree, mtimes=True)
    assert "up to date" in setup.run()
    assert snapshot(setup.tree, mtimes=True) == before
    setup.run("--uninstall")
    assert path.read_text() == edit(TREE["block/ioctl.c"])


def test_block_in_a_wrong_place_moves_back(setup):
    setup.run()
    path = setup.tree / "block/ioctl.c"
    right = path.read_text()
    block = right[right.index("\t\t/* initrd-cxx: begin") : right.index("\t\treturn blkdev_flushbuf")]
    path.write_text(right.replace(block, "").replace("\t\treturn 1;\n", block + "\t\treturn 1;\n"))
    assert "stale" in setup.run("--check")
    setup.run()
    assert path.read_text() == right


def test_make_sees_the_right_objects(setup):
    """The blocks mean what they say: ask make itself."""
    setup.run()
    for cxx, expected in (
        ("y", "main.o mounts.o initrd-cxx/ | do_mounts.o | loop.o"),
        ("", "main.o mounts.o initramfs.o | do_mounts.o do_mounts_rd.o do_mounts_initrd.o | brd.o loop.o"),
    ):
        ask = setup.tmp / "ask.mk"
        ask.write_text(
            "include init/Makefile\nI := $(obj-y)\nobj-y :=\ninclude drivers/block/Makefile\n"
            "$(info $(strip $(I)) | $(mounts-y) | $(strip $(obj-y)))\nall:;@:\n"
        )
        command = ["make", "-s", "-f", ask, "CONFIG_BLK_DEV_INITRD=y", "CONFIG_BLK_DEV_RAM=y"]
        command += [f"CONFIG_INITRD_CXX={cxx}"]
        out = subprocess.run(command, cwd=setup.tree, capture_output=True, text=True, check=True)
        assert out.stdout.strip() == expected


def test_second_run_changes_nothing(setup, mode):
    setup.run(f"--mode={mode}")
    before = snapshot(setup.tree, mtimes=True)
    assert "up to date" in setup.run(f"--mode={mode}")
    assert snapshot(setup.tree, mtimes=True) == before


def test_uninstall_restores_the_tree(setup, mode):
    before = snapshot(setup.tree)
    setup.run(f"--mode={mode}")
    (setup.overlay / "initrd/boot.o").write_text("object")
    (setup.overlay / "initrd/.boot.o.cmd").write_text("command")
    (setup.overlay / "initrd/modules.order").write_text("")
    (setup.overlay / "built-in.a").write_text("archive")
    setup.run("--uninstall")
    assert snapshot(setup.tree) == before
    again = snapshot(setup.tree, mtimes=True)
    setup.run("--uninstall")
    assert snapshot(setup.tree, mtimes=True) == again


def test_uninstall_without_newline_at_the_end(setup):
    for name in ENDS:
        path = setup.tree / name
        path.write_bytes(path.read_bytes() + b"# no newline, and some bytes: \xff\x80\t")
    (setup.tree / "block/ioctl.c").write_bytes(TREE["block/ioctl.c"].encode() + b"// \xff\x80 and no newline")
    before = snapshot(setup.tree)
    setup.run()
    assert f"\n{BEGIN}".encode() in (setup.tree / "usr/Kconfig").read_bytes()
    middle = snapshot(setup.tree, mtimes=True)
    setup.run()
    assert snapshot(setup.tree, mtimes=True) == middle
    setup.run("--uninstall")
    assert snapshot(setup.tree) == before


def test_lines_below_the_block_stay(setup):
    setup.run()
    path = setup.tree / "usr/Kconfig"
    path.write_text(path.read_text() + "# added later\n")
    assert "stale" in setup.run("--check")
    setup.run("--uninstall")
    assert path.read_text() == TREE["usr/Kconfig"] + "# added later\n"


def test_uninstall_spares_files_of_others(setup):
    setup.run()
    (setup.overlay / "initrd/mine.c").write_text("int mine;\n")
    before = snapshot(setup.tree, mtimes=True)
    assert "initrd/mine.c" in setup.run("--uninstall", status=1)
    assert snapshot(setup.tree, mtimes=True) == before
    setup.run("--uninstall", "--force")
    assert not setup.overlay.exists()


def test_refresh(setup, mode):
    setup.run(f"--mode={mode}")
    (setup.overlay / "initrd/boot.o").write_text("object")
    (setup.overlay / "initrd/formats/cpio_reader.o").write_text("object")
    before = snapshot(setup.tree, mtimes=True)

    write_files(setup.project, {"initrd/new/file.cc": "int file;\n", "initrd/boot/boot.cc": "int changed;\n"})
    (setup.project / "initrd/linux/memory.c").unlink()
    (setup.project / "initrd/linux").rmdir()
    (setup.project / "initrd/formats/cpio_reader.h").unlink()
    assert "installed but stale" in setup.run("--check")
    setup.run(f"--mode={mode}")

    after = snapshot(setup.tree, mtimes=True)
    assert (setup.overlay / "initrd/new/file.cc").read_text() == "int file;\n"
    assert (setup.overlay / "initrd/boot/boot.cc").read_text() == "int changed;\n"
    assert not (setup.overlay / "initrd/linux").exists()
    assert not os.path.lexists(setup.overlay / "initrd/formats/cpio_reader.h")
    assert (setup.overlay / "initrd/formats/cpio_reader.o").exists()
    for name in ("initrd/boot.o", "initrd/Kbuild", "Kbuild", "ramdisk/entry.S"):
        assert after[f"{OVERLAY}/{name}"] == before[f"{OVERLAY}/{name}"], name
    for name in BLOCK_FILES:
        assert after[name] == before[name]
    if mode == "link":
        assert after[f"{OVERLAY}/initrd/boot/boot.cc"] == before[f"{OVERLAY}/initrd/boot/boot.cc"]
    assert "installed (mode" in setup.run("--check")


def test_change_of_mode(setup):
    setup.run("--mode=link")
    linked = contents(setup.tree)
    setup.run("--mode=copy")
    assert not any(p.is_symlink() for p in setup.overlay.rglob("*"))
    setup.run("--mode=link")
    assert contents(setup.tree) == linked
    assert (setup.overlay / "Kbuild").is_symlink()


def test_moved_project(setup):
    setup.run()
    moved = setup.tmp / "moved"
    setup.project.rename(moved)
    setup.project = moved
    assert "stale" in setup.run("--check")
    setup.run()
    assert os.readlink(setup.overlay / "Kbuild") == str(moved / "Kbuild")


ANCHORS = [
    ("init/Makefile", "initramfs.o"),
    ("init/Makefile", "mounts-y"),
    ("init/Makefile", "do_mounts_rd.o"),
    ("init/Makefile", "do_mounts_initrd.o"),
    ("drivers/block/Makefile", "brd.o"),
    ("usr/Kconfig", "RD_GZIP"),
    ("init/Kconfig", 'source "usr/Kconfig"'),
    ("init/Kconfig", "if BLK_DEV_INITRD"),
    ("block/ioctl.c", "blkdev_common_ioctl"),
    ("block/ioctl.c", "*bdev"),
    ("block/ioctl.c", "unsigned long arg"),
    ("block/ioctl.c", "case BLKFLSBUF:\n\t\treturn blkdev"),
]


@pytest.mark.parametrize("file, anchor", ANCHORS)
@pytest.mark.parametrize("option", [None, "--check", "--outpatch=p.patch"])
def test_missing_anchor(setup, file, anchor, option):
    path = setup.tree / file
    path.write_text(path.read_text().replace(anchor, "renamed"))
    before = snapshot(setup.tree, mtimes=True)
    out = setup.run(*([option] if option else []), status=1, cwd=setup.tmp)
    assert "missing anchor" in out and file in out
    assert snapshot(setup.tree, mtimes=True) == before
    assert not (setup.tmp / "p.patch").exists()


def test_anchor_that_is_there_twice(setup):
    path = setup.tree / "block/ioctl.c"
    path.write_text(path.read_text().replace("\tcase BLKROSET:", "\tcase BLKFLSBUF:"))
    before = snapshot(setup.tree, mtimes=True)
    out = setup.run(status=1)
    assert 'block/ioctl.c has more than one line "case BLKFLSBUF:" in blkdev_common_ioctl()' in out
    assert snapshot(setup.tree, mtimes=True) == before


@pytest.mark.parametrize("file", [*BLOCK_FILES, "init/Kconfig"])
def test_missing_file(setup, file):
    (setup.tree / file).unlink()
    before = snapshot(setup.tree, mtimes=True)
    assert file in setup.run(status=1)
    assert snapshot(setup.tree, mtimes=True) == before


def test_source_outside_the_condition(setup):
    (setup.tree / "init/Kconfig").write_text('if BLK_DEV_INITRD\nendif\nsource "usr/Kconfig"\n')
    assert "init/Kconfig" in setup.run(status=1)


@pytest.mark.parametrize("file", ["usr/Kconfig", "block/ioctl.c"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: re.sub(r".* initrd-cxx: end.*\n", "", text),
        lambda text: re.sub(r".* initrd-cxx: begin.*\n", "", text),
        lambda text: text.replace("initrd-cxx: end", "initrd-cxx: ended"),
        lambda text: re.sub(r"initrd-cxx: end.*", "initrd-cxx: end of it", text),
        lambda text: text + text[text.index("initrd-cxx: begin") - 2 :],
        lambda text: re.search(r".* initrd-cxx: end.*\n", text)[0] + text,
    ],
    ids=["no end", "no begin", "other end", "longer end", "twice", "end first"],
)
def test_damaged_block(setup, damage, file):
    setup.run()
    path = setup.tree / file
    path.write_text(damage(path.read_text()))
    before = snapshot(setup.tree, mtimes=True)
    assert "damaged" in setup.run(status=1)
    assert "damaged" in setup.run("--uninstall", status=1)
    assert snapshot(setup.tree, mtimes=True) == before


def test_series(setup):
    makefile = setup.tree / "Makefile"
    makefile.write_text("VERSION = 6\nPATCHLEVEL = 1\n")
    setup.run("--check")
    makefile.write_text("VERSION = 5\nPATCHLEVEL = 4\n")
    before = snapshot(setup.tree, mtimes=True)
    out = setup.run(status=1)
    assert "5.4" in out and "6.1, 6.12" in out and "--force" in out
    setup.run("--check", status=1)
    assert snapshot(setup.tree, mtimes=True) == before
    assert "5.4 is not known" in setup.run("--force")
    assert (setup.overlay / "Kbuild").exists()


def test_anchors_of_an_unknown_series(setup):
    """--force lets the series pass, not a tree that lacks what the blocks need."""
    (setup.tree / "Makefile").write_text("VERSION = 7\nPATCHLEVEL = 9\n")
    (setup.tree / "block/ioctl.c").write_text("int none;\n")
    before = snapshot(setup.tree, mtimes=True)
    out = setup.run("--force", status=1)
    assert "7.9 is not known" in out and "missing anchor: block/ioctl.c" in out
    assert snapshot(setup.tree, mtimes=True) == before


def test_no_kernel_tree(setup):
    empty = setup.tmp / "empty"
    empty.mkdir()
    for options in ([], ["--check"], ["--uninstall"], ["--force"]):
        assert "no kernel source tree" in setup.run(*options, tree=empty, status=1)
    assert "no such folder" in setup.run(tree=setup.tmp / "nowhere", status=1)
    assert not list(empty.iterdir())


def test_foreign_folder(setup):
    write_files(setup.overlay, {"Kbuild": "somebody else's\n"})
    before = snapshot(setup.tree, mtimes=True)
    for options in ([], ["--check"], ["--uninstall"]):
        assert "did not make it" in setup.run(*options, status=1)
    assert snapshot(setup.tree, mtimes=True) == before


def test_check(setup):
    before = snapshot(setup.tree, mtimes=True)
    assert "not installed" in setup.run("--check")
    assert snapshot(setup.tree, mtimes=True) == before
    setup.run("--mode=copy")
    before = snapshot(setup.tree, mtimes=True)
    assert "installed (mode copy)" in setup.run("--check")
    assert snapshot(setup.tree, mtimes=True) == before


def test_dry_run(setup):
    before = snapshot(setup.tree, mtimes=True)
    out = setup.run("--dry-run")
    assert f"would link {OVERLAY}/initrd/boot/boot.cc" in out
    assert "would write init/Makefile" in out
    assert snapshot(setup.tree, mtimes=True) == before
    setup.run()
    before = snapshot(setup.tree, mtimes=True)
    assert f"would rmtree {OVERLAY}" in setup.run("--uninstall", "--dry-run")
    assert snapshot(setup.tree, mtimes=True) == before


@pytest.mark.parametrize("tool", [["patch", "-p1", "-s", "-i"], ["git", "apply"]])
@pytest.mark.parametrize("newline", [True, False])
def test_outpatch(setup, tool, newline):
    write_files(setup.project, {"initrd/empty.h": "", "initrd/open.h": "int no_newline;"})
    if not newline:
        path = setup.tree / "usr/Kconfig"
        path.write_text(path.read_text().rstrip("\n"))
    clean = setup.tmp / "clean"
    shutil.copytree(setup.tree, clean)
    before = snapshot(setup.tree, mtimes=True)
    patch = setup.tmp / "the change.patch"
    setup.run("--outpatch", str(patch))
    assert snapshot(setup.tree, mtimes=True) == before

    subprocess.run([*tool, patch], cwd=clean, check=True)
    setup.run("--mode=copy")
    assert contents(clean) == contents(setup.tree)
    assert "installed (mode copy)" in setup.run("--check", tree=clean)
    setup.run("--uninstall", tree=clean)
    setup.run("--uninstall")
    assert contents(clean) == contents(setup.tree)


def test_outpatch_from_an_installed_tree(setup):
    first, second = setup.tmp / "1.patch", setup.tmp / "2.patch"
    setup.run(f"--outpatch={first}")
    setup.run("--mode=link")
    before = snapshot(setup.tree, mtimes=True)
    setup.run(f"--outpatch={second}")
    assert first.read_bytes() == second.read_bytes()
    assert snapshot(setup.tree, mtimes=True) == before


@pytest.mark.parametrize("number", range(1, 15))
def test_roll_back(setup, number):
    """A failure at any step leaves no trace. `mv` is the step that counts."""
    tools = setup.tmp / "tools"
    write_files(
        tools,
        {
            "mv": (
                "#!/bin/sh\n"
                f"n=$(($(cat '{setup.tmp}/count' 2>/dev/null || echo 0) + 1))\n"
                f"echo $n >'{setup.tmp}/count'\n"
                f"[ $n -ne {number} ] || exit 1\n"
                'exec /bin/mv "$@"\n'
            )
        },
    )
    (tools / "mv").chmod(0o755)
    before = snapshot(setup.tree)
    out = setup.run(status=1, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    assert "restoring the tree" in out
    assert snapshot(setup.tree) == before


def test_roll_back_of_an_update(setup):
    setup.run("--mode=copy")
    before = snapshot(setup.tree)
    (setup.project / "initrd/linux/memory.c").unlink()
    write_files(setup.project, {"initrd/boot/boot.cc": "int changed;\n"})
    tools = setup.tmp / "tools"
    write_files(tools, {"mv": "#!/bin/sh\ncase $4 in *boot.cc) exit 1 ;; esac\nexec /bin/mv \"$@\"\n"})
    (tools / "mv").chmod(0o755)
    setup.run("--mode=copy", status=1, env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
    assert snapshot(setup.tree) == before


def test_kernel_path_in_other_forms(setup):
    (setup.tmp / "other").symlink_to(setup.tree)
    setup.run(tree="other", cwd=setup.tmp)
    before = snapshot(setup.tree, mtimes=True)
    setup.run_raw("--linux", str(setup.tree), "--mode", "link", status=0)
    assert snapshot(setup.tree, mtimes=True) == before


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--linux"],
        ["--linux="],
        ["--mode=link"],
        ["--linux=.", "--mode=hard"],
        ["--linux=.", "--unknown"],
        ["--linux=.", "--check=yes"],
        ["--linux=.", "extra"],
        ["--linux=.", "--check", "--uninstall"],
        ["--linux=.", "--outpatch="],
        ["--linux=.", "--outpatch=x", "--mode=link"],
    ],
)
def test_usage_errors(setup, words):
    assert "--help" in setup.run_raw(*words, status=2)


def test_help(setup):
    out = setup.run_raw("--help", status=0)
    for option in ("--linux", "--mode", "--outpatch", "--check", "--dry-run", "--uninstall", "--force", "--verbose"):
        assert option in out


# ---- this project and the real trees -----------------------------------------

REAL_TREES = [ROOT / "build/src" / f"linux-{series}" for series in ("6.1", "6.12")]


@pytest.mark.parametrize("source", REAL_TREES, ids=lambda p: p.name)
def test_real_tree(tmp_path, source):
    """The files of a real tree that matter, in a folder of their own. (tests/run without
    a part unpacks them first.)"""
    if not (source / "Makefile").exists():
        pytest.skip(f"no sources yet: scripts/build-kernel.sh --kernel={source.name.removeprefix('linux-')} --sources")
    tree = tmp_path / "linux"
    for name in ("Makefile", "init/Kconfig", *BLOCK_FILES):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, tree / name)

    def run(*options):
        command = [ROOT / "scripts/prepare-kernel.sh", f"--linux={tree}", *options]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)

    run("--uninstall")
    before = snapshot(tree)
    assert BEGIN not in (tree / "init/Makefile").read_text()
    run("--mode=copy")
    assert (tree / OVERLAY / "initrd").is_dir()
    after = snapshot(tree, mtimes=True)
    run("--mode=copy")
    assert snapshot(tree, mtimes=True) == after
    run("--mode=link")
    run("--uninstall")
    assert snapshot(tree) == before
