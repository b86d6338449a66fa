# SPDX-License-Identifier: GPL-2.0
"""scripts/lib.sh: packages by their exact names, and those that this machine's own
suites do not have. The machine, and the mirror that it has, are made up: apt reads
what APT_CONFIG names first, and everything is in the test's own folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: The suites of the made-up mirror, with the versions of each package there.
SUITES = {
    "own": {"source-110": "1"},
    "own-security": {},
    "other": {"source-1.0": "1.0.1"},
    "other-security": {"source-1.0": "1.0.2"},
}


class Archive:
    """A mirror, and one for security updates, with the keyring of who signed them."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        self.keys = keys
        self.gpg("--passphrase", "", "--quick-generate-key", "archive <archive@localhost>", "ed25519", "sign", "never")
        (folder / "archive.gpg").write_bytes(self.gpg("--export"))
        for suite, packages in SUITES.items():
            self.suite(folder / ("mirror-security" if "security" in suite else "mirror"), suite, packages)

    def gpg(self, *words: str | Path) -> bytes:
        return subprocess.run(["gpg", "--homedir", self.keys, "--batch", "--quiet", *words], check=True,
                              capture_output=True).stdout

    def package(self, name: str, version: str, pool: Path) -> str:
        """A package with a file, and what a list of packages says of it."""
        tree = self.folder / f"{name}-{version}"
        (tree / "usr/src").mkdir(parents=True)
        (tree / "DEBIAN").mkdir()
        for path in (tree, *tree.rglob("*")):
            path.chmod(0o755)
        (tree / f"usr/src/{name}.tar.xz").write_text(f"{name} {version}\n")
        control = (f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n"
                   f"Description: {name}\n")
        (tree / "DEBIAN/control").write_text(control)
        file = pool / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, file], check=True, capture_output=True)
        data = file.read_bytes()
        return (f"{control}Filename: pool/{file.name}\nSize: {len(data)}\n"
                f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n")

    def suite(self, mirror: Path, suite: str, packages: dict[str, str]) -> None:
        """A suite, which is signed."""
        dist, pool = mirror / "dists" / suite, mirror / "pool"
        lists = dist / "main/binary-all"
        lists.mkdir(parents=True)
        pool.mkdir(exist_ok=True)
        text = "".join(self.package(name, version, pool) for name, version in packages.items()).encode()
        (lists / "Packages").write_bytes(text)
        release = (f"Origin: Debian\nLabel: Debian\nSuite: {suite}\nCodename: {suite}\n"
                   "Date: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: all\nComponents: main\nSHA256:\n"
                   f" {hashlib.sha256(text).hexdigest()} {len(text)} main/binary-all/Packages\n")
        (dist / "Release").write_text(release)
        self.gpg("--yes", "--digest-algo", "SHA512", "--clearsign", "--output", dist / "InRelease", dist / "Release")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an Archive."""
    # (The name of gpg's socket may not be long.)
    keys = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    yield Archive(tmp_path_factory.mktemp("archive"), keys).folder
    subprocess.run(["gpgconf", "--homedir", keys, "--kill", "all"], check=False, capture_output=True)
    shutil.rmtree(keys, ignore_errors=True)


class Machine:
    """A machine whose apt knows one suite of a mirror of its own."""

    def __init__(self, folder: Path, archive: Path) -> None:
        shutil.copytree(archive, folder, dirs_exist_ok=True)
        self.folder = folder
        self.keyring = folder / "archive.gpg"
        self.config = folder / "machine.conf"
        self.own = folder / "machine"
        for name in ("lists/partial", "cache/archives/partial"):
            (self.own / name).mkdir(parents=True)
        (self.own / "status").touch()
        (self.own / "sources.list").write_text(
            f"deb [signed-by={self.keyring}] file:{folder}/mirror own main\n"
            f"deb [signed-by={self.keyring}] file:{folder}/mirror-security own-security main\n")
        self.config.write_text(
            f'Dir::Etc::SourceList "{self.own}/sources.list";\nDir::Etc::SourceParts "-";\n'
            f'Dir::State::Lists "{self.own}/lists";\nDir::State::status "{self.own}/status";\n'
            f'Dir::Cache "{self.own}/cache";\nAPT::Sandbox::User "";\n'
            f'APT::Update::Post-Invoke {{ "touch {self.own}/hook"; }};\n')

    def run(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A script for bash, with the functions of lib.sh."""
        env = {**os.environ, "APT_CONFIG": str(self.config), **more}
        return subprocess.run(["bash", "-euo", "pipefail", "-c", f". scripts/lib.sh; DEBIAN_KEYRING=$0; {script}",
                               str(self.keyring)], cwd=ROOT, env=env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=600)


@pytest.fixture
def machine(tmp_path: Path, archive: Path) -> Machine:
    made = Machine(tmp_path, archive)
    done = made.run("apt-get update -q")
    assert done.returncode == 0, done.stdout + done.stderr
    (made.own / "hook").unlink()
    return made


def everything(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def test_names_are_exact(machine: Machine) -> None:
    """To apt-get, "source-1.0" is a pattern that "source-110" matches."""
    assert "Inst source-110 " in machine.run("apt-get -s install source-1.0").stdout
    assert machine.run("own_suites_have source-110").returncode == 0
    assert machine.run("own_suites_have source-1.0").returncode == 1
    assert machine.run("own_suites_have source").returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_no_other_package_is_installed(machine: Machine) -> None:
    """Nothing matches, and the failure says so."""
    options = '-s -o "Dir::State::status='
    done = machine.run(f'apt-get() {{ command apt-get {options}{machine.own}/status" "$@"; }}; '
                       "install_packages source-1.0")
    assert done.returncode == 1
    assert "could not install the packages" in done.stderr and "source-1.0" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")
def test_what_is_installed_is_looked_at(machine: Machine) -> None:
    """apt-get's word is not taken for it."""
    done = machine.run("apt-get() { :; }; install_packages no-such-package")
    assert done.returncode == 1
    assert "these packages are not installed: no-such-package" in done.stderr


def test_brought(machine: Machine) -> None:
    """The newest of all its suites is unpacked, and nothing of the machine has changed."""
    before = everything(machine.own)
    target = machine.folder / "a build/apt"
    done = machine.run(f'bring_package "{target}" source-1.0 other other-security')
    assert done.returncode == 0, done.stderr
    assert (target / "unpacked/source-1.0/usr/src/source-1.0.tar.xz").read_text() == "source-1.0 1.0.2\n"
    assert everything(machine.own) == before
    # Again, from the one that has no updates.
    done = machine.run(f'bring_package "{target}" source-1.0 other')
    assert done.returncode == 0, done.stderr
    assert (target / "unpacked/source-1.0/usr/src/source-1.0.tar.xz").read_text() == "source-1.0 1.0.1\n"


def test_one_suite_out_of_reach(machine: Machine) -> None:
    """The others may have it."""
    done = machine.run(f'bring_package "{machine.folder}/apt" source-1.0 gone-security other')
    assert done.returncode == 0, done.stderr
    assert (machine.folder / "apt/unpacked/source-1.0/usr/src/source-1.0.tar.xz").exists()


@pytest.mark.parametrize(("change", "about"), [
    # A suite that was changed after it was signed, and one that somebody else signed.
    ("sed -i 's/^Label: .*/Label: mine/' mirror/dists/other/InRelease", "source-1.0"),
    ("rm mirror/dists/other/InRelease", "source-1.0"),
    ("sed -i 's/^Size: /Size: 1/' mirror/dists/other/main/binary-all/Packages", "source-1.0"),
    # A package that is not the one of the list.
    ("printf x >>mirror/pool/source-1.0_1.0.1_all.deb", "source-1.0"),
    (": >archive.gpg", "source-1.0"),
    ("rm archive.gpg", "debian-archive-keyring"),
])
def test_signatures_are_checked(machine: Machine, change: str, about: str) -> None:
    """What is not Debian's own is not unpacked."""
    subprocess.run(change, shell=True, cwd=machine.folder, check=True)
    done = machine.run(f'bring_package "{machine.folder}/apt" source-1.0 other')
    assert done.returncode == 1
    assert about in done.stderr
    assert not (machine.folder / "apt/unpacked/source-1.0").exists()


def test_not_there(machine: Machine) -> None:
    """A package that none of its suites has, exactly."""
    done = machine.run(f'bring_package "{machine.folder}/apt" source-1 other')
    assert done.returncode == 1 and "could not fetch source-1 " in done.stderr


def test_both_forms_of_sources(machine: Machine) -> None:
    """Mirrors are those of apt's own reading, whatever form a list has; a cdrom is none."""
    said = machine.run("debian_sources K one two-security").stdout
    mirror = f"file:{machine.folder}/mirror"
    assert said == f"deb [signed-by=K] {mirror} one main\ndeb [signed-by=K] {mirror}-security two-security main\n"
    lists = (machine.own / "sources.list").read_text().split("\n")
    parts = machine.folder / "parts"
    parts.mkdir()
    (parts / "debian.sources").write_text("".join(
        f"Types: deb\nURIs: {line.split()[2]}\nSuites: {line.split()[3]}\nComponents: main\n"
        f"Signed-By: {machine.keyring}\n\n" for line in lists if line))
    (machine.own / "sources.list").write_text("deb cdrom:[Debian]/ own main\n")
    machine.config.write_text(machine.config.read_text().replace('SourceParts "-"', f'SourceParts "{parts}"'))
    assert machine.run("debian_sources K one two-security").stdout == said
    # Before the first "apt-get update", too.
    shutil.rmtree(machine.own / "lists")
    assert machine.run("debian_sources K one two-security").stdout == said


def test_rows() -> None:
    """Each series has suites of Debian's that have its package."""
    rows = subprocess.run(["bash", "-c", '. scripts/lib.sh; printf "%s\\n" "${KERNEL_SERIES[@]}"'], cwd=ROOT,
                          capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(rows) >= 2
    for row in rows:
        series, package, folder, *suites = row.split()
        assert package == folder == f"linux-source-{series}" and suites


def test_llvm_of_a_version(tmp_path: Path) -> None:
    """The rows with an "@" name the packages of the version that a kernel is built with."""
    script = (". scripts/lib.sh; . qemu/packages.sh; PACKAGE_LISTS=(\"$0\"); "
              "packages_lacking kernel-llvm")
    rows = tmp_path / "packages"
    rows.write_text("no-such-clang@ clang@ kernel-llvm\n- no-such-lld@ kernel-llvm\n")
    for version, expected in ((None, ["clang-19", "no-such-lld-19"]), ("-14", ["clang-14", "no-such-lld-14"]),
                              ("", ["clang", "no-such-lld"])):
        env = {name: value for name, value in os.environ.items() if name != "LLVM_VERSION"}
        done = subprocess.run(["bash", "-c", script, rows], cwd=ROOT, capture_output=True, text=True, check=True,
                              env=env | ({} if version is None else {"LLVM_VERSION": version}))
        assert done.stdout.split() == expected, done.stderr
