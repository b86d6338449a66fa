/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the seam: what the shims of files, nodes and pages share.
 */
#ifndef INITRD_HOSTED_OPEN_FILE_H
#define INITRD_HOSTED_OPEN_FILE_H

#include "initrd/hosted/tree.h"
#include "initrd/seam/nodes.h"

namespace host {

struct seam_file *open_file(const NodePtr &node);
NodePtr node_of(const struct seam_node *node);
/* What has been closed on the RAM disks is closed for real. */
void end_closings();

} // namespace host

#endif
