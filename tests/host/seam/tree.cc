// SPDX-License-Identifier: GPL-2.0
// The tree of nodes: paths, and what the tests do with it.

#include "seam/tree.h"

#include <algorithm>
#include <cerrno>

namespace host {
namespace {

struct State {
	NodePtr top;
	int creation_error = 0;
	bool files_are_pages = true;
	u64 total = 0;
	u64 room = ~0ull;
};
State state;

Place failed(int status)
{
	Place place;

	place.status = status;
	return place;
}

std::vector<std::string> parts_of(const std::string &path)
{
	std::vector<std::string> parts;
	size_t at = 0;

	while (at < path.size()) {
		const size_t slash = std::min(path.find('/', at), path.size());

		if (slash > at)
			parts.push_back(path.substr(at, slash - at));
		at = slash + 1;
	}
	return parts;
}

// As many links may be followed on the way of one path, in the kernel, too.
constexpr int kMostLinks = 40;

// `links`: how many may still be followed.
Place resolve_from(std::vector<NodePtr> way, const std::string &path, bool follow_last, int &links)
{
	if (path.empty())
		return failed(-ENOENT);
	if (path.size() >= 4096)
		return failed(-ENAMETOOLONG);
	if (path[0] == '/')
		way = {state.top};

	const std::vector<std::string> parts = parts_of(path);
	Place place = {0, way.back(), ".", way.back(), way};

	for (size_t i = 0; i < parts.size(); i++) {
		const std::string &part = parts[i];
		const bool last = i + 1 == parts.size();

		// What came before is a folder, or there is no way on.
		if (!place.node)
			return failed(-ENOENT);
		if (place.node->type() != kFolder)
			return failed(-ENOTDIR);
		if (part.size() > 255)
			return failed(-ENAMETOOLONG);
		if (place.way.back() != place.node)
			place.way.push_back(place.node);
		if (part == ".." && place.way.size() > 1)
			place.way.pop_back();
		place.folder = place.way.back();
		place.name = part;
		if (part == "." || part == "..") {
			place.node = place.folder;
			continue;
		}
		const auto child = place.folder->children.find(part);

		place.node = child == place.folder->children.end() ? nullptr : child->second;
		if (place.node && place.node->type() == kSymlink && (!last || follow_last)) {
			if (links-- == 0)
				return failed(-ELOOP);
			place = resolve_from(place.way, place.node->target, true, links);
			if (place.status)
				return place;
		}
	}
	return place;
}

void list(const Node &folder, const std::string &above, std::string &out)
{
	for (const auto &[name, node] : folder.children) {
		out += (out.empty() ? "" : " ") + above + name;
		list(*node, above + name + "/", out);
	}
}

} // namespace

Place resolve(const std::string &path, bool follow_last)
{
	int links = kMostLinks;

	return resolve_from({state.top}, path, follow_last, links);
}

const NodePtr &top()
{
	return state.top;
}

size_t take_room(size_t size)
{
	const size_t taken = static_cast<size_t>(std::min<u64>(size, state.room));

	state.room -= taken;
	return taken;
}

void give_room(size_t size)
{
	// What was planted has never taken any.
	state.room = size > ~0ull - state.room ? ~0ull : state.room + size;
}

u64 total_room()
{
	return state.total;
}

u64 free_room()
{
	return state.room;
}

const Node *node_at(const std::string &path)
{
	return resolve(path, false).node.get();
}

std::string tree()
{
	std::string out;

	list(*state.top, "", out);
	return out;
}

Node *plant(const std::string &path, u32 mode, const std::string &content)
{
	NodePtr folder = state.top;
	const auto parts = parts_of(path);

	for (size_t i = 0; i < parts.size(); i++) {
		NodePtr &child = folder->children[parts[i]];

		if (!child) {
			child = std::make_shared<Node>();
			child->mode = i + 1 == parts.size() ? mode : kFolder | 0755;
		}
		folder = child;
	}
	if (folder->type() == kSymlink)
		folder->target = content;
	else
		folder->data.assign(content.begin(), content.end());
	return folder.get();
}

void fail_file_creation(int error)
{
	state.creation_error = error;
}

int creation_error()
{
	return state.creation_error;
}

void set_files_are_pages(bool are)
{
	state.files_are_pages = are;
}

bool files_are_pages()
{
	return state.files_are_pages;
}

void set_room(u64 bytes)
{
	state.total = bytes;
	state.room = bytes;
}

void reset_files()
{
	state = {};
	state.top = std::make_shared<Node>();
	state.top->mode = kFolder | 0755;
}

} // namespace host
