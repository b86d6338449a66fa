/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is the image one that may be used? Its SHA-256, or that of each of its parts, has to
 * be among those that are given by initrd.sha256= or built into the kernel, if any are. Called by boot.cc
 * before anything of the image is looked at.
 */
#ifndef INITRD_IMAGE_VERIFY_H
#define INITRD_IMAGE_VERIFY_H

#include "initrd/support/bytes.h"

namespace initrd {

/*
 * initrd.sha256=: digests of 64 hexadecimal digits, with commas between them; what
 * was given before counts on. One that is malformed is said and matches no image.
 */
void add_digests(const char *value);

/* initrd.verify=: "refuse" (the default) or "enforce". */
void set_verification(const char *value);

/*
 * initrd.unnamed=: what is done with parts that no digest names: "refuse" (the default)
 * or "extra", which lets archives in that hold /.extra alone.
 */
void set_unnamed(const char *value);

/*
 * Whether `image`, all of what the boot loader left, may be used: nobody has asked,
 * or its digest is a wanted one, or those of all the parts are that it is made of. Else both are said, and under "enforce" the machine
 * is going to stop, as it does when there is nothing to verify it by.
 */
bool verify_image(Bytes image);

/* There is no image: the machine is going to stop under "enforce". */
void verify_absence();

} // namespace initrd

#endif
