// SPDX-License-Identifier: GPL-2.0
// The tree of nodes: paths, and what the tests do with it.

#include "initrd/hosted/tree.h"

#include <algorithm>
#include <cerrno>

#include "initrd/hosted/limits.h"
#include "initrd/hosted/world.h"
#include "initrd/support/utility.h"

namespace host {
namespace {

struct State {
	NodePtr top;
	int creation_error = 0;
	bool files_are_pages = true;
	bool pages_can_move = false;
	u64 total = 0;
	u64 room = ~0ull;
	u64 nodes = 0;
	u64 nodes_left = ~0ull;
	u64 file_page = kPage;
	std::vector<std::pair<u64, u64>> limits;
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

// As many links are followed on the way to one node, and no more.
constexpr int kMostLinks = 40;

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
			if (++links > kMostLinks)
				return failed(-ELOOP);
			const std::string target = place.node->target;

			place = resolve_from(std::move(place.way), target, true, links);
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

// Folders may be so deep that the stack would not do.
Node::~Node()
{
	std::vector<NodePtr> gone;

	give_memory(counted);
	for (auto &child : children)
		gone.push_back(std::move(child.second));
	while (!gone.empty()) {
		const NodePtr node = std::move(gone.back());

		gone.pop_back();
		if (node.use_count() > 1)
			continue;
		for (auto &child : node->children)
			gone.push_back(std::move(child.second));
		node->children.clear();
	}
}

bool count_node(Node &node, u64 size)
{
	const u64 needed = kNodeSize + initrd::round_up(size, state.file_page);

	if (needed > node.counted && !take_memory(needed - node.counted))
		return false;
	if (needed < node.counted)
		give_memory(node.counted - needed);
	node.counted = needed;
	return true;
}

NodePtr make_counted_node(u32 mode)
{
	auto node = std::make_shared<Node>();

	node->mode = mode;
	return count_node(*node, 0) ? node : nullptr;
}

Place resolve(const std::string &path, bool follow_last)
{
	int links = 0;

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

void take_rest_of_page(u64 size)
{
	take_room(initrd::round_up(size, state.file_page) - initrd::round_up(size, u64{kPage}));
}

u64 total_room()
{
	return state.total;
}

u64 free_room()
{
	return state.room;
}

bool take_node()
{
	if (!state.nodes_left)
		return false;
	state.nodes_left--;
	return true;
}

void give_node()
{
	state.nodes_left += state.nodes_left != ~0ull;
}

u64 total_nodes()
{
	return state.nodes;
}

u64 free_nodes()
{
	return state.nodes_left;
}

int set_limits(u64 size, u64 nodes)
{
	if (!state.total || !state.nodes || !size || !nodes)
		complain("a limit is set where there is none, or taken away for good");
	const u64 used = state.total - state.room;
	const u64 used_nodes = state.nodes - state.nodes_left;

	if (size < used || nodes < used_nodes)
		return -EINVAL;
	state.limits.emplace_back(size, nodes);
	set_room(size);
	set_nodes(nodes);
	state.room -= used;
	state.nodes_left -= used_nodes;
	return 0;
}

const std::vector<std::pair<u64, u64>> &limits()
{
	return state.limits;
}

const Node *top_node()
{
	return state.top.get();
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

void set_pages_can_move(bool can)
{
	state.pages_can_move = can;
}

bool pages_can_move()
{
	return state.pages_can_move;
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

void set_file_page(u64 size)
{
	state.file_page = size;
}

void set_nodes(u64 number)
{
	state.nodes = number;
	state.nodes_left = number;
}

void reset_files()
{
	state = {};
	state.top = std::make_shared<Node>();
	state.top->mode = kFolder | 0755;
}

} // namespace host
