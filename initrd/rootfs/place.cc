// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/place.h"

#include "initrd/formats/cpio_reader.h"

namespace initrd::rootfs {
namespace {

constexpr size_t kPathMax = 4096; // with its NUL

bool is_dots(const char *name, size_t length)
{
	return length && length <= 2 && name[0] == '.' && name[length - 1] == '.';
}

} // namespace

int Place::look_up(const char *path, u32 type)
{
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

	is_elsewhere_ = false;
	if (must_be_there || length < whole) {
		const int status = open_folder(path, whole);

		is_elsewhere_ = status == 0;
		if (is_elsewhere_)
			node_ = Node(seam_directory_node(folder_.get()));
		if (is_elsewhere_ || must_be_there)
			return status;
	}
	const int status = name ? open_folder(path, name) : open_folder(".", 1);

	if (status)
		return status;
	const int found = find();

	// Nothing but a folder is made, or removed, by a name with a slash behind it.
	if (!found && length < whole && (type != cpio::kDirectory || seam_node_mode(node_.get())))
		return -kExists;
	return found;
}

// Makes folder_ the folder of this name, which nearly always it is already.
int Place::open_folder(const char *path, size_t length)
{
	int status;

	if (!folder_name_.size()) {
		auto name = Buffer::create(kPathMax);

		if (!name)
			return -name.error().code;
		folder_name_ = move(name).value();
	}
	char *const known = reinterpret_cast<char *>(folder_name_.data());

	if (folder_ && length && folder_length_ == length && !__builtin_memcmp(known, path, length))
		return 0;
	__builtin_memcpy(known, path, length);
	known[length] = 0;
	folder_length_ = length;
	folder_ = Directory();
	folder_ = Directory(seam_directory_open(known, &status));
	return status;
}

int Place::go_to(const seam_node *elsewhere)
{
	const int status = open_folder(".", 1);

	is_elsewhere_ = true;
	node_ = Node(seam_node_hold(elsewhere));
	return status;
}

int Place::find()
{
	int status;

	node_ = Node(seam_node_find(folder_.get(), name_, name_length_, &status));
	return status;
}

int Place::remove_node()
{
	folder_length_ = 0;
	return seam_node_remove(folder_.get(), node_.get());
}

bool Place::remove_unless(u32 type)
{
	const u32 mode = seam_node_mode(node_.get());

	if (!mode || (mode & cpio::kTypeMask) == type || is_elsewhere_ || remove_node() < 0)
		return true;
	return find() == 0;
}

void Place::remove()
{
	if (!is_elsewhere_)
		remove_node();
	leave();
}

} // namespace initrd::rootfs
