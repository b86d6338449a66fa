#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What a new user does, on a new machine: bare Debian, nothing but apt, made by
# mmdebstrap from this machine's own mirrors; a clone of the project in a home that
# nobody else may enter; the commands of README's "Start". "tests/run --fresh" runs it.
#
# Usage: fresh.sh [SUITE]... [-- COMMAND [ARGUMENT]...]
#
#   SUITE        bookworm or trixie (default: both)
#   -- COMMAND   run this in the clone, in place of README's two commands: a line for
#                the shell, or a command with its arguments; what begins with "-" is
#                options for ./tests/run
#
# Needs root. All mounts are in a namespace of its own, which ends with the run, however
# that ends; the root is removed then. What stays is in build/fresh/: the logs, those of
# the clone among them, and the packages that were downloaded, for the next time.
#
# The last line counts, as tests/run does. Exit status: 0 when something passed and
# nothing failed, 1 otherwise, 2 for wrong usage.

set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname -- "$here")
# shellcheck source=scripts/lib.sh
source "$root/scripts/lib.sh"
# shellcheck source=qemu/packages.sh
source "$root/qemu/packages.sh"
SCRIPT_NAME=run

SUITES=(bookworm trixie)
suites=() commands=()
while (($#)); do
	case $1 in
	--help | -h) print_help; exit 0 ;;
	--)
		shift
		(($#)) || usage_error 'there is no command behind the "--"'
		[[ $1 != -* ]] || set -- ./tests/run "$@"
		if (($# == 1)); then commands=("$1"); else commands=("${*@Q}"); fi
		break
		;;
	*)
		[[ " ${SUITES[*]} " == *" $1 "* ]] || usage_error "unknown suite \"$1\" (known: ${SUITES[*]})"
		suites+=("$1")
		;;
	esac
	shift
done
((${#suites[@]})) || suites=("${SUITES[@]}")
((${#commands[@]})) || commands=(./qemu/boot ./tests/run)
((EUID == 0)) || die 'only root can make a Debian root and enter it'
unshare --mount --pid --fork true 2>/dev/null || die 'this machine does not let root have namespaces of its own (unshare)'
need_packages_for fresh

fresh=$root/build/fresh
packages=$fresh/packages
mkdir -p -- "$packages"
exec 9>"$fresh/.lock"
flock -n 9 || die 'another run of this is under way'

# Where the clone is, in the new root.
CLONE=/root/initrd-cxx
# Where README's commands run, and what ends it at once.
bare='' child=''

# Print a number of seconds as people say it.
duration() { printf '%d min %02d s' "$(($1 / 60))" "$(($1 % 60))"; }

# Run a command in namespaces of its own, with nobody's mounts and no process left
# behind. (In the background, so that a signal to this script has effect at once.)
isolated() {
	local status=0
	unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- "$@" &
	child=$!
	wait "$child" || status=$?
	child=''
	return "$status"
}

# Remove the new root, with what is running in it.
clean_up() {
	if [[ -n $child ]]; then
		kill -KILL "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
		child=''
	fi
	[[ -n $bare ]] || return 0
	# (Who ran in there may need a moment to be gone.)
	rm -rf --one-file-system -- "$bare" 2>/dev/null || { sleep 2; rm -rf --one-file-system -- "$bare"; }
	bare=''
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Print what apt is told on this machine of how to reach its mirrors. (A program that
# finds a proxy is not there in the new root.)
reaching_mirrors() {
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|ForceIPv|Retries|Languages)' |
		grep -vi 'proxy-auto-\?detect' || true
}

# make_bare SUITE LOG: make a new root at $bare.
make_bare() {
	local suite=$1 log=$2 options=()
	debian_sources "$DEBIAN_KEYRING" "$suite" "$suite-updates" "$suite-security" >"$fresh/$suite/sources.list"
	[[ -s $fresh/$suite/sources.list ]] || die "apt-get knows of no mirror of Debian's"
	reaching_mirrors >"$fresh/$suite/apt.conf"
	! grep -q ' https:' "$fresh/$suite/sources.list" || options+=(--include=ca-certificates)
	# shellcheck disable=SC2016  # for mmdebstrap's shell
	[[ ! -d /etc/apt/mirrors ]] || options+=('--setup-hook=mkdir -p "$1/etc/apt"; cp -a /etc/apt/mirrors "$1/etc/apt/"')
	# Packages that were downloaded before are not downloaded again.
	export FRESH_PACKAGES=$packages
	# shellcheck disable=SC2016  # for mmdebstrap's shell
	options+=(
		--skip=download/empty --skip=essential/unlink
		'--setup-hook=mkdir -p "$1/var/cache/apt/archives"; find "$FRESH_PACKAGES" -maxdepth 1 -name "*.deb" -exec cp -t "$1/var/cache/apt/archives" {} +'
		'--customize-hook=find "$1/var/cache/apt/archives" -maxdepth 1 -name "*.deb" -exec cp -n -t "$FRESH_PACKAGES" {} +'
	)
	isolated mmdebstrap --mode=root --variant=apt --dpkgopt=force-unsafe-io "--aptopt=$fresh/$suite/apt.conf" \
		"${options[@]}" "$suite" "$bare" "$fresh/$suite/sources.list" >"$log" 2>&1 </dev/null ||
		{ tail -n 15 -- "$log" >&2; return 1; }
	# As in every container: a daemon that is installed is not started.
	printf '#!/bin/sh\nexit 101\n' >"$bare/usr/sbin/policy-rc.d"
	chmod 0755 "$bare/usr/sbin/policy-rc.d"
}

# Clone the project, as it was committed, into root's home at $bare.
clone() {
	local gitconfig=$fresh/gitconfig
	# (Root may read what is somebody else's.)
	printf '[safe]\n\tdirectory = *\n' >"$gitconfig"
	chmod 0700 "$bare/root"
	GIT_CONFIG_GLOBAL=$gitconfig git clone -q --no-hardlinks -- "$root" "$bare$CLONE"
}

# What is run in the namespaces: enter the root $1 and run the shell's command $3 in the
# folder $2; apt's packages are kept in $4.
# shellcheck disable=SC2016  # for the shell in there
ENTER='
set -e
umask 022
mount --rbind /dev "$1/dev"
mount --rbind /sys "$1/sys"
mount -t proc proc "$1/proc"
mkdir -p "$1/var/cache/apt/archives"
mount --bind "$4" "$1/var/cache/apt/archives"
for name in resolv.conf hosts; do
	[ ! -e "/etc/$name" ] || { rm -f "$1/etc/$name"; cp -L "/etc/$name" "$1/etc/$name"; }
done
exec chroot "$1" /usr/bin/env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash "TERM=${TERM:-dumb}" \
	${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} ${no_proxy:+"no_proxy=$no_proxy"} \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/bash -c "cd $2 && $3"
'

total_passed=0 total_failed=0 total_skipped=0 summary=()

# enter_result SUITE WHAT STATUS SECONDS [COUNTS]: count it, and keep a line for the end.
enter_result() {
	local passed=0 failed=0 skipped=0
	if [[ ${5:-} =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[3]}
		(($3 == 0 || failed)) || failed=1
	elif (($3 == 0)); then
		passed=1
	else
		failed=1
	fi
	((total_passed += passed, total_failed += failed, total_skipped += skipped)) || true
	summary+=("$(printf '%-10s %-24s %s passed, %s failed, %s skipped, %s' "$1" "$2" "$passed" "$failed" "$skipped" "$(duration "$4")")")
}

# run_suite SUITE
run_suite() {
	local suite=$1 command log status started number=0
	local folder=$fresh/$suite
	rm -rf --one-file-system -- "$folder"
	mkdir -p -- "$folder"
	bare=$folder/root
	say "$suite: making a bare Debian in $bare"
	started=$SECONDS
	if ! make_bare "$suite" "$folder/mmdebstrap.log" || ! clone; then
		say "$suite: there is no bare Debian, see $folder/mmdebstrap.log"
		enter_result "$suite" 'bare Debian' 1 $((SECONDS - started))
		return
	fi
	say "$suite: made in $(duration $((SECONDS - started)))"
	for command in "${commands[@]}"; do
		number=$((number + 1))
		log=$folder/$number.log
		printf '\n==== %s: %s\n' "$suite" "$command"
		started=$SECONDS status=0
		isolated bash -c "$ENTER" - "$bare" "$CLONE" "$command" "$packages" \
			> >(tee -- "$log") 2>&1 </dev/null || status=$?
		# (tee may still be writing.)
		sleep 0.5
		enter_result "$suite" "$command" "$status" $((SECONDS - started)) "$(tail -n 1 -- "$log")"
		say "$suite: $command: status $status, after $(duration $((SECONDS - started))); what it said is in $log"
	done
	[[ ! -d $bare$CLONE/build/tests ]] ||
		find "$bare$CLONE/build/tests" -maxdepth 1 -name '*.log' -exec cp -t "$folder" {} +
	clean_up
}

# What is not committed is not tested.
[[ -z $(git -c safe.directory='*' -C "$root" status --porcelain --untracked-files=no 2>/dev/null) ]] ||
	say 'note: the clone has what was committed, and there are changes that are not'
for suite in "${suites[@]}"; do
	run_suite "$suite"
done

printf '\n==== summary\n'
printf '%s\n' "${summary[@]}"
printf '\n%s passed, %s failed, %s skipped\n' "$total_passed" "$total_failed" "$total_skipped"
((total_failed == 0 && total_passed > 0))
