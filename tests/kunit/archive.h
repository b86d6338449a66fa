/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Builds cpio archives in memory for the cases, unpacks them into the root file
 * system and looks at what came of it.
 */
#ifndef INITRD_TESTS_KUNIT_ARCHIVE_H
#define INITRD_TESTS_KUNIT_ARCHIVE_H

#include "initrd/formats/buffer.h"
#include "initrd/formats/cpio_reader.h"
#include "initrd/rootfs/unpack.h"
#include "initrd/seam/files.h"
#include "tests/kunit/support.h"

namespace initrd::kunit {

struct Item {
	const char *name;
	u32 mode = 0100644;
	const char *data = "";
	u32 mtime = 1;
	u32 ino = 1;
	u32 nlink = 1;
	u32 uid = 0;
	u32 gid = 0;
	u32 rdev_major = 0;
	u32 rdev_minor = 0;
	bool crc = false;
	u32 checksum_error = 0;
	u32 name_padding = 0;
	bool name_without_nul = false;
};

constexpr size_t kHeaderSize = 110;

class Archive {
public:
	/* One that holds up to `size` bytes; what does not fit is cut off. */
	static Result<Archive> create(size_t size);
	INLINE Archive(Archive &&other) noexcept = default;
	INLINE ~Archive() {}

	Archive &add(const Item &item);
	INLINE Archive &trailer() { return add({.name = "TRAILER!!!", .mode = 0, .mtime = 0}); }
	/* Overwrites what is at `offset`. */
	Archive &patch(size_t offset, const char *bytes);
	INLINE void cut(size_t size) { size_ = min(size_, size); }

	INLINE Bytes bytes() const { return {buffer_.data(), size_}; }
	INLINE size_t size() const { return size_; }

private:
	INLINE explicit Archive(Buffer buffer) : buffer_(move(buffer)) {}
	void text(const char *string);
	void zeros(size_t count);
	void hex(u32 value);

	Buffer buffer_;
	size_t size_ = 0;
};

/* Unpacks; the error's reason, or "". */
const char *unpack(const Archive &archive);
/* The same for items and a trailer behind them. */
template <size_t N> INLINE const char *unpack_items(const Item (&items)[N])
{
	auto archive = Archive::create(16384);

	if (!archive)
		return archive.error().reason;
	for (const Item &item : items)
		archive.value().add(item);
	return unpack(archive.value().trailer());
}

bool same(const char *a, const char *b);
/* Whether the file at `path` holds `content`, less than 64 bytes. */
bool reads(const char *path, const char *content);
/* What is at `path`; all zeros when nothing is. */
initrd_kunit_node stat(const char *path);
bool exists(const char *path);

/* Removes these nodes; of folders, the empty ones. */
template <size_t N> INLINE void remove(const char *const (&paths)[N])
{
	for (const char *path : paths)
		initrd_kunit_remove(path);
}

} // namespace initrd::kunit

#endif
