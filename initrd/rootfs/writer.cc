// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/writer.h"

#include "initrd/image/trouble.h"
#include "initrd/kernel/memory.h"
#include "initrd/support/text.h"

namespace initrd::rootfs {
namespace {

constexpr bool kKeepTimes = IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME);
constexpr size_t kNameMax = 4096;

void set_mtime(const char *name, u32 mtime)
{
	if (kKeepTimes)
		seam_set_mtime(name, mtime);
}

// clean_path(): what is at `name` goes unless it is of this type.
void remove_if_not(const char *name, u32 type)
{
	u32 mode;

	if (seam_mode_of(name, &mode) < 0 || (mode & cpio::kTypeMask) == type)
		return;
	if ((mode & cpio::kTypeMask) == cpio::kDirectory)
		seam_rmdir(name);
	else
		seam_unlink(name);
}

// How much more the file system at `path` can take, in bytes.
u64 room_at(const char *path)
{
	u64 size;
	u64 free;

	// Without a limit of its own it has all the memory that there is.
	if (seam_file_system_room(path, &size, &free) < 0 || size == 0)
		return seam_memory_available();
	return free;
}

void make_symlink(const cpio::Entry &entry)
{
	remove_if_not(entry.name, 0);
	seam_symlink(entry.target, entry.name);
	seam_chown(entry.name, entry.uid, entry.gid, true);
	set_mtime(entry.name, entry.mtime);
}

} // namespace

// A directory whose time is set at the end; its name follows.
struct Writer::Directory {
	Directory *next;
	u32 mtime;
	char name[];
};

Writer::~Writer()
{
	forget_directories();
}

// maybe_link(): a node with several names is made once and linked afterwards.
Result<Writer::Linked> Writer::link_to_first(const cpio::Entry &entry)
{
	if (entry.nlink < 2)
		return Linked::kNo;
	const char *const first = TRY(links_.find_or_add(entry));

	// The same name again is the same file again, not a link to itself.
	if (!first || same_text(first, entry.name))
		return Linked::kNo;
	remove_if_not(entry.name, 0);
	return seam_link(first, entry.name) < 0 ? Linked::kFailed : Linked::kYes;
}

Result<bool> Writer::begin(const cpio::Entry &entry)
{
	// It is an archive: there is no way back.
	if (!entries_)
		image_.allow_release();
	entries_++;
	if (entry.type() == cpio::kLink) {
		make_symlink(entry);
		return false;
	}
	remove_if_not(entry.name, entry.type());
	switch (entry.type()) {
	case cpio::kRegular:
		return begin_file(entry);
	case cpio::kDirectory:
		TRY(make_directory(entry));
		return false;
	case cpio::kBlock:
	case cpio::kCharacter:
	case cpio::kFifo:
	case cpio::kSocket:
		TRY(make_special(entry));
		return false;
	default:
		return false;
	}
}

Result<bool> Writer::begin_file(const cpio::Entry &entry)
{
	const Linked linked = TRY(link_to_first(entry));
	int status;

	if (linked == Linked::kFailed)
		return false;
	// The data of a linked file comes with one of its names, any of them.
	File file(seam_file_create(entry.name, entry.mode, linked == Linked::kNo, &status));

	if (!file) {
		tell_no_room(entry, -status);
		return false;
	}
	seam_file_chown(file.get(), entry.uid, entry.gid);
	seam_file_chmod(file.get(), entry.mode);
	if (entry.size)
		seam_file_resize(file.get(), entry.size);

	if (!name_.size())
		name_ = TRY(Buffer::create(kNameMax));
	__builtin_memcpy(name_.data(), entry.name, min(__builtin_strlen(entry.name) + 1, kNameMax));
	file_ = move(file);
	mtime_ = entry.mtime;
	size_ = entry.size;
	position_ = 0;
	return true;
}

// A file that cannot be made is passed over, with all that follow for the same
// reason; where that is for want of room, the first one is told.
void Writer::tell_no_room(const cpio::Entry &entry, int code)
{
	if (told_no_room_ || (code != kNoSpace && code != kNoMemory))
		return;
	told_no_room_ = true;

	Trouble trouble;

	trouble.error = {code, "a file could not be made", 0, entry.size, room_at("/")};
	trouble.where = "archive";
	trouble.set_entry(entry.name);
	tell(trouble);
}

Result<void> Writer::data(Bytes piece)
{
	size_t written;
	const int status = seam_file_write(file_.get(), piece.data(), piece.size(), position_,
					   &written);

	bytes_ += written;
	position_ += written;
	if (status >= 0)
		return {};
	// The file goes: what it has taken is room for it, too.
	seam_file_resize(file_.get(), 0);
	return Error{-status, "write error", 0, size_,
		     room_at(reinterpret_cast<const char *>(name_.data()))};
}

Result<void> Writer::finish()
{
	if (kKeepTimes)
		seam_file_set_mtime(file_.get(), mtime_);
	file_ = File();
	return {};
}

void Writer::abandon()
{
	file_ = File();
	seam_unlink(reinterpret_cast<const char *>(name_.data()));
	bytes_ -= position_;
	entries_--;
	removed_ = true;
}

void Writer::trailer()
{
	links_.clear();
}

Result<void> Writer::make_directory(const cpio::Entry &entry)
{
	seam_mkdir(entry.name, entry.mode);
	seam_chown(entry.name, entry.uid, entry.gid, false);
	seam_chmod(entry.name, entry.mode);
	if (!kKeepTimes)
		return {};

	const size_t length = __builtin_strlen(entry.name) + 1;
	Directory *const directory =
		static_cast<Directory *>(seam_alloc(sizeof(Directory) + length));

	if (!directory)
		return Error{kNoMemory, "out of memory"};
	directory->next = directories_;
	directory->mtime = entry.mtime;
	__builtin_memcpy(directory->name, entry.name, length);
	directories_ = directory;
	return {};
}

Result<void> Writer::make_special(const cpio::Entry &entry)
{
	if (TRY(link_to_first(entry)) != Linked::kNo)
		return {};
	seam_mknod(entry.name, entry.mode, entry.rdev_major, entry.rdev_minor);
	seam_chown(entry.name, entry.uid, entry.gid, false);
	seam_chmod(entry.name, entry.mode);
	set_mtime(entry.name, entry.mtime);
	return {};
}

void Writer::finish_directories()
{
	for (const Directory *directory = directories_; directory; directory = directory->next)
		seam_set_mtime(directory->name, directory->mtime);
	forget_directories();
}

void Writer::forget_directories()
{
	while (Directory *const directory = directories_) {
		directories_ = directory->next;
		seam_free(directory);
	}
}

} // namespace initrd::rootfs
