# SPDX-License-Identifier: GPL-2.0
"""The RAM-disk driver: parameters, reading and writing, discard, partitions."""

from __future__ import annotations

import pytest

from conftest import Lab


def run(lab: Lab, script: str, append: list[str] | None = None) -> list[str]:
    """Boots an archive, runs `script` in the guest and returns its output."""
    outcome = lab.succeed(lab.archive(guest_test="set -e\n" + script), append or [])
    return [line.strip() for line in outcome.guest.test_output]


def test_defaults(lab: Lab) -> None:
    """Sixteen disks of 4 MiB, major 1, minors 0 to 15."""
    lines = run(lab, "cd /sys/block; ls -1d ram* | wc -l; cat ram0/size ram15/size; cat ram0/dev ram15/dev; "
                     "cat /sys/module/brd/parameters/rd_nr /sys/module/brd/parameters/rd_size\n")
    assert lines == ["16", "8192", "8192", "1:0", "1:15", "16", "4096"]


def test_number_and_size(lab: Lab) -> None:
    """brd.rd_nr= and brd.rd_size= count, and can be read back."""
    lines = run(lab, "cd /sys/block; ls -1d ram*; cat ram1/size; cd /sys/module/brd/parameters; cat rd_nr rd_size; "
                     "stat -c %a rd_nr rd_size max_part\n", ["brd.rd_nr=2", "brd.rd_size=9216"])
    assert lines == ["ram0", "ram1", "18432", "2", "9216", "444", "444", "444"]


@pytest.mark.cxx_only(reason="needs all of them in memory")
def test_more_than_there_can_be(lab: Lab) -> None:
    """A number that nobody means is bounded, with one line."""
    outcome = lab.succeed(lab.archive(guest_test="ls -1d /sys/block/ram* | wc -l\n"), ["brd.rd_nr=2000000000"],
                          memory="128M", timeout=300)
    made, = (int(line) for line in outcome.guest.test_output)
    assert 16 < made <= 4096
    lines = outcome.console.having("brd: ")
    assert len(lines) == 2 and lines[1] == "brd: module loaded", lines
    assert lines[0].startswith("brd: rd_nr=2000000000: ") and "RAM disks are made, not more: error" in lines[0]


@pytest.mark.cxx_only(reason="does not know the name of a disk that is not there")
@pytest.mark.parametrize("compressor", ["none", "gzip"])
@pytest.mark.parametrize("root", ["/dev/ram0", "/dev/ram", "1:0"])
def test_root_on_a_disk_that_was_not_there(lab: Lab, compressor: str, root: str) -> None:
    """brd.rd_nr=0: /dev/ram0 is made for the image, and its name is known."""
    outcome = lab.succeed(lab.image("ext2", compressor, guest_test="ls -d /sys/block/ram*\n"),
                          ["brd.rd_nr=0", f"root={root}", "rw"], root=False)
    assert outcome.guest.test_output == ["/sys/block/ram0"]
    assert not outcome.console.having("linuxrc")


def test_write_and_read_back(lab: Lab) -> None:
    """What is written comes back, past the page cache; the rest reads as 0."""
    lines = run(lab, """
        dd if=/share/sample of=/dev/ram1 bs=300000 count=1 2>/dev/null
        dd if=/bin/busybox of=/dev/ram1 bs=1M seek=1 count=1 2>/dev/null
        sync
        echo 3 >/proc/sys/vm/drop_caches
        head -c 300000 /dev/ram1 | cmp - /share/sample && echo same
        dd if=/dev/ram1 bs=1M skip=1 count=1 2>/dev/null | cmp -n 1048576 - /bin/busybox && echo same
        dd if=/dev/ram1 bs=1M skip=3 2>/dev/null | tr -d '\\0' | wc -c
        dd if=/dev/ram1 bs=1M 2>/dev/null | wc -c
        cmp /dev/ram2 /dev/ram3 && echo empty
    """)
    assert lines == ["same", "same", "0", str(4096 * 1024), "empty"]


def test_past_the_page_cache(lab: Lab) -> None:
    """Direct I/O in pieces smaller and larger than a page, that begin anywhere:
    into new pages, over old ones, across gaps."""
    lines = run(lab, """
        cd /tmp
        head -c 1048576 /bin/busybox >one
        for size in 512 1536 4096 66048 1048576; do
            blkdiscard /dev/ram1
            for round in new old; do
                dd if=one of=/dev/ram1 bs=$size oflag=direct conv=notrunc 2>/dev/null
                dd if=/dev/ram1 bs=$size iflag=direct 2>/dev/null | head -c 1048576 | cmp - one
            done
            blkdiscard -o 8192 -l 200704 /dev/ram1
            dd if=/dev/zero of=one bs=4096 seek=2 count=49 conv=notrunc 2>/dev/null
            dd if=/dev/ram1 bs=$size iflag=direct 2>/dev/null | head -c 1048576 | cmp - one && echo $size
        done
    """)
    assert lines == ["512", "1536", "4096", "66048", "1048576"]


def test_beyond_the_end(lab: Lab) -> None:
    """A write past the end is refused, not stored."""
    lines = run(lab, "dd if=/dev/zero of=/dev/ram1 bs=1M count=5 2>&1 | grep -c 'No space left'\n",
                ["ramdisk_size=2048"])
    assert lines == ["1"]


def test_pages_are_counted_and_discarded(lab: Lab) -> None:
    """debugfs counts the pages that are there; a discard gives them back and
    leaves zeros."""
    lines = run(lab, """
        mount -t debugfs debugfs /sys/kernel/debug
        count=/sys/kernel/debug/ramdisk_pages/ram1
        cat $count
        dd if=/dev/urandom of=/dev/ram1 bs=64k count=16 2>/dev/null
        sync
        cat $count
        blkdiscard -o 0 -l 524288 /dev/ram1
        cat $count
        head -c 524288 /dev/ram1 | tr -d '\\0' | wc -c
        blkdiscard /dev/ram1
        cat $count
    """)
    assert lines == ["0", "256", "128", "0", "0"]


def test_file_system_on_a_disk(lab: Lab) -> None:
    """A file system can be made on a RAM disk and used."""
    lines = run(lab, """
        busybox mke2fs /dev/ram5 >/dev/null
        mount -t ext2 /dev/ram5 /mnt
        cp /bin/busybox /mnt/
        umount /mnt
        mount -t ext2 -o ro /dev/ram5 /mnt
        cmp /bin/busybox /mnt/busybox && echo same
        umount /mnt
    """)
    assert lines == ["same"]


def test_partitions(lab: Lab) -> None:
    """brd.max_part=4: a partition table on ram1 gives ram1p1 and ram1p2, and
    the disks' minors are 4 apart."""
    # A boot sector with two partitions: sectors 8 to 1007 and 1008 to 3007.
    entry = "\\0\\0\\0\\0\\203\\0\\0\\0{start}{count}"
    first = entry.format(start="\\010\\0\\0\\0", count="\\350\\003\\0\\0")
    second = entry.format(start="\\360\\003\\0\\0", count="\\320\\007\\0\\0")
    lines = run(lab, f"""
        printf '{first}{second}' | dd of=/dev/ram1 bs=1 seek=446 conv=notrunc 2>/dev/null
        printf '\\125\\252' | dd of=/dev/ram1 bs=1 seek=510 conv=notrunc 2>/dev/null
        sync
        blockdev --rereadpt /dev/ram1
        cd /sys/block/ram1
        cat dev ram1p1/dev ram1p1/start ram1p1/size ram1p2/dev ram1p2/size
        cat /sys/module/brd/parameters/max_part
        printf hello | dd of=/dev/ram1p2 conv=notrunc 2>/dev/null
        sync
        dd if=/dev/ram1 bs=512 skip=1008 count=1 2>/dev/null | head -c 5
        echo
    """, ["brd.max_part=4"])
    assert lines == ["1:4", "1:5", "8", "1000", "1:6", "2000", "4", "hello"]
