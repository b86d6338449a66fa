// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/limits.h"

#include "initrd/seam/files.h"
#include "initrd/seam/log.h"
#include "initrd/seam/memory.h"
#include "initrd/support/memory.h"
#include "initrd/support/text.h"
#include "initrd/support/utility.h"

namespace initrd::rootfs {
namespace {

// What tmpfs counts for a node, and the least that one takes.
constexpr u64 kNode = 1024;
constexpr u64 kMostNodes = ~size_t{0} / kNode;

// Whether `name`, with its "=", is among options that commas separate.
bool has_option(const char *options, const char *name)
{
	while (*options) {
		if (starts_with(options, name))
			return true;
		while (*options && *options != ',')
			options++;
		while (*options == ',')
			options++;
	}
	return false;
}

// What there is of the root file system's own limits; false where it has none.
bool get_room(seam_room &room)
{
	return seam_file_system_room("/", &room) >= 0 && room.size && room.nodes;
}

} // namespace

Limits::Limits(const char *options)
	: keeps_size_(has_option(options, "size=") || has_option(options, "nr_blocks=")),
	  keeps_nodes_(has_option(options, "nr_inodes="))
{
}

void Limits::lift(u64 image)
{
	const u64 all = seam_memory_total() + image;
	seam_room room;

	if ((keeps_size_ && keeps_nodes_) || !get_room(room))
		return;
	if (!keeps_size_)
		room.size = max(room.size, all);
	if (!keeps_nodes_)
		room.nodes = max(room.nodes, min(kMostNodes, all / kNode));
	// Where that cannot be, less has room.
	lifted_ = seam_set_root_limits(room.size, room.nodes) >= 0;
}

void Limits::settle()
{
	const u64 all = seam_memory_total();
	const u64 some = memory_for_others(all);
	const size_t page = seam_page_size();
	seam_room room;

	if (!lifted_ || !get_room(room))
		return;
	const u64 used = room.size - room.free;
	const u64 used_nodes = room.nodes - room.free_nodes;

	if (!keeps_size_)
		room.size = max(in_units(all / 2, page) * page, used + some);
	if (!keeps_nodes_)
		room.nodes = max(in_units(min(seam_memory_low(), all / 2), page),
				 used_nodes + in_units(some, page));
	const int status = seam_set_root_limits(room.size, room.nodes);

	if (status < 0)
		seam_log(SEAM_LOG_WARNING,
			 "initrd: the root file system keeps no limit: error %d\n", -status);
}

} // namespace initrd::rootfs
