// SPDX-License-Identifier: GPL-2.0

#include "ramdisk/image_device.h"

#include "initrd/seam/image_device.h"
#include "initrd/support/guard.h"
#include "initrd/support/result.h"

namespace ramdisk {

using initrd::Bytes;
using initrd::MutableBytes;

using Lock = initrd::Guard<ramdisk_image_lock, ramdisk_image_unlock>;

constinit ImageDevice image_device = {};

void ImageDevice::set(const Holding &holding)
{
	holding_ = holding;
	ramdisk_image_resize(size());
}

void ImageDevice::start()
{
	is_there_ = true;
	ramdisk_image_resize(size());
}

void ImageDevice::hold(const Holding &holding)
{
	set(holding);
	free_if_used();
}

int ImageDevice::open(bool writes, bool exclusive, const void *task)
{
	if (!is_there_ || !size())
		return -initrd::kNoDevice;
	// After EACCES, and that only, mounting a root is tried again read-only.
	if (writes)
		return exclusive ? -initrd::kNoAccess : -initrd::kReadOnly;
	users_++;
	if (!exclusive || !task || attempt_)
		return 0;
	attempt_ = task;
	attempt_is_open_ = true;
	return 1;
}

// A mount that fails closes the device before its system call ends; that does
// not use the data up, since mount(8) may go through all file system types.
void ImageDevice::close(const void *task)
{
	users_--;
	if (task == attempt_ && attempt_is_open_)
		attempt_is_open_ = false;
	else
		used_ = true;
	free_if_used();
}

void ImageDevice::end_attempt()
{
	attempt_ = nullptr;
	free_if_used();
}

void ImageDevice::give_up()
{
	used_ = true;
	free_if_used();
}

void ImageDevice::free_if_used()
{
	if (users_ || attempt_ || !used_ || holding_.keep || !size())
		return;
	const MutableBytes pages = holding_.pages;

	set({});
	if (!pages.empty())
		ramdisk_image_free(pages.data(), pages.size());
}

// Behind the image's last byte its last sector holds zeros.
void ImageDevice::read(u64 offset, MutableBytes to) const
{
	const Bytes left = offset < size() ? holding_.image.skip(static_cast<size_t>(offset)) :
					     Bytes();
	const Bytes piece = left.first(to.size());

	initrd::copy(to, piece);
	__builtin_memset(to.data() + piece.size(), 0, to.size() - piece.size());
}

void hold_image(const Holding &holding)
{
	const Lock lock;

	image_device.hold(holding);
}

} // namespace ramdisk

using namespace ramdisk;

void ramdisk_image_start(void)
{
	const Lock lock;

	image_device.start();
}

void ramdisk_image_give_up(void)
{
	const Lock lock;

	image_device.give_up();
}

int ramdisk_image_open(int writes, int exclusive, const void *task)
{
	const Lock lock;

	return image_device.open(writes, exclusive, task);
}

void ramdisk_image_close(const void *task)
{
	const Lock lock;

	image_device.close(task);
}

void ramdisk_image_end_attempt(void)
{
	const Lock lock;

	image_device.end_attempt();
}

void ramdisk_image_read(u64 offset, void *to, size_t size)
{
	// SAFETY: the block layer's buffer, `size` bytes, mapped during this call.
	image_device.read(offset, MutableBytes(static_cast<u8 *>(to), size));
}

u64 ramdisk_image_size(void)
{
	const Lock lock;

	return image_device.size();
}
