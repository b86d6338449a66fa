/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/initrd, block 1:250: the boot loader's bytes as they are, to be read
 * once (the document on noinitrd). The boot path fills it; the block layer's
 * side is initrd/seam/image_device.h.
 */
#ifndef RAMDISK_IMAGE_DEVICE_H
#define RAMDISK_IMAGE_DEVICE_H

#include "initrd/support/bytes.h"

namespace ramdisk {

/* What the device holds from now on. Sizes are in bytes. */
struct Holding {
	initrd::Bytes image; /* what is read, mapped for good */
	/*
	 * Given back when the last user has gone: whole pages that the boot
	 * allocator had reserved and knows of no more. Empty: none.
	 */
	initrd::MutableBytes pages;
	bool keep; /* retain_initrd: past the last close */
};

/*
 * The device and who uses it; every function but read() is called with the lock held
 * (ramdisk_image_lock()). What is read does not change while there are users.
 */
class ImageDevice {
public:
	INLINE u64 size() const { return holding_.image.size(); }

	/* What initrd/seam/image_device.h says of ramdisk_image_…() of the same names. */
	void start();
	int open(bool writes, bool exclusive, const void *task);
	void close(const void *task);
	void end_attempt();
	void give_up();
	void read(u64 offset, initrd::MutableBytes to) const;

	void hold(const Holding &holding);

private:
	void set(const Holding &holding);
	void free_if_used();

	Holding holding_ = {};
	bool is_there_ = false; /* the block device, whole */
	u64 users_ = 0;
	bool used_ = false; /* a user came and went, or none will ever come */
	/*
	 * Whose exclusive open is not known yet to have been of use, until its system call
	 * ends; and, as long as there is one, whether it is still open.
	 */
	const void *attempt_ = nullptr;
	bool attempt_is_open_ = false;
};

/* The only one. */
extern ImageDevice image_device;

/* Hands `holding` to the device; once, at boot. */
void hold_image(const Holding &holding);

} // namespace ramdisk

#endif
