/* SPDX-License-Identifier: GPL-2.0 */
/*
 * image/: what did the boot loader leave? One table of formats, and the looks
 * that tell them apart.
 */
#ifndef INITRD_FORMATS_FORMATS_H
#define INITRD_FORMATS_FORMATS_H

#include "initrd/formats/decoder.h"
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
	/* kFileSystem: whether the rest of the superblock is that of such a file system. */
	bool (*sound)(Bytes image, size_t offset);
	/* kFileSystem: nothing behind its size belongs to it. */
	bool ends_there;
	/* A further look, where magic bytes do not tell enough, or null. */
	bool (*looks_right)(Bytes image);
};

/*
 * The format of `image` by its magic bytes, or null when no row fits. Looks at
 * no byte beyond `image`.
 */
const Format *identify(Bytes image);

/* The same among compressed formats only: what a segment of an archive may be. */
const Format *identify_compressed(Bytes segment);

/* All rows of the table. A host may put those of another kernel in their place. */
extern Span<const Format> known_formats;

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

/*
 * The file system that begins with `image`, by more than its magic bytes, which are
 * too few to look for one where it is not known to be; or null.
 */
const Format *identify_file_system(Bytes image);

/* Whether the superblock of `format`, whose magic bytes fit, has sound numbers in it. */
bool is_sound(const Format &format, Bytes image);

/* Whether `bytes` begin with the header of an archive's entry, all of it. */
bool is_archive(Bytes bytes);

/* As many bytes of an image as the table of formats looks at. */
inline constexpr size_t kImageHead = size_t{68} << 10;

} // namespace initrd

#endif
