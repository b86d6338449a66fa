/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How large the root file system may become.
 *
 * A tmpfs takes half of the memory, and as many nodes as that has pages, of what there
 * was when it was mounted: long before the initrd's memory is free. So it may have all
 * while archives are unpacked, and what the documentation says afterwards.
 */
#ifndef INITRD_ROOTFS_LIMITS_H
#define INITRD_ROOTFS_LIMITS_H

#include "initrd/support/types.h"

namespace initrd::rootfs {

class Limits {
public:
	/*
	 * `options` are what the root file system was mounted with (initramfs_options=):
	 * a limit that is among them stays as it is.
	 */
	explicit Limits(const char *options);

	/*
	 * Before archives are unpacked; `image` bytes of memory will be given back. Of
	 * memory so much is left to others all the same: see memory_left.h.
	 */
	void lift(u64 image);
	/*
	 * When that memory has been given back: half of all memory, and a node for each
	 * page of it, but always some more than is used.
	 */
	void settle();

private:
	bool keeps_size_;
	bool keeps_nodes_;
	bool lifted_ = false;
};

} // namespace initrd::rootfs

#endif
