/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which parts of what a boot loader has joined have a digest that is wanted. A loader
 * puts files one behind the other, with NULs between them, and adds archives of its
 * own: no digest of a file is that of all of it.
 */
#ifndef INITRD_IMAGE_NAMED_PARTS_H
#define INITRD_IMAGE_NAMED_PARTS_H

#include "initrd/seam/digest.h"
#include "initrd/support/bytes.h"

namespace initrd {

/* An SHA-256. */
struct Digest {
	u8 bytes[SEAM_SHA256_SIZE];

	INLINE bool operator==(const Digest &other) const
	{
		return !__builtin_memcmp(bytes, other.bytes, sizeof(bytes));
	}
};

/* Where the next part begins, behind one that ends at `end`; image.size(): there is none. */
size_t next_part(Bytes image, size_t end);

/*
 * Where the part that begins at `start` ends, by a digest that is among `wanted`: where
 * another one may begin, where NULs do, where a superblock says so, or at the very end.
 * 0 when it ends nowhere. Each byte is hashed once.
 */
size_t find_named_end(Bytes image, size_t start, Span<const Digest> wanted, Digest &found);

/*
 * Whether what begins at `start` is a file system image, and `end` is not before its
 * own: NULs that follow are no part of it.
 */
bool is_whole_file_system(Bytes image, size_t start, size_t end);

/*
 * The end of an archive that begins at `start` and holds files and folders in /.extra
 * alone, as systemd-stub adds them; 0 where it is none.
 */
size_t extra_archive_end(Bytes image, size_t start);

} // namespace initrd

#endif
