// SPDX-License-Identifier: GPL-2.0
// The kernel's boot, and its ways into it: the outside of the C++.

#include "initrd/boot/boot.h"
#include "initrd/image/region.h"
#include "initrd/load/change_root.h"

namespace initrd {

constinit Boot the_boot(INITRD_BUILD);

} // namespace initrd

using namespace initrd;

void initrd_reserve(void)
{
	reserve_physical_image();
}

void initrd_verify(void)
{
	the_boot.verify();
}

void initrd_populate_rootfs(void)
{
	the_boot.populate_rootfs();
}

int initrd_load_root(const char *root_name)
{
	return the_boot.load_root(root_name);
}

void initrd_enter_linuxrc(void)
{
	root::enter_linuxrc();
}

int initrd_set(enum initrd_parameter parameter, const char *value)
{
	return the_boot.set(parameter, value);
}

void initrd_see(const char *name, const char *value)
{
	the_boot.see(name, value);
}
