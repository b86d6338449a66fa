/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is told of an image or archive that is not as it should be: one line.
 */
#ifndef INITRD_IMAGE_TROUBLE_H
#define INITRD_IMAGE_TROUBLE_H

#include "initrd/formats/formats.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd {

/* An error, and what is known of the place where it happened. */
struct Trouble {
	Error error = {0, nullptr};
	/* What it is in, where that is not the boot loader's image; or null. */
	const char *where = nullptr;
	/* The file system that is smaller than it says; or null. */
	const char *file_system = nullptr;
	/* The compressed data that it is in, and how much came out; or null. */
	const Format *compressed = nullptr;
	u64 came_out = 0;
	/* Whether the offset counts in what came out. */
	bool inside = false;
	/* Of an archive: the entry at hand or the one before, cut off; or "". */
	char entry[192] = "";
	bool behind_entry = false;
	bool entry_removed = false;
	bool is_archive = false;
	u64 entries = 0; /* unpacked whole */
	/* How many inodes there are, where it is they that are used up; or 0. */
	u64 inodes = 0;
	/* What is at the offset, for kUnknownFormat; read during tell() only. */
	Bytes head;

	/* Copies a name, with '?' for what would spoil a line of text. */
	void set_entry(const char *name);
};

/*
 * Says it as an error, in one line: "initrd: ", what is wrong ("truncated",
 * "checksum", "no space" or "unknown format" are among the words where it is
 * that), offset, entry, both sizes. For kNoMemory the memory that is available
 * now is one of the sizes.
 */
void tell(const Trouble &trouble);

/* Says what bytes of an unknown format begin with and what is known instead. */
void tell_unknown(const char *where, u64 offset, Bytes bytes, const char *consequence);

/*
 * Says that what is behind `what` ("the archive", with `more` behind the word), from
 * `offset` on to the end, is ignored: why, or what it begins with and what that may be.
 */
void tell_junk(const char *what, const char *more, u64 offset, Bytes junk, const char *why);

/*
 * The same for what came out of a compressor behind an archive: `size` bytes, of which
 * `head` are the first.
 */
void tell_junk_inside(const char *compressor, u64 offset, u64 size, Bytes head);

/*
 * Says that what lies behind an image of `format`, from `offset` on, are archives, which
 * are not unpacked where the root is not rootfs. `inside`: the offset counts in what
 * came out.
 */
void tell_archives(const char *format, u64 offset, u64 size, bool inside = false);

/* Says that a boot configuration is not where anybody looks for one. */
void tell_boot_configuration(u64 offset, u64 size);

} // namespace initrd

#endif
