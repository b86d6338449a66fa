/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A whole initramfs: archives one after another, each plain or compressed in
 * its own way, with NULs between them (unpack_to_rootfs()).
 */
#ifndef INITRD_ROOTFS_UNPACK_H
#define INITRD_ROOTFS_UNPACK_H

#include "initrd/image/region.h"
#include "initrd/image/trouble.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd::rootfs {

/* What was unpacked; right up to the point of failure, too. */
struct Unpacked {
	const char *compressor = nullptr; /* of the last compressed segment */
	u64 headers = 0;		  /* entries that were really of cpio */
	u64 entries = 0;		  /* of those, the ones acted on */
	u64 bytes = 0;			  /* of file data */
	u64 decoded = 0;		  /* bytes that came out of compressed segments */
	Trouble trouble;		  /* for tell(), when unpacking failed; `where` is read */
	/*
	 * Where the archives end: at the end of what was given, or with something that
	 * is none; and what that is: a file system, or compressed, or (null) junk.
	 */
	size_t end = 0;
	const Format *follows = nullptr;
};

/*
 * Unpacks `image`, which lies `base` bytes into what the boot loader left, into the
 * root file system. The error's reason is mainline's
 * where mainline has one; `report.trouble` has more to say. Only an archive that
 * is not compressed and cut off is kNoData. With no header seen nothing has been
 * made: the image is something else. What follows archives and is none is no error.
 */
Result<void> unpack(Bytes image, Unpacked &report, size_t base = 0);

/*
 * The same for the boot loader's image, whose memory is given back as it is
 * read, once an entry has been seen in it, or becomes that of the files.
 */
Result<void> unpack(Region &image, Unpacked &report, size_t base = 0);

/* What would be unpacked. */
struct Contents {
	u64 entries = 0;
	bool holds_init = false; /* a program, or a link, of the name that was asked for */
	size_t end = 0;		 /* as Unpacked has it; 0 where an archive is damaged */
};

/* Looks at the archives that `image` begins with, and unpacks nothing. */
Contents look_into(Bytes image, const char *init);

/* Whether what is compressed at the start of `image` holds an archive. */
bool holds_archive(Bytes image);

/* All of these, for who wants to put something around them. */
struct Archives {
	Result<void> (*unpack)(Bytes image, Unpacked &report, size_t base);
	Result<void> (*unpack_region)(Region &image, Unpacked &report, size_t base);
	Contents (*look_into)(Bytes image, const char *init);
	bool (*holds_archive)(Bytes image);
};

extern const Archives kArchives;

} // namespace initrd::rootfs

#endif
