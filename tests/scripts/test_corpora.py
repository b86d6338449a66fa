# SPDX-License-Identifier: GPL-2.0
"""What tests/corpora/collect.py makes of lists of packages and of source archives."""

from __future__ import annotations

import binascii
import io
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/corpora"))

import collect  # noqa: E402

DATA = bytes(range(256)) * 3


def uuencoded(data: bytes) -> bytes:
    lines = [binascii.b2a_uu(data[at:at + 45]) for at in range(0, len(data), 45)]
    return b"a remark\nbegin 644 name\n" + b"".join(lines) + b"`\nend\nmore\n"


def test_text_is_decoded() -> None:
    """With and without the blanks at the ends of lines; what is no such text is left out."""
    assert collect.decoded(uuencoded(DATA)) == DATA
    blanks = uuencoded(bytes(50)).replace(b"`", b" ")
    assert collect.decoded(blanks) == bytes(50)
    assert collect.decoded(b"\n".join(line.rstrip() for line in blanks.split(b"\n"))) == bytes(50)
    assert collect.decoded(b"begin 644 x\n\xff\xff\nend\n") == b""


def test_data_of_an_archive(tmp_path: Path) -> None:
    """Files of the kinds that are read, with their folders' names; no sources, nothing long."""
    archive = tmp_path / "x.orig.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in (("x/tests/good 1.xz", b"one"), ("x/tests/f_bad/image.gz", b"two"), ("x/main.c", b"int"),
                           ("x/tests/a.cpio.uu", uuencoded(DATA)), ("x/large.gz", bytes(collect.LONGEST + 1)),
                           ("x/empty.xz", b"")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert dict(collect.data_of(archive)) == {"tests-good_1.xz": b"one", "f_bad-image.gz": b"two",
                                                "tests-a.cpio": DATA}


def test_usage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for words, status in ((["--help"], 0), ([], 2), (["a", "b"], 2), (["--nonsense"], 2)):
        monkeypatch.setattr(sys, "argv", ["collect.py", *words])
        with pytest.raises(SystemExit) as end:
            collect.main()
        assert end.value.code == status
        said = capsys.readouterr()
        assert "FOLDER" in (said.err if status else said.out)
