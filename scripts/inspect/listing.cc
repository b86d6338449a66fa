// SPDX-License-Identifier: GPL-2.0

#include "inspect/listing.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace inspect {
namespace {

struct Type {
	u32 bits;
	char letter;
	const char *name;
};

const Type kTypes[] = {
	{0100000, '-', "file"},	     {0040000, 'd', "directory"}, {0120000, 'l', "symlink"},
	{0020000, 'c', "character"}, {0060000, 'b', "block"},	  {0010000, 'p', "fifo"},
	{0140000, 's', "socket"},
};
const Type kUnknown = {0, '?', "unknown"};

const Type &type_of(u32 mode)
{
	for (const Type &type : kTypes)
		if ((mode & 0170000) == type.bits)
			return type;
	return kUnknown;
}

bool is_device(u32 mode)
{
	const char letter = type_of(mode).letter;

	return letter == 'c' || letter == 'b';
}

std::string size_text(const Entry &entry)
{
	if (is_device(entry.mode))
		return std::to_string(entry.major) + ", " + std::to_string(entry.minor);
	return std::to_string(entry.size);
}

std::string time_text(s64 seconds)
{
	const std::time_t when = static_cast<std::time_t>(seconds);
	std::tm parts = {};
	char text[32] = "";

	if (seconds && gmtime_r(&when, &parts))
		std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts);
	return text;
}

} // namespace

const char *type_name(u32 mode)
{
	return type_of(mode).name;
}

std::string mode_text(u32 mode)
{
	std::string text(1, type_of(mode).letter);
	const char *const letters = "rwx";

	for (u32 bit = 0; bit < 9; bit++)
		text += mode & 0400 >> bit ? letters[bit % 3] : '-';
	for (u32 i = 0; i < 3; i++) {
		char &place = text[3 + 3 * i];
		const char special = i < 2 ? 's' : 't';

		if (mode & 04000 >> i)
			place = place == 'x' ? special : static_cast<char>(special - 'a' + 'A');
	}
	return text;
}

std::string listing_of(const std::vector<Entry> &entries)
{
	size_t owner_width = 0;
	size_t size_width = 0;
	std::string out;

	for (const Entry &entry : entries) {
		owner_width = std::max(owner_width, std::to_string(entry.uid).size() +
							    std::to_string(entry.gid).size());
		size_width = std::max(size_width, size_text(entry).size());
	}
	for (const Entry &entry : entries) {
		char columns[128];
		const std::string owner = std::to_string(entry.uid) + "/" +
					  std::to_string(entry.gid);

		std::snprintf(columns, sizeof(columns), "%s %-*s %*s %-16s ",
			      mode_text(entry.mode).c_str(), static_cast<int>(owner_width + 1),
			      owner.c_str(), static_cast<int>(size_width), size_text(entry).c_str(),
			      time_text(entry.mtime).c_str());
		out += columns + printable(entry.name);
		if (type_of(entry.mode).letter == 'l')
			out += " -> " + printable(entry.target);
		out += '\n';
	}
	return out;
}

} // namespace inspect
