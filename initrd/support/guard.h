/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guard<acquire, release>: a lock that is held to the end of a block.
 */
#ifndef INITRD_SUPPORT_GUARD_H
#define INITRD_SUPPORT_GUARD_H

#include "initrd/support/compiler.h"

namespace initrd {

template <void (*acquire)(), void (*release)()> class Guard {
public:
	INLINE Guard() { acquire(); }
	INLINE ~Guard() { release(); }
	Guard(const Guard &) = delete;
	Guard &operator=(const Guard &) = delete;
};

} // namespace initrd

#endif
