#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# apt-get install with the name of a package that does not exist installs others and ends
# with status 0, where there is a dot in the name.
#
# Seen with: apt 2.6.1 of Debian 12 (3.0 of Debian 13 does the same); liblua5.3-0 5.3.6-2.
# Behaviour: a name that no package has and that holds a dot is taken for a regular
#   expression, which need not match from the start or to the end. Names with a version in
#   them have dots: "lua5.3" becomes liblua5.3-0, "linux-source-6.1" becomes
#   linux-source-6.12 where the suite has no 6.1. The status is 0, and one line ("Note,
#   selecting ... for regex ...") tells. A script that then uses what it asked for fails
#   later, with another error. With APT::Cmd::Pattern-Only=true the name is a name: status
#   100, "Unable to locate package". Without a dot it always is.
# Output seen (status, and what would be installed):
#   0 liblua5.3-0
#   100
set -euo pipefail

VERSION=5.3.6-2
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"
[[ $(dpkg --print-architecture) == amd64 ]] || { echo 'skipped: the package pinned here is for amd64'; exit 77; }
mkdir -p repository lists/partial cache/archives/partial none
cd repository
apt-get -o APT::Sandbox::User="$(id -un)" download -qq "liblua5.3-0=$VERSION"
file=$(echo liblua*.deb)

# A repository that holds this package alone, and nothing installed.
{
	dpkg-deb -f "$file" Package Version Architecture
	echo "Filename: ./$file"
	echo "Size: $(stat -c %s "$file")"
	echo "SHA256: $(sha256sum "$file" | cut -d ' ' -f 1)"
} >Packages
cd ..
: >status
cat >apt.conf <<END
#clear APT::Update;
Dir::Etc::SourceList "$folder/sources.list";
Dir::Etc::SourceParts "-";
Dir::Etc::PreferencesParts "$folder/none";
Dir::State::Lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
APT::Sandbox::User "";
END
echo "deb [trusted=yes] file:$folder/repository ./" >sources.list
apt-get -c apt.conf update -qq

# ask OPTION...: the status, and what apt-get would install for "lua5.3".
ask() {
	local status=0
	apt-get -c apt.conf "$@" --simulate install lua5.3 >said 2>&1 || status=$?
	echo "$status $(sed -n 's/^Inst \([^ ]*\).*/\1/p' said)"
}
seen=$(ask; ask -o APT::Cmd::Pattern-Only=true)
echo "$seen"
[[ $seen == '0 liblua5.3-0
100 ' ]] || { cat said; echo 'the behaviour has changed'; exit 1; }
