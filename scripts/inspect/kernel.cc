// SPDX-License-Identifier: GPL-2.0
// boot.cc looks at its options when it is compiled, so it is here once for every
// combination that there can be, each in a namespace of its own. (A RAM disk needs a
// block layer; without a RAM disk of its own, a kernel never gets as far as to load
// one, whatever else is linked.)

#include "inspect/kernel.h"

// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/boot/boot.cc"
#include "initrd/hosted/world.h"

#define KERNEL_OF(space)                                                      \
	{                                                                     \
		space::initrd_populate_rootfs, space::initrd_load_root,       \
		space::initrd_set_retain,      space::initrd_set_noinitrd,    \
		space::initrd_set_image,       space::initrd_set_start_block, \
		space::initrd_see_parameter,   space::image_place,            \
	}

// Forgets parameters, a verdict and a waiting image, and tells the place of the image, in
// the namespace that it stands in.
#define INSIDE                                    \
	void forget()                             \
	{                                         \
		options = {};                     \
		verdict = Verdict::kNone;         \
		waiting = initrd::Region::none(); \
		place = {};                       \
	}                                         \
	::initrd::ImagePlace image_place()        \
	{                                         \
		return place;                     \
	}

// clang-format off
namespace {
INSIDE
}

#define CONFIG_INITRAMFS_FORCE 1
namespace built_in_archive_only {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/boot/boot.cc"
INSIDE
}
#undef CONFIG_INITRAMFS_FORCE

#undef CONFIG_BLK_DEV_RAM
#define CONFIG_BLK_DEV_RAM_MODULE 1
namespace ramdisk_as_module {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/boot/boot.cc"
INSIDE
}

#undef CONFIG_BLK_DEV_RAM_MODULE
namespace no_ramdisk {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/boot/boot.cc"
INSIDE
}

#undef CONFIG_BLOCK
namespace no_block_layer {
namespace initrd { using namespace ::initrd; }
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/boot/boot.cc"
INSIDE
}
// clang-format on

namespace host {

void reset_boot()
{
	::forget();
	built_in_archive_only::forget();
	ramdisk_as_module::forget();
	no_ramdisk::forget();
	no_block_layer::forget();
}

} // namespace host

namespace inspect {

const Kernel &configured_kernel(const Config &config)
{
	static const Kernel usual = KERNEL_OF();
	static const Kernel forced = KERNEL_OF(built_in_archive_only);
	static const Kernel module = KERNEL_OF(ramdisk_as_module);
	static const Kernel without = KERNEL_OF(no_ramdisk);
	static const Kernel no_block = KERNEL_OF(no_block_layer);

	configure_formats(config);
	configure_verification(config);
	if (config.known() && config.has("INITRAMFS_FORCE"))
		return forced;
	if (!config.may_have("BLOCK"))
		return no_block;
	if (config.may_be_built_in("BLK_DEV_RAM"))
		return usual;
	return config.may_have("BLK_DEV_RAM") ? module : without;
}

} // namespace inspect
