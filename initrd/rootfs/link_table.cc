// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/link_table.h"

#include "initrd/rootfs/memory_left.h"
#include "initrd/seam/random.h"
#include "initrd/support/text.h"

namespace initrd::rootfs {
namespace {

// So many groups of one number are told apart; an archive may have any number of them.
constexpr u32 kMostAlike = 64;
// And so many links with different targets in one group.
constexpr u32 kMostTargets = 8;

bool same_number(const LinkGroup &group, const cpio::Entry &entry)
{
	return group.ino == entry.ino && group.dev_major == entry.dev_major &&
	       group.dev_minor == entry.dev_minor && (group.mode & cpio::kTypeMask) == entry.type();
}

bool same_owner(const LinkGroup &group, const cpio::Entry &entry)
{
	return group.mode == entry.mode && group.uid == entry.uid && group.gid == entry.gid &&
	       group.mtime == entry.mtime;
}

// Whether the name can be one that is still missing.
bool is_open_to(const LinkGroup &group, const cpio::Entry &entry)
{
	const bool has_data = entry.type() == cpio::kRegular && entry.size;

	return group.left && group.nlink == entry.nlink && group.rdev_major == entry.rdev_major &&
	       group.rdev_minor == entry.rdev_minor &&
	       (!has_data || !group.size || group.size == entry.size);
}

} // namespace

void Tally::add(const char *name)
{
	constexpr size_t kLongest = 192;

	if (count_++)
		return;
	auto first = Buffer::create(kLongest);

	if (!first)
		return;
	first_ = move(first).value();
	copy_printable(reinterpret_cast<char *>(first_.data()), kLongest, name, ~size_t{0});
}

// What the table has for a name.
struct LinkTable::Found {
	LinkGroup *group = nullptr; /* that it belongs to, or null */
	bool again = false;	    /* it is there already */
	bool shares_number = false; /* with any group */
};

// The array of chains, with a power of two of them.
class LinkTable::Chains {
public:
	INLINE explicit Chains(const Buffer &buffer)
		// SAFETY: the buffer is an array of pointers, aligned for them.
		: first_(reinterpret_cast<LinkGroup **>(buffer.data())),
		  mask_(static_cast<u32>(buffer.size() / sizeof(LinkGroup *)) - 1)
	{
	}

	// By numbers that the archive does not know, so that it cannot make long chains.
	LinkGroup *&of(const LinkTable &table, u32 ino, u32 major, u32 minor)
	{
		const u64 hash = ino * table.factors_[0] + major * table.factors_[1] +
				 minor * table.factors_[2];

		return first_[static_cast<u32>(hash >> 32) & mask_];
	}

private:
	LinkGroup **first_;
	u32 mask_;
};

// Makes the array, or a larger one when chains become long. Where there is no memory
// for that, they do.
Result<void> LinkTable::make_room()
{
	constexpr size_t kFirst = 256;
	constexpr size_t kMost = size_t{1} << 20;
	const size_t chains = buckets_.size() / sizeof(LinkGroup *);

	if (chains && (count_ < chains || chains == kMost))
		return {};
	auto larger = Buffer::create((chains ? chains * 4 : kFirst) * sizeof(LinkGroup *));

	if (!larger)
		return chains ? Result<void>() : larger.error();
	const Buffer before = move(buckets_);

	buckets_ = move(larger.value());
	__builtin_memset(buckets_.data(), 0, buckets_.size());
	if (!chains)
		for (u64 &factor : factors_)
			factor = seam_random() | 1;
	LinkGroup **const old = reinterpret_cast<LinkGroup **>(before.data());

	for (size_t i = 0; i < chains; i++) {
		// From the last to the first, so that their order stays.
		LinkGroup *turned = nullptr;

		while (LinkGroup *const group = old[i]) {
			old[i] = group->next;
			group->next = turned;
			turned = group;
		}
		while (LinkGroup *const group = turned) {
			LinkGroup *&chain = Chains(buckets_).of(*this, group->ino, group->dev_major,
								group->dev_minor);

			turned = group->next;
			group->next = chain;
			chain = group;
		}
	}
	return {};
}

LinkTable::Found LinkTable::find(const cpio::Entry &entry, const seam_node *there)
{
	Found found;
	LinkGroup *loose = nullptr;
	LinkGroup **dispensable = nullptr;
	u32 open = 0;
	u32 alike = 0;
	LinkGroup **at = &Chains(buckets_).of(*this, entry.ino, entry.dev_major, entry.dev_minor);

	for (; *at; at = &(*at)->next) {
		LinkGroup *const group = *at;

		if (!same_number(*group, entry))
			continue;
		found.shares_number = true;
		if (there && group->node && seam_node_same(there, group->node.get()))
			return {group, true, true};
		// The oldest, and rather one that is complete.
		if (!dispensable || !group->left || (*dispensable)->left)
			dispensable = at;
		alike++;
		open += group->left != 0;
		if (!is_open_to(*group, entry))
			continue;
		if (!same_owner(*group, entry))
			loose = group;
		else if (!found.group || (entry.size && found.group->size && !group->size))
			found.group = group;
	}
	// What a writer was told to write otherwise is no other file if nothing else is:
	// rather that than a name without its data.
	if (!found.group && loose && open == 1 && entry.size && !loose->size)
		found.group = loose;
	if (!found.group && alike >= kMostAlike) {
		LinkGroup *const group = *dispensable;

		*dispensable = group->next;
		drop(group);
	}
	return found;
}

Result<LinkGroup *> LinkTable::join(const cpio::Entry &entry, const seam_node *there)
{
	TRY(make_room());
	const Found found = find(entry, there);

	if (!found.group)
		return add(entry, found.shares_number);
	if (!found.again)
		found.group->left--;
	return found.group;
}

Result<LinkGroup *> LinkTable::part(const cpio::Entry &entry, LinkGroup &joined)
{
	joined.left++;
	return add(entry, true);
}

Result<LinkGroup *> LinkTable::add(const cpio::Entry &entry, bool shares_number)
{
	LinkGroup *const group = hardly_any_memory_left() ?
					 nullptr :
					 static_cast<LinkGroup *>(seam_alloc(sizeof(LinkGroup)));

	if (!group)
		return Error{kNoMemory, "out of memory"};
	LinkGroup *&chain = Chains(buckets_).of(*this, entry.ino, entry.dev_major, entry.dev_minor);

	// (Of links to links nothing is lost: each is made with its own target.)
	if (shares_number && entry.type() != cpio::kLink)
		collisions_.add(entry.name);
	for (LinkGroup *other = chain; shares_number && other; other = other->next)
		other->shares_number |= same_number(*other, entry);
	new (group) LinkGroup{
		.next = chain,
		.node = Node(),
		.ino = entry.ino,
		.dev_major = entry.dev_major,
		.dev_minor = entry.dev_minor,
		.mode = entry.mode,
		.uid = entry.uid,
		.gid = entry.gid,
		.nlink = entry.nlink,
		.mtime = entry.mtime,
		.rdev_major = entry.rdev_major,
		.rdev_minor = entry.rdev_minor,
		.left = entry.nlink - 1,
		.size = 0,
		.shares_number = shares_number,
		.kept = 0,
		.links = nullptr,
	};
	chain = group;
	count_++;
	return group;
}

Result<void> LinkTable::remember(LinkGroup &group, const char *name, const char *target,
				 const seam_node *node)
{
	const size_t name_size = __builtin_strlen(name) + 1;
	const size_t target_size = __builtin_strlen(target) + 1;

	if (!group.left) {
		if (!*target)
			targetless_.add(name);
		forget_links(group);
		return {};
	}
	if (*target && group.kept++ >= kMostTargets)
		return {};
	NamedLink *const link = hardly_any_memory_left() ?
					nullptr :
					static_cast<NamedLink *>(seam_alloc(
						sizeof(NamedLink) + name_size + target_size));

	if (!link)
		return Error{kNoMemory, "out of memory"};
	new (link) NamedLink{group.links, Node(seam_node_hold(node)), link->name + name_size};
	__builtin_memcpy(link->name, name, name_size);
	__builtin_memcpy(link->name + name_size, target, target_size);
	group.links = link;
	return {};
}

void LinkTable::forget_link(LinkGroup &group, NamedLink **at)
{
	NamedLink *const link = *at;

	*at = link->next;
	group.kept -= *link->target != 0;
	link->~NamedLink();
	seam_free(link);
}

const char *LinkTable::target_of(const LinkGroup &group)
{
	for (const NamedLink *link = group.links; link; link = link->next)
		if (*link->target)
			return link->target;
	return "";
}

void LinkTable::forget_links(LinkGroup &group)
{
	while (NamedLink *const link = group.links) {
		group.links = link->next;
		if (!*link->target)
			targetless_.add(link->name);
		link->~NamedLink();
		seam_free(link);
	}
}

void LinkTable::drop(LinkGroup *group)
{
	forget_links(*group);
	if (group->left && group->shares_number && !group->size &&
	    (group->mode & cpio::kTypeMask) == cpio::kRegular)
		doubtful_++;
	group->~LinkGroup();
	seam_free(group);
	count_--;
}

void LinkTable::clear()
{
	LinkGroup **const buckets = reinterpret_cast<LinkGroup **>(buckets_.data());

	for (size_t i = 0; i < buckets_.size() / sizeof(LinkGroup *); i++) {
		while (LinkGroup *const group = buckets[i]) {
			buckets[i] = group->next;
			drop(group);
		}
	}
}

} // namespace initrd::rootfs
