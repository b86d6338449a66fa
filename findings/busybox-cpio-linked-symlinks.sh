#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# busybox cpio loses the target of a symbolic link that has a second name.
#
# Seen with: busybox-static 1:1.35.0 of Debian 12.
# Behaviour: of the names of one symbolic link (hard links to it), all but the last that
#   is written get a body of no bytes, as the names of a regular file do whose data comes
#   with the last one. In a "newc" archive a link's body is its target, so those names are
#   links to nothing, which no file system holds: GNU cpio 2.13 says "Cannot symlink" for
#   each of them, and ends with status 0. Busybox itself says nothing, status 0.
# Output seen (size of the body, name, target):
#   0 two ->
#   14 one -> target-of-both
set -euo pipefail

VERSION=1:1.35.0-4+deb12u1+b1
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"
[[ $(dpkg --print-architecture) == amd64 ]] || { echo 'skipped: the package pinned here is for amd64'; exit 77; }
apt-get -o APT::Sandbox::User="$(id -un)" download -qq "busybox-static=$VERSION"
dpkg-deb -x busybox-static_*.deb root
busybox=$folder/root/bin/busybox

mkdir tree
cd tree
ln -s target-of-both one
ln one two
printf 'one\ntwo\n' | "$busybox" cpio -o -H newc >../archive 2>../messages
cd ..

# The archive's own headers: 110 bytes, a name and a body, each padded to 4.
seen=$(/usr/bin/python3 - archive <<'PYTHON'
import sys

data, at = open(sys.argv[1], "rb").read(), 0
while data[at:at + 6] == b"070701":
    fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
    size, name_size = fields[6], fields[11]
    name = data[at + 110:at + 109 + name_size].decode()
    body = (at + 110 + name_size + 3) // 4 * 4
    if name == "TRAILER!!!":
        break
    print(f"{size} {name} -> {data[body:body + size].decode()}".rstrip())
    at = (body + size + 3) // 4 * 4
PYTHON
)
echo "$seen"
[[ $seen == '0 two ->
14 one -> target-of-both' ]] || { echo 'the behaviour has changed'; exit 1; }
