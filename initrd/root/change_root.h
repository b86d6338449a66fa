/* SPDX-License-Identifier: GPL-2.0 */
/*
 * change_root: the way to a root file system from before pivot_root. /linuxrc
 * of the initrd runs, then the real root is mounted and the initrd moved to
 * its /initrd, or unmounted (the document's «旧式のルート変更メカニズム»).
 */
#ifndef INITRD_ROOT_CHANGE_ROOT_H
#define INITRD_ROOT_CHANGE_ROOT_H

#include "initrd/support/result.h"

namespace initrd::root {

/*
 * Mounts /dev/ram0, runs its /linuxrc and mounts the root device that
 * real-root-dev names afterwards; a root is then mounted at the current
 * directory. An error: /dev/ram0 holds nothing that can be mounted, and
 * nothing has changed. `file_systems` is what rootfstype= says, or "".
 */
Result<void> change_root(const char *root_name, const char *file_systems);

/* What the process of linuxrc does before it becomes linuxrc. */
void enter_linuxrc();

} // namespace initrd::root

#endif
