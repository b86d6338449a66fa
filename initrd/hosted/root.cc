// SPDX-License-Identifier: GPL-2.0
// Mounts, devices and the process that becomes linuxrc: recorded, and answered
// as the test says.

#include "initrd/seam/root.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "initrd/hosted/files.h"
#include "initrd/hosted/world.h"
#include "initrd/seam/boot.h"
#include "initrd/seam/files.h"

namespace {

host::Root state;

void record(const std::string &call)
{
	state.calls.push_back(call);
}

std::string text(const char *string)
{
	return string ? string : "-";
}

// /dev/ram0 is opened for it, and closed again where that fails.
int mount_disk(const std::string &type, bool read_only)
{
	host::GendiskRecord &disk = host::gendisks()[0];
	const int status = disk.let_go		       ? -EBUSY :
			   state.mountable_as != type  ? -EINVAL :
			   state.writable || read_only ? 0 :
							 -EROFS;

	if (status) {
		disk.let_go = true;
		host::leave_disk_closing(0);
	} else {
		host::open_disk(0);
		state.mounted = true;
	}
	return status;
}

} // namespace

namespace host {

void reset_root()
{
	state = {};
}

Root &root()
{
	return state;
}

} // namespace host

u32 seam_root_device(void)
{
	return state.device;
}

void seam_set_root_device(u32 device)
{
	state.device = device;
}

u32 seam_real_root_device(void)
{
	return state.real_device;
}

void seam_set_real_root_device(u32 device)
{
	state.real_device = device;
}

int seam_find_device(const char *name, u32 *device)
{
	const auto found = state.devices.find(name);

	*device = 0;
	if (state.root_name_is_wrong) {
		state.look_ups++;
		return -EINVAL;
	}
	// A RAM disk is there as soon as it is made.
	for (const auto &[number, disk] : host::gendisks()) {
		if (disk.visible && name == "/dev/ram" + std::to_string(number)) {
			*device = 0x100 | disk.first_minor;
			return 0;
		}
	}
	if (state.look_ups++ < state.look_ups_before_devices || found == state.devices.end())
		return -ENODEV;
	*device = found->second;
	return 0;
}

void seam_wait_for_drivers(void)
{
	record("wait for drivers");
}

int seam_drivers_are_busy(void)
{
	return state.busy_drivers && state.busy_drivers--;
}

void seam_sleep_ms(u32 milliseconds)
{
	host::pass_time(milliseconds);
}

int seam_make_block_node(const char *path, u32 device)
{
	char number[16];

	std::snprintf(number, sizeof(number), "%#x", device);
	record("node " + text(path) + " " + number);
	// In place of what is there.
	seam_unlink(path);
	host::Node *const node = host::plant(path, 0060600);

	node->major = device >> 8 & 0xfff;
	node->minor = (device & 0xff) | (device >> 12 & 0xfff00);
	state.before_mount();
	return 0;
}

int seam_mount(const char *source, const char *target, const char *type, u32 flags)
{
	std::string call = "mount " + text(source) + " " + text(target) + " " + text(type);

	if (flags & SEAM_MOUNT_MOVE)
		call += " move";
	if (flags & SEAM_MOUNT_READ_ONLY)
		call += " ro";
	record(call);
	if (std::strcmp(source, "/dev/root.old") == 0)
		return mount_disk(text(type), flags & SEAM_MOUNT_READ_ONLY);
	return std::strcmp(source, "/old") ? 0 : state.move_status;
}

int seam_unmount_detached(const char *target)
{
	record("detach " + text(target));
	if (state.mounted && text(target) == "/old") {
		state.mounted = false;
		host::gendisks()[0].users--;
		host::leave_disk_closing(0);
	}
	return 0;
}

int seam_change_directory(const char *path)
{
	record("cd " + text(path));
	return 0;
}

int seam_change_root(const char *path)
{
	record("chroot " + text(path));
	return 0;
}

int seam_block_file_systems(char *names, size_t size)
{
	int count = 0;

	for (const std::string &name : state.file_systems) {
		if (size < name.size() + 1)
			break;
		std::memcpy(names, name.c_str(), name.size() + 1);
		names += name.size() + 1;
		size -= name.size() + 1;
		count++;
	}
	return count;
}

void seam_mount_real_root(const char *root_name)
{
	record("mount root " + text(root_name));
	state.mount_real_root();
}

int seam_run_linuxrc(void)
{
	record("linuxrc");
	initrd_enter_linuxrc();
	return state.linuxrc();
}

void seam_own_files(void)
{
	record("own files");
}

void seam_own_console(void)
{
	record("own console");
}

void seam_own_session(void)
{
	record("own session");
}
