// SPDX-License-Identifier: GPL-2.0

#include "initrd/load/change_root.h"

#include "initrd/formats/buffer.h"
#include "initrd/load/ramdisk_loader.h"
#include "initrd/seam/files.h"
#include "initrd/seam/log.h"
#include "initrd/seam/root.h"
#include "initrd/support/text.h"

namespace initrd::root {
namespace {

constexpr size_t kNamesMax = 4096;

// Tries each of the NUL-terminated names with these flags; says what it mounted.
bool mount_as_any(const char *names, int count, u32 flags)
{
	for (; count > 0; count--, names += __builtin_strlen(names) + 1) {
		if (!*names)
			continue;
		if (seam_mount("/dev/root.old", "/root", names, flags) < 0) {
			// What it opened must be closed before the next one tries.
			seam_files_flush();
			continue;
		}
		seam_change_directory("/root");
		seam_log(SEAM_LOG_INFO, "VFS: Mounted root (%s filesystem)%s on device 1:0.\n",
			 names, flags & SEAM_MOUNT_READ_ONLY ? " readonly" : "");
		return true;
	}
	return false;
}

// Read-write if that can be, else read-only.
bool mount_either_way(const char *names, int count)
{
	return mount_as_any(names, count, SEAM_MOUNT_SILENT) ||
	       mount_as_any(names, count, SEAM_MOUNT_SILENT | SEAM_MOUNT_READ_ONLY);
}

// Splits "ext4,squashfs" into NUL-terminated names in place; returns how many.
int split(char *names)
{
	int count = *names ? 1 : 0;

	for (; *names; names++) {
		if (*names == ',') {
			*names = 0;
			count++;
		}
	}
	return count;
}

// Mounts /dev/ram0 on /root with the types asked for, or any that there is.
Result<void> mount_initrd(const char *file_systems)
{
	Buffer names = TRY(Buffer::create(kNamesMax));
	char *const text = reinterpret_cast<char *>(names.data());
	const size_t length = min(__builtin_strlen(file_systems), kNamesMax - 1);

	seam_make_block_node("/dev/root.old", kRam0);
	__builtin_memcpy(text, file_systems, length);
	text[length] = 0;
	if (mount_either_way(text, split(text)))
		return {};
	if (mount_either_way(text, seam_block_file_systems(text, kNamesMax)))
		return {};
	seam_unlink("/dev/root.old");
	return Error{kInvalid, "no file system that the kernel has could mount /dev/ram0"};
}

void report_linuxrc(int status)
{
	const u32 signal = static_cast<u32>(status) & 0x7f;
	const u32 code = static_cast<u32>(status) >> 8 & 0xff;

	if (status == -kNoEntry)
		seam_log(SEAM_LOG_WARNING,
			 "initrd: no /linuxrc, or not the interpreter that it names\n");
	else if (status < 0)
		seam_log(SEAM_LOG_WARNING, "initrd: /linuxrc could not be run, error %d\n",
			 -status);
	else if (signal)
		seam_log(SEAM_LOG_WARNING, "initrd: linuxrc was killed by signal %u\n", signal);
	else
		seam_log(code ? SEAM_LOG_WARNING : SEAM_LOG_INFO,
			 "initrd: linuxrc exited with status %u\n", code);
}

bool is_more_than(const char *name, const char *start)
{
	return starts_with(name, start) && name[__builtin_strlen(start)];
}

// Whether root= names a device that may still appear.
bool may_appear(const char *name)
{
	return is_more_than(name, "/dev/") || is_more_than(name, "PARTUUID=") ||
	       is_more_than(name, "PARTLABEL=");
}

// When waiting for the root ends, on the clock.
u64 end_of_wait(const RealRoot &root)
{
	constexpr u64 kNever = ~0ull;
	u64 until_ns;

	if (!root.wait_seconds ||
	    !checked_multiply(root.wait_seconds, kNanosecondsPerSecond, until_ns) ||
	    !checked_add(until_ns, seam_now_ns(), until_ns))
		return kNever;
	return until_ns;
}

// The device that root= names, now that linuxrc has brought its driver; 0 when
// there is none, as for file systems without a device.
u32 find_root(const RealRoot &root)
{
	constexpr u32 kPauseMs = 5;
	u32 device = 0;

	seam_wait_for_drivers();
	int status = seam_find_device(root.name, &device);

	if (status != -kNoDevice || !root.wait || !may_appear(root.name))
		return device;
	seam_log(SEAM_LOG_INFO, "Waiting for root device %s...\n", root.name);
	for (const u64 until_ns = end_of_wait(root);
	     status == -kNoDevice && seam_now_ns() < until_ns;) {
		seam_sleep_ms(kPauseMs);
		if (!seam_drivers_are_busy())
			status = seam_find_device(root.name, &device);
	}
	// It may be there before its partitions are.
	if (status >= 0)
		seam_wait_for_drivers();
	return device;
}

// The old root becomes /initrd of the new one, or goes away.
void put_away()
{
	constexpr int kMissing = -kNoEntry;

	seam_log(SEAM_LOG_NOTICE, "Trying to move old root to /initrd ... ");
	const int status = seam_mount("/old", "/root/initrd", nullptr, SEAM_MOUNT_MOVE);

	if (status >= 0) {
		seam_log(SEAM_LOG_CONT, "okay\n");
		return;
	}
	seam_log(SEAM_LOG_CONT, "%s",
		 status == kMissing ? "/initrd does not exist. Ignored.\n" : "failed\n");
	seam_log(SEAM_LOG_NOTICE, "Unmounting old root\n");
	seam_unmount_detached("/old");
	retire_ramdisk();
}

} // namespace

void enter_linuxrc()
{
	seam_own_files();
	seam_own_console();
	// The initrd over /, so that this process sees nothing else.
	seam_change_directory("/root");
	seam_mount(".", "/", nullptr, SEAM_MOUNT_MOVE);
	seam_change_root(".");
	seam_own_session();
}

Result<void> change_root(const char *root_name, const RealRoot &root)
{
	seam_set_real_root_device(seam_root_device());
	TRY(mount_initrd(root.file_systems));
	seam_mkdir("/old", 0700);
	seam_change_directory("/old");

	report_linuxrc(seam_run_linuxrc());

	// The initrd from / to /old, and back to the file system that is left.
	seam_mount("..", ".", nullptr, SEAM_MOUNT_MOVE);
	seam_change_root("..");
	if (seam_real_root_device() == kRam0) {
		// The mixed mechanism: the initrd itself is the root.
		seam_change_directory("/old");
		return {};
	}
	seam_change_directory("/");
	if (!seam_real_root_device())
		seam_set_real_root_device(find_root(root));
	seam_set_root_device(seam_real_root_device());
	seam_mount_real_root(root_name);
	put_away();
	return {};
}

} // namespace initrd::root
