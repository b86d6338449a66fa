// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/link_table.h"

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

Result<LinkTable::Node **> LinkTable::bucket_of(const cpio::Entry &entry)
{
	constexpr size_t kBuckets = 256;

	if (!buckets_.size()) {
		buckets_ = TRY(Buffer::create(kBuckets * sizeof(Node *)));
		__builtin_memset(buckets_.data(), 0, buckets_.size());
	}
	const u32 hash = (entry.ino ^ entry.dev_major << 20 ^ entry.dev_minor << 12) * 0x9e3779b1u;

	// SAFETY: the buffer is an array of kBuckets pointers, aligned for them.
	return reinterpret_cast<Node **>(buckets_.data()) + (hash >> 24);
}

Result<const char *> LinkTable::find_or_add(const cpio::Entry &entry)
{
	Node *&bucket = *TRY(bucket_of(entry));

	for (const Node *node = bucket; node; node = node->next)
		if (node->ino == entry.ino && node->major == entry.dev_major &&
		    node->minor == entry.dev_minor && node->type == entry.type())
			return node->name;

	const size_t length = __builtin_strlen(entry.name) + 1;
	Node *const node = static_cast<Node *>(seam_alloc(sizeof(Node) + length));

	if (!node)
		return Error{kNoMemory, "out of memory"};
	node->next = bucket;
	node->ino = entry.ino;
	node->major = entry.dev_major;
	node->minor = entry.dev_minor;
	node->type = entry.type();
	__builtin_memcpy(node->name, entry.name, length);
	bucket = node;
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
}

} // namespace initrd::rootfs
