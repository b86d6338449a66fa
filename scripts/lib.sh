# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the project's bash scripts share. Source it after `set -euo pipefail`;
# sourcing has no effect but to define functions and the tables below. (SC2034:
# the variables here are read by the scripts that source this file.)

# The kernel series that the overlay is written for, one row each:
#   series   Debian package with its sources   folder in the package's tarball
#   and the suites of Debian's that have the package, for machines whose own have not
# A new series is a new row here (and whatever differs in initrd/linux/).
KERNEL_SERIES=(
	"6.1   linux-source-6.1   linux-source-6.1   bookworm bookworm-security"
	"6.12  linux-source-6.12  linux-source-6.12  trixie trixie-security"
)

# What the suites of Debian's are signed with.
DEBIAN_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

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
	local log missing
	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		die "missing packages; install them and try again: sudo apt-get install --no-install-recommends $*"
	fi
	say "installing packages: $*"
	log=$(mktemp)
	if apt_install "$log" "$@" || { fetch_package_lists "$log" && apt_install "$log" "$@"; }; then
		rm -f -- "$log"
	else
		tail -n 15 -- "$log" >&2
		rm -f -- "$log"
		die "could not install the packages; try it by hand: apt-get update && apt-get install --no-install-recommends $*"
	fi
	mapfile -t missing < <(missing_packages "$@")
	((!${#missing[@]})) || die "apt-get is content, but these packages are not installed: ${missing[*]}"
}

# Bring this machine's package lists up to date, as root; what is said goes to the
# end of the file $1.
fetch_package_lists() {
	say 'fetching the package lists'
	apt-get update -qq >>"$1" 2>&1 </dev/null
}

# Run "apt-get install" without questions, its output appended to the file $1. (A
# name that no package has would be taken for a pattern: then another is installed.)
apt_install() {
	local log=$1
	shift
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o APT::Cmd::Pattern-Only=true -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}

# True if this machine's own suites have the package $1, of exactly this name.
own_suites_have() {
	apt-cache madison -- "$1" 2>/dev/null </dev/null |
		awk -v name="$1" '$1 == name { found = 1 } END { exit !found }'
}

# Print where this machine's packages of Debian's come from, one address a line; with
# the word "security", those of its security updates.
debian_mirrors() {
	local more
	# (Without a list nothing is known of its origin. What is not Debian's after all does
	# not pass for it: its keyring tells.)
	for more in '' --no-release-info; do
		# shellcheck disable=SC2016,SC2086  # words of apt's; none, or one
		LC_ALL=C apt-get indextargets $more --format '$(SITE) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' </dev/null
	done | awk -v security="${1:-}" '
		$1 ~ /^cdrom:/ || (security != "") != ($2 ~ /-security/) { next }
		$3 == "Debian" { known[$1] = ++n; next }
		$3 ~ /^\$/ { unknown[$1] = ++m }
		END {
			if (n) for (i = 1; i <= n; i++) { for (mirror in known) if (known[mirror] == i) print mirror }
			else for (i = 1; i <= m; i++) { for (mirror in unknown) if (unknown[mirror] == i) print mirror }
		}
	'
}

# Print a list of sources for apt: the suites $2..., from this machine's own mirrors,
# checked with the keyring $1. A suite whose mirror is not known is left out.
debian_sources() {
	local keyring=$1 suite mirror kind
	shift
	for suite in "$@"; do
		kind=''
		[[ $suite != *-security* ]] || kind=security
		while read -r mirror; do
			printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite"
		done < <(debian_mirrors $kind)
	done
}

# bring_package FOLDER PACKAGE SUITE...: unpack the newest PACKAGE that suites of
# Debian's have into FOLDER/unpacked/PACKAGE. Nothing is installed, nobody has to be
# root, and apt keeps what it needs in FOLDER: this machine's lists stay as they are.
# Its settings count (a proxy, say), but for its own sources, preferences and hooks.
bring_package() {
	local folder=$1 package=$2 target=$1/unpacked/$2 log=$1/log
	shift 2
	command -v apt-get >/dev/null || die "there is no apt-get that could bring $package"
	[[ -r $DEBIAN_KEYRING ]] || die "there is no $DEBIAN_KEYRING, which tells Debian's packages from others; install debian-archive-keyring"
	say "fetching $package from Debian's ${1}: this machine's own suites do not have it"
	mkdir -p -- "$folder"/{lists,cache/archives}/partial "$folder"/{none,unpacked}
	rm -rf -- "$folder/download" "$target.unpacking"
	mkdir -p -- "$folder/download" "$target.unpacking"
	debian_sources "$DEBIAN_KEYRING" "$@" >"$folder/sources.list"
	[[ -s $folder/sources.list ]] || die "apt-get knows of no mirror of Debian's that could have $package"
	: >"$folder/status"
	cat >"$folder/apt.conf" <<-END
		#clear APT::Update;
		#clear APT::Default-Release;
		APT::Sandbox::User "";
		APT::Get::AllowUnauthenticated "false";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowDowngradeToInsecureRepositories "false";
		Acquire::Languages "none";
		Dir::Etc::SourceList "$folder/sources.list";
		Dir::Etc::SourceParts "-";
		Dir::Etc::Preferences "$folder/none/none";
		Dir::Etc::PreferencesParts "$folder/none";
		Dir::State::Lists "$folder/lists";
		Dir::State::status "$folder/status";
		Dir::Cache "$folder/cache";
	END
	: >"$log"
	# (One suite may be out of reach; what counts is whether the package comes.)
	apt-get -c "$folder/apt.conf" update -q >>"$log" 2>&1 </dev/null || true
	(
		cd -- "$folder/download"
		apt-get -c "$folder/apt.conf" -o APT::Cmd::Pattern-Only=true download -q -- "$package"
	) >>"$log" 2>&1 </dev/null || {
		tail -n 15 -- "$log" >&2
		die "could not fetch $package (from: $*); all that apt-get said is in $log"
	}
	dpkg-deb -x "$folder/download/$package"_*.deb "$target.unpacking" ||
		die "could not unpack $package (is the disk full?)"
	rm -rf -- "$folder/download" "$target"
	mv -T -- "$target.unpacking" "$target"
}
