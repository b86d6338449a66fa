/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot configuration behind an initrd (Documentation/admin-guide/bootconfig.rst).
 */
#ifndef INSPECT_BOOTCONFIG_H
#define INSPECT_BOOTCONFIG_H

#include "initrd/support/bytes.h"

namespace inspect {

struct Bootconfig {
	size_t at = 0;		       /* where it begins: there the image ends */
	size_t size = 0;	       /* with what follows its text, to the image's end; 0: none */
	const char *trouble = nullptr; /* there is one, but the kernel leaves it: why */
};

/*
 * Looks for one at the end of `image`, as get_boot_config_from_initrd() of the newest
 * series does.
 */
Bootconfig find_bootconfig(initrd::Bytes image);

} // namespace inspect

#endif
