/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel that a configuration makes: the boot path for what is built into it, and
 * what else of the configuration the world looks at.
 */
#ifndef INSPECT_KERNEL_H
#define INSPECT_KERNEL_H

#include "initrd/boot/boot.h"
#include "inspect/config.h"

namespace inspect {

/*
 * Makes initrd::the_boot that of a kernel with this configuration, with the trace looking
 * on (Trace::active()); the table of formats and the decoders follow it, up to the next
 * call. One at a time: there is one world (host::reset()).
 */
void configure_kernel(const Config &config);

/* For kernel.cc: which compressors count from now on. */
void configure_formats(const Config &config);

/* rootfs::kArchives, with the trace told what is unpacked and what is only looked at. */
extern const initrd::rootfs::Archives kTracedArchives;

} // namespace inspect

#endif
