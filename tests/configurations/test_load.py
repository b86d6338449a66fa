# SPDX-License-Identifier: GPL-2.0
"""RAM disks and /dev/initrd under load: many readers and writers at a time, while pages
are discarded, processors go and come, the module is unloaded, and memory runs out. No
byte is lost, and a kernel that looks for mistakes (load.config) finds none."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

import images
from boot.conftest import Lab
from boot.guests import TOOLS, check_real_root, values
from conftest import Build
from images import MIB, Entry

pytestmark = pytest.mark.parametrize("build", ["load"], indirect=True)

CPUS = 3
#: KASAN in an emulated machine.
TIMEOUT = 300.0

#: For the guest's scripts: `stress SECONDS COMMAND...` runs each command, a function,
#: over and over beside the others; `load` loads the module.
HEAD = TOOLS + """
set -e
for name in insmod rmmod; do [ -e /bin/$name ] || ln -s busybox /bin/$name; done
load() { insmod /share/ramdisk.ko "$@"; }
keep() { while [ ! -e /tmp/stop ]; do "$1"; done; }
stress() {
	seconds=$1
	shift
	rm -f /tmp/stop
	for command; do keep "$command" & done
	sleep "$seconds"
	: >/tmp/stop
	wait
}
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm 2>/dev/null || { mkdir /dev/shm; mount -t tmpfs tmpfs /dev/shm; }
"""

#: A part of fio's job file: everything that is written is read back and compared, by
#: checksums that stand in the data.
FIO = """
[global]
thread=1
direct=1
ioengine=psync
rw=randwrite
verify=crc32c
verify_fatal=1
verify_backlog=64
do_verify=1
randseed=7
"""

#: Runs a job file; says what fio says of errors, job by job.
RUN_FIO = """
fio() {
	/fio/loader --library-path /fio /fio/fio --output=/tmp/fio.log "$1" || { cat /tmp/fio.log; exit 1; }
	grep -o 'err= *[0-9]*' /tmp/fio.log | tr -d ' ' | sort | uniq -c | tr -s ' '
}
"""


def fio() -> list[Entry]:
    """fio with all libraries that it is linked with, and the loader that starts it."""
    program = images.find_tool("fio")
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"=> (/\S+)", said)
    loader = re.findall(r"^\s*(/\S*ld-linux\S+)", said, re.M)
    files = {"fio": str(program), "loader": loader[0], **{Path(name).name: name for name in libraries}}
    return [Entry.directory("fio"), *(Entry.file(f"fio/{name}", Path(path).read_bytes(), 0o755)
                                      for name, path in files.items())]


def run(lab: Lab, build: Build, script: str, *, memory: str = "512M", jobs: str | None = None) -> list[str]:
    """Boots an archive with ramdisk.ko in /share, and with `jobs` fio and /share/job, and
    returns what `script` said."""
    entries = [Entry.file("share/ramdisk.ko", (build.output / "init/initrd-cxx/ramdisk/ramdisk.ko").read_bytes())]
    if jobs is not None:
        entries += [Entry.file("share/job", (FIO + jobs).encode()), *fio()]
    outcome = lab.succeed(lab.archive(entries, guest_test=HEAD + RUN_FIO + script), cpus=CPUS, memory=memory,
                          timeout=TIMEOUT)
    return [line.strip() for line in outcome.guest.test_output]


def test_verified_by_fio(build: Build, lab: Lab) -> None:
    """Blocks of all sizes in random order: past the page cache, through it, and by
    mmap, and with discards between them."""
    jobs = """
        [direct]
        filename=/dev/ram0
        bsrange=512-64k
        bs_unaligned=1
        [asynchronous]
        filename=/dev/ram1
        ioengine=libaio
        iodepth=16
        bsrange=4k-32k
        [buffered]
        filename=/dev/ram2
        direct=0
        bsrange=512-16k
        fsync=32
        [mapped]
        filename=/dev/ram3
        direct=0
        ioengine=mmap
        bs=4k
        [discarded]
        filename=/dev/ram4
        rw=randtrimwrite
        bs=4k
    """
    lines = run(lab, build, """
        load rd_nr=5 rd_size=4096
        fio /share/job
    """, memory="768M", jobs=re.sub("^ +", "", jobs, flags=re.M))
    assert lines == ["5 err=0"]


def test_discards_and_flushes_among_readers(build: Build, lab: Lab) -> None:
    """Who reads while others write, discard and flush finds what was written, or zeros,
    and never a page that has gone to somebody else."""
    lines = run(lab, build, """
        load rd_nr=2 rd_size=8192
        tr '\\0' U </dev/zero | head -c 8388608 >/tmp/pattern
        direct() { dd if=/dev/ram1 bs=64k iflag=direct 2>/dev/null | tr -d '\\0U' | wc -c >>/tmp/direct; }
        buffered() { dd if=/dev/ram1 bs=12k 2>/dev/null | tr -d '\\0U' | wc -c >>/tmp/buffered; }
        writes() { dd if=/tmp/pattern of=/dev/ram1 bs=128k oflag=direct conv=notrunc 2>/dev/null; }
        discards() {
            at=$(($(od -An -N2 -tu2 /dev/urandom) % 2000 * 4096))
            blkdiscard -o $at -l 131072 /dev/ram1
        }
        flushes() { blockdev --flushbufs /dev/ram1; }
        others() { tr '\\0' X </dev/zero | head -c 6000000 >/tmp/others; rm /tmp/others; }
        stress 15 direct buffered writes discards flushes others
        for reader in direct buffered; do
            [ $(wc -l </tmp/$reader) -gt 2 ] && echo $reader $(sort -u /tmp/$reader)
        done
        writes
        cmp /dev/ram1 /tmp/pattern
        blkdiscard /dev/ram1
        tr -d '\\0' </dev/ram1 | wc -c
        pages() { cat /sys/kernel/debug/ramdisk_pages/ram1; }
        mount -t debugfs debugfs /sys/kernel/debug
        pages
    """)
    assert lines == ["direct 0", "buffered 0", "0", "0"]


def test_processors_that_come_and_go(build: Build, lab: Lab) -> None:
    """Whichever processor is taken away, what is on its way arrives."""
    jobs = "[first]\nfilename=/dev/ram0\nbs=4k\nloops=4\n[second]\nfilename=/dev/ram1\nbsrange=4k-64k\nloops=4\n"
    lines = run(lab, build, """
        load rd_nr=2 rd_size=4096
        (
            turn=0
            while [ ! -e /tmp/stop ]; do
                for state in 0 1; do
                    for cpu in 1 2; do echo $state >/sys/devices/system/cpu/cpu$cpu/online; done
                done
                turn=$((turn + 1))
                echo $turn >/tmp/turns
            done
        ) &
        fio /share/job
        : >/tmp/stop
        wait
        [ $(cat /tmp/turns) -gt 1 ] && cat /sys/devices/system/cpu/online
    """, memory="768M", jobs=jobs)
    assert lines == ["2 err=0", "0-2"]


def test_module_comes_and_goes(build: Build, lab: Lab) -> None:
    """While processes try to open its disks: it goes when none is open, and takes all of
    its memory with it."""
    lines = run(lab, build, """
        opens() { dd if=/dev/ram0 of=/dev/null bs=4k count=8 2>/dev/null || sleep 0.1; }
        writes() { dd if=/bin/busybox of=/dev/ram1 bs=64k count=8 oflag=direct 2>/dev/null || sleep 0.1; }
        module() {
            load rd_nr=2 rd_size=8192 2>/dev/null || :
            until rmmod ramdisk 2>/dev/null; do :; done
            echo turn >>/tmp/turns
        }
        module
        before=$(memfree)
        stress 15 opens writes module
        [ -e /sys/module/ramdisk ] && rmmod ramdisk
        [ $(wc -l </tmp/turns) -gt 5 ] && echo turns
        rm -f /tmp/turns /dev/ram0 /dev/ram1
        after=$(memfree)
        echo $((before - after))
    """)
    assert lines[0] == "turns"
    assert int(lines[1]) < 3 * 1024


def test_memory_runs_out(build: Build, lab: Lab) -> None:
    """A RAM disk that is larger than memory is filled until there is none: writing fails,
    what was written before is there, and a discard gives all of it back."""
    lines = run(lab, build, """
        load rd_nr=1 rd_size=1048576
        before=$(memfree)
        dd if=/share/sample of=/dev/ram0 bs=300000 count=1 oflag=direct conv=notrunc 2>/dev/null ||
            dd if=/share/sample of=/dev/ram0 bs=4k count=73 oflag=direct conv=notrunc 2>/dev/null
        (
            echo 1000 >/proc/self/oom_score_adj
            exec dd if=/dev/zero of=/dev/ram0 bs=64k seek=16 oflag=direct 2>/dev/null
        ) && echo whole || echo stopped
        cmp -n 299008 /share/sample /dev/ram0 && echo same
        blkdiscard /dev/ram0
        after=$(memfree)
        echo $((before - after))
    """)
    assert lines[:2] == ["stopped", "same"]
    assert int(lines[2]) < 3 * 1024


def test_dev_initrd_by_many(build: Build, lab: Lab) -> None:
    """All who have it open read the same, while others come and go; with the last one
    its memory goes, and who comes then is told that there is no such device."""
    data = images.sample_data(6 * MIB)
    script = HEAD + """
        exec 9</dev/initrd
        before=$(memfree)
        whole() { sha256sum </dev/initrd >>/tmp/sums; }
        part() { dd if=/dev/initrd bs=4k skip=77 count=1 2>/dev/null | sha256sum >>/tmp/parts; }
        stress 10 whole whole part part part
        [ $(wc -l </tmp/sums) -gt 2 ] && echo whole=$(sort -u /tmp/sums)
        [ $(wc -l </tmp/parts) -gt 2 ] && echo part=$(sort -u /tmp/parts)
        rm /tmp/sums /tmp/parts
        for process in 1 2 3 4 5 6 7 8; do
            (dd if=/dev/initrd bs=4k skip=77 count=1 2>/tmp/error.$process | sha256sum >/tmp/last.$process) &
        done
        exec 9<&-
        wait
        for process in 1 2 3 4 5 6 7 8; do
            if grep -q "No such device" /tmp/error.$process; then echo none; else cat /tmp/last.$process; fi
        done | sort -u >/tmp/all
        echo after="$(cat /tmp/all | tr '\\n' ' ')"
        rm /tmp/error.* /tmp/last.* /tmp/all
        true </dev/initrd 2>/dev/null || echo gone=yes
        echo freed=$(($(memfree) - before))
    """
    outcome = lab.succeed(data, ["noinitrd", "root=/dev/vda", "rw"], disks=[lab.real_root(script)], root=False,
                          cpus=CPUS, memory="512M", timeout=TIMEOUT)
    check_real_root(outcome)
    found = values(outcome)
    part = hashlib.sha256(data[77 * 4096:78 * 4096]).hexdigest()
    assert found["whole"].split() == [hashlib.sha256(data).hexdigest(), "-"]
    assert found["part"].split() == [part, "-"]
    assert set(found["after"].split()) <= {part, "-", "none"}
    assert found["gone"] == "yes"
    assert int(found["freed"]) > len(data) // 1024 - 1536
