/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image/: what did the boot loader leave? One table of formats, and the looks
 * that tell them apart.
 */
#ifndef INITRD_IMAGE_FORMATS_H
#define INITRD_IMAGE_FORMATS_H

#include "initrd/decode/decoder.h"
#include "initrd/support/bytes.h"

namespace initrd {

enum class Kind : u8 {
	kArchive,    /* cpio: unpacked into the root file system */
	kCompressed, /* decoded first, whatever is inside */
	kFileSystem, /* goes into the RAM disk whole */
};

/* One row of the table. */
struct Format {
	const char *name; /* as messages print it */
	Kind kind;
	/* The magic bytes and where they are; the first row that fits counts. */
	u32 offset;
	u8 magic_size;
	u8 magic[11];
	/* kCompressed: null when CONFIG_RD_* leaves the decoder out. */
	Decoder decode;
	/* kFileSystem: its size in bytes as the superblock says; 0 or null: not known. */
	u64 (*size)(Bytes image, size_t offset);
};

/*
 * The format of `image` by its magic bytes, or null when no row fits. Looks at
 * no byte beyond `image`.
 */
const Format *identify(Bytes image);

/* The same among compressed formats only: what a segment of an archive may be. */
const Format *identify_compressed(Bytes segment);

/* All rows of the table. */
Span<const Format> known_formats();

/*
 * What to say of bytes that no row fits and that people take for an initrd all
 * the same, and what to do; or null.
 */
const char *hint_for(Bytes image);

/*
 * How many bytes the file system that `format` describes claims to have; 0
 * when that is not known.
 */
u64 claimed_size(const Format &format, Bytes image);

} // namespace initrd

#endif
