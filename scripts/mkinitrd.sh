#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Make an initrd: an image of a folder, or of a small busybox system.
#
# Usage: mkinitrd.sh [option]... [DIR] -o FILE
#
#   DIR                what goes into the image; without it, and with --demo, a
#                      busybox system that reports to qemu/boot. What is mounted
#                      below DIR is left out
#   -o, --output=FILE  the image; "-" is standard output
#   --fs=FORMAT        ext2 (the default), ext3, ext4, minix, minix2, squashfs,
#                      cramfs, cramfs+512, romfs, erofs or cpio
#   --compress=METHOD  none (the default), gzip, bzip2, lzma, xz, lzo, lz4 or
#                      zstd, each in the form that the kernel reads
#   --level=N          how hard to compress; --list names the levels
#   --size=N[K|M|G]    the image's length before compression; without it ext and
#                      Minix get what they need and some room. The other formats
#                      are filled up with zeros
#   --label=TEXT       the volume's name (ext2 to ext4, cramfs, romfs)
#   --align=N          cpio: begin the data of larger files at multiples of N
#                      bytes in the archive. With 4096, and no compression, their
#                      pages become the files without being copied
#
# What goes into it besides:
#   --init=FILE        becomes /sbin/init (and /init in a cpio archive)
#   --linuxrc=FILE     becomes /linuxrc
#   --add=FILE[:PATH]  a file or a folder; without PATH it keeps its own. May be
#                      repeated
#
#   --no-check         do not look whether the kernel can run what it will start
#   --force, -f        write over FILE if it is there
#   --list             the formats and compressors, and whether their tools are
#                      installed
#   --quiet, -q        do not say what was made
#   --verbose, -v      show the commands
#   --help, -h         this text
#
# In the image every file belongs to root, whoever makes it, and /dev/console is
# there; without root that takes the package fakeroot. The same folder gives the
# same bytes: file times after $SOURCE_DATE_EPOCH are set to it (without it, to
# the newest time in DIR), and UUIDs follow from the content. Missing Debian
# packages are installed when root runs the script, otherwise it names them.
#
# At the end it says what it made and which command boots it.
#
# Exit status: 0 success, 1 failure, 2 wrong usage.

set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/lib.sh
source "$here/lib.sh"
ROOT=$(project_root)
# shellcheck source=qemu/packages.sh
source "$ROOT/qemu/packages.sh"

FORMATS=(ext2 ext3 ext4 minix minix2 squashfs cramfs cramfs+512 romfs erofs cpio)
METHODS=(none gzip bzip2 lzma xz lzo lz4 zstd)

tree='' fs=ext2 compress=none level='' size='' align='' output='' demo=0 list=0 VERBOSE=0
pass=()

# one_of OPTION VALUE ALLOWED...: a usage error unless VALUE is allowed.
one_of() {
	local option=$1 value=$2 allowed
	shift 2
	for allowed in "$@"; do
		[[ $value != "$allowed" ]] || return 0
	done
	usage_error "$option $value: must be one of: $*"
}

# value OPTION COUNT: a usage error unless a word follows the short option.
value() { (($2 > 1)) || usage_error "the option $1 needs a value"; }

split_options '--output --fs --compress --level --size --label --align --init --linuxrc --add' "$@"
set -- "${ARGS[@]}"
while (($#)); do
	case $1 in
	-o | --output) value "$1" $#; output=$2; shift ;;
	--fs) fs=$2; shift ;;
	--compress) compress=$2; shift ;;
	--level) level=$2; shift ;;
	--size) size=$2; shift ;;
	--align) align=$2; shift ;;
	--label | --init | --linuxrc | --add) pass+=("$1=$2"); shift ;;
	--demo) demo=1 ;;
	--no-check | --quiet) pass+=("$1") ;;
	-q) pass+=(--quiet) ;;
	--force | -f) pass+=(--force) ;;
	--verbose | -v) pass+=(--verbose) ;;
	--list) list=1 ;;
	--help | -h) print_help; exit 0 ;;
	--)
		shift
		(($# <= 1)) || usage_error "more than one folder: $*"
		tree=${1:-$tree}
		break
		;;
	-?*) usage_error "unknown option: $1" ;;
	*)
		[[ -z $tree ]] || usage_error "more than one folder: $tree and $1"
		[[ -n $1 ]] || usage_error 'the name of the folder is empty'
		tree=$1
		;;
	esac
	shift
done

one_of --fs "$fs" "${FORMATS[@]}"
one_of --compress "$compress" "${METHODS[@]}"
[[ -z $size || $size =~ ^0*[1-9][0-9]*[KMGkmg]?$ ]] || usage_error "--size $size: must be a size, such as 8M"
[[ -z $level || $level =~ ^[0-9]+$ ]] || usage_error "--level $level: must be a number"
[[ -z $level || $compress != none ]] || usage_error '--level goes with --compress'
if [[ -n $align ]]; then
	one_of --align "$align" 4 8 16 32 64 128 256 512 1024 2048 4096
	[[ $fs == cpio ]] || usage_error '--align goes with --fs cpio'
	pass+=("--align=$align")
fi
((!demo)) || [[ -z $tree ]] || usage_error "--demo is a system of its own: it does not go with $tree"

python=/usr/bin/python3
[[ -x $python ]] || python=python3
export PYTHONPYCACHEPREFIX=$ROOT/build/pycache

if ((list)); then
	need_packages_for mkinitrd
	exec "$python" "$ROOT/qemu/mkinitrd.py" --list
fi
[[ -n $output ]] || usage_error 'where to? (-o FILE, or -o - for standard output)'
[[ -z $tree || -d $tree ]] || die "$tree: there is no such folder"

needed=(mkinitrd "${fs%+512}" "$compress")
[[ -n $tree ]] || needed+=(boot)
((EUID == 0)) || needed+=(unprivileged)
need_packages_for "${needed[@]}"

[[ -z $tree ]] || pass+=("--tree=$tree")
[[ -z $level ]] || pass+=("--level=$level")
[[ -z $size ]] || pass+=("--size=$size")
exec "$python" "$ROOT/qemu/mkinitrd.py" "--fs=$fs" "--compress=$compress" "--output=$output" "${pass[@]}"
