#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's unlzma() says of about a fifth of .lzma files that they end a byte
# before they do.
#
# Seen with: linux-source-6.1 6.1.176-1 of Debian 12 (lib/decompress_unlzma.c; 6.12 has
#   the same), xz-utils 5.4.1-1+deb12u2.
# Behaviour: the function reports by *posp how much of its input it used. The range coder
#   normalizes before it decodes a bit, not after: when the last bit leaves its range below
#   2^24, the file has one byte more, which a decoder has to take to be at the end (liblzma
#   does), and this one has not. Its callers go on reading there: the last byte, 0 mostly,
#   passes for padding in an initramfs, and is something unknown where it is not 0.
# Output seen (files of 30 whose end was found / was found one byte early):
#   24 6
set -euo pipefail

VERSION=6.1.176-1
XZ_VERSION=5.4.1-1+deb12u2
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"
[[ $(dpkg --print-architecture) == amd64 ]] || { echo 'skipped: the package pinned here is for amd64'; exit 77; }
apt-get -o APT::Sandbox::User="$(id -un)" download -qq "linux-source-6.1=$VERSION" "xz-utils=$XZ_VERSION" "liblzma5=$XZ_VERSION"
for package in *.deb; do dpkg-deb -x "$package" root; done
tar -xf root/usr/src/linux-source-6.1.tar.xz --strip-components=1 linux-source-6.1/lib/decompress_unlzma.c

# The kernel's file, with what it wants of its headers.
mkdir -p include/linux/decompress
cat >include/linux/decompress/mm.h <<'C'
#define INIT
#define large_malloc(size) malloc(size)
#define large_free(memory) free(memory)
C
touch include/linux/compiler.h
cat >ends.c <<'C'
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATIC static
#include "lib/decompress_unlzma.c"

static long ignore(void *bytes, unsigned long size) { (void)bytes; return (long)size; }
static void say(char *text) { fprintf(stderr, "%s\n", text); }

int main(void)
{
	static unsigned char input[1 << 20];
	long used = 0, size = (long)fread(input, 1, sizeof(input), stdin);

	if (unlzma(input, size, NULL, ignore, NULL, &used, say))
		return 1;
	printf("%ld\n", size - used);
	return 0;
}
C
cc -w -O1 -Iinclude -I. -o ends ends.c

# The ends of 30 files: liblzma itself, cut off.
export LD_LIBRARY_PATH=$folder/root/lib/x86_64-linux-gnu
whole=0 early=0 other=0
for ((i = 1; i <= 30; i++)); do
	head -c $((i * 997)) "$LD_LIBRARY_PATH/liblzma.so.5" >part
	"$folder/root/usr/bin/xz" --format=lzma --stdout part >packed
	case $(./ends <packed) in
	0) whole=$((whole + 1)) ;;
	1) early=$((early + 1)) ;;
	*) other=$((other + 1)) ;;
	esac
done
echo "$whole $early"
[[ "$whole $early $other" == '24 6 0' ]] || { echo 'the behaviour has changed'; exit 1; }
