#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# GNU objcopy empties a section that it renames, when the new flags do not say
# "contents".
#
# Seen with: binutils 2.40-2 of Debian 12.
# Behaviour: `--rename-section OLD=NEW,alloc,load,readonly,code` keeps the section's
#   size and its flags, and objdump still calls it CONTENTS, but every byte of it is
#   NUL. Nothing is said and the exit status is 0. With "contents" among the flags the
#   bytes stay. The flags look like a list of what to set; they replace those that the
#   section has, the one for having bytes among them. llvm-objcopy keeps the bytes with
#   the same words, so a build that changes from one to the other links code of NULs.
# Output seen:
#   before           8d 47 01 c3
#   without contents 00 00 00 00
#   with contents    8d 47 01 c3
set -euo pipefail

VERSION=2.40-2
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"

arch=$(dpkg --print-architecture)
[[ $arch == amd64 ]] || { echo "skipped: the package pinned here is for amd64, not $arch"; exit 77; }
apt-get -o APT::Sandbox::User="$(id -un)" download -qq "binutils-x86-64-linux-gnu=$VERSION" "libbinutils=$VERSION" libjansson4 libzstd1 zlib1g
for package in *.deb; do dpkg-deb -x "$package" root; done
tools=$folder/root/usr/bin/x86_64-linux-gnu
export LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu:$folder/root/lib/x86_64-linux-gnu

# lea 1(%rdi),%eax; ret
printf '.text\n.globl f\n.type f, @function\nf: .byte 0x8d, 0x47, 0x01, 0xc3\n.size f, .-f\n' >f.s
"$tools-as" f.s -o f.o

# Print the bytes of a section: bytes_of OBJECT SECTION.
bytes_of() {
	"$tools-objdump" -s -j "$2" "$1" | sed -nE 's/^ 0+ ([0-9a-f]+) .*/\1/p' | sed -E 's/(..)/\1 /g; s/ $//'
}

"$tools-objcopy" --rename-section .text=.init.text,alloc,load,readonly,code f.o without.o
"$tools-objcopy" --rename-section .text=.init.text,contents,alloc,load,readonly,code f.o with.o
seen=$(
	printf 'before           %s\n' "$(bytes_of f.o .text)"
	printf 'without contents %s\n' "$(bytes_of without.o .init.text)"
	printf 'with contents    %s\n' "$(bytes_of with.o .init.text)"
)
echo "$seen"
[[ $seen == 'before           8d 47 01 c3
without contents 00 00 00 00
with contents    8d 47 01 c3' ]] || { echo 'the behaviour has changed'; exit 1; }
