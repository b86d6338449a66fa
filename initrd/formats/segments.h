/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What follows what: a boot loader may have put archives, a file system image and
 * archives again one behind the other, with NULs between them.
 */
#ifndef INITRD_FORMATS_SEGMENTS_H
#define INITRD_FORMATS_SEGMENTS_H

#include "initrd/formats/formats.h"
#include "initrd/support/bytes.h"

namespace initrd {

/* How many bytes at the start of `bytes`, which may be very many, are NUL. */
size_t count_zeros(Bytes bytes);

/*
 * A file system image in `bytes` that begins at `from`, where an archive ends, or
 * behind it but at `first` at the latest, the first byte there that is not NUL: file
 * systems begin with NULs of their own. Null where there is none; else `start` is
 * where it begins.
 */
const Format *find_file_system(Bytes bytes, size_t from, size_t first, size_t &start);

/*
 * The end of a boot configuration that begins at `first`, or with NULs of its own
 * between `from` and there; 0 where there is none. One that is at the very end of
 * everything has been cut off before.
 */
size_t find_boot_configuration(Bytes bytes, size_t from, size_t first);

/* Whether nothing but NULs follow the end of an archive at the end of `bytes`. */
bool ends_in_trailer(Bytes bytes);

/* Where the first archive at or behind `from` begins; the end where there is none. */
size_t find_archive(Bytes bytes, size_t from);

/* What becomes of bytes behind a file system that are no archive. */
enum class Tail : u8 {
	kAuto, /* they stay where they are known to be of use */
	kKeep, /* all of them, archives too */
	kDrop,
};

/* Where a file system image is and what of it becomes the RAM disk's. */
struct ImagePlace {
	size_t offset = 0;   /* in what the boot loader left */
	size_t size = 0;     /* bytes of it */
	size_t room = 0;     /* as many bytes, and those that the disk has besides: 0 */
	size_t archives = 0; /* where archives behind it begin; 0: there are none */
	size_t dropped = 0;  /* bytes behind it that are no part of it, not all NUL */
	int block = 0;	     /* the KiB that it begins in, for messages */
};

/* Who can tell whether compressed bytes hold an archive. */
using HoldsArchive = bool (*)(Bytes compressed);

/*
 * The place of the image that begins at `offset` of `bytes`. Reads its head and what
 * lies behind the end that its superblock tells. `mapped`: somebody is going to make
 * devices of parts of the disk.
 */
ImagePlace place_image(Bytes bytes, size_t offset, Tail tail, bool mapped, HoldsArchive holds);

} // namespace initrd

#endif
