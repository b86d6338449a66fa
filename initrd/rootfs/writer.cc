// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/writer.h"

#include "initrd/image/trouble.h"
#include "initrd/kernel/cpus.h"
#include "initrd/kernel/memory.h"
#include "initrd/support/text.h"

namespace initrd::rootfs {
namespace {

constexpr bool kKeepTimes = IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME);
constexpr size_t kPathMax = 4096; // with its NUL

bool is_dots(const char *name, size_t length)
{
	return length && length <= 2 && name[0] == '.' && name[length - 1] == '.';
}

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

// Looks an entry's name up: node_ is what is there, if anything. 0 or -errno.
int Writer::look_up(const cpio::Entry &entry)
{
	const char *const path = entry.name;
	const size_t whole = __builtin_strlen(path);
	size_t length = whole;

	while (length && path[length - 1] == '/')
		length--;
	size_t name = length;

	while (name && path[name - 1] != '/')
		name--;
	name_ = path + name;
	name_length_ = length - name;

	// "/", "." and ".." name a folder that is there, "name/" one that may be.
	const bool must_be_there = !name_length_ || is_dots(name_, name_length_);

	is_folder_ = false;
	if (must_be_there || length < whole) {
		const int status = open_folder(path, whole);

		is_folder_ = status == 0;
		if (is_folder_)
			node_ = Node(seam_directory_node(folder_.get()));
		if (is_folder_ || must_be_there)
			return status;
	}
	const int status = name ? open_folder(path, name) : open_folder(".", 1);

	if (status)
		return status;
	const int found = find();

	// Nothing but a folder is made, or removed, by a name with a slash behind it.
	if (!found && length < whole &&
	    (entry.type() != cpio::kDirectory || seam_node_mode(node_.get())))
		return -kExists;
	return found;
}

// Makes folder_ the folder of this name, which nearly always it is already.
int Writer::open_folder(const char *path, size_t length)
{
	char *const known = reinterpret_cast<char *>(folder_name_.data());
	int status;

	if (folder_ && folder_length_ == length && !__builtin_memcmp(known, path, length))
		return 0;
	if (!known) {
		auto name = Buffer::create(kPathMax);

		if (!name)
			return -name.error().code;
		folder_name_ = move(name).value();
		return open_folder(path, length);
	}
	__builtin_memcpy(known, path, length);
	known[length] = 0;
	folder_length_ = length;
	folder_ = Directory();
	folder_ = Directory(seam_directory_open(known, &status));
	return status;
}

int Writer::find()
{
	int status;

	node_ = Node(seam_node_find(folder_.get(), name_, name_length_, &status));
	return status;
}

// clean_path(): what is at the entry's name goes unless it is of this type. False
// when the name cannot be looked up any more.
bool Writer::remove_unless(u32 type)
{
	const u32 mode = seam_node_mode(node_.get());

	if (!mode || (mode & cpio::kTypeMask) == type || is_folder_ ||
	    seam_node_remove(folder_.get(), node_.get()) < 0)
		return true;
	return find() == 0;
}

// How much more the root file system can take, in bytes.
u64 Writer::room() const
{
	u64 size;
	u64 free;

	// Without a limit of its own it has all the memory that there is.
	if (!folder_ ||
	    seam_file_system_room(reinterpret_cast<const char *>(folder_name_.data()), &size,
				  &free) < 0 ||
	    size == 0)
		return seam_memory_available();
	return free;
}

void Writer::set_attributes(const cpio::Entry &entry, bool has_mode, bool has_mtime)
{
	const seam_attributes attributes = {
		entry.uid, entry.gid, entry.mode, has_mode, kKeepTimes && has_mtime, entry.mtime};

	if (seam_node_mode(node_.get()))
		seam_node_set(folder_.get(), node_.get(), &attributes);
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
	if (!remove_unless(0) || seam_node_link(folder_.get(), node_.get(), first) < 0)
		return Linked::kFailed;
	return Linked::kYes;
}

Result<bool> Writer::begin(const cpio::Entry &entry)
{
	// It is an archive: there is no way back.
	if (!entries_)
		image_.allow_release();
	entries_++;
	seam_breathe();

	const int status = look_up(entry);

	if (status < 0) {
		if (entry.type() == cpio::kRegular)
			tell_no_room(entry, -status);
		return false;
	}
	if (!remove_unless(entry.type() == cpio::kLink ? 0 : entry.type()))
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
	if (!seam_node_mode(node_.get()))
		status = seam_node_create(folder_.get(), node_.get(), entry.mode);
	else if ((seam_node_mode(node_.get()) & cpio::kTypeMask) != cpio::kRegular)
		return false; // a folder that is not empty
	// The data of a linked file comes with one of its names, any of them.
	else if (linked == Linked::kNo && seam_node_size(node_.get()))
		status = seam_node_resize(folder_.get(), node_.get(), 0);
	else if (entry.size && seam_node_size(node_.get()))
		status = seam_node_resize(folder_.get(), node_.get(), entry.size);
	if (status >= 0 && entry.size)
		status = data_.open(folder_.get(), node_.get());
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
	seam_node_resize(folder_.get(), node_.get(), 0);
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
	node_ = Node();
	return {};
}

void Writer::abandon()
{
	if (file_.size)
		bytes_ -= data_.position();
	data_.close();
	seam_node_remove(folder_.get(), node_.get());
	node_ = Node();
	entries_--;
	removed_ = true;
}

void Writer::trailer()
{
	links_.clear();
}

void Writer::make_symlink(const cpio::Entry &entry)
{
	seam_node_symlink(folder_.get(), node_.get(), entry.target);
	set_attributes(entry, false, true);
}

Result<void> Writer::make_directory(const cpio::Entry &entry)
{
	if (!seam_node_mode(node_.get()))
		seam_node_mkdir(folder_.get(), node_.get(), entry.mode);
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
	if (!seam_node_mode(node_.get()))
		seam_node_mknod(folder_.get(), node_.get(), entry.mode, entry.rdev_major,
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
