/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rootfs/: entries → files. Puts the entries of an archive into the root file
 * system that the kernel starts with.
 */
#ifndef INITRD_ROOTFS_WRITER_H
#define INITRD_ROOTFS_WRITER_H

#include "initrd/formats/cpio_reader.h"
#include "initrd/image/region.h"
#include "initrd/rootfs/file_data.h"
#include "initrd/rootfs/link_table.h"
#include "initrd/rootfs/place.h"
#include "initrd/rootfs/same_data.h"

namespace initrd::rootfs {

/* Entries that were not made, by the reason. */
struct NotMade {
	Tally no_folder; /* there is none of that name, or it is something else */
	Tally no_room;	 /* no memory, no space, no inodes */
	Tally refused;	 /* by the file system, and why the first was */
	int code = 0;
};

/*
 * Makes nodes as init/initramfs.c does: a node of another type in the way is
 * removed first; files are truncated and written; owner, mode and time are
 * set; failures to make a node are counted (the first one for want of room
 * is told), failures to write are errors. A file whose data is damaged or does
 * not fit is removed, not left half empty.
 * Directories get their times in finish_directories(), after all else.
 *
 * Names of one node are linked as LinkTable says; names with data of the same size
 * are links where the data is the same, too, and else files of their own. Symbolic
 * links with several names get the target that one of them has, where a writer gave
 * the others none (busybox) or another's path (libarchive).
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

	/* Entries that were made so far, and bytes of file data so far. */
	INLINE u64 entries() const { return made_; }
	INLINE u64 bytes() const { return bytes_; }
	INLINE const NotMade &not_made() const { return not_made_; }
	/* Ends the table of links, which then knows what was odd about them. */
	LinkTable &finish_links();
	/* Whether the last file was incomplete or damaged, and is gone. */
	INLINE bool removed() const { return removed_; }

private:
	/* A directory whose time is set at the end. */
	struct Dated;

	Result<bool> begin_file(const cpio::Entry &entry);
	Result<bool> make_file(const cpio::Entry &entry);
	Result<void> part();
	Result<void> make_directory(const cpio::Entry &entry);
	Result<void> make_special(const cpio::Entry &entry);
	Result<void> make_symlink(const cpio::Entry &entry);
	Result<void> mend_links(LinkGroup &group, const cpio::Entry &entry);
	bool is_other_name(const LinkGroup *group) const;
	int link_to(const seam_node *first);
	void made(const cpio::Entry &entry, int status, bool has_mode);
	static void set_attributes(const Place &place, const cpio::Entry &entry, bool has_mode,
				   bool has_mtime);
	u64 room() const;
	Error no_room_for_file(const Error &error);
	void count_not_made(const cpio::Entry &entry, int status);
	void tell_no_room(const cpio::Entry &entry, int code);
	void forget_directories();

	Region &image_;
	LinkTable links_;
	Dated *dated_ = nullptr;
	Place place_; /* of the entry at hand */
	/* The file that is being filled, and its header. */
	FileData data_;
	cpio::Entry file_ = {};
	LinkGroup *group_ = nullptr; /* the file's, if it may have other names */
	SameData same_;		     /* open while it may be one that is there */
	bool nameless_ = false;	     /* what it is to be called could not be made */
	NotMade not_made_;
	u64 seen_ = 0;
	u64 made_ = 0;
	u64 bytes_ = 0;
	bool removed_ = false;
	bool told_no_room_ = false;
};

} // namespace initrd::rootfs

#endif
