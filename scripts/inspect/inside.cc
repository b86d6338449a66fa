// SPDX-License-Identifier: GPL-2.0

#include "inspect/inside.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace inspect {
namespace {

constexpr u32 kTypeMask = 0170000;
constexpr u32 kFolder = 0040000;
constexpr u32 kRegular = 0100000;
constexpr u32 kLink = 0120000;

std::vector<std::string> parts_of(const std::string &path)
{
	std::istringstream in(path);
	std::vector<std::string> parts;

	for (std::string part; std::getline(in, part, '/');)
		if (!part.empty() && part != ".")
			parts.push_back(part);
	return parts;
}

} // namespace

bool is_plain(const std::string &path)
{
	constexpr size_t kLongest = 4096; // debugfs has lines of 8192 bytes
	const auto plain = [](char c) {
		return std::isalnum(static_cast<unsigned char>(c)) ||
		       std::string("/._+-,:=@").find(c) != std::string::npos;
	};

	return path.size() < kLongest && std::all_of(path.begin(), path.end(), plain);
}

bool Inside::may_keep(const Entry &entry, size_t count)
{
	constexpr size_t kMostEntries = 100'000;
	constexpr size_t kMostKept = size_t{32} << 20;

	kept_ += sizeof(entry) + entry.name.size() + entry.target.size();
	return count < kMostEntries && kept_ <= kMostKept;
}

std::optional<File> Inside::look_up_once(const std::string &path)
{
	const auto known = known_.find(path);

	if (known != known_.end())
		return known->second;
	return known_[path] = is_plain(path) ? look_up(path) : std::nullopt;
}

std::optional<File> Inside::find(const std::string &path)
{
	constexpr int kMostLinks = 40;
	std::vector<std::string> left = parts_of(path);
	std::vector<std::string> way; // the names from / to here, without links
	std::optional<File> file = File{kFolder | 0755, 0, "", {}};
	std::string here;
	int links = 0;

	std::reverse(left.begin(), left.end());
	while (!left.empty()) {
		const std::string part = left.back();

		left.pop_back();
		if ((file->mode & kTypeMask) != kFolder)
			return std::nullopt;
		if (part != "..")
			way.push_back(part);
		else if (!way.empty())
			way.pop_back();
		here.clear();
		for (const std::string &name : way)
			here += "/" + name;
		if (here.empty()) {
			file = File{kFolder | 0755, 0, "", {}};
			continue;
		}
		file = look_up_once(here);
		if (!file || ((file->mode & kTypeMask) == kLink && ++links > kMostLinks))
			return std::nullopt;
		if ((file->mode & kTypeMask) != kLink)
			continue;
		std::vector<std::string> parts = parts_of(file->target);

		if (file->target.substr(0, 1) == "/")
			way.clear();
		else
			way.pop_back();
		left.insert(left.end(), parts.rbegin(), parts.rend());
		file = File{kFolder | 0755, 0, "", {}};
	}
	if ((file->mode & kTypeMask) == kRegular && file->head.empty()) {
		file->head = read_head(here);
		known_[here] = file;
	}
	return file;
}

} // namespace inspect
