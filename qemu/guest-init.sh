#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# /init and /sbin/init of the images that qemu/images.py makes.
#
# It reports to the host over a serial port of its own, never over the console:
#
#	BEGIN token			the token comes from initrd_test.token=
#	key: value			facts, see below
#	test-begin / test-end STATUS	the output of /etc/guest-test, when there is one
#	SUCCESS token | FAILURE reason	the verdict, and the last line
#
# Then it powers off; with initrd_test.shell on the command line it gives a
# shell on the console first.

export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/ TERM=linux

[ -e /proc/cmdline ] || mount -t proc proc /proc
[ -d /sys/kernel ] || mount -t sysfs sysfs /sys

token=none
port=ttyS1
shell=
read -r cmdline </proc/cmdline
for word in $cmdline; do
	case $word in
	initrd_test.token=*) token=${word#*=} ;;
	initrd_test.port=*) port=${word#*=} ;;
	initrd_test.shell) shell=yes ;;
	esac
done

# (/dev may have a few nodes of its own, for what ran before.)
[ -c "/dev/$port" ] || mount -t devtmpfs devtmpfs /dev

# A restart ends QEMU, too (-no-reboot): without ACPI a PC cannot power off, and halts.
leave() {
	sync
	case " $cmdline " in
	*" acpi=off "*) ;;
	*) poweroff -f ;;
	esac
	reboot -f
}

if [ -c "/dev/$port" ]; then
	exec 3>"/dev/$port"
else
	echo "guest: there is no /dev/$port to report to" >&2
	exec 3>/dev/null
fi

say() {
	echo "$1: $2" >&3
}

field() {	# FILE KEY: the value behind "KEY:" in a /proc file, in kB
	sed -n "s/^$2: *\([0-9]*\).*/\1/p" "$1"
}

echo "BEGIN $token" >&3
say release "$(uname -r)"
say pid $$
say stdio "$(stat -L -c %t:%T /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | tr '\n' ' ')"
say mount "$(awk '$2 == "/"' /proc/mounts | tail -n 1)"
say memtotal "$(field /proc/meminfo MemTotal)"
say memfree "$(field /proc/meminfo MemFree)"
[ -e /sys/block/ram0/size ] && say ram0-sectors "$(cat /sys/block/ram0/size)"

verdict=
if [ -f /etc/manifest.sha256 ]; then
	if (cd / && sha256sum -c /etc/manifest.sha256 >/dev/null 2>&1); then
		say content intact
	else
		say content damaged
		verdict="files of the image are damaged"
	fi
fi

if [ -f /etc/guest-test ]; then
	echo test-begin >&3
	sh /etc/guest-test >&3 2>&1 </dev/null
	status=$?
	echo "test-end $status" >&3
	[ $status = 0 ] || verdict="/etc/guest-test ended with status $status"
fi

if [ -n "$verdict" ]; then
	echo "FAILURE $verdict" >&3
else
	echo "SUCCESS $token" >&3
fi
exec 3>&-

if [ -n "$shell" ]; then
	cat <<-END

	A shell on the initrd. Leave with "exit" (powers off) or with Ctrl-A X.

	END
	setsid cttyhack sh -i
fi
leave
