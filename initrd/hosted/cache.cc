// SPDX-License-Identifier: GPL-2.0
// initrd/seam/cache.h: files whose data is pages.

#include "initrd/seam/cache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "initrd/hosted/open_file.h"
#include "initrd/hosted/world.h"

using host::kPage;

// A page of its own, full of what memory happens to hold, or one of the image's.
struct seam_page {
	enum State { kOwned, kPrepared };

	std::vector<u8> own;
	u8 *adopted = nullptr;
	State state = kOwned;
	u64 number = 0; // in the file that it was prepared for

	u8 *bytes() { return adopted ? adopted : own.data(); }
	void expect(State expected, const char *what) const
	{
		if (state != expected)
			host::complain(std::string("a page is ") + what + " out of turn");
	}
};

int seam_node_takes_pages(const struct seam_node *node)
{
	const host::NodePtr of = host::node_of(node);

	return host::files_are_pages() && of->type() == host::kRegular && of->data.empty();
}

int seam_node_pages_can_move(const struct seam_node *)
{
	return host::pages_can_move();
}

size_t seam_pages_new(const struct seam_node *node, struct seam_page **pages, size_t count)
{
	if (!host::may_allocate())
		return 0;
	size_t made = 0;

	for (; made < count && host::take_memory(kPage); made++) {
		if (pages[made])
			host::complain("a page would be lost");
		pages[made] = new seam_page{.own = std::vector<u8>(kPage, 0xa5)};
		host::live().pages++;
	}
	return made;
}

struct seam_page *seam_page_adopt(u8 *mapped)
{
	if (seam_page_is_movable(mapped) && !host::pages_can_move())
		host::complain("a page that cannot be moved is adopted where it has to be");
	host::live().pages++;
	return new seam_page{.own = {}, .adopted = mapped};
}

void seam_page_free(struct seam_page *page)
{
	page->expect(seam_page::kOwned, "freed");
	if (page->adopted)
		host::image_page_freed(page->adopted);
	else
		host::give_memory(kPage);
	host::live().pages--;
	delete page;
}

void seam_page_write(struct seam_page *page, size_t at, const void *from, size_t size)
{
	if (at > kPage || size > kPage - at)
		host::complain("written behind the end of a page");
	host::work_on(size);
	std::memcpy(page->bytes() + at, from, size);
}

void seam_page_zero(struct seam_page *page, size_t at, size_t size)
{
	if (at > kPage || size > kPage - at)
		host::complain("zeroed behind the end of a page");
	std::memset(page->bytes() + at, 0, size);
}

int seam_node_take_room(struct seam_node *, size_t count)
{
	const size_t taken = host::take_room(count * kPage);

	if (taken < count * kPage)
		host::give_room(taken);
	return taken == count * kPage;
}

void seam_node_give_room(struct seam_node *, size_t count)
{
	host::give_room(count * kPage);
}

size_t seam_pages_prepare(struct seam_node *, u64 first, struct seam_page **pages, size_t count)
{
	size_t ready = 0;

	for (; ready < count && host::may_allocate(); ready++) {
		pages[ready]->expect(seam_page::kOwned, "prepared");
		pages[ready]->state = seam_page::kPrepared;
		pages[ready]->number = first + ready;
	}
	return ready;
}

void seam_page_unprepare(struct seam_page *page)
{
	page->expect(seam_page::kPrepared, "unprepared");
	page->state = seam_page::kOwned;
}

size_t seam_node_store_pages(struct seam_node *node, u64 first, struct seam_page **pages,
			     size_t count, int *status)
{
	std::vector<u8> &data = host::node_of(node)->data;

	*status = 0;
	// Nothing is replaced.
	if (first * kPage < data.size()) {
		*status = -EEXIST;
		return 0;
	}
	if (data.size() != first * kPage)
		host::complain("pages are not added where the file ends");
	// Memory ends in the middle of them.
	const size_t most = host::may_allocate() ? count : count / 2;

	if (most < count)
		*status = -ENOMEM;
	for (size_t i = 0; i < most; i++) {
		u8 *const bytes = pages[i]->bytes();

		pages[i]->expect(seam_page::kPrepared, "stored");
		if (pages[i]->number != first + i)
			host::complain("a page is stored as another one");
		data.insert(data.end(), bytes, bytes + kPage);
		// What it took is the file's now.
		host::give_memory(kPage);
		host::count_node(*host::node_of(node), data.size());
		host::live().pages--;
		delete pages[i];
	}
	return most;
}

void seam_node_set_size(struct seam_node *node, u64 size)
{
	std::vector<u8> &data = host::node_of(node)->data;

	// What is left of the last page must be zeros: a later, longer file shows it.
	if (size > data.size() || data.size() - size >= kPage ||
	    std::any_of(data.begin() + static_cast<std::ptrdiff_t>(size), data.end(),
			[](u8 byte) { return byte; }))
		host::complain("a file's end is not as it should be");
	data.resize(size);
	host::take_rest_of_page(size);
	host::node_of(node)->mtime = host::kNow;
}
