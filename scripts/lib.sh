# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the project's bash scripts share. Source it after `set -euo pipefail`;
# sourcing has no effect but to define functions and the tables below. (SC2034:
# the variables here are read by the scripts that source this file.)

# The kernel series that the overlay is written for, one row each:
#   series   Debian package with its sources   folder in the package's tarball
# A new series is a new row here (and whatever differs in initrd/kernel/).
KERNEL_SERIES=(
	"6.1   linux-source-6.1   linux-source-6.1"
	"6.12  linux-source-6.12  linux-source-6.12"
)

# The machines that QEMU can be for a kernel, one row each: its name in qemu/machines.py
# and its architecture. An architecture's usual machine has its name, and comes first;
# these are what --arch takes.
MACHINES=(
	"x86_64       x86_64"
	"arm64        arm64"
	"arm          arm"
	"riscv64      riscv64"
	"um           um"
	"vexpress-a9  arm"
	"arm64be      arm64"
)

# What the first and the last line of every block say that prepare-kernel.sh puts
# into a file: a comment in the language of the file, "# …" or "/* … */".
# shellcheck disable=SC2034
BLOCK_BEGIN='initrd-cxx: begin (scripts/prepare-kernel.sh)'
BLOCK_BEGIN_NONL='initrd-cxx: begin (scripts/prepare-kernel.sh; no newline stood before this line)'
BLOCK_END='initrd-cxx: end'

# The same as extended regular expressions for whole lines, and one for what is
# left of such a line when somebody edited it.
BLOCK_BEGIN_LINE='^[[:space:]]*(# initrd-cxx: begin .*|/[*] initrd-cxx: begin .* [*]/)$'
BLOCK_END_LINE='^[[:space:]]*(# initrd-cxx: end|/[*] initrd-cxx: end [*]/)$'
BLOCK_TRACE='initrd-cxx: (begin|end)'

# The files of a kernel tree that get such a block.
# shellcheck disable=SC2034
BLOCK_FILES=(init/Makefile drivers/block/Makefile usr/Kconfig block/ioctl.c)

# Where the overlay lives in a kernel tree, and the list of what it put there.
# shellcheck disable=SC2034
OVERLAY_DIR=init/initrd-cxx
# shellcheck disable=SC2034
OVERLAY_MANIFEST=$OVERLAY_DIR/overlay.manifest

SCRIPT_NAME=${0##*/}

# Print the arguments as one message on stderr.
say() { printf '%s: %s\n' "$SCRIPT_NAME" "$*" >&2; }

# Print a message on stderr if VERBOSE is 1.
verbose() { [[ ${VERBOSE:-0} == 0 ]] || say "$@"; }

# Report a failure and end with status 1.
die() {
	printf '%s: error: %s\n' "$SCRIPT_NAME" "$*" >&2
	exit 1
}

# Report a wrong command line and end with status 2.
usage_error() {
	printf '%s: %s\nTry "%s --help".\n' "$SCRIPT_NAME" "$*" "$SCRIPT_NAME" >&2
	exit 2
}

# Print the comment block at the top of the running script as its help text.
# It starts after the line "#!" and the SPDX line, and ends at the first line
# that is no comment.
print_help() {
	sed -n -e '1,2d' -e '/^#/!q' -e 's/^#$//' -e 's/^# \{0,1\}//' -e p -- "$0" |
		sed -e '1{/^$/d}'
}

# Expand "--opt=value" into "--opt" "value" for the options named in the first
# argument (separated by blanks); the result is left in the array ARGS.
# An option of that list that stands last without a value is a usage error. The
# value of an option that the list has with a "?" behind it may be left out; the
# next word is none when it is an option, and the value is empty then.
split_options() {
	local with_value=" $1 " arg name
	shift
	ARGS=()
	while (($#)); do
		arg=$1
		shift
		name=${arg%%=*}
		if [[ $arg == --* && $with_value == *" $name? "* ]]; then
			ARGS+=("$name")
			if [[ $arg == *= ]]; then
				usage_error "the option $name has no value behind its \"=\""
			elif [[ $arg == *=* ]]; then
				ARGS+=("${arg#*=}")
			elif (($#)) && [[ $1 != -* ]]; then
				ARGS+=("$1")
				shift
			else
				ARGS+=('')
			fi
		elif [[ $arg != --* || $with_value != *" $name "* ]]; then
			if [[ $arg == --*=* ]]; then
				usage_error "the option $name takes no value, or is unknown"
			fi
			ARGS+=("$arg")
		elif [[ $arg == *=* ]]; then
			ARGS+=("$name" "${arg#*=}")
		elif (($#)); then
			ARGS+=("$name" "$1")
			shift
		else
			usage_error "the option $name needs a value"
		fi
	done
}

# Print the project's root folder as an absolute path.
project_root() {
	local here
	here=$(dirname -- "${BASH_SOURCE[0]}")
	(cd -- "$here/.." && pwd -P)
}

# Print the series ("6.12") that a kernel tree's Makefile declares; fail
# silently if the folder is not a kernel tree.
tree_series() {
	[[ -r $1/Makefile ]] || return 1
	awk '
		$1 == "VERSION" && $2 == "=" && !v { v = $3 }
		$1 == "PATCHLEVEL" && $2 == "=" && !p { p = $3 }
		v && p { exit }
		END { if (v !~ /^[0-9]+$/ || p !~ /^[0-9]+$/) exit 1; print v "." p }
	' "$1/Makefile"
}

# Print the row that begins with the word $1 of the table in the other arguments;
# fail silently when there is none.
row_of() {
	local row
	for row in "${@:2}"; do
		[[ ${row%% *} != "$1" ]] || { printf '%s\n' "$row"; return 0; }
	done
	return 1
}

# Print the row of KERNEL_SERIES for a series; fail silently if there is none.
series_row() { row_of "$1" "${KERNEL_SERIES[@]}"; }

# Print the architecture of the machine $1; fail silently when it is unknown.
machine_arch() {
	local row
	row=$(row_of "$1" "${MACHINES[@]}") && printf '%s\n' "${row##* }"
}

# Print the known architectures, separated by blanks.
known_archs() {
	local row name arch
	local -a archs=()
	for row in "${MACHINES[@]}"; do
		read -r name arch <<<"$row"
		[[ $name != "$arch" ]] || archs+=("$arch")
	done
	printf '%s\n' "${archs[*]}"
}

# Print the known series, separated by ", ".
known_series() {
	local row name list=
	for row in "${KERNEL_SERIES[@]}"; do
		read -r name _ <<<"$row"
		list+=${list:+, }$name
	done
	printf '%s\n' "$list"
}

# True if a file has a block of ours, whole or damaged.
has_block() { grep -Eq -- "$BLOCK_TRACE" "$1"; }

# True if a file has no block of ours or exactly one whole block.
block_is_sane() {
	awk -v begin="$BLOCK_BEGIN_LINE" -v end="$BLOCK_END_LINE" -v trace="$BLOCK_TRACE" '
		$0 ~ begin { if (begins++) bad = 1; next }
		$0 ~ end { if (++ends > begins) bad = 1; next }
		$0 ~ trace { bad = 1 }
		END { exit !(!bad && begins == ends && begins <= 1) }
	' "$1"
}

# Print a file without our block, byte for byte as it was before the block was
# put there. Lines that somebody added around the block stay.
strip_block() {
	local remove="\\,$BLOCK_BEGIN_LINE,,\\,$BLOCK_END_LINE,d"
	if grep -qxF -- "# $BLOCK_BEGIN_NONL" "$1" && [[ $(tail -n 1 -- "$1") == "# $BLOCK_END" ]]; then
		sed -E -e "$remove" -- "$1" | head -c -1
	else
		sed -E -e "$remove" -- "$1"
	fi
}

# True if a file is empty or its last byte is a newline.
ends_in_newline() { [[ -z $(tail -c 1 -- "$1" | tr -d '\n') ]]; }

# Print those of the given packages that Debian's dpkg does not have installed.
missing_packages() {
	local package
	for package in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' -- "$package" 2>/dev/null) == installed ]] ||
			printf '%s\n' "$package"
	done
}

# Install Debian packages, or end with the command line that would do it. The
# package lists are fetched only if the installation fails without.
install_packages() {
	local log
	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		die "missing packages; install them and try again: sudo apt-get install --no-install-recommends $*"
	fi
	say "installing packages: $*"
	log=$(mktemp)
	if apt_install "$log" "$@" ||
		{ say 'fetching the package lists'; apt-get update -qq >>"$log" 2>&1 && apt_install "$log" "$@"; }; then
		rm -f -- "$log"
	else
		tail -n 15 -- "$log" >&2
		rm -f -- "$log"
		die "could not install the packages; try it by hand: apt-get update && apt-get install --no-install-recommends $*"
	fi
}

# Run "apt-get install" without questions, its output appended to the file $1.
apt_install() {
	local log=$1
	shift
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}
