/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/initrd, block 1:250: the boot loader's bytes as they are, to be read
 * once (the document on noinitrd). The boot path fills it; the block layer's
 * side is initrd/seam/image_device.h.
 */
#ifndef RAMDISK_IMAGE_DEVICE_H
#define RAMDISK_IMAGE_DEVICE_H

#include "initrd/seam/image_device.h"
#include "initrd/support/bytes.h"
#include "initrd/support/loose_pages.h"

namespace ramdisk {

/* What the device holds. Sizes are in bytes. */
struct Holding {
	initrd::Bytes image;	    /* what is read, mapped for good */
	initrd::MutableBytes pages; /* the device's own, to be given back; may be none */
	bool keep;		    /* retain_initrd: past the last close */
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
	void call_ends();
	void give_up();
	void read(u64 offset, initrd::MutableBytes to) const;

	void hold(const Holding &holding);

private:
	void set(const Holding &holding);
	void free_if_used();
	void watch(const void *task);

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
	ramdisk_call *call_ = nullptr; /* that one; ours */
	u32 rounds_ = 0;	       /* how often it was put off */
};

/* The only one. */
extern ImageDevice image_device;

/*
 * Has the device show `image`, once, at boot. `pages`, which the boot allocator had
 * reserved, are given to the kernel when the last user has gone; unless `keep` says that
 * the image is to be read for ever.
 */
void hold_image(initrd::Bytes image, initrd::LoosePages pages, bool keep);

} // namespace ramdisk

#endif
