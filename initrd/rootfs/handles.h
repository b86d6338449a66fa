/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rootfs/: owners of what the seam hands out of the root file system: each gives its
 * resource back once.
 */
#ifndef INITRD_ROOTFS_HANDLES_H
#define INITRD_ROOTFS_HANDLES_H

#include "initrd/seam/files.h"
#include "initrd/seam/nodes.h"
#include "initrd/support/owned.h"
#include "initrd/support/result.h"

namespace initrd {

using File = Owned<seam_file, seam_file_close>;
using Directory = Owned<seam_directory, seam_directory_close>;
using Node = Owned<seam_node, seam_node_release>;

/* Whether a call has done nothing yet, and may the next time: seam_file_write(), _read(). */
INLINE bool is_to_be_tried_again(s64 status)
{
	return status == -kInterrupted || status == -kTryAgain;
}

} // namespace initrd

#endif
