// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/link_table.h"

#include "initrd/kernel/random.h"
#include "initrd/rootfs/memory_left.h"

namespace initrd::rootfs {

// The name follows the node in its allocation.
struct LinkTable::Node {
	Node *next;
	u32 ino;
	u32 major;
	u32 minor;
	u32 type;
	char name[];
};

// The array of chains, with a power of two of them.
class LinkTable::Chains {
public:
	INLINE explicit Chains(const Buffer &buffer)
		// SAFETY: the buffer is an array of pointers, aligned for them.
		: first_(reinterpret_cast<Node **>(buffer.data())),
		  mask_(static_cast<u32>(buffer.size() / sizeof(Node *)) - 1)
	{
	}

	// By numbers that the archive does not know, so that it cannot make long chains.
	Node *&of(const LinkTable &table, u32 ino, u32 major, u32 minor)
	{
		const u64 hash = ino * table.factors_[0] + major * table.factors_[1] +
				 minor * table.factors_[2];

		return first_[static_cast<u32>(hash >> 32) & mask_];
	}

private:
	Node **first_;
	u32 mask_;
};

// Makes the array, or a larger one when chains become long. Where there is no memory
// for that, they do.
Result<void> LinkTable::make_room()
{
	constexpr size_t kFirst = 256;
	constexpr size_t kMost = size_t{1} << 20;
	const size_t chains = buckets_.size() / sizeof(Node *);

	if (chains && (count_ < chains || chains == kMost))
		return {};
	auto larger = Buffer::create((chains ? chains * 4 : kFirst) * sizeof(Node *));

	if (!larger)
		return chains ? Result<void>() : larger.error();
	const Buffer before = move(buckets_);

	buckets_ = move(larger.value());
	__builtin_memset(buckets_.data(), 0, buckets_.size());
	if (!chains)
		for (u64 &factor : factors_)
			factor = seam_random() | 1;
	Node **const old = reinterpret_cast<Node **>(before.data());

	for (size_t i = 0; i < chains; i++) {
		while (Node *const node = old[i]) {
			Node *&chain = Chains(buckets_).of(*this, node->ino, node->major,
							   node->minor);

			old[i] = node->next;
			node->next = chain;
			chain = node;
		}
	}
	return {};
}

Result<const char *> LinkTable::find_or_add(const cpio::Entry &entry)
{
	TRY(make_room());
	Node *&chain = Chains(buckets_).of(*this, entry.ino, entry.dev_major, entry.dev_minor);

	for (const Node *node = chain; node; node = node->next)
		if (node->ino == entry.ino && node->major == entry.dev_major &&
		    node->minor == entry.dev_minor && node->type == entry.type())
			return node->name;

	const size_t length = __builtin_strlen(entry.name) + 1;
	Node *const node = hardly_any_memory_left() ?
				   nullptr :
				   static_cast<Node *>(seam_alloc(sizeof(Node) + length));

	if (!node)
		return Error{kNoMemory, "out of memory"};
	node->next = chain;
	node->ino = entry.ino;
	node->major = entry.dev_major;
	node->minor = entry.dev_minor;
	node->type = entry.type();
	__builtin_memcpy(node->name, entry.name, length);
	chain = node;
	count_++;
	return nullptr;
}

void LinkTable::clear()
{
	Node **const buckets = reinterpret_cast<Node **>(buckets_.data());

	for (size_t i = 0; i < buckets_.size() / sizeof(Node *); i++) {
		while (Node *const node = buckets[i]) {
			buckets[i] = node->next;
			seam_free(node);
		}
	}
	count_ = 0;
}

} // namespace initrd::rootfs
