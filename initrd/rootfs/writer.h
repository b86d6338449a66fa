/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rootfs/: entries → files. Puts the entries of an archive into the root file
 * system that the kernel starts with.
 */
#ifndef INITRD_ROOTFS_WRITER_H
#define INITRD_ROOTFS_WRITER_H

#include "initrd/cpio/reader.h"
#include "initrd/image/region.h"
#include "initrd/kernel/handles.h"
#include "initrd/rootfs/file_data.h"
#include "initrd/rootfs/link_table.h"
#include "initrd/rootfs/place.h"

namespace initrd::rootfs {

/*
 * Makes nodes as init/initramfs.c does: a node of another type in the way is
 * removed first; files are truncated and written; owner, mode and time are
 * set; failures to make a node are passed over (the first one for want of room
 * is told), failures to write are errors. A file whose data is damaged or does
 * not fit is removed, not left half empty.
 * Directories get their times in finish_directories(), after all else.
 */
class Writer final : public cpio::Handler {
public:
	/*
	 * For the archive in `image`, or in what is compressed in it: memory that
	 * nothing of is given back before the first entry, and of which whole pages
	 * may become files'. Region::none() for an archive that is to stay.
	 */
	INLINE explicit Writer(Region &image) : image_(image), data_(image) {}
	~Writer();
	Writer(const Writer &) = delete;
	Writer &operator=(const Writer &) = delete;

	Result<bool> begin(const cpio::Entry &entry) override;
	Result<void> data(Bytes piece) override;
	Result<void> finish() override;
	void abandon() override;
	void trailer() override;

	/* Sets the times of all directories; call once, at the end. */
	void finish_directories();

	/* Entries so far and bytes of file data so far, without what was removed. */
	INLINE u64 entries() const { return entries_; }
	INLINE u64 bytes() const { return bytes_; }
	/* Whether the last file was incomplete or damaged, and is gone. */
	INLINE bool removed() const { return removed_; }

private:
	/* A directory whose time is set at the end. */
	struct Dated;
	enum class Linked : u8 { kNo, kYes, kFailed };

	Result<Linked> link_to_first(const cpio::Entry &entry);
	Result<bool> begin_file(const cpio::Entry &entry);
	Result<void> make_directory(const cpio::Entry &entry);
	Result<void> make_special(const cpio::Entry &entry);
	void make_symlink(const cpio::Entry &entry);
	void set_attributes(const cpio::Entry &entry, bool has_mode, bool has_mtime);
	u64 room() const;
	Error no_room_for_file(const Error &error);
	void tell_no_room(const cpio::Entry &entry, int code);
	void forget_directories();

	Region &image_;
	LinkTable links_;
	Dated *dated_ = nullptr;
	Place place_; /* of the entry at hand */
	/* The file that is being filled, and its header, of which the strings are gone. */
	FileData data_;
	cpio::Entry file_ = {};
	u64 entries_ = 0;
	u64 bytes_ = 0;
	bool removed_ = false;
	bool told_no_room_ = false;
};

} // namespace initrd::rootfs

#endif
