// SPDX-License-Identifier: GPL-2.0

#include "ramdisk/image_device.h"

#include "initrd/support/result.h"
#include "ramdisk/kernel/image_device.h"

namespace ramdisk {
namespace {

using initrd::Bytes;
using initrd::MutableBytes;

class Lock {
public:
	INLINE Lock() { ramdisk_image_lock(); }
	INLINE ~Lock() { ramdisk_image_unlock(); }
	Lock(const Lock &) = delete;
	Lock &operator=(const Lock &) = delete;
};

// The device and who uses it; every function but read() is called with the
// lock held. What is read does not change while there are users.
class ImageDevice {
public:
	INLINE u64 size() const { return holding_.image.size(); }

	INLINE void hold(const Holding &holding)
	{
		holding_ = holding;
		ramdisk_image_resize(size());
	}

	int open(bool writes, const void *attempt);
	void close(const void *task);
	void end_attempt();
	void read(u64 offset, MutableBytes to) const;

private:
	void free_if_used();

	Holding holding_ = {};
	u64 users_ = 0;
	bool used_ = false; // a user came and went
	// Whose exclusive open is not known yet to have been of use.
	const void *attempt_ = nullptr;
};

constinit ImageDevice device = {};

int ImageDevice::open(bool writes, const void *attempt)
{
	if (!size())
		return -initrd::kNoDevice;
	if (writes)
		return -initrd::kReadOnly;
	users_++;
	if (!attempt || attempt_)
		return 0;
	attempt_ = attempt;
	return 1;
}

// A mount that fails closes the device before its system call ends; that does
// not use the data up, since mount(8) may go through all file system types.
void ImageDevice::close(const void *task)
{
	users_--;
	if (task != attempt_)
		used_ = true;
	free_if_used();
}

void ImageDevice::end_attempt()
{
	attempt_ = nullptr;
	free_if_used();
}

void ImageDevice::free_if_used()
{
	if (users_ || attempt_ || !used_ || holding_.keep || !size())
		return;
	const Holding gone = holding_;

	hold({});
	if (!gone.reserved.empty())
		ramdisk_image_clear(gone.reserved.data(), gone.reserved.size());
	for (const MutableBytes pages : gone.pages)
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

} // namespace

void hold_image(const Holding &holding)
{
	const Lock lock;

	device.hold(holding);
}

} // namespace ramdisk

using namespace ramdisk;

void ramdisk_image_start(void)
{
	const Lock lock;

	ramdisk_image_resize(device.size());
}

int ramdisk_image_open(int writes, const void *attempt)
{
	const Lock lock;

	return device.open(writes, attempt);
}

void ramdisk_image_close(const void *task)
{
	const Lock lock;

	device.close(task);
}

void ramdisk_image_end_attempt(void)
{
	const Lock lock;

	device.end_attempt();
}

void ramdisk_image_read(u64 offset, void *to, size_t size)
{
	// SAFETY: the block layer's buffer, `size` bytes, mapped during this call.
	device.read(offset, MutableBytes(static_cast<u8 *>(to), size));
}

u64 ramdisk_image_size(void)
{
	const Lock lock;

	return device.size();
}
