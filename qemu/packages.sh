# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Reads qemu/packages, and tests/host/packages, for bash. Source scripts/lib.sh
# first.

PACKAGE_LISTS=(
	"$(dirname -- "${BASH_SOURCE[0]}")/packages"
	"$(dirname -- "${BASH_SOURCE[0]}")/../tests/host/packages"
)

# Print the packages that bring what is needed for the given words and is not
# there: those whose command is not found, or, for a row without a command,
# those that dpkg does not have. An "@" in a row is the version of LLVM, LLVM_VERSION:
# "-19" when nobody says otherwise, or nothing.
packages_lacking() {
	local command package uses word
	local -A listed=()
	while read -r command package uses; do
		[[ $command != '' && $command != '#'* ]] || continue
		command=${command/@/"${LLVM_VERSION--19}"} package=${package/@/"${LLVM_VERSION--19}"}
		for word in "$@"; do
			[[ " $uses " == *" $word "* && -z ${listed[$package]:-} ]] || continue
			if [[ $command == - ]]; then
				missing_packages "$package"
			elif ! PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null; then
				printf '%s\n' "$package"
			else
				continue
			fi
			listed[$package]=1
		done
	done < <(cat -- "${PACKAGE_LISTS[@]}" 2>/dev/null || true)
}

# Install what packages_lacking names, or end with the line that would do it.
need_packages_for() {
	local lacking
	mapfile -t lacking < <(packages_lacking "$@")
	((${#lacking[@]} == 0)) || install_packages "${lacking[@]}"
}
