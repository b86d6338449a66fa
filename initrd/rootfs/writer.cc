// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/writer.h"

#include "initrd/image/trouble.h"
#include "initrd/rootfs/memory_left.h"
#include "initrd/seam/cpus.h"
#include "initrd/support/text.h"

namespace initrd::rootfs {
namespace {

constexpr bool kKeepTimes = IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME);

// Errors that only the file system raises; the kernel's numbers.
constexpr int kNoFolder = 20;
constexpr int kNotEmpty = 39;

// Memory is looked at once for so many entries, which cannot need what is to be left.
constexpr u64 kFew = 32;

// "./a" and "/a" for "a".
const char *plain(const char *path)
{
	while (path[0] == '/' || (path[0] == '.' && path[1] == '/'))
		path++;
	return path;
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

// How much more the root file system can take, in bytes.
u64 Writer::room() const
{
	const u64 available = seam_memory_available();
	seam_room room;

	// Without a limit of its own it has all the memory that there is.
	if (!place_.folder_path() || seam_file_system_room(place_.folder_path(), &room) < 0 ||
	    room.size == 0)
		return available;
	return min(room.free, available);
}

void Writer::set_attributes(const Place &place, const cpio::Entry &entry, bool has_mode,
			    bool has_mtime)
{
	const seam_attributes attributes = {
		entry.uid, entry.gid, entry.mode, has_mode, kKeepTimes && has_mtime, entry.mtime};

	if (place.mode())
		seam_node_set(place.folder(), place.node(), &attributes);
}

// Whether the entry at hand is to become a link to what there is of its group.
bool Writer::is_other_name(const LinkGroup *group) const
{
	return group && group->node && !seam_node_same(place_.node(), group->node.get());
}

// 0, or -errno and then there may be nothing at the place.
int Writer::link_to(const seam_node *first)
{
	if (!place_.remove_unless(0))
		return -kNoMemory;
	return seam_node_link(place_.folder(), place_.node(), first);
}

// What is no file is made now, if `status` does not say why not.
void Writer::made(const cpio::Entry &entry, int status, bool has_mode)
{
	if (status < 0) {
		count_not_made(entry, status);
		return;
	}
	made_++;
	set_attributes(place_, entry, has_mode, entry.type() != cpio::kDirectory);
}

void Writer::count_not_made(const cpio::Entry &entry, int status)
{
	const int code = -status;

	if (code == kNoSpace || code == kNoMemory) {
		not_made_.no_room.add(entry.name);
		tell_no_room(entry, code);
	} else if (code == kNoEntry || code == kNoFolder) {
		not_made_.no_folder.add(entry.name);
	} else {
		if (!not_made_.refused.count())
			not_made_.code = code;
		not_made_.refused.add(entry.name);
	}
}

Result<bool> Writer::begin(const cpio::Entry &entry)
{
	// It is an archive: there is no way back.
	if (!seen_)
		image_.allow_release();
	if (seen_ % kFew == 0 && hardly_any_memory_left())
		return Error{kNoMemory, "out of memory for more files"};
	seen_++;
	seam_cond_resched();

	const int status = place_.look_up(entry.name, entry.type());

	nameless_ = status < 0;
	if (status < 0) {
		count_not_made(entry, status);
		// Its data may be that of other names, too.
		if (entry.type() == cpio::kRegular && entry.nlink > 1 && entry.size)
			return begin_file(entry);
		return false;
	}
	switch (entry.type()) {
	case cpio::kLink:
		TRY(make_symlink(entry));
		return false;
	case cpio::kRegular:
		if (!place_.remove_unless(entry.type()))
			break;
		return begin_file(entry);
	case cpio::kDirectory:
		if (!place_.remove_unless(entry.type()))
			break;
		TRY(make_directory(entry));
		return false;
	case cpio::kBlock:
	case cpio::kCharacter:
	case cpio::kFifo:
	case cpio::kSocket:
		if (!place_.remove_unless(entry.type()))
			break;
		TRY(make_special(entry));
		return false;
	default:
		count_not_made(entry, -kInvalid);
		return false;
	}
	count_not_made(entry, -kNoMemory);
	return false;
}

Result<bool> Writer::begin_file(const cpio::Entry &entry)
{
	file_ = entry;
	group_ = nullptr;
	if (entry.nlink < 2)
		return make_file(entry);
	group_ = TRY(links_.join(entry, nameless_ ? nullptr : place_.node()));
	if (nameless_) {
		// A name of one that has its data, or never will have any other name.
		if (!group_->node || group_->size || place_.go_to(group_->node.get()) < 0)
			return false;
		return make_file(entry);
	}
	if (!is_other_name(group_))
		return make_file(entry);
	if (entry.size && group_->size) {
		TRY(same_.open(place_.folder(), group_->node.get()));
		return true;
	}
	const int status = link_to(group_->node.get());

	if (status == -kNoEntry) {
		// Meanwhile it has lost all of its names.
		group_->node = Node();
		group_->size = 0;
	} else if (status < 0) {
		nameless_ = true;
		count_not_made(entry, status);
		// The others still want the data.
		if (!entry.size || place_.go_to(group_->node.get()) < 0)
			return false;
	}
	return make_file(entry);
}

// Makes the file at the place, or takes the one that is there, for data to come.
Result<bool> Writer::make_file(const cpio::Entry &entry)
{
	// The data of a linked file comes with one of its names, any of them.
	const bool keeps_data = group_ && group_->node && !entry.size;
	int status = 0;

	if (!place_.mode())
		status = seam_node_create(place_.folder(), place_.node(), entry.mode);
	else if ((place_.mode() & cpio::kTypeMask) != cpio::kRegular)
		status = -kNotEmpty; // a folder
	else if (!keeps_data && seam_node_size(place_.node()))
		status = seam_node_resize(place_.folder(), place_.node(), 0);
	if (status >= 0 && entry.size)
		status = data_.open(place_.folder(), place_.node());
	if (status < 0) {
		count_not_made(entry, status);
		return false;
	}
	if (group_ && !group_->node)
		group_->node = Node(seam_node_hold(place_.node()));
	if (group_ && entry.size)
		group_->size = entry.size;
	return true;
}

// What has come is not what the other name has: a file of its own, with what was the
// same until now.
Result<void> Writer::part()
{
	group_ = TRY(links_.part(file_, *group_));
	if (!TRY(make_file(file_)))
		return Error{kNoSpace, "write error"};
	TRY(same_.copy_to(data_));
	same_.close();
	return {};
}

// All that follow for the same reason are counted only.
void Writer::tell_no_room(const cpio::Entry &entry, int code)
{
	seam_room room_now;

	if (told_no_room_)
		return;
	told_no_room_ = true;

	Trouble trouble;

	trouble.error = {code, "a file could not be made", 0, entry.size, room()};
	trouble.where = "archive";
	trouble.set_entry(entry.name);
	if (code == kNoSpace && place_.folder_path() &&
	    seam_file_system_room(place_.folder_path(), &room_now) >= 0 && !room_now.free_nodes)
		trouble.inodes = room_now.nodes;
	tell(trouble);
}

Result<void> Writer::data(Bytes piece)
{
	if (same_) {
		const size_t same = same_.compare(piece);

		bytes_ += same;
		piece = piece.skip(same);
		if (piece.empty())
			return {};
		auto parted = part();

		if (!parted)
			return no_room_for_file(parted.error());
	}
	const u64 before = data_.position();
	auto appended = data_.append(piece);

	bytes_ += data_.position() - before;
	return appended ? appended : no_room_for_file(appended.error());
}

// The file goes: what it has taken is room for it, too.
Error Writer::no_room_for_file(const Error &error)
{
	data_.close();
	if (!same_ && place_.mode())
		seam_node_resize(place_.folder(), place_.node(), 0);
	return {error.code, error.reason, 0, file_.size, room()};
}

Result<void> Writer::finish()
{
	if (same_) {
		const int status = link_to(group_->node.get());

		if (status != -kNoEntry) {
			same_.close();
			made(file_, status, true);
			place_.leave();
			return {};
		}
		// Meanwhile the other has lost all of its names.
		auto parted = part();

		if (!parted)
			return no_room_for_file(parted.error());
	}
	if (file_.size) {
		auto finished = data_.finish();

		if (!finished)
			return no_room_for_file(finished.error());
	}
	set_attributes(place_, file_, true, true);
	if (!nameless_)
		made_++;
	place_.leave();
	return {};
}

void Writer::abandon()
{
	removed_ = true;
	if (same_) {
		// It was not made yet, and the other name has nothing to do with it.
		bytes_ -= same_.position();
		same_.close();
		place_.leave();
		return;
	}
	if (file_.size)
		bytes_ -= data_.position();
	data_.close();
	// It may have another name.
	if (place_.mode())
		seam_node_resize(place_.folder(), place_.node(), 0);
	if (group_)
		group_->size = 0;
	place_.remove();
}

void Writer::trailer()
{
	links_.clear();
}

LinkTable &Writer::finish_links()
{
	links_.clear();
	return links_;
}

// Earlier names of a symbolic link with no target, or with the path of this name, get
// the target that this one has.
Result<void> Writer::mend_links(LinkGroup &group, const cpio::Entry &entry)
{
	NamedLink **at = &group.links;

	while (NamedLink *const link = *at) {
		Place other;

		if (!*entry.target || same_text(link->target, entry.target) ||
		    (*link->target && !same_text(plain(link->target), plain(entry.name)))) {
			at = &link->next;
			continue;
		}
		// Unless something else has come in its place.
		if (other.look_up(link->name, cpio::kLink) == 0 &&
		    seam_node_same(other.node(), link->node.get()) && other.remove_unless(0) &&
		    seam_node_symlink(other.folder(), other.node(), entry.target) >= 0) {
			set_attributes(other, entry, false, true);
			place_.forget_folder();
			// The path of a name that is still to come, perhaps.
			if (group.left)
				TRY(links_.remember(group, link->name, entry.target, other.node()));
			if (at == &group.links && *at != link)
				at = &(*at)->next;
		}
		LinkTable::forget_link(group, at);
	}
	return {};
}

Result<void> Writer::make_symlink(const cpio::Entry &entry)
{
	cpio::Entry link = entry;
	LinkGroup *group = nullptr;

	if (entry.nlink > 1) {
		group = TRY(links_.join(entry, place_.mode() ? place_.node() : nullptr));
		if (!*link.target)
			link.target = LinkTable::target_of(*group);
	}
	int status = place_.remove_unless(0) ? 0 : -kNoMemory;

	if (status >= 0)
		status = seam_node_symlink(place_.folder(), place_.node(), link.target);
	made(link, status, false);
	if (!group || status < 0) {
		if (status >= 0 && !*link.target)
			links_.targetless().add(link.name);
		return {};
	}
	if (!group->node)
		group->node = Node(seam_node_hold(place_.node()));
	TRY(mend_links(*group, link));
	return links_.remember(*group, link.name, link.target, place_.node());
}

Result<void> Writer::make_directory(const cpio::Entry &entry)
{
	int status = 0;

	if (!place_.mode())
		status = seam_node_mkdir(place_.folder(), place_.node(), entry.mode);
	made(entry, status, true);
	if (!kKeepTimes || status < 0)
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
	LinkGroup *const group = entry.nlink > 1 ? TRY(links_.join(entry, place_.node())) : nullptr;
	int status = -kNoEntry;

	if (is_other_name(group))
		status = link_to(group->node.get());
	// By its own header it can be made without the other, too.
	if (status < 0)
		status = place_.mode() ? 0 :
					 seam_node_mknod(place_.folder(), place_.node(), entry.mode,
							 entry.rdev_major, entry.rdev_minor);
	if (group && status >= 0)
		group->node = Node(seam_node_hold(place_.node()));
	made(entry, status, true);
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
