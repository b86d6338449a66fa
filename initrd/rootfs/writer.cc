// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/writer.h"

#include "initrd/image/trouble.h"
#include "initrd/kernel/cpus.h"
#include "initrd/rootfs/memory_left.h"
#include "initrd/support/text.h"

namespace initrd::rootfs {
namespace {

constexpr bool kKeepTimes = IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME);

// Memory is looked at once for so many entries, which cannot need what is to be left.
constexpr u64 kFew = 32;

} // namespace

// A directory whose time is set at the end; its name follows.
struct Writer::Dated {
	Dated *next;
	u32 mtime;
	char name[];
};

Writer::~Writer()
{
	forget_directories();
}

// How much more the root file system can take, in bytes.
u64 Writer::room() const
{
	u64 size;
	u64 free;

	// Without a limit of its own it has all the memory that there is.
	if (!place_.folder_path() ||
	    seam_file_system_room(place_.folder_path(), &size, &free) < 0 || size == 0)
		return seam_memory_available();
	return free;
}

void Writer::set_attributes(const cpio::Entry &entry, bool has_mode, bool has_mtime)
{
	const seam_attributes attributes = {
		entry.uid, entry.gid, entry.mode, has_mode, kKeepTimes && has_mtime, entry.mtime};

	if (place_.mode())
		seam_node_set(place_.folder(), place_.node(), &attributes);
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
	if (!place_.remove_unless(0) || seam_node_link(place_.folder(), place_.node(), first) < 0)
		return Linked::kFailed;
	return Linked::kYes;
}

Result<bool> Writer::begin(const cpio::Entry &entry)
{
	// It is an archive: there is no way back.
	if (!entries_)
		image_.allow_release();
	if (entries_ % kFew == 0 && hardly_any_memory_left())
		return Error{kNoMemory, "out of memory for more files"};
	entries_++;
	seam_breathe();

	const int status = place_.look_up(entry.name, entry.type());

	if (status < 0) {
		if (entry.type() == cpio::kRegular)
			tell_no_room(entry, -status);
		return false;
	}
	if (!place_.remove_unless(entry.type() == cpio::kLink ? 0 : entry.type()))
		return false;
	switch (entry.type()) {
	case cpio::kLink:
		make_symlink(entry);
		return false;
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
	int status = 0;

	if (linked == Linked::kFailed)
		return false;
	if (!place_.mode())
		status = seam_node_create(place_.folder(), place_.node(), entry.mode);
	else if ((place_.mode() & cpio::kTypeMask) != cpio::kRegular)
		return false; // a folder that is not empty
	// The data of a linked file comes with one of its names, any of them.
	else if (linked == Linked::kNo && seam_node_size(place_.node()))
		status = seam_node_resize(place_.folder(), place_.node(), 0);
	else if (entry.size && seam_node_size(place_.node()))
		status = seam_node_resize(place_.folder(), place_.node(), entry.size);
	if (status >= 0 && entry.size)
		status = data_.open(place_.folder(), place_.node());
	if (status < 0) {
		tell_no_room(entry, -status);
		return false;
	}
	file_ = entry;
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

	trouble.error = {code, "a file could not be made", 0, entry.size, room()};
	trouble.where = "archive";
	trouble.set_entry(entry.name);
	tell(trouble);
}

Result<void> Writer::data(Bytes piece)
{
	const u64 before = data_.position();
	auto appended = data_.append(piece);

	bytes_ += data_.position() - before;
	return appended ? appended : no_room_for_file(appended.error());
}

// The file goes: what it has taken is room for it, too.
Error Writer::no_room_for_file(const Error &error)
{
	data_.close();
	seam_node_resize(place_.folder(), place_.node(), 0);
	return {error.code, error.reason, 0, file_.size, room()};
}

Result<void> Writer::finish()
{
	if (file_.size) {
		auto finished = data_.finish();

		if (!finished)
			return no_room_for_file(finished.error());
	}
	set_attributes(file_, true, true);
	place_.leave();
	return {};
}

void Writer::abandon()
{
	if (file_.size)
		bytes_ -= data_.position();
	data_.close();
	// It may have another name.
	seam_node_resize(place_.folder(), place_.node(), 0);
	place_.remove();
	entries_--;
	removed_ = true;
}

void Writer::trailer()
{
	links_.clear();
}

void Writer::make_symlink(const cpio::Entry &entry)
{
	seam_node_symlink(place_.folder(), place_.node(), entry.target);
	set_attributes(entry, false, true);
}

Result<void> Writer::make_directory(const cpio::Entry &entry)
{
	if (!place_.mode())
		seam_node_mkdir(place_.folder(), place_.node(), entry.mode);
	set_attributes(entry, true, false);
	if (!kKeepTimes)
		return {};

	const size_t length = __builtin_strlen(entry.name) + 1;
	Dated *const dated = static_cast<Dated *>(seam_alloc(sizeof(Dated) + length));

	if (!dated)
		return Error{kNoMemory, "out of memory"};
	dated->next = dated_;
	dated->mtime = entry.mtime;
	__builtin_memcpy(dated->name, entry.name, length);
	dated_ = dated;
	return {};
}

Result<void> Writer::make_special(const cpio::Entry &entry)
{
	if (TRY(link_to_first(entry)) != Linked::kNo)
		return {};
	if (!place_.mode())
		seam_node_mknod(place_.folder(), place_.node(), entry.mode, entry.rdev_major,
				entry.rdev_minor);
	set_attributes(entry, true, true);
	return {};
}

void Writer::finish_directories()
{
	for (const Dated *dated = dated_; dated; dated = dated->next)
		seam_set_mtime(dated->name, dated->mtime);
	forget_directories();
}

void Writer::forget_directories()
{
	while (Dated *const dated = dated_) {
		dated_ = dated->next;
		seam_free(dated);
	}
}

} // namespace initrd::rootfs
