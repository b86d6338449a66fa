// SPDX-License-Identifier: GPL-2.0
// boot.cc as it is, with a way to begin another boot: its state is its own.

#include "initrd/boot/boot.cc"
#include "initrd/hosted/world.h"

namespace host {

void reset_boot()
{
	initrd::options = {};
	initrd::verdict = initrd::Verdict::kNone;
	initrd::waiting = initrd::Region::none();
	initrd::place = {};
}

} // namespace host
