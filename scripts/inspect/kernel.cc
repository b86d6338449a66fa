// SPDX-License-Identifier: GPL-2.0

#include "inspect/kernel.h"

#include <string>

namespace inspect {
namespace {

// (A RAM disk needs a block layer; without a RAM disk of its own, a kernel never gets as
// far as to load one, whatever else is linked.) `digests` stays the caller's.
initrd::Build build_of(const Config &config, const std::string &digests)
{
	const bool block = config.may_have("BLOCK");

	return {
		.ram_disk = block && config.may_have("BLK_DEV_RAM"),
		.ram_disk_is_built_in = block && config.may_be_built_in("BLK_DEV_RAM"),
		.block_layer = block,
		.built_in_archive_only = config.known() && config.has("INITRAMFS_FORCE"),
		.has_archive_source = true,
		.can_verify = config.may_be_built_in("INITRD_CXX_VERIFY"),
		.enforces = config.built_in("INITRD_CXX_VERIFY_ENFORCE"),
		.digests = digests.c_str(),
	};
}

} // namespace

void configure_kernel(const Config &config)
{
	// As long as there is a boot.
	static std::string digests;

	configure_formats(config);
	digests = config.may_be_built_in("INITRD_CXX_VERIFY") ? config.text("INITRD_CXX_SHA256") :
								"";
	initrd::the_boot = initrd::Boot(build_of(config, digests), kTracedArchives);
}

} // namespace inspect
