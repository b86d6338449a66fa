# SPDX-License-Identifier: GPL-2.0
"""The READMEs: their commands for the host, their links, and that they are complete."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import readme  # noqa: E402
from readme import READMES, Session, blocks  # noqa: E402

KINDS = ("host", "boot", "file", "guest", "not run")


def sources() -> list[Path]:
    """The sources of what goes into the kernel."""
    return [path for folder in ("initrd", "ramdisk") for path in sorted((ROOT / folder).rglob("*.c*"))]


def test_every_command_is_marked() -> None:
    """Whoever adds commands says whether they are run, and why not."""
    shell = [block for block in blocks() if block.language == "sh"]
    assert [str(block) for block in shell if block.kind not in KINDS] == []
    assert [str(block) for block in shell if block.kind in ("file", "guest", "not run") and not block.word] == []
    assert sum(block.kind != "not run" for block in shell) > len(shell) / 2


def test_commands_for_the_host(tmp_path: Path) -> None:
    """They run one after the other in one folder, and make what they name."""
    session = Session(tmp_path / "readme")
    (session.folder / "vmlinuz").write_bytes(b"a kernel")
    for block in blocks():
        if block.kind == "file":
            session.save(block)
        if block.kind != "host" or (block.word == "root" and os.geteuid() != 0):
            continue
        if block.word in ("", "root") or shutil.which(block.word):
            session.run(block)
    made = {path.name for path in session.folder.iterdir()}
    assert {"initrd.img", "initrd.sqsh", "large.img", "both.img", "erofs.img", "ext2.img.zst", "archive.cpio"} <= made
    assert (session.folder / "large.img").stat().st_size == 16 << 20
    assert (session.folder / "imagefile/sbin/init").is_file()


def test_said_as_shown(tmp_path: Path) -> None:
    """The line that is shown for the first image is the line that comes."""
    session = Session(tmp_path / "readme")
    first, *after = itertools.dropwhile(lambda block: block.kind != "host", blocks())
    shown = next(block for block in after if not block.language)
    number = r"\d+ bytes"
    said = re.sub(number, "N bytes", session.run(first).stdout).replace(os.path.relpath(ROOT, session.folder), ".")
    assert said.replace(str(ROOT), ".") == re.sub(number, "N bytes", shown.text)


@pytest.mark.parametrize("block", [b for b in blocks() if b.language == "sh"], ids=str)
def test_syntax(block: readme.Block) -> None:
    """Those that are not run are shell all the same."""
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)


def test_files_pass_shellcheck(tmp_path: Path) -> None:
    """The scripts to copy are good ones."""
    for block in blocks():
        if block.kind == "file":
            path = tmp_path / block.word
            path.write_text(block.text)
            done = subprocess.run(["shellcheck", "--exclude=SC2094", str(path)], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout


def test_every_readme_is_read() -> None:
    """Each once, and the first one leads to all others."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name != "build" and path.name[0] != "."]
    below = [path for folder in folders for path in folder.rglob("README.md")
             if not any(name.startswith(".") for name in path.relative_to(ROOT).parts)]
    assert sorted(READMES) == sorted([ROOT / "README.md", *below])
    assert set(READMES[1:]) <= {path for path, _ in links(READMES[0])}


def test_first_readme_is_short() -> None:
    """What is longer has a room of its own."""
    assert READMES[0] == ROOT / "README.md"
    assert len(READMES[0].read_text().splitlines()) <= 300


def test_titles_are_unique() -> None:
    """A chapter is found by its title, and a heading of a file by its anchor."""
    titles = [title for title, _ in readme.chapters()]
    assert [title for title in titles if titles.count(title) > 1] == []
    for path in READMES:
        assert [anchor for anchor in anchors(path) if anchors(path).count(anchor) > 1] == [], path


def anchors(path: Path) -> list[str]:
    """What a link can name of a file: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", readme.prose(path), re.M)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def links(path: Path) -> list[tuple[Path, str]]:
    """The file and the anchor ("" without one) of each link of a file."""
    targets = [target.partition("#") for target in re.findall(r"\]\(([^)]+)\)", path.read_text())]
    return [((path.parent / name).resolve() if name else path, anchor) for name, _, anchor in targets]


@pytest.mark.parametrize("path", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(path: Path) -> None:
    """Chapters that are linked to exist, and so do files."""
    for target, anchor in links(path):
        assert target.exists(), target
        assert not anchor or (target in READMES and anchor in anchors(target)), f"{target}#{anchor}"
    for name in re.findall(r"`((?:scripts|qemu|initrd|ramdisk|tests)/[\w./-]*)`", path.read_text()):
        assert "NAME" in name or (ROOT / name).exists(), name


def test_options_exist() -> None:
    """Every option of ours that the READMEs show is in the script's --help."""
    text = readme.text().replace("\\\n", " ")
    for script in ("scripts/mkinitrd.sh", "scripts/prepare-kernel.sh", "scripts/build-kernel.sh",
                   "scripts/initrd-inspect", "qemu/boot"):
        told = subprocess.run([str(ROOT / script), "--help"], capture_output=True, text=True, check=True).stdout
        for line in re.findall(rf"{script}( [^\n`#;|]*)", text):
            for option in re.findall(r" (--?[a-z][\w-]*)", re.sub(r'"[^"]*"', "", line)):
                assert re.search(rf"{option}\b", told), f"{script} {option}"


def test_every_message_is_explained() -> None:
    """What a user can read in the log stands in the chapter Messages."""
    text = re.sub(r"[…`]", "", readme.chapter("Messages"))
    missing = []
    for path in sources():
        for message in re.findall(r'"initrd: ([^"]+?)(?:\\n)?"', path.read_text()):
            # The words between the conversions, in this order.
            words = [re.escape(part.strip(" :,()%")) for part in re.split(r"%[-#\d.*]*(?:ll|l|z)?[a-zA-Z]", message)]
            if not re.search(r"initrd: [^|\n]*?" + r"[^|\n]*?".join(word for word in words if word), text):
                missing.append(f"{path.relative_to(ROOT)}: {message}")
    assert missing == []


def test_every_parameter_is_explained() -> None:
    """What the code registers stands in the chapter Kernel parameters."""
    text = readme.chapter("Kernel parameters")
    table = (ROOT / "initrd/seam/parameters.inc").read_text()
    names = set(re.findall(r'^(?:EARLY|SETUP)\(\w+, "([\w.]+)=?"', table, re.M))
    for path in sources():
        code = path.read_text()
        names |= set(re.findall(r'(?:__setup|early_param)\("([\w.]+)=?"', code))
        names |= {f"brd.{name}" for name in re.findall(r"^module_param\((\w+),", code, re.M)}
    assert {"noinitrd", "initrdmem", "ramdisk_size", "brd.rd_nr"} <= names
    assert [name for name in sorted(names) if not re.search(rf"^{re.escape(name)}\b", text, re.M)] == []
