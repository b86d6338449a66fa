# SPDX-License-Identifier: GPL-2.0
"""The document on mixing change_root and pivot_root: linuxrc says that the
initrd itself is the root."""

from __future__ import annotations

import pytest

from conftest import Lab
from guests import HEAD, PIVOT, check_real_root, initrd, real_root, told, values

#: The document's linuxrc, to the letter.
LINUXRC = """#! /bin/sh
mount -n -t proc proc /proc
echo 0x0100 >/proc/sys/kernel/real-root-dev
umount -n /proc
"""

#: /sbin/init of the initrd's: finds root= and goes there with pivot_root.
INIT = PIVOT.replace("mkdir /new-root\n", """
tell init "$$ $(stat -c %d /) $(grep -c ' / ext2 rw' /proc/mounts) $(cat /proc/sys/kernel/real-root-dev)"
tell options "$*"
for word in $(cat /proc/cmdline); do
    case $word in root=*) root=${word#*=} ;; esac
done
mkdir /new-root
""").replace("/dev/vda", "$root")


@pytest.mark.document("Mixed change_root and pivot_root mechanism",
                      "create both /linuxrc and /sbin/init in your initrd image")
@pytest.mark.document("Mixed change_root and pivot_root mechanism", "echo 0x0100 >/proc/sys/kernel/real-root-dev")
@pytest.mark.document("Mixed change_root and pivot_root mechanism",
                      "the kernel would mount again your initrd as root, this time executing /sbin/init")
@pytest.mark.document("Mixed change_root and pivot_root mechanism", "before the final execution of the real /sbin/init")
def test_mixed(lab: Lab) -> None:
    """root= names the disk, linuxrc says 0x0100: the initrd's own /sbin/init is
    PID 1, finds root= on the command line, and goes there with pivot_root."""
    disk = real_root(lab, "umount /initrd && echo unmounted=yes\n")
    outcome = lab.succeed(initrd(lab, linuxrc=LINUXRC, init=INIT), ["root=/dev/vda", "--", "an", "argument"],
                          disks=[disk], root=False)
    assert told(outcome)["init"].split() == ["1", str(0x100), "1", str(0x100)]
    assert told(outcome)["options"] == "an argument"
    assert [m.device for m in outcome.console.mounts] == ["1:0"]
    assert outcome.console.having("old root") == []
    assert outcome.console.init is not None and outcome.console.init[0] == "/sbin/init"
    check_real_root(outcome)
    assert values(outcome) == {"unmounted": "yes"}


@pytest.mark.document("Mixed change_root and pivot_root mechanism",
                      "the kernel would mount again your initrd as root, this time executing /sbin/init")
def test_mixed_with_a_process_left(lab: Lab) -> None:
    """What linuxrc left behind, a process and files, is there for /sbin/init;
    init= counts for the initrd here. There is no real root at all."""
    linuxrc = LINUXRC.replace("umount -n /proc\n", """
        echo text >/written
        mkfifo /fifo
        (read line </fifo; echo "$line again" >/answer) </dev/null >/dev/null 2>&1 &
        umount -n /proc
    """)
    init = HEAD + """
        echo question >/fifo
        until [ -s /answer ]; do sleep 0.1; done
        tell answer "$(cat /answer /written | tr '\\n' ' ')"
        exec /sbin/init
    """
    image = initrd(lab, linuxrc=linuxrc, extra={"sbin/other": init.encode()})
    outcome = lab.succeed(image, ["root=/dev/none", "init=/bin/sh", "--", "/sbin/other"], root=False)
    assert told(outcome)["answer"] == "question again text"
    check_real_root(outcome)
    assert outcome.console.init is not None and outcome.console.init[0] == "/bin/sh"
