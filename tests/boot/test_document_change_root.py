# SPDX-License-Identifier: GPL-2.0
"""The document's sections on the obsolete root change mechanism, change_root:
/linuxrc, real-root-dev, and what becomes of the old root."""

from __future__ import annotations

from pathlib import Path

import pytest

import images
import vm
from conftest import Lab
from guests import HEAD, MIB, SLACK, SLACK_OF_TWO_BOOTS, check_real_root, initrd, real_root, told, values

PLAIN = HEAD + "tell linuxrc ran\n"

MOUNTED = HEAD + """
mount -t proc proc /proc
tell initrd "$(grep ' / ' /proc/mounts | tail -n 1 | cut -d ' ' -f 3-4)"
umount /proc
"""

#: A process that linuxrc leaves running: at a signal it reads a file of the
#: initrd's, and says so.
LEFT_BEHIND = HEAD + """
mkfifo /tmp/fifo
(trap 'tell answer "$(md5sum </share/sample)"; tell written "$(echo text >/tmp/new && cat /tmp/new)"' USR1
 exec 5<>/tmp/fifo
 while :; do read word <&5; done) </dev/null >/dev/null 2>&1 &
tell child $!
"""

#: For the real root: the number of that process, its answer, and its end.
ASK = """
pid=$(dmesg | sed -n 's/.*guest: child: //p')
kill -USR1 $pid
until dmesg | grep -q 'guest: written'; do sleep 0.1; done
end() { kill -9 $pid; while [ -d /proc/$pid ]; do sleep 0.1; done; }
"""


def change_root(lab: Lab, image: Path, disks: list[Path], append: list[str] | None = None, *,
                memory: str = "256M") -> vm.Outcome:
    """Boots with linuxrc, where no device that is mounted may be written to,
    and insists that the real root has come up."""
    strict = [] if lab.stock else ["bdev_allow_write_mounted=0"]
    outcome = lab.succeed(image, [*strict, *(append or ["root=/dev/vda"])], disks=disks, root=False, memory=memory)
    check_real_root(outcome)
    return outcome


def notices(outcome: vm.Outcome) -> str:
    """What the kernel says of the old root."""
    text = "\n".join(line.text for line in outcome.console.lines)
    return text.partition("Trying to move old root to /initrd ...")[2].strip().partition("\n")[0]


@pytest.mark.smoke
@pytest.mark.document("Boot sequence", "ルートデバイスが /dev/ram0 ではない場合、古い (非推奨の) change_root による方法が使われます")
@pytest.mark.document("Obsolete root change mechanism", "Current kernels still support it")
@pytest.mark.document("Obsolete root change mechanism",
                      "mounting the \"real\" root device as the root file system when linuxrc exits")
@pytest.mark.document("Obsolete root change mechanism", "if it is still busy, moved to a directory /initrd")
def test_moved_to_initrd(lab: Lab) -> None:
    """linuxrc runs from the initrd, mounted for writing, as uid 0 with a
    session of its own and the console, but not as PID 1. After it comes the
    real root, with the initrd on /initrd; unmounted, its memory can be freed."""
    script = HEAD + """
        mount -t proc proc /proc
        read stat </proc/$$/stat
        set -- ${stat##*) }
        tell process "$$ $(id -u) session $4"
        tell stdio "$(stat -L -c %t:%T /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | tr '\\n' ' ')"
        tell mounts "$(grep ' / ' /proc/mounts | tail -n 1 | cut -d ' ' -f 2-4)"
        tell root "$(stat -c %d /) $(cat /proc/sys/kernel/real-root-dev)"
        umount /proc
        echo written >/was-here
    """
    disk = real_root(lab, """
        echo "file=$(cat /initrd/was-here)"
        echo "old=$(grep ' /initrd ' /proc/mounts | cut -d ' ' -f 2-3)"
        echo "disk=$(cat /sys/block/vda/dev)"
        umount /initrd && echo unmounted=yes
    """)
    outcome = change_root(lab, initrd(lab, linuxrc=script), [disk])
    facts = told(outcome)
    pid, uid, _, session = facts["process"].split()
    assert pid != "1" and uid == "0" and session == pid
    assert facts["stdio"] == "5:1 5:1 5:1"
    assert facts["mounts"].split()[:2] == ["/", "ext2"]
    assert facts["mounts"].split()[2].split(",")[0] == "rw"
    major, minor = map(int, values(outcome)["disk"].split(":"))
    assert facts["root"].split() == [str(0x100), str(major << 8 | minor)]
    assert [m.device for m in outcome.console.mounts] == ["1:0", f"{major}:{minor}"]
    assert notices(outcome) == "okay"
    assert values(outcome) == {"file": "written", "old": "/initrd ext2", "disk": f"{major}:{minor}", "unmounted": "yes"}


@pytest.mark.smoke
@pytest.mark.document("Obsolete root change mechanism", "The initrd file system is then unmounted")
def test_unmounted(lab: Lab) -> None:
    """Without a directory /initrd on the real root the old root goes away."""
    disk = real_root(lab, "echo old=$(grep -c ram0 /proc/mounts)\n", folders=())
    outcome = change_root(lab, initrd(lab, linuxrc=PLAIN), [disk])
    assert told(outcome) == {"linuxrc": "ran"}
    assert notices(outcome) == "/initrd does not exist. Ignored."
    assert outcome.console.having("Unmounting old root")
    assert values(outcome) == {"old": "0"}


@pytest.mark.document("Obsolete root change mechanism", "The initrd file system is then unmounted")
@pytest.mark.cxx_only(reason="the RAM disk keeps its memory")
def test_memory_after_unmounting(lab: Lab) -> None:
    """64 MiB of RAM disk are given back when it is unmounted."""
    disk = real_root(lab, "echo pages=$(pages)\necho free=$(memfree)\n", folders=())
    used = {}
    for size in (8, 64):
        outcome = change_root(lab, initrd(lab, linuxrc=PLAIN, size=size * MIB), [disk])
        found = values(outcome)
        assert found["pages"] == "0"
        used[size] = outcome.guest.number("memtotal") - int(found["free"])
    assert abs(used[64] - used[8]) < SLACK_OF_TWO_BOOTS


@pytest.mark.document("Obsolete root change mechanism", "if it is still busy, moved to a directory /initrd")
@pytest.mark.cxx_only(reason="the RAM disk keeps its memory")
def test_memory_after_moving(lab: Lab) -> None:
    """Moved to /initrd the RAM disk can be unmounted and freed later."""
    disk = real_root(lab, """
        before=$(memfree)
        umount /initrd
        blockdev --flushbufs /dev/ram0
        echo "freed=$(($(memfree) - before))"
        echo "pages=$(pages)"
    """)
    found = values(change_root(lab, initrd(lab, linuxrc=PLAIN, size=64 * MIB), [disk]))
    assert found["pages"] == "0"
    assert abs(int(found["freed"]) - 64 * 1024) < SLACK


@pytest.mark.document("Obsolete root change mechanism", "if it is still busy, moved to a directory /initrd")
def test_busy_and_moved(lab: Lab) -> None:
    """A process that linuxrc has left running keeps its files."""
    disk = real_root(lab, ASK + """
        echo "exe=$(readlink /proc/$pid/exe)"
        echo "new=$(cat /initrd/tmp/new)"
        echo sum=$(md5sum </initrd/share/sample)
        echo "busy=$(error_of umount /initrd)"
        end
        umount /initrd && echo unmounted=yes
    """)
    outcome = change_root(lab, initrd(lab, linuxrc=LEFT_BEHIND), [disk])
    found = values(outcome)
    assert told(outcome)["answer"].split() == found.pop("sum").split()
    assert found == {"exe": "/initrd/bin/busybox", "new": "text", "busy": "Device or resource busy",
                     "unmounted": "yes"}


@pytest.mark.document("Obsolete root change mechanism", "if it is still busy, moved to a directory /initrd")
def test_busy_without_a_place_to_move_to(lab: Lab) -> None:
    """Without /initrd a process that is left keeps its files all the same, and
    can write new ones."""
    disk = real_root(lab, ASK + "end\necho sum=$(md5sum </share/sample)\n", folders=())
    outcome = change_root(lab, initrd(lab, linuxrc=LEFT_BEHIND), [disk])
    assert outcome.console.having("Unmounting old root")
    assert told(outcome)["answer"].split() == values(outcome)["sum"].split()
    assert told(outcome)["written"] == "text"


@pytest.mark.document("Obsolete root change mechanism", "The initrd file system is then unmounted")
@pytest.mark.cxx_only(reason="the RAM disk keeps its memory")
def test_memory_of_a_busy_initrd(lab: Lab) -> None:
    """When the last process of the initrd ends, its RAM disk can be freed."""
    disk = real_root(lab, ASK + """
        echo "running=$(pages)"
        before=$(memfree)
        end
        for try in $(seq 50); do [ "$(pages)" = 0 ] && break; sleep 0.1; done
        echo "freed=$(($(memfree) - before)) pages=$(pages)"
    """, folders=())
    outcome = change_root(lab, initrd(lab, linuxrc=LEFT_BEHIND, size=64 * MIB), [disk])
    found = values(outcome)
    assert int(found["running"]) >= 64 * MIB // 4096
    freed, pages = found["freed"].split()
    assert pages == "pages=0"
    assert abs(int(freed) - 64 * 1024) < SLACK


@pytest.mark.document("Obsolete root change mechanism", "echo 0x301 >/proc/sys/kernel/real-root-dev")
@pytest.mark.parametrize("form", ["%d", "0x%x", "0%o"])
def test_real_root_dev(lab: Lab, form: str) -> None:
    """linuxrc names another disk than root= does, in any of C's notations."""
    script = HEAD + f"""
        mount -n -t proc proc /proc
        mount -t sysfs sysfs /sys
        IFS=: read major minor </sys/block/vdb/dev
        number=$(printf '{form}' $((major * 256 + minor)))
        echo $number >/proc/sys/kernel/real-root-dev
        tell number "$number $(cat /proc/sys/kernel/real-root-dev) $((major * 256 + minor))"
        umount /sys
        umount -n /proc
    """
    wrong = real_root(lab, "exit 1\n")
    disk = real_root(lab, "cat /sys/block/vdb/dev\n")
    outcome = change_root(lab, initrd(lab, linuxrc=script), [wrong, disk])
    written, number, expected = told(outcome)["number"].split()
    assert written == form % int(expected) and number == expected
    assert outcome.console.mounts[-1].device == outcome.guest.test_output[0]


@pytest.mark.machines("x86_64")
@pytest.mark.document("Obsolete root change mechanism", "the one set with rdev in the kernel image")
@pytest.mark.document("Obsolete root change mechanism",
                      "you do not have to specify the boot command options root, init, or rw")
def test_without_options(lab: Lab) -> None:
    """No root=, init= or rw: the kernel image says which disk is the root."""
    numbers = lab.succeed(lab.archive(guest_test="cat /sys/block/vda/dev\n"), disks=[real_root(lab)])
    major, minor = map(int, numbers.guest.test_output[0].split(":"))
    data = bytearray(lab.kernel.read_bytes())
    data[508:510] = bytes([minor, major])
    kernel = lab.write("kernel", bytes(data))
    outcome = lab.succeed(initrd(lab, linuxrc=PLAIN), disks=[real_root(lab)], root=False, kernel=kernel)
    check_real_root(outcome)
    assert told(outcome) == {"linuxrc": "ran"}
    assert outcome.guest.facts["mount"].split()[3].split(",")[0] == "ro"
    assert outcome.console.init is not None and outcome.console.init[0] == "/sbin/init"


@pytest.mark.document("Obsolete root change mechanism",
                      "they will affect the real root file system, not the initrd environment")
@pytest.mark.parametrize("access", ["ro", "rw"])
def test_options_affect_the_real_root(lab: Lab, access: str) -> None:
    """root=, ro, rw, rootwait and init= are for the real root; the initrd is
    mounted for writing even with ro."""
    init = b"#!/bin/sh\nexec /sbin/init\n"
    disk = real_root(lab, extra={"sbin/other": init})
    options = ["root=/dev/vda", access, "rootwait", "init=/bin/sh", "--", "/sbin/other"]
    outcome = change_root(lab, initrd(lab, linuxrc=MOUNTED), [disk], options)
    assert outcome.guest.facts["mount"].split()[3].split(",")[0] == access
    assert told(outcome)["initrd"].split()[1].split(",")[0] == "rw"
    assert outcome.console.init is not None and outcome.console.init[0] == "/bin/sh"


@pytest.mark.document("Obsolete root change mechanism",
                      "they will affect the real root file system, not the initrd environment")
@pytest.mark.cxx_only(reason="rootfstype= and rootflags= count for the initrd as well")
def test_type_and_flags_of_the_real_root(lab: Lab) -> None:
    """rootfstype= and rootflags= are for the real root alone: the initrd could
    not be mounted with them."""
    script = MOUNTED.replace("tell initrd", "mount -t devtmpfs devtmpfs /dev\ntell initrd")
    image = initrd(lab, linuxrc=script, kind="squashfs")
    disk = real_root(lab, kind="ext4")
    outcome = lab.succeed(image, ["root=/dev/vda", "rootfstype=ext4", "rootflags=commit=7"], disks=[disk], root=False)
    check_real_root(outcome, "ext4")
    assert "commit=7" in outcome.guest.facts["mount"].split()[3].split(",")
    assert told(outcome)["initrd"].startswith("squashfs ") and "commit=7" not in told(outcome)["initrd"]


#: How linuxrc can end, and what the kernel says of it.
ENDS = {
    "status": (HEAD + "exit 3\n", 0o755, "initrd: linuxrc exited with status 3"),
    "signal": (HEAD + "kill -9 $$\n", 0o755, "initrd: linuxrc was killed by signal 9"),
    "not-executable": (PLAIN, 0o644, "linuxrc"),
    "no-interpreter": ("#!/bin/none\n", 0o755, "linuxrc"),
    "missing": (None, 0o755, "linuxrc"),
}


@pytest.mark.document("Obsolete root change mechanism", "Current kernels still support it")
@pytest.mark.parametrize("end", ENDS)
def test_linuxrc_that_fails(lab: Lab, end: str) -> None:
    """However linuxrc ends, or if it cannot be run at all, the real root comes
    up; the kernel says in one line what happened."""
    script, mode, said = ENDS[end]
    outcome = change_root(lab, initrd(lab, linuxrc=script, mode=mode), [real_root(lab)])
    assert told(outcome) == {}
    lines = [line for line in outcome.console.having("initrd: ") if "linuxrc" in line]
    if not lab.stock:
        assert len(lines) == 1 and said in lines[0], outcome.console.having("initrd: ")


@pytest.mark.document("Obsolete root change mechanism", "Current kernels still support it")
def test_linuxrc_that_succeeds(lab: Lab) -> None:
    """Status 0 is reported as well. A compressed image of another file system
    will do; it is read-only where that is."""
    script = HEAD + "mount -t devtmpfs devtmpfs /dev\ntell linuxrc \"$(touch /file 2>&1)\"\numount /dev\n"
    image = images.compress(initrd(lab, linuxrc=script, kind="squashfs"), "xz")
    outcome = change_root(lab, image, [real_root(lab, "echo old=$(grep -c ' /initrd squashfs ' /proc/mounts)\n")])
    assert told(outcome)["linuxrc"].endswith("Read-only file system")
    assert values(outcome) == {"old": "1"}
    lines = [line for line in outcome.console.having("initrd: ") if "linuxrc" in line]
    assert lines == ([] if lab.stock else ["initrd: linuxrc exited with status 0"])
