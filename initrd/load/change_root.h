/* SPDX-License-Identifier: GPL-2.0 */
/*
 * change_root: the way to a root file system from before pivot_root. /linuxrc
 * of the initrd runs, then the real root is mounted and the initrd moved to
 * its /initrd, or unmounted (the document's «旧式のルート変更メカニズム»).
 */
#ifndef INITRD_LOAD_CHANGE_ROOT_H
#define INITRD_LOAD_CHANGE_ROOT_H

#include "initrd/support/result.h"

namespace initrd::root {

/* What the command line says of the real root; "" where it says nothing. */
struct RealRoot {
	const char *name;	  /* root= */
	const char *file_systems; /* rootfstype= */
	bool wait;		  /* rootwait */
	u64 wait_seconds;	  /* rootwait=; 0: for ever */
};

/*
 * Mounts /dev/ram0, runs its /linuxrc and mounts the root device that
 * real-root-dev names afterwards; a root is then mounted at the current
 * directory. The initrd moves to the new root's /initrd; where there is none,
 * it is unmounted and its memory given back with its last user.
 *
 * When nobody could name the device before, since linuxrc loads its driver,
 * root= is looked up again. `root_name` is for the kernel's mount_root(), or
 * NULL. An error: /dev/ram0 holds nothing that can be mounted, and nothing has
 * changed.
 */
Result<void> change_root(const char *root_name, const RealRoot &root);

/* What the process of linuxrc does before it becomes linuxrc. */
void enter_linuxrc();

} // namespace initrd::root

#endif
