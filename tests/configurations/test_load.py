# SPDX-License-Identifier: GPL-2.0
"""RAM disks and /dev/initrd under load: many readers and writers at a time, while pages
are discarded, processors go and come, and the module is unloaded. No byte is lost, and a
kernel that looks for mistakes (load.config) finds none."""

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

#: For the guest's scripts: `stress ROUNDS NAME...` runs functions beside each other, over
#: and over, until each has had so many rounds; none may fail. `spare` is the memory in KiB
#: that is free or the kernel's for small objects, of which KASAN keeps many for a while.
#: `load` loads the module.
HEAD = TOOLS + r"""
set -e
for name in insmod rmmod; do [ -e /bin/$name ] || ln -s busybox /bin/$name; done
load() { insmod /share/ramdisk.ko "$@"; }
spare() { echo $(($(memfree) + $(awk '$1 == "Slab:" { print $2 }' /proc/meminfo))); }
keep() {
	round=0
	while [ ! -e /tmp/stop ]; do
		"$1" || { echo "$1: failed"; exit 1; }
		round=$((round + 1))
		echo $round >/tmp/rounds.$1
	done
}
stress() {
	least=$1
	shift
	rm -f /tmp/stop /tmp/rounds.*
	processes=
	for name; do
		keep $name &
		processes="$processes $!"
	done
	for try in $(seq 300); do
		sleep 0.5
		enough=yes
		for name; do
			rounds=$(cat /tmp/rounds.$name 2>/dev/null) || :
			[ "${rounds:-0}" -ge $least ] || enough=
		done
		[ -z "$enough" ] || break
	done
	: >/tmp/stop
	for process in $processes; do wait $process; done
	[ "$enough" ] || { echo "too few rounds"; exit 1; }
}
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
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
	/fio/loader --library-path /fio /fio/fio --output=/tmp/fio.log "$1" >/tmp/fio.said 2>&1 || { cat /tmp/fio.said /tmp/fio.log; return 1; }
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
        [asynchronous]
        filename=/dev/ram1
        ioengine=libaio
        iodepth=16
        bsrange=4k-32k
        [buffered]
        filename=/dev/ram2
        direct=0
        bsrange=512-16k
        bs_unaligned=1
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
    lines = run(lab, build, r"""
        load rd_nr=2 rd_size=8192
        tr '\0' U </dev/zero | head -c 8388608 >/tmp/pattern
        check() { [ $(wc -c <$1) = 8388608 ] && [ $(tr -d '\0U' <$1 | wc -c) = 0 ]; }
        direct() { dd if=/dev/ram1 of=/tmp/direct bs=64k iflag=direct 2>/dev/null && check /tmp/direct; }
        buffered() { dd if=/dev/ram1 of=/tmp/buffered bs=12k 2>/dev/null && check /tmp/buffered; }
        writes() { dd if=/tmp/pattern of=/dev/ram1 bs=128k oflag=direct conv=notrunc 2>/dev/null; }
        discards() { blkdiscard -o $(($(od -An -N2 -tu2 /dev/urandom) % 2000 * 4096)) -l 131072 /dev/ram1; }
        flushes() { blockdev --flushbufs /dev/ram1; }
        others() { tr '\0' X </dev/zero | head -c 6000000 >/tmp/others && rm /tmp/others; }
        stress 8 direct buffered writes discards flushes others
        writes
        cmp /dev/ram1 /tmp/pattern
        blkdiscard /dev/ram1
        tr -d '\0' </dev/ram1 | wc -c
        mount -t debugfs debugfs /sys/kernel/debug
        cat /sys/kernel/debug/ramdisk_pages/ram1
    """)
    assert lines == ["0", "0"]


def test_processors_that_come_and_go(build: Build, lab: Lab) -> None:
    """Whichever processor is taken away, what is on its way arrives."""
    jobs = "[first]\nfilename=/dev/ram0\nbs=4k\n[second]\nfilename=/dev/ram1\nbsrange=4k-64k\n"
    lines = run(lab, build, """
        load rd_nr=2 rd_size=2048
        verified() { fio /share/job >/tmp/verified && [ "$(cat /tmp/verified)" = " 2 err=0" ]; }
        processors() {
            for state in 0 1; do
                for cpu in 1 2; do echo $state >/sys/devices/system/cpu/cpu$cpu/online || return 1; done
            done
        }
        stress 3 verified processors
        cat /sys/devices/system/cpu/online
    """, memory="768M", jobs=jobs)
    assert lines == ["0-2"]


def test_module_comes_and_goes(build: Build, lab: Lab) -> None:
    """While processes try to open its disks: it goes when none is open, and takes all of
    its memory with it."""
    lines = run(lab, build, """
        mknod /tmp/ram0 b 1 0
        mknod /tmp/ram1 b 1 1
        opens() { dd if=/tmp/ram0 of=/dev/null bs=4k count=8 2>/dev/null || sleep 0.1; }
        writes() {
            if dd if=/dev/zero of=/tmp/ram1 bs=64k count=64 oflag=direct 2>/dev/null; then
                echo >>/tmp/written
            else
                sleep 0.1
            fi
        }
        module() {
            load rd_nr=2 rd_size=8192 || return 1
            sleep 1
            until rmmod ramdisk 2>/dev/null; do sleep 0.1; done
        }
        module
        before=$(spare)
        stress 8 opens writes module
        [ $(wc -l </tmp/written) -ge 8 ]
        [ ! -e /sys/module/ramdisk ]
        echo $((before - $(spare)))
    """)
    # (Each turn writes 4 MiB.)
    assert int(lines[0]) < 8 * 1024


@pytest.mark.parametrize("how", ["oflag=direct", "conv=fsync"])
def test_memory_runs_out(build: Build, lab: Lab, how: str) -> None:
    """A RAM disk that is larger than memory is filled until there is none for it, past the
    page cache and through it: writing fails, nobody is killed, what was written before is
    there, and a discard gives all of it back."""
    lines = run(lab, build, f"""
        load rd_nr=1 rd_size=1048576
        before=$(spare)
        dd if=/share/sample of=/dev/ram0 bs=4k count=73 oflag=direct conv=notrunc 2>/dev/null
        # (Not much more than there is: the page cache gives up what cannot be written slowly.)
        count=$((before / 64 + 64))
        ! dd if=/dev/zero of=/dev/ram0 bs=64k seek=16 count=$count {how} 2>/tmp/error || echo whole
        grep -o "Cannot allocate memory\\|Input/output error" /tmp/error
        blockdev --flushbufs /dev/ram0
        cmp -n 299008 /share/sample /dev/ram0 && echo same
        [ $(spare) -lt $((before - 128 * 1024)) ] && echo filled
        blkdiscard /dev/ram0
        for try in $(seq 50); do
            lost=$((before - $(spare)))
            [ $lost -gt 2048 ] || break
            sleep 0.2
        done
        echo $lost
    """)
    assert lines[:3] == ["Cannot allocate memory" if "direct" in how else "Input/output error", "same", "filled"]
    assert int(lines[3]) < 2048


def test_dev_initrd_by_many(build: Build, lab: Lab) -> None:
    """All who have it open read the same, while others come and go; with the last one
    its memory goes, and who comes then is told that there is no such device."""
    data = images.sample_data(12 * MIB)
    digest = hashlib.sha256(data).hexdigest()
    part = hashlib.sha256(data[77 * 4096:78 * 4096]).hexdigest()
    script = HEAD + f"""
        exec 9</dev/initrd
        before=$(spare)
        whole() {{ [ "$(sha256sum </dev/initrd)" = "{digest}  -" ]; }}
        part() {{ [ "$(dd if=/dev/initrd bs=4k skip=77 count=1 2>/dev/null | sha256sum)" = "{part}  -" ]; }}
        again() {{ part; }}
        once_more() {{ part; }}
        stress 4 whole part again once_more
        for process in $(seq 12); do
            (
                [ $process -lt 5 ] || sleep 0.$process
                if dd if=/dev/initrd of=/tmp/part.$process bs=4k skip=77 count=1 2>/tmp/error.$process; then
                    sha256sum </tmp/part.$process
                elif grep -q "No such device" /tmp/error.$process; then
                    echo none
                else
                    cat /tmp/error.$process
                fi >/tmp/last.$process
            ) 9<&- &
        done
        exec 9<&-
        wait
        echo after="$(cat /tmp/last.* | tr '\\n' ' ')"
        true </dev/initrd 2>/dev/null || echo gone=yes
        rm /tmp/*
        for try in $(seq 50); do
            freed=$(($(spare) - before))
            [ $freed -lt {len(data) // 1024 - 1024} ] || break
            sleep 0.2
        done
        echo freed=$freed
    """
    outcome = lab.succeed(data, ["noinitrd", "root=/dev/vda", "rw"], disks=[lab.real_root(script)], root=False,
                          cpus=CPUS, memory="512M", timeout=TIMEOUT)
    check_real_root(outcome)
    found = values(outcome)
    assert "none" in found["after"].split() and set(found["after"].split()) <= {part, "-", "none"}
    assert found["gone"] == "yes"
    assert int(found["freed"]) >= len(data) // 1024 - 1024
