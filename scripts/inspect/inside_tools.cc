// SPDX-License-Identifier: GPL-2.0
// File systems that are looked into, one class each.

#include "inspect/inside.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sstream>

#include "inspect/spawn.h"

namespace inspect {
namespace {

constexpr size_t kMostListed = ~size_t{0};     // bytes of a listing: the budget's matter
constexpr size_t kMostTold = size_t{64} << 10; // of what is said of one file
constexpr size_t kLongestTarget = 4096;	       // of a link: the kernel reads no more
constexpr u32 kTypeMask = 0170000;
constexpr u32 kFolder = 0040000;
constexpr u32 kRegular = 0100000;
constexpr u32 kLink = 0120000;

std::vector<u8> to_bytes(const std::optional<std::string> &text)
{
	return text ? std::vector<u8>(text->begin(), text->end()) : std::vector<u8>();
}

// ext2, ext3 and ext4, with debugfs of e2fsprogs, which opens them read-only.
class Ext final : public Inside {
public:
	Ext(const std::string &tool, const std::vector<u8> &disk) : tool_(tool), disk_(disk) {}

	bool list(std::vector<Entry> &entries) override { return list_folder("", entries, 0); }

protected:
	std::optional<File> look_up(const std::string &path) override
	{
		File file;
		unsigned mode = 0;
		const std::string text = ask("stat " + path, kMostTold);
		const size_t at = text.find("Mode:");
		const size_t size = text.find("Size:");

		if (at == std::string::npos ||
		    std::sscanf(text.c_str() + at, "Mode: %o", &mode) != 1)
			return std::nullopt;
		file.mode = mode | type_of(text);
		if (size != std::string::npos)
			file.size = std::strtoull(text.c_str() + size + 5, nullptr, 10);
		if ((file.mode & kTypeMask) == kLink)
			file.target = target_of(path, text);
		return file;
	}

	std::vector<u8> read_head(const std::string &path) override
	{
		return to_bytes(
			run_tool({tool_, "-R", "cat " + path, disk_.path()}, kHead, budget_));
	}

private:
	std::string ask(const std::string &command, size_t most)
	{
		return run_tool({tool_, "-R", command, disk_.path()}, most, budget_).value_or("");
	}

	static u32 type_of(const std::string &text)
	{
		static const std::pair<const char *, u32> kTypes[] = {
			{"Type: regular", kRegular}, {"Type: directory", kFolder},
			{"Type: symlink", kLink},    {"Type: character", 0020000},
			{"Type: block", 0060000},    {"Type: FIFO", 0010000},
			{"Type: socket", 0140000},
		};

		for (const auto &[word, type] : kTypes)
			if (text.find(word) != std::string::npos)
				return type;
		return 0;
	}

	std::string target_of(const std::string &path, const std::string &text)
	{
		constexpr char kFast[] = "Fast link dest: \"";
		const size_t at = text.find(kFast);

		if (at == std::string::npos) {
			const std::string content = ask("cat " + path, kLongestTarget);

			return content.substr(0, content.find('\0'));
		}
		const size_t start = at + sizeof(kFast) - 1;

		return text.substr(start, std::min(text.rfind('"') - start, kLongestTarget));
	}

	bool list_folder(const std::string &folder, std::vector<Entry> &entries, int depth)
	{
		constexpr int kDeepest = 64;
		std::istringstream lines(
			ask("ls -p " + (folder.empty() ? "/" : folder), kMostListed));
		bool whole = depth < kDeepest;

		for (std::string line; whole && std::getline(lines, line);) {
			Entry entry;
			unsigned long long size;
			char name[256];

			// /inode/mode/uid/gid/name/size/
			if (std::sscanf(line.c_str(), "/%*u/%o/%u/%u/%255[^/]/%llu", &entry.mode,
					&entry.uid, &entry.gid, name, &size) < 4)
				continue;
			const std::string text = name;

			if (text == "." || text == "..")
				continue;
			entry.name = folder.empty() ? text : folder.substr(1) + '/' + text;
			if (std::sscanf(line.c_str(), "/%*u/%*o/%*u/%*u/%*[^/]/%llu", &size) == 1)
				entry.size = size;
			const bool is_folder = (entry.mode & kTypeMask) == kFolder;

			if ((entry.mode & kTypeMask) == kLink && is_plain(entry.name))
				if (const auto link = look_up("/" + entry.name))
					entry.target = link->target;
			whole = keep(entry, entries);
			if (is_folder)
				whole = whole && is_plain(entry.name) &&
					list_folder("/" + entry.name, entries, depth + 1);
		}
		return whole && spent().empty();
	}

	std::string tool_;
	MemoryFile disk_;
};

// squashfs, with unsquashfs, which lists all of it at once.
class Squashfs final : public Inside {
public:
	Squashfs(const std::string &tool, const std::vector<u8> &disk) : tool_(tool), disk_(disk)
	{
		std::istringstream lines(
			run_tool({tool_, "-lln", "-d", "", disk_.path()}, kMostListed, budget_)
				.value_or(""));

		whole_ = spent().empty() && lines.peek() != EOF;
		for (std::string line; std::getline(lines, line);)
			read(line);
	}

	bool list(std::vector<Entry> &entries) override
	{
		entries.insert(entries.end(), entries_.begin(), entries_.end());
		return whole_;
	}

protected:
	std::optional<File> look_up(const std::string &path) override
	{
		for (const Entry &entry : entries_)
			if ("/" + entry.name == path)
				return File{entry.mode, entry.size, entry.target, {}};
		return std::nullopt;
	}

	std::vector<u8> read_head(const std::string &path) override
	{
		return to_bytes(
			run_tool({tool_, "-cat", disk_.path(), path.substr(1)}, kHead, budget_));
	}

private:
	// drwxr-xr-x 0/0   47 2026-11-25 20:47 /name -> target; a device has "5,  1" for a size.
	void read(const std::string &line)
	{
		Entry entry;
		char mode[11];
		unsigned long long first;
		int at = 0;
		std::tm when = {};

		if (std::sscanf(line.c_str(), "%10s %u/%u %llu%n", mode, &entry.uid, &entry.gid,
				&first, &at) != 4)
			return;
		entry.size = first;
		if (line[static_cast<size_t>(at)] == ',') {
			int more = 0;

			entry.size = 0;
			entry.major = static_cast<u32>(first);
			std::sscanf(line.c_str() + at, ", %u%n", &entry.minor, &more);
			at += more;
		}
		const char *const name = strptime(line.c_str() + at, " %Y-%m-%d %H:%M ", &when);

		if (!name || *name != '/' || !name[1])
			return;
		const std::string text = name + 1;
		const size_t arrow = mode[0] == 'l' ? text.find(" -> ") : std::string::npos;

		entry.mtime = timegm(&when);
		entry.mode = mode_of(mode);
		entry.name = text.substr(0, arrow);
		if (arrow != std::string::npos)
			entry.target = text.substr(arrow + 4);
		whole_ = keep(entry, entries_) && whole_;
	}

	static u32 mode_of(const char *text)
	{
		static const std::map<char, u32> kTypes = {
			{'-', kRegular}, {'d', kFolder}, {'l', kLink},	 {'c', 0020000},
			{'b', 0060000},	 {'p', 0010000}, {'s', 0140000},
		};
		const auto type = kTypes.find(text[0]);
		u32 mode = type == kTypes.end() ? 0 : type->second;

		for (u32 i = 0; i < 9 && text[i + 1]; i++)
			if (!std::strchr("-ST", text[i + 1]))
				mode |= 0400 >> i;
		for (u32 i = 0; i < 3; i++)
			if (std::strchr("sStT", text[3 + 3 * i]))
				mode |= 04000 >> i;
		return mode;
	}

	std::string tool_;
	MemoryFile disk_;
	std::vector<Entry> entries_;
	bool whole_ = false;
};

template <typename Look>
std::unique_ptr<Inside> make(const std::string &tool, const std::vector<u8> &disk)
{
	return std::make_unique<Look>(tool, disk);
}

// Who looks into what, one row each.
struct Row {
	const char *type; // as the table of formats has it
	const char *tool;
	const char *package;
	std::unique_ptr<Inside> (*make)(const std::string &tool, const std::vector<u8> &disk);
};

const Row kRows[] = {
	{"ext2", "debugfs", "e2fsprogs", make<Ext>},
	{"squashfs", "unsquashfs", "squashfs-tools", make<Squashfs>},
};

} // namespace

std::unique_ptr<Inside> look_inside(const std::vector<u8> &disk, const std::string &type,
				    Report &report)
{
	for (const Row &row : kRows) {
		if (type != row.type)
			continue;
		const std::string tool = find_tool(row.tool);

		if (!tool.empty())
			return row.make(tool, disk);
		report.add(Severity::kNote, "not-looked-inside",
			   std::string(row.tool) + " is not installed: what is in the " + type +
				   " image was not looked at",
			   std::string("install the package ") + row.package);
		return nullptr;
	}
	report.add(Severity::kNote, "not-looked-inside",
		   "what is in the " + type +
			   " image was not looked at: no tool for that is known");
	return nullptr;
}

} // namespace inspect
