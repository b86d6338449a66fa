// SPDX-License-Identifier: GPL-2.0

#include "ramdisk/image_device.h"

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
	if (exclusive && task && !attempt_)
		watch(task);
	return 0;
}

// Without a way to learn of its end, an exclusive user is one like any other.
void ImageDevice::watch(const void *task)
{
	call_ = ramdisk_call_new();
	if (call_ && ramdisk_call_watch(call_)) {
		ramdisk_call_free(call_);
		call_ = nullptr;
	}
	if (!call_)
		return;
	attempt_ = task;
	attempt_is_open_ = true;
	rounds_ = 0;
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

// What the same system call has put off is due as well, and in turn: a mount, then the file
// that it held open. So the end is behind them.
void ImageDevice::call_ends()
{
	constexpr u32 kRounds = 3;

	if (!call_ || (rounds_++ < kRounds && !ramdisk_call_watch(call_)))
		return;
	ramdisk_call_free(call_);
	call_ = nullptr;
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
	constexpr size_t kAtOnce = size_t{1} << 20; // a multiple of any page's size
	const size_t size = holding_.pages.size();
	MutableBytes left = holding_.pages;

	set({});
	for (; !left.empty(); left = left.skip(kAtOnce))
		ramdisk_image_free(left.data(), left.first(kAtOnce).size());
	if (size)
		ramdisk_image_say_freed(size);
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

void hold_image(Bytes image, initrd::LoosePages pages, bool keep)
{
	const Lock lock;

	image_device.hold({image, pages.release(), keep});
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

void ramdisk_image_call_ends(void)
{
	const Lock lock;

	image_device.call_ends();
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
