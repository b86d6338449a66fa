// SPDX-License-Identifier: GPL-2.0
// File systems that are looked into, one class each.

#include "inspect/inside.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <sstream>
#include <utility>

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

	// All folders of one depth at a time; they are put where they belong at the end.
	bool list(std::vector<Entry> &entries) override
	{
		constexpr int kDeepest = 64;
		std::vector<Found> found;
		std::vector<Folder> level = {{"", {}}};
		bool whole = true;

		for (int depth = 0; depth < kDeepest && whole && !level.empty(); depth++)
			whole = list_level(level, found);
		std::sort(found.begin(), found.end(), [](const Found &one, const Found &other) {
			return one.place < other.place;
		});
		for (const Found &each : found)
			entries.push_back(each.entry);
		return whole && level.empty() && spent().empty();
	}

protected:
	std::optional<File> look_up(const std::string &path) override
	{
		return read_file(path, ask("stat " + path, kMostTold));
	}

	std::vector<u8> read_head(const std::string &path) override
	{
		return to_bytes(
			run_tool({tool_, "-R", "cat " + path, disk_.path()}, kHead, budget_));
	}

private:
	// The numbers of an entry and of the folders around it: its place in a listing.
	using Place = std::vector<u32>;
	struct Found {
		Entry entry;
		Place place;
	};
	struct Folder {
		std::string path; // "" is the root
		Place place;
	};

	std::string ask(const std::string &command, size_t most)
	{
		return run_tool({tool_, "-R", command, disk_.path()}, most, budget_).value_or("");
	}

	// As many answers, from one process; those that it does not come to are empty.
	std::vector<std::string> ask(const std::vector<std::string> &commands)
	{
		// Comments are printed, too; no name in the image can be taken for this one.
		const std::string mark = "# " + std::to_string(std::random_device()()) +
					 std::to_string(std::random_device()()) + '\n';
		std::vector<std::string> answers(commands.size());
		std::string text;
		size_t at;

		if (commands.empty())
			return answers;
		for (const std::string &command : commands)
			text += mark + command + '\n';
		const MemoryFile file(std::vector<u8>(text.begin(), text.end()));

		text = run_tool({tool_, "-f", file.path(), disk_.path()}, kMostListed, budget_)
			       .value_or("");
		at = text.find(mark);
		for (std::string &answer : answers) {
			if (at == std::string::npos)
				break;
			at += mark.size();
			const size_t next = text.find(mark, at);

			answer = text.substr(at, next == std::string::npos ? next : next - at);
			at = next;
		}
		return answers;
	}

	std::optional<File> read_file(const std::string &path, const std::string &text)
	{
		File file;
		unsigned mode = 0;
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

	// Appends what is in these folders, and leaves in their place the folders in them;
	// false when it is not all.
	bool list_level(std::vector<Folder> &folders, std::vector<Found> &found)
	{
		const size_t before = found.size();
		std::vector<std::string> commands;
		std::vector<Folder> below;
		bool whole = true;

		for (const Folder &folder : folders)
			commands.push_back("ls -p " + (folder.path.empty() ? "/" : folder.path));
		const std::vector<std::string> answers = ask(commands);

		for (size_t i = 0; i < folders.size() && whole; i++)
			whole = list_folder(folders[i], answers[i], found);
		for (size_t i = before; i < found.size(); i++) {
			if ((found[i].entry.mode & kTypeMask) != kFolder)
				continue;
			if (is_plain(found[i].entry.name))
				below.push_back({"/" + found[i].entry.name, found[i].place});
			else
				whole = false;
		}
		set_targets(found, before);
		folders = std::move(below);
		return whole;
	}

	bool list_folder(const Folder &folder, const std::string &answer, std::vector<Found> &found)
	{
		std::istringstream lines(answer);
		u32 number = 0;

		for (std::string line; std::getline(lines, line);) {
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
			entry.name = folder.path.empty() ? text :
							   folder.path.substr(1) + '/' + text;
			if (std::sscanf(line.c_str(), "/%*u/%*o/%*u/%*u/%*[^/]/%llu", &size) == 1)
				entry.size = size;
			if (!may_keep(entry, found.size()))
				return false;
			found.push_back({entry, folder.place});
			found.back().place.push_back(number++);
		}
		return true;
	}

	// Of the links from this one on.
	void set_targets(std::vector<Found> &found, size_t from)
	{
		std::vector<Entry *> links;
		std::vector<std::string> commands;

		for (size_t i = from; i < found.size(); i++) {
			Entry &entry = found[i].entry;

			if ((entry.mode & kTypeMask) != kLink || !is_plain(entry.name))
				continue;
			links.push_back(&entry);
			commands.push_back("stat /" + entry.name);
		}
		const std::vector<std::string> answers = ask(commands);

		for (size_t i = 0; i < links.size(); i++)
			if (const auto link = read_file("/" + links[i]->name, answers[i]))
				links[i]->target = link->target;
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
		if (may_keep(entry, entries_.size()))
			entries_.push_back(entry);
		else
			whole_ = false;
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
