#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Put this project into a Linux kernel source tree, or take it out again.
#
# Usage: prepare-kernel.sh --linux=DIR [option]...
#
#   --linux=DIR      the kernel source tree (6.1 or 6.12)
#   --mode=link      one symbolic link per source file, back to this project
#                    (the default; objects of an in-tree build stay in the tree)
#   --mode=copy      copies of the source files; edits of them are overwritten
#                    by the next run
#   --outpatch=FILE  leave the tree alone and write the whole change to FILE as
#                    a patch for "git apply" or "patch -p1"
#   --check          only tell the state of the tree: exit status 0 if the
#                    project is installed or can be, else 1
#   --dry-run        only list what would be done
#   --uninstall      restore the tree, byte for byte
#   --force          go on with a kernel series that is not known here, and
#                    remove files that somebody added to init/initrd-cxx
#   --verbose        list everything that is done
#   --help           this text
#
# The sources go to init/initrd-cxx/, and four files get a marked block. At their
# end, init/Makefile and drivers/block/Makefile leave out the C objects that the
# project replaces when CONFIG_INITRD_CXX is set, and usr/Kconfig offers that
# option, under "General setup". In block/ioctl.c, the ioctl BLKFLSBUF asks the
# RAM disk's driver first. Running the script again brings the tree up to date
# and writes nothing if nothing changed. Before anything is written, every place
# that the blocks rely on is looked for; if one is missing, or if an error occurs
# half-way, the tree stays as it was.
#
# Exit status: 0 success, 1 failure, 2 wrong usage.

set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

ROOT=$(project_root)
LINUX='' MODE='' OUTPATCH='' ACTION=install FORCE=0 DRY_RUN=0 VERBOSE=0

# ---- command line -------------------------------------------------------

# Choose what to do; two different choices are a usage error.
set_action() {
	[[ $ACTION == install || $ACTION == "$1" ]] ||
		usage_error "--$ACTION and --$1 exclude each other"
	ACTION=$1
}

# Read the command line into the variables above.
parse_command_line() {
	local arg
	split_options '--linux --mode --outpatch' "$@"
	set -- "${ARGS[@]}"
	while (($#)); do
		arg=$1
		shift
		case $arg in
		--linux) LINUX=$1; shift ;;
		--mode) MODE=$1; shift ;;
		--outpatch) OUTPATCH=$1; set_action outpatch; shift ;;
		--check) set_action check ;;
		--uninstall) set_action uninstall ;;
		--dry-run) DRY_RUN=1 ;;
		--force) FORCE=1 ;;
		--verbose) VERBOSE=1 ;;
		--help | -h) print_help; exit 0 ;;
		-*) usage_error "unknown option: $arg" ;;
		*) usage_error "unexpected argument: $arg" ;;
		esac
	done
	[[ -n $LINUX ]] || usage_error 'which kernel tree? (--linux=DIR)'
	[[ $ACTION != outpatch || -n $OUTPATCH ]] || usage_error '--outpatch needs a file name'
	case $MODE in
	link | copy) ;;
	'') [[ $ACTION == outpatch ]] || MODE='link' ;;
	*) usage_error "--mode is link or copy, not \"$MODE\"" ;;
	esac
	if [[ $ACTION == outpatch ]]; then
		[[ $MODE != link ]] || usage_error 'a patch holds the contents of the files: --outpatch goes with --mode=copy'
		MODE=copy
	fi
}

# ---- the tree: what it must have ---------------------------------------

# The anchors: file, extended regular expression, what it stands for. The blocks
# below make no sense in a tree without them.
ANCHORS=(
	'init/Makefile	^obj-[^#]*=.*[[:space:]]initramfs\.o	the object initramfs.o in obj-y'
	'init/Makefile	^mounts-y[[:space:]]*:?=	the list mounts-y'
	'init/Makefile	^mounts-[^#]*=.*[[:space:]]do_mounts_rd\.o	the object do_mounts_rd.o in mounts-y'
	'init/Makefile	^mounts-[^#]*=.*[[:space:]]do_mounts_initrd\.o	the object do_mounts_initrd.o in mounts-y'
	'drivers/block/Makefile	^obj-[^#]*=.*[[:space:]]brd\.o	the object brd.o'
	'usr/Kconfig	^config[[:space:]]+RD_GZIP$	the option RD_GZIP'
	'block/ioctl.c	blkdev_common_ioctl\(struct block_device \*bdev, [a-z_]+ mode,	blkdev_common_ioctl() with the parameters bdev and mode'
	'block/ioctl.c	^[[:space:]]+unsigned int cmd, unsigned long arg,	parameters named cmd and arg'
)

# Where a block goes that does not stand at the end of its file: file, function,
# and the line in that function, which must be there once, that it comes after.
PLACES=(
	'block/ioctl.c	blkdev_common_ioctl	case BLKFLSBUF:'
)

# Print the block for one of BLOCK_FILES, without its delimiters.
block_for() {
	case $1 in
	init/Makefile)
		cat <<-'EOF'
		ifdef CONFIG_INITRD_CXX
		obj-y := $(filter-out initramfs.o,$(obj-y))
		mounts-y := $(filter-out do_mounts_rd.o do_mounts_initrd.o,$(mounts-y))
		obj-y += initrd-cxx/
		endif
		EOF
		;;
	drivers/block/Makefile)
		cat <<-'EOF'
		ifdef CONFIG_INITRD_CXX
		obj-y := $(filter-out brd.o,$(obj-y))
		obj-m := $(filter-out brd.o,$(obj-m))
		endif
		EOF
		;;
	usr/Kconfig)
		printf 'source "%s/Kconfig"\n' "$OVERLAY_DIR"
		;;
	block/ioctl.c)
		# Up to Linux 5.8 every driver was asked. RAMDISK_MAJOR is not known
		# here; who lacks CAP_SYS_ADMIN is refused below, as ever.
		cat <<'EOF'
if (IS_ENABLED(CONFIG_INITRD_CXX) &&
    bdev->bd_disk->major == 1 /* RAMDISK_MAJOR */ &&
    bdev->bd_disk->fops->ioctl && capable(CAP_SYS_ADMIN)) {
	int status = bdev->bd_disk->fops->ioctl(bdev, mode, cmd, arg);

	if (status != -ENOTTY)
		return status;
}
EOF
		;;
	esac
}

# Print the row of PLACES for one of BLOCK_FILES; fail silently if its block
# stands at the end.
place_of() {
	local row
	for row in "${PLACES[@]}"; do
		[[ ${row%%$'\t'*} != "$1" ]] || { printf '%s\n' "$row"; return 0; }
	done
	return 1
}

# Print the numbers of the lines in the file $1 that lie in the body of the C
# function $2 and are, but for blanks around it, the text $3.
lines_in_function() {
	awk -v name="$2" -v text="$3" '
		index($0, name "(") && /^[A-Za-z_]/ { head = 1; body = 0 }
		head && /;[ \t]*$/ { head = 0 }	# a declaration
		head && /^{/ { head = 0; body = 1 }
		/^}/ { body = 0 }
		{ line = $0; gsub(/^[ \t]+|[ \t]+$/, "", line) }
		body && line == text { print FNR }
	' "$1"
}

# Print one of BLOCK_FILES (relative path $1, its text without a block in the
# file $2) with the block in its place.
with_block() {
	local place function text line indent
	if place=$(place_of "$1"); then
		IFS=$'\t' read -r _ function text <<<"$place"
		line=$(lines_in_function "$2" "$function" "$text")
		indent=$(sed -n "${line}s/[^[:space:]].*/\t/p" -- "$2")
		head -n "$line" -- "$2"
		printf '%s/* %s */\n' "$indent" "$BLOCK_BEGIN"
		block_for "$1" | sed "s/^./$indent&/"
		printf '%s/* %s */\n' "$indent" "$BLOCK_END"
		tail -n "+$((line + 1))" -- "$2"
		return
	fi
	cat -- "$2"
	if ends_in_newline "$2"; then
		printf '# %s\n' "$BLOCK_BEGIN"
	else
		printf '\n# %s\n' "$BLOCK_BEGIN_NONL"
	fi
	block_for "$1"
	printf '# %s\n' "$BLOCK_END"
}

# Report everything that keeps the project from being put into the tree. The
# tree is LINUX, an absolute path. Return 1 if there was anything.
check_tree() {
	local series file pattern what function text ok=1
	if ! series=$(tree_series "$LINUX"); then
		say "error: $LINUX: this is no kernel source tree (no Makefile with VERSION and PATCHLEVEL)"
		return 1
	fi
	if ! series_row "$series" >/dev/null; then
		if ((FORCE)); then
			say "warning: kernel series $series is not known here, going on as told by --force"
		else
			say "error: $LINUX: kernel series $series is not known here (known: $(known_series)); --force tries it all the same"
			ok=0
		fi
	fi
	for file in "${BLOCK_FILES[@]}"; do
		if [[ ! -f $LINUX/$file ]]; then
			say "error: missing anchor: there is no $file in $LINUX"
			ok=0
		elif ! block_is_sane "$LINUX/$file"; then
			say "error: $file: the block between \"$BLOCK_BEGIN\" and \"$BLOCK_END\" is damaged; remove what is left of it by hand"
			ok=0
		elif [[ ! -w $LINUX/$file || ! -w $(dirname -- "$LINUX/$file") ]]; then
			[[ $ACTION == outpatch || $ACTION == check ]] || {
				say "error: $LINUX/$file: no permission to write it"
				ok=0
			}
		fi
	done
	while IFS=$'\t' read -r file pattern what; do
		[[ -f $LINUX/$file ]] || continue
		# (A pipe into "grep -q" would end sed early, and fail.)
		if ! grep -Eq -- "$pattern" <<<"$(strip_block "$LINUX/$file")"; then
			say "error: missing anchor: $file has not $what"
			ok=0
		fi
	done < <(printf '%s\n' "${ANCHORS[@]}")
	while IFS=$'\t' read -r file function text; do
		[[ -f $LINUX/$file ]] || continue
		case $(lines_in_function <(strip_block "$LINUX/$file") "$function" "$text" | wc -l) in
		1) continue ;;
		0) say "error: missing anchor: $file has no line \"$text\" in $function()" ;;
		*) say "error: missing anchor: $file has more than one line \"$text\" in $function()" ;;
		esac
		ok=0
	done < <(printf '%s\n' "${PLACES[@]}")
	if [[ ! -f $LINUX/init/Kconfig ]] || ! awk '
		/^if[ \t]+BLK_DEV_INITRD[ \t]*$/ { inside = 1 }
		/^endif/ { inside = 0 }
		inside && /^source[ \t]+"usr\/Kconfig"/ { found = 1 }
		END { exit !found }
	' "$LINUX/init/Kconfig"; then
		say 'error: missing anchor: init/Kconfig has not source "usr/Kconfig" between "if BLK_DEV_INITRD" and "endif"'
		ok=0
	fi
	check_overlay_dir || ok=0
	((ok))
}

# Report if init/initrd-cxx exists and is not this script's. Return 1 then.
check_overlay_dir() {
	local dir=$LINUX/$OVERLAY_DIR
	[[ -e $dir || -L $dir ]] || return 0
	if [[ -L $dir || ! -d $dir || ! -f $LINUX/$OVERLAY_MANIFEST ]]; then
		say "error: $dir exists, but this script did not make it (no ${OVERLAY_MANIFEST##*/} there); remove it first"
		return 1
	fi
}

# ---- the plan: what differs between the tree and what it should be -------

# Steps in the order of their execution; a step is "KIND<TAB>relative path":
#   mkdir, link, copy, remove, rmdir, and write (text staged in $STAGE/new/).
PLAN=()
declare -A WANTED=() HAVE_LINK=()

# Add a step to the plan.
plan() { PLAN+=("$1"$'\t'"$2"); }

# List the project's files that belong into a kernel tree, relative to ROOT.
project_files() {
	(
		cd -- "$ROOT"
		local parts=() part
		for part in Kbuild Kconfig initrd ramdisk tests/contract tests/kunit scripts/Makefile.cxx; do
			[[ ! -e $part ]] || parts+=("$part")
		done
		find -L "${parts[@]}" \( -name '.*' -o -path initrd/hosted \) -prune -o -type f \
			\( -name Kbuild -o -name Kconfig -o -name 'Makefile.*' -o -name '*.h' \
			-o -name '*.c' -o -name '*.cc' -o -name '*.inc' -o -name '*.S' \) ! -name '*.mod.c' -print
	) | LC_ALL=C sort
}

# Print the paths (relative to the overlay) that the tree's manifest lists under
# a keyword: "file" or "dir".
manifest_list() {
	[[ ! -f $LINUX/$OVERLAY_MANIFEST ]] || sed -n "s/^$1 //p" -- "$LINUX/$OVERLAY_MANIFEST"
}

# True if two text files are the same, also if one of them does not exist.
same_text() { cmp -s -- "$1" "$2"; }

# Stage stdin as a text file of the tree, and plan its writing if it differs from
# what is there. (Not for the end of a pipe: it has to run in this very shell.)
plan_text() {
	local path=$1 staged=$STAGE/new/$1
	mkdir -p -- "$(dirname -- "$staged")"
	cat >"$staged"
	same_text "$staged" "$LINUX/$path" || plan write "$path"
}

# Plan all steps that put the project into the tree or bring it up to date.
plan_install() {
	local file dir target files dirs
	files=$(project_files)
	[[ -f $ROOT/Kbuild && -f $ROOT/Kconfig ]] ||
		die "$ROOT: this copy of the project is not complete (no Kbuild or Kconfig)"
	dirs=$(sed -n 's,/[^/]*$,,p' <<<"$files" |
		awk '{ n = split($0, p, "/"); d = p[1]; print d; for (i = 2; i <= n; i++) { d = d "/" p[i]; print d } }' |
		LC_ALL=C sort -u)
	while IFS= read -r -d '' file && IFS= read -r -d '' target; do
		HAVE_LINK[$file]=$target
	done < <([[ ! -d $LINUX/$OVERLAY_DIR ]] ||
		find "$LINUX/$OVERLAY_DIR" -type l -printf '%P\0%l\0')

	[[ -d $LINUX/$OVERLAY_DIR ]] || plan mkdir "$OVERLAY_DIR"
	# The manifest goes first: from then on the folder is known as ours.
	plan_text "$OVERLAY_MANIFEST" < <(
		printf '# Made by prepare-kernel.sh, which uses it to update and to remove this folder.\n'
		printf 'mode %s\n' "$MODE"
		[[ -z $dirs ]] || printf 'dir %s\n' "${dirs//$'\n'/$'\ndir '}"
		printf 'file %s\n' "${files//$'\n'/$'\nfile '}"
	)

	while IFS= read -r file; do
		[[ -z $file ]] || WANTED[$file]=1
	done <<<"$files"$'\n'"$dirs"
	while IFS= read -r file; do
		[[ -n ${WANTED[$file]-} ]] || plan remove "$OVERLAY_DIR/$file"
	done < <(manifest_list file)
	while IFS= read -r dir; do
		[[ -n ${WANTED[$dir]-} ]] || plan rmdir "$OVERLAY_DIR/$dir"
	done < <(manifest_list dir | LC_ALL=C sort -r)

	while IFS= read -r dir; do
		[[ -z $dir || -d $LINUX/$OVERLAY_DIR/$dir ]] || plan mkdir "$OVERLAY_DIR/$dir"
	done <<<"$dirs"
	while IFS= read -r file; do
		target=${HAVE_LINK[$file]-}
		if [[ $MODE == link ]]; then
			[[ $target == "$ROOT/$file" ]] || plan link "$OVERLAY_DIR/$file"
		elif [[ -n $target ]] || ! same_text "$ROOT/$file" "$LINUX/$OVERLAY_DIR/$file"; then
			plan copy "$OVERLAY_DIR/$file"
		fi
	done <<<"$files"

	for file in "${BLOCK_FILES[@]}"; do
		mkdir -p -- "$STAGE/base/$(dirname -- "$file")"
		strip_block "$LINUX/$file" >"$STAGE/base/$file"
		plan_text "$file" < <(with_block "$file" "$STAGE/base/$file")
	done
}

# List files in init/initrd-cxx that are neither ours nor made by a build.
foreign_files() {
	local file
	while IFS= read -r file; do WANTED[$file]=1; done < <(manifest_list file)
	(
		cd -- "$LINUX/$OVERLAY_DIR"
		find . -mindepth 1 ! -type d ! -name '.*' ! -name '*.o' ! -name '*.a' ! -name '*.ko' \
			! -name '*.mod' ! -name '*.mod.c' ! -name '*.cmd' ! -name '*.d' ! -name '*.s' \
			! -name '*.i' ! -name '*.ll' ! -name '*.lst' ! -name '*.su' ! -name '*.gcno' \
			! -name '*.symversions' ! -name '*.symtypes' ! -name 'modules.order' -printf '%P\n'
	) | while IFS= read -r file; do
		[[ $file == "${OVERLAY_MANIFEST##*/}" || -n ${WANTED[$file]-} ]] || printf '%s\n' "$file"
	done
}

# Plan all steps that restore the tree.
plan_uninstall() {
	local file foreign
	for file in "${BLOCK_FILES[@]}"; do
		[[ -f $LINUX/$file ]] || continue
		block_is_sane "$LINUX/$file" ||
			die "$file: the block between \"$BLOCK_BEGIN\" and \"$BLOCK_END\" is damaged; remove what is left of it by hand"
		! has_block "$LINUX/$file" || plan_text "$file" < <(strip_block "$LINUX/$file")
	done
	check_overlay_dir || exit 1
	[[ -d $LINUX/$OVERLAY_DIR ]] || return 0
	foreign=$(foreign_files)
	if [[ -n $foreign ]] && ! ((FORCE)); then
		die "somebody added files to $LINUX/$OVERLAY_DIR: $(paste -sd ' ' <<<"$foreign"); move them away, or remove them with --force"
	fi
	plan rmtree "$OVERLAY_DIR"
}

# ---- carrying out the plan ------------------------------------------------

# What to do, last entry first, to get back to where we started:
# "KIND<TAB>relative path", KIND remove, rmdir or restore (from $STAGE/old/).
UNDO=()

# Set a path of the tree aside in $STAGE/old/, so that it can be restored.
set_aside() {
	mkdir -p -- "$(dirname -- "$STAGE/old/$1")"
	cp -a -- "$LINUX/$1" "$STAGE/old/$1"
}

# Put a file in its place in one step: $1 the prepared file beside it, $2 the
# path in the tree.
put() {
	if [[ -e $LINUX/$2 || -L $LINUX/$2 ]]; then
		set_aside "$2"
		UNDO+=("restore"$'\t'"$2")
	else
		UNDO+=("remove"$'\t'"$2")
	fi
	mv -fT -- "$1" "$LINUX/$2"
}

# Carry out one step of the plan.
do_step() {
	local kind=$1 path=$2 new=$LINUX/$2.initrd-cxx-new
	verbose "$kind $path"
	case $kind in
	mkdir)
		UNDO+=("rmdir"$'\t'"$path")
		mkdir -- "$LINUX/$path"
		;;
	link)
		ln -sfnT -- "$ROOT/${path#"$OVERLAY_DIR"/}" "$new"
		put "$new" "$path"
		;;
	copy)
		cp -L --preserve=mode -- "$ROOT/${path#"$OVERLAY_DIR"/}" "$new"
		put "$new" "$path"
		;;
	write)
		# (cp keeps the mode and the owner, cat then replaces the text.)
		[[ ! -e $LINUX/$path ]] || cp -p -- "$LINUX/$path" "$new"
		cat -- "$STAGE/new/$path" >"$new"
		touch -- "$new"
		put "$new" "$path"
		;;
	remove)
		if [[ -e $LINUX/$path || -L $LINUX/$path ]]; then
			set_aside "$path"
			UNDO+=("restore"$'\t'"$path")
			rm -f -- "$LINUX/$path"
		fi
		;;
	rmdir)
		# A folder that still holds objects stays.
		if rmdir -- "$LINUX/$path" 2>/dev/null; then UNDO+=("mkdir"$'\t'"$path"); fi
		;;
	rmtree)
		set_aside "$path"
		UNDO+=("restore"$'\t'"$path")
		rm -rf -- "${LINUX:?}/$path"
		;;
	esac
}

# Take back every step that was carried out. Runs when the script fails or is
# interrupted while UNDO is not empty.
# shellcheck disable=SC2317  # (called by finish)
roll_back() {
	local i kind path
	set +e
	say 'failed half-way, restoring the tree'
	for ((i = ${#UNDO[@]} - 1; i >= 0; i--)); do
		IFS=$'\t' read -r kind path <<<"${UNDO[i]}"
		rm -f -- "$LINUX/$path.initrd-cxx-new"
		case $kind in
		remove) rm -f -- "$LINUX/$path" ;;
		rmdir) rmdir -- "$LINUX/$path" 2>/dev/null ;;
		mkdir) mkdir -p -- "$LINUX/$path" ;;
		restore)
			rm -rf -- "${LINUX:?}/$path"
			cp -a -- "$STAGE/old/$path" "$LINUX/$path" || say "error: could not restore $path"
			;;
		esac
	done
}

# Remove what the script left; take back a half-done change. For the EXIT trap.
# shellcheck disable=SC2317  # (called by the trap)
finish() {
	local status=$?
	if ((${#UNDO[@]})); then roll_back; fi
	rm -rf -- "$STAGE"
	exit "$status"
}

# Carry out the plan, or list it under --dry-run.
run_plan() {
	local step kind path
	for step in "${PLAN[@]}"; do
		IFS=$'\t' read -r kind path <<<"$step"
		if ((DRY_RUN)); then
			printf 'would %s %s\n' "$kind" "$path"
		else
			do_step "$kind" "$path"
		fi
	done
	UNDO=()
}

# ---- the patch --------------------------------------------------------------

# Print one file's part of the patch: relative path, old file or "", new file.
patch_part() {
	local path=$1 old=$2 new=$3 mode=100644
	[[ ! -x $new ]] || mode=100755
	printf 'diff --git a/%s b/%s\n' "$path" "$path"
	if [[ -z $old ]]; then
		printf 'new file mode %s\n' "$mode"
		diff -u --label /dev/null --label "b/$path" /dev/null "$new" || (($? == 1))
	else
		diff -u --label "a/$path" --label "b/$path" "$old" "$new" || (($? == 1))
	fi
}

# Write the whole change to OUTPATCH, relative to a tree without the project.
write_patch() {
	local file patch=$STAGE/overlay.patch
	{
		for file in "${BLOCK_FILES[@]}"; do
			patch_part "$file" "$STAGE/base/$file" "$STAGE/new/$file"
		done
		patch_part "$OVERLAY_MANIFEST" '' "$STAGE/new/$OVERLAY_MANIFEST"
		while IFS= read -r file; do
			patch_part "$OVERLAY_DIR/$file" '' "$ROOT/$file"
		done < <(sed -n 's/^file //p' "$STAGE/new/$OVERLAY_MANIFEST")
	} >"$patch"
	if ((DRY_RUN)); then
		printf 'would write %s (%s bytes)\n' "$OUTPATCH" "$(stat -c %s "$patch")"
	else
		cp -- "$patch" "$OUTPATCH.new"
		mv -f -- "$OUTPATCH.new" "$OUTPATCH"
		say "wrote $OUTPATCH"
	fi
}

# ---- main -------------------------------------------------------------------

# Print the state that --check reports; return 1 if the tree cannot take the
# project.
report_state() {
	local file blocks=0
	if ! check_tree; then
		printf 'not installable: %s\n' "$LINUX"
		return 1
	fi
	for file in "${BLOCK_FILES[@]}"; do
		! has_block "$LINUX/$file" || blocks=$((blocks + 1))
	done
	if ((blocks == 0)) && [[ ! -d $LINUX/$OVERLAY_DIR ]]; then
		printf 'not installed, all anchors found: %s\n' "$LINUX"
		return 0
	fi
	MODE=$(sed -n 's/^mode //p' "$LINUX/$OVERLAY_MANIFEST" 2>/dev/null || true)
	[[ $MODE == link || $MODE == copy ]] || MODE='link'
	plan_install
	if ((${#PLAN[@]})); then
		printf 'installed but stale (%d differences, mode %s): %s\n' "${#PLAN[@]}" "$MODE" "$LINUX"
	else
		printf 'installed (mode %s): %s\n' "$MODE" "$LINUX"
	fi
}

main() {
	parse_command_line "$@"
	[[ -d $LINUX ]] || die "$LINUX: no such folder"
	LINUX=$(cd -- "$LINUX" && pwd -P)
	STAGE=$(mktemp -d)
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	# Two runs on one tree wait for each other.
	if [[ -d $LINUX/init ]]; then
		exec 9<"$LINUX/init"
		flock 9
	fi
	case $ACTION in
	check)
		report_state
		;;
	uninstall)
		tree_series "$LINUX" >/dev/null || die "$LINUX: this is no kernel source tree"
		plan_uninstall
		run_plan
		if ((!DRY_RUN)); then say "$LINUX: ${#PLAN[@]} changes, the project is not in the tree"; fi
		;;
	outpatch)
		check_tree || die 'no patch written'
		plan_install
		write_patch
		;;
	install)
		check_tree || die 'nothing changed'
		plan_install
		run_plan
		if ((!DRY_RUN)); then
			if ((${#PLAN[@]})); then
				say "$LINUX: ${#PLAN[@]} changes (mode $MODE)"
			else
				say "$LINUX: up to date (mode $MODE)"
			fi
		fi
		;;
	esac
	# (bash must not read on: the script may have been replaced meanwhile.)
	exit 0
}

main "$@"
