#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Build a kernel with this project in it, for the tests and for a first look.
#
# Usage: build-kernel.sh [option]...
#
#   --kernel=6.12|6.1|DIR  the kernel: a series, whose sources come from Debian's
#                          package, or a source tree of yours (default: 6.12).
#                          DIR is never written to, a copy of it is built
#   --arch=ARCH            one of those in qemu/arch/ (default: x86_64)
#   --stock                leave the project out: the kernel's own initrd code,
#                          with the same configuration otherwise
#   --debug                add qemu/debug.config: KASAN, UBSAN, lockdep, …
#   --config=FRAGMENT      add a configuration fragment; may be repeated, the
#                          last one wins. A line "# not in every series: A B …"
#                          in it names options that a kernel may lack
#   --bare                 the fragments of --config alone, on allnoconfig,
#                          without qemu/kernel.config and qemu/arch/
#   --llvm=-19|VERSION|1   the LLVM to build with, as in "make LLVM=…" (default:
#                          -19). Empty means GNU tools, for --stock only
#   --build-dir=DIR        where everything goes (default: build/ in the project)
#   --jobs=N               parallel jobs (default: the number of processors)
#   --sources              only get the sources ready, and print their folder
#   --reconfigure          make the configuration anew even if nothing changed
#   --clean                remove the build folder of this kernel first
#   --quiet, -q            no progress, only messages that matter
#   --verbose              show the commands and the compiler's output
#   --help                 this text
#
# Prints the absolute path of the kernel image on stdout, and nothing else
# there. Sources are unpacked to build/src/ once, the kernel is built in
# build/kernel/SERIES-ARCH[-stock][-debug][-…]/; build.log there has everything
# that make said. A second call with nothing changed takes a few seconds.
# Missing Debian packages are installed when root runs the script, otherwise it
# names them. ccache is used if it is installed.
#
# Exit status: 0 success, 1 failure, 2 wrong usage.

set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

ROOT=$(project_root)
# shellcheck source=qemu/packages.sh
source "$ROOT/qemu/packages.sh"
KERNEL=6.12 ARCH=x86_64 LLVM_CHOICE=-19 BUILD='' JOBS=$(nproc)
STOCK=0 DEBUG=0 BARE=0 SOURCES=0 CLEAN=0 RECONFIGURE=0 QUIET=0 VERBOSE=0
FRAGMENTS=()

# ---- command line -----------------------------------------------------------

# Print the architectures that have a file in qemu/arch/, separated by ", ".
known_archs() {
	(cd -- "$ROOT/qemu/arch" && printf '%s\n' *.config) | sed 's/\.config$//' | paste -sd, | sed 's/,/, /g'
}

# Read the command line into the variables above.
parse_command_line() {
	local arg
	split_options '--kernel --arch --config --llvm --build-dir --jobs' "$@"
	set -- "${ARGS[@]}"
	while (($#)); do
		arg=$1
		shift
		case $arg in
		--kernel) KERNEL=$1; shift ;;
		--arch) ARCH=$1; shift ;;
		--config) FRAGMENTS+=("$1"); shift ;;
		--llvm) LLVM_CHOICE=$1; shift ;;
		--build-dir) BUILD=$1; shift ;;
		--jobs) JOBS=$1; shift ;;
		--stock) STOCK=1 ;;
		--debug) DEBUG=1 ;;
		--bare) BARE=1 ;;
		--sources) SOURCES=1 ;;
		--clean) CLEAN=1 ;;
		--reconfigure) RECONFIGURE=1 ;;
		--quiet | -q) QUIET=1 ;;
		--verbose) VERBOSE=1 ;;
		--help | -h) print_help; exit 0 ;;
		-*) usage_error "unknown option: $arg" ;;
		*) usage_error "unexpected argument: $arg" ;;
		esac
	done
	[[ $JOBS =~ ^[1-9][0-9]*$ ]] || usage_error "--jobs needs a number, not \"$JOBS\""
	[[ $ARCH =~ ^[a-z0-9_]+$ && -f $ROOT/qemu/arch/$ARCH.config ]] ||
		usage_error "unknown architecture \"$ARCH\" (known: $(known_archs))"
	[[ ! $LLVM_CHOICE =~ ^[0-9]{2,}$ ]] || LLVM_CHOICE=-$LLVM_CHOICE
	case $LLVM_CHOICE in
	'') ((STOCK)) || usage_error 'the project is built with Clang: --llvm may be empty only with --stock' ;;
	1 | -[0-9]* | */) ;;
	*) usage_error "--llvm is a version (-19), 1, or a folder with a slash at its end, not \"$LLVM_CHOICE\"" ;;
	esac
	if [[ $KERNEL == */* || ! $KERNEL =~ ^[0-9.]+$ ]]; then
		[[ -d $KERNEL ]] || usage_error "unknown kernel \"$KERNEL\": neither a folder nor one of $(known_series)"
		KERNEL=$(cd -- "$KERNEL" && pwd -P)
	elif ! series_row "$KERNEL" >/dev/null; then
		usage_error "unknown kernel series $KERNEL (known: $(known_series); or the folder of a source tree)"
	fi
	local i
	for i in "${!FRAGMENTS[@]}"; do
		[[ -f ${FRAGMENTS[i]} ]] || usage_error "no such configuration fragment: ${FRAGMENTS[i]}"
		FRAGMENTS[i]=$(realpath -- "${FRAGMENTS[i]}")
	done
	((!BARE || ${#FRAGMENTS[@]})) || usage_error '--bare needs a --config: an empty configuration is no kernel to boot'
	[[ -n $BUILD ]] || BUILD=$ROOT/build
	mkdir -p -- "$BUILD" || die "cannot make the folder $BUILD"
	BUILD=$(cd -- "$BUILD" && pwd -P)
	[[ $BUILD != *[[:space:]:]* ]] ||
		die "the kernel's make cannot cope with blanks or colons in \"$BUILD\"; name another place with --build-dir"
}

# Print the value that a qemu/arch/*.config gives in a line "# key: value".
arch_value() {
	local value
	value=$(sed -n "s/^# $1: *//p" -- "$ROOT/qemu/arch/$ARCH.config")
	[[ -n $value ]] || die "qemu/arch/$ARCH.config has no line \"# $1: …\""
	printf '%s\n' "$value"
}

# Print the first eight digits of a hash of stdin.
short_hash() { sha256sum | cut -c 1-8; }

# ---- what is needed -----------------------------------------------------------

# Print the packages that the build needs and the machine has not, the sources left out.
packages_to_build() {
	local uses=(kernel-sources) version=$LLVM_CHOICE
	[[ ! -d $KERNEL ]] || uses=(kernel-folder)
	if ((!SOURCES)); then
		uses+=(kernel)
		case $LLVM_CHOICE in
		-* | 1) uses+=(kernel-llvm) ;;
		'') uses+=(kernel-gnu) ;;
		esac
	fi
	[[ $version != 1 ]] || version=''
	LLVM_VERSION=$version packages_lacking "${uses[@]}"
}

# Print the file with the sources of a series that there is, if there is one: that of
# this machine's package, or else the one that was brought.
tarball() {
	local name
	for name in {/usr/src,"$BUILD/apt/unpacked/$SOURCE_PACKAGE/usr/src"}/"$SOURCE_FOLDER".tar.*; do
		[[ ! -f $name ]] || { printf '%s\n' "$name"; return 0; }
	done
}

# Install what the build needs and the machine has not. A package with sources that the
# machine's own suites do not have is brought from the suite that has it.
need_packages() {
	local missing log
	if ! command -v dpkg-query >/dev/null; then
		say "not a Debian system: taking it that the tools to build a kernel are installed, as qemu/packages names them"
		return
	fi
	mapfile -t missing < <(packages_to_build)
	if [[ ! -d $KERNEL && -z $(tarball) ]]; then
		if ! own_suites_have "$SOURCE_PACKAGE" && ((EUID == 0)); then
			log=$(mktemp)
			fetch_package_lists "$log" || tail -n 5 -- "$log" >&2
			rm -f -- "$log"
		fi
		if own_suites_have "$SOURCE_PACKAGE"; then
			missing+=("$SOURCE_PACKAGE")
		else
			exec 7>"$BUILD/.apt.lock"
			flock 7
			[[ -n $(tarball) ]] || bring_package "$BUILD/apt" "$SOURCE_PACKAGE" "${SOURCE_SUITES[@]}"
			exec 7>&-
		fi
	fi
	((!${#missing[@]})) || install_packages "${missing[@]}"
}

# ---- sources --------------------------------------------------------------------

# Unpack the tarball $1, whose folder is $2, to the new folder $3.
unpack() {
	local temporary=$3.unpacking pid started=$SECONDS
	say "unpacking ${1##*/}"
	rm -rf -- "$temporary" "$3"
	mkdir -p -- "$temporary"
	tar -xJf "$1" -C "$temporary" --strip-components=1 "$2" &
	pid=$!
	while sleep 1 && kill -0 "$pid" 2>/dev/null; do
		progress "unpacking ${1##*/}: $(du -sm -- "$temporary" 2>/dev/null | cut -f 1) MB" "$started"
	done
	end_progress
	wait "$pid" || die "could not unpack $1 (is the disk full?)"
	mv -T -- "$temporary" "$3"
}

# Make the sources of a series ready in the folder $1.
series_sources() {
	local tarball id
	tarball=$(tarball)
	[[ -n $tarball ]] || die "there is no /usr/src/$SOURCE_FOLDER.tar.xz; reinstall the package $SOURCE_PACKAGE"
	id=$(stat -c '%n %s %Y' -- "$tarball")
	if [[ ! -f $1/Makefile || $(cat -- "$1.origin" 2>/dev/null) != "$id" ]]; then
		unpack "$tarball" "$SOURCE_FOLDER" "$1"
		printf '%s\n' "$id" >"$1.origin"
	fi
}

# Bring the folder $1 up to date as a private copy of the tree KERNEL. What
# prepare-kernel.sh put into the copy stays, so that nothing is built again.
copy_sources() {
	local file excludes=()
	say "copying $KERNEL"
	for file in "${BLOCK_FILES[@]}"; do excludes+=("--exclude=/$file"); done
	mkdir -p -- "$1"
	rsync -a --delete --exclude=.git "--exclude=/$OVERLAY_DIR" "${excludes[@]}" -- "$KERNEL/" "$1/" ||
		die "could not copy $KERNEL"
	for file in "${BLOCK_FILES[@]}"; do
		[[ -f $KERNEL/$file ]] || die "$KERNEL: there is no $file"
		if [[ ! -f $1/$file ]] || ! cmp -s <(strip_block "$KERNEL/$file") <(strip_block "$1/$file"); then
			cp -a -- "$KERNEL/$file" "$1/$file"
		fi
	done
	if [[ -e $1/.config || -d $1/include/config ]]; then
		say 'the tree was built in: cleaning the copy'
		make -s -C "$1" mrproper >/dev/null || die "\"make mrproper\" failed in $1"
	fi
}

# Make the source tree SOURCE ready to be built.
prepare_sources() {
	mkdir -p -- "$BUILD/src"
	exec 8>"$BUILD/src/.lock"
	flock 8
	if [[ -d $KERNEL ]]; then copy_sources "$SOURCE"; else series_sources "$SOURCE"; fi
	((!SOURCES)) || return 0
	if ((!STOCK)); then
		"$ROOT/scripts/prepare-kernel.sh" --linux="$SOURCE" --mode=link 2> >(grep -v 'up to date' >&2) ||
			die 'the project could not be put into the kernel tree'
	elif has_block "$SOURCE/${BLOCK_FILES[0]}"; then
		"$ROOT/scripts/prepare-kernel.sh" --linux="$SOURCE" --uninstall --force
	fi
	exec 8>&-
}

# ---- make -------------------------------------------------------------------------

# Print the name of the compiler that make will call for LLVM_CHOICE.
compiler() {
	case $LLVM_CHOICE in
	'') echo gcc ;;
	1) echo clang ;;
	-*) echo "clang$LLVM_CHOICE" ;;
	*) echo "${LLVM_CHOICE}clang" ;;
	esac
}

# The command that runs make for the kernel, without a target.
MAKE=()

# Set MAKE, to do what tools/testing/kunit/kunit.py in the tree does, so that
# each of the two finds the other's objects up to date: the same variables on
# the command line, none of KBUILD_BUILD_* in the environment.
set_up_make() {
	local path=$PATH
	if [[ $LLVM_CHOICE != */ ]] && set_up_ccache; then path=$BUILD/ccache-bin:$PATH; fi
	MAKE=(env -u MAKEFLAGS -u MAKELEVEL -u KBUILD_OUTPUT -u CROSS_COMPILE -u KCONFIG_CONFIG
		-u CC -u LLVM -u ARCH "PATH=$path" LC_ALL=C
		make -C "$SOURCE" "ARCH=$KERNEL_ARCH" "O=$OUTPUT" "--jobs=$JOBS")
	[[ -z $LLVM_CHOICE ]] || MAKE+=("LLVM=$LLVM_CHOICE")
}

# Let BUILD/ccache-bin hold ccache under the compiler's own name, which leaves
# make's command lines as they are without ccache. Fail if there is no ccache.
set_up_ccache() {
	local compiler ccache
	ccache=$(command -v ccache) || return 1
	compiler=$(compiler)
	mkdir -p -- "$BUILD/ccache-bin"
	[[ $(readlink -- "$BUILD/ccache-bin/$compiler") == "$ccache" ]] ||
		ln -sfn -- "$ccache" "$BUILD/ccache-bin/$compiler"
}

# ---- configuration ------------------------------------------------------------------

# Print a fragment's settings: without comments, and under --stock without the
# project's own options.
fragment_settings() {
	grep -E '^(CONFIG_[A-Za-z0-9_]+=.*|# CONFIG_[A-Za-z0-9_]+ is not set)$' -- "$1" |
		if ((STOCK)); then grep -v 'CONFIG_INITRD_CXX' || true; else cat; fi
}

# Print every setting of the file $1 that the configuration $2 does not have:
# "asked for …, got …". An option that does not exist counts as not set; one that
# a fragment (the other arguments) says not every series has may be missing.
unmet_settings() {
	local merged=$1 got=$2
	shift 2
	awk -v optional=" $(sed -n 's/^# not in every series: *//p' -- "$@" | paste -sd ' ') " '
		function name(line) {
			sub(/^# /, "", line)
			sub(/( is not set|=.*)$/, "", line)
			return line
		}
		function value(line) { return line ~ /^#/ ? "n" : substr(line, index(line, "=") + 1) }
		!/^CONFIG_|^# CONFIG_[A-Za-z0-9_]+ is not set$/ { next }
		FNR == NR { wanted[name($0)] = value($0); order[++n] = name($0); next }
		{ got[name($0)] = value($0) }
		END {
			for (i = 1; i <= n; i++) {
				o = order[i]
				if (o in seen || (o in got ? got[o] : "n") == wanted[o]) continue
				seen[o] = 1
				if (!(o in got) && index(optional, " " substr(o, 8) " ")) continue
				printf "asked for %s=%s, got %s\n", o, wanted[o], o in got ? got[o] : "nothing"
			}
		}
	' "$merged" "$got"
}

# Write OUTPUT/.config from the fragments, unless it is there already and nobody
# (kunit.py, say) has changed it since.
configure() {
	local files=() names=() inputs unmet i
	((BARE)) || files+=("$ROOT/qemu/kernel.config")
	((!DEBUG)) || files+=("$ROOT/qemu/debug.config")
	# (It may know of checkers that the architecture cannot do with.)
	((BARE)) || files+=("$ROOT/qemu/arch/$ARCH.config")
	files+=("${FRAGMENTS[@]}")

	inputs=$(
		for i in "${files[@]}"; do fragment_settings "$i"; done
		((STOCK)) || cat -- "$ROOT/Kconfig"
		cat -- "$SOURCE.origin" 2>/dev/null || true
		"$(compiler)" --version
	)
	inputs=$(short_hash <<<"$inputs")
	if ((!RECONFIGURE)) && [[ -f $OUTPUT/.config &&
		$(cat -- "$OUTPUT/.config-inputs" 2>/dev/null) == "$inputs $(short_hash <"$OUTPUT/.config")" ]]; then
		# (A tree of the user's may have got other options since.)
		[[ -d $KERNEL ]] || return 0
		"${MAKE[@]}" olddefconfig >"$OUTPUT/config.log" 2>&1 || config_failed
		printf '%s %s\n' "$inputs" "$(short_hash <"$OUTPUT/.config")" >"$OUTPUT/.config-inputs"
		return 0
	fi

	rm -f -- "$OUTPUT/.config-inputs"
	# merge_config.sh cannot cope with blanks in names: give it short ones.
	rm -rf -- "$OUTPUT/fragments"
	mkdir -p -- "$OUTPUT/fragments"
	for i in "${!files[@]}"; do
		names+=("$i.config")
		fragment_settings "${files[i]}" >"$OUTPUT/fragments/$i.config"
	done
	: >"$OUTPUT/fragments/merged"
	(
		cd -- "$OUTPUT/fragments"
		KCONFIG_CONFIG=merged "$SOURCE/scripts/kconfig/merge_config.sh" -m merged "${names[@]}"
	) >"$OUTPUT/config.log" 2>&1 || config_failed
	"${MAKE[@]}" "KCONFIG_ALLCONFIG=$OUTPUT/fragments/merged" allnoconfig >>"$OUTPUT/config.log" 2>&1 || config_failed

	# (Kept for those who cannot do with less.)
	unmet_settings "$OUTPUT/fragments/merged" "$OUTPUT/.config" "${files[@]}" >"$OUTPUT/fragments/unmet"
	unmet=$(<"$OUTPUT/fragments/unmet")
	if [[ -n $unmet ]]; then
		say 'warning: this kernel did not take some of the configuration:'
		printf '    %s\n' "${unmet//$'\n'/$'\n    '}" >&2
	fi
	if grep -qx 'CONFIG_INITRD_CXX=y' "$OUTPUT/fragments/merged" && ! grep -qx 'CONFIG_INITRD_CXX=y' "$OUTPUT/.config"; then
		die "CONFIG_INITRD_CXX is not set; $OUTPUT/.config lacks something that the project's Kconfig depends on"
	fi
	printf '%s %s\n' "$inputs" "$(short_hash <"$OUTPUT/.config")" >"$OUTPUT/.config-inputs"
}

# End because the configuration failed; show what was said.
config_failed() {
	tail -n 20 -- "$OUTPUT/config.log" >&2
	die "the configuration failed, see $OUTPUT/config.log"
}

# ---- progress -------------------------------------------------------------------------

LAST_PROGRESS=$SECONDS PROGRESS_SHOWN=0

# Show how far something has come: $1 the text, $2 when it began (SECONDS). A
# terminal has one line that changes, a file gets a line now and then.
progress() {
	local text
	((!QUIET)) || return 0
	text="$1, $((SECONDS - $2)) s"
	if [[ -t 2 ]]; then
		printf '\r\033[K%s: %s' "$SCRIPT_NAME" "$text" >&2
		PROGRESS_SHOWN=1
	elif ((SECONDS - LAST_PROGRESS >= 15)); then
		say "$text"
		LAST_PROGRESS=$SECONDS
	fi
}

# Remove the changing line from the terminal.
end_progress() {
	((!PROGRESS_SHOWN)) || printf '\r\033[K' >&2
	PROGRESS_SHOWN=0
}

# Print how many objects make's output has named.
count_objects() { grep -cE '^  (CC|CXX|AS|HOSTCC|HOSTLD|AR|LD|OBJCOPY)[ \[]' -- "$1" || true; }

# ---- the build ------------------------------------------------------------------------

# Build everything ("make all"), with progress, and show what went wrong.
build() {
	local log=$OUTPUT/build.log pid started=$SECONDS expected=0 done_so_far status=0 warnings
	[[ ! -f $OUTPUT/.objects ]] || expected=$(<"$OUTPUT/.objects")
	((expected)) || expected=$(arch_value kernel-objects)
	verbose "${MAKE[*]} all"

	"${MAKE[@]}" all >"$log" 2>&1 </dev/null &
	pid=$!
	# shellcheck disable=SC2064  # the number of this very process
	trap "kill $pid 2>/dev/null; wait $pid 2>/dev/null; exit 130" INT TERM HUP
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		done_so_far=$(count_objects "$log")
		if ((SECONDS - started >= 3)); then
			progress "building $NAME: $((done_so_far >= expected ? 99 : done_so_far * 100 / expected)) % ($done_so_far objects)" "$started"
		fi
	done
	wait "$pid" || status=$?
	trap - INT TERM HUP
	end_progress

	((!VERBOSE)) || cat -- "$log" >&2
	if ((status)); then
		grep -nE '(error|Error |undefined |\*\*\*|FATAL)' -B 2 -A 6 -- "$log" | tail -n 40 >&2 || tail -n 20 -- "$log" >&2
		die "the kernel was not built; everything that make said is in $log"
	fi
	[[ -f $IMAGE ]] || die "make succeeded, but there is no $IMAGE; does qemu/arch/$ARCH.config name the right file?"
	done_so_far=$(count_objects "$log")
	((done_so_far <= expected / 2)) || printf '%s\n' "$done_so_far" >"$OUTPUT/.objects"
	warnings=$(grep -iE 'warning[: ]' -- "$log" || true)
	if [[ -n $warnings ]]; then
		say 'the build gave warnings:'
		head -n 20 <<<"$warnings" >&2
	fi
	((QUIET || SECONDS - started < 3)) || say "built $NAME: $done_so_far objects in $((SECONDS - started)) s"
}

main() {
	local series tree suites suffix=''
	parse_command_line "$@"
	KERNEL_ARCH=$(arch_value kernel-arch)
	if [[ -d $KERNEL ]]; then
		series=$(tree_series "$KERNEL") || die "$KERNEL: this is no kernel source tree"
		tree=$series-$(basename -- "$KERNEL" | tr -c 'A-Za-z0-9._\n' _)-$(short_hash <<<"$KERNEL")
		SOURCE=$BUILD/src/$tree
	else
		tree=$KERNEL
		SOURCE=$BUILD/src/linux-$KERNEL
		read -r _ SOURCE_PACKAGE SOURCE_FOLDER suites <<<"$(series_row "$KERNEL")"
		read -ra SOURCE_SUITES <<<"$suites"
	fi
	((!STOCK)) || { suffix+=-stock; SOURCE+=-stock; }
	((!DEBUG)) || suffix+=-debug
	((!BARE)) || suffix+=-bare
	case $LLVM_CHOICE in
	-19) ;;
	'') suffix+=-gnu ;;
	-* | 1) suffix+=-llvm${LLVM_CHOICE#-} ;;
	*) suffix+=-llvm-$(short_hash <<<"$LLVM_CHOICE") ;;
	esac
	((!${#FRAGMENTS[@]})) || suffix+=-$(cat -- "${FRAGMENTS[@]}" | short_hash)
	if ((SOURCES)); then
		need_packages
		prepare_sources
		printf '%s\n' "$SOURCE"
		exit 0
	fi
	NAME=$tree-$ARCH$suffix
	OUTPUT=$BUILD/kernel/$NAME
	IMAGE=$OUTPUT/$(arch_value kernel-image)

	mkdir -p -- "$BUILD/kernel"
	exec 9>"$BUILD/kernel/.$NAME.lock"
	flock -n 9 || { say "waiting for another build of $NAME"; flock 9; }
	((!CLEAN)) || rm -rf -- "$OUTPUT"
	mkdir -p -- "$OUTPUT"

	need_packages
	prepare_sources
	set_up_make
	configure
	build
	printf '%s\n' "$IMAGE"
	# (bash must not read on: the script may have been replaced meanwhile.)
	exit 0
}

main "$@"
