// SPDX-License-Identifier: GPL-2.0
// What is to be said of an archive's entries.

#include <cstdio>
#include <map>

#include "initrd/hosted/tree.h"
#include "inspect/findings.h"

namespace inspect {
namespace {

constexpr u32 kTypeMask = 0170000;

// The first few of those names of which the same is to be said.
class Names {
public:
	void add(const std::string &name)
	{
		constexpr size_t kShown = 3;

		if (count_++ < kShown)
			text_ += (text_.empty() ? "" : ", ") + printable(name);
	}

	size_t count() const { return count_; }
	std::string text() const
	{
		return std::to_string(count_) + (count_ == 1 ? " entry (" : " entries (") + text_ +
		       (count_ > 3 ? ", …)" : ")");
	}

private:
	size_t count_ = 0;
	std::string text_;
};

bool climbs(const std::string &name)
{
	return ("/" + name + "/").find("/../") != std::string::npos;
}

bool is_there(const Entry &entry)
{
	const host::Place place = host::resolve(entry.name, false);

	return !place.status && place.node &&
	       (place.node->mode & kTypeMask) == (entry.mode & kTypeMask);
}

// Without what says nothing at its ends.
std::string plain_name(std::string name)
{
	while (name.rfind("./", 0) == 0 || name.rfind('/', 0) == 0)
		name.erase(0, name[0] == '/' ? 1 : 2);
	while (!name.empty() && name.back() == '/')
		name.pop_back();
	return name == "." ? "" : name;
}

// A link such as bin -> usr/bin becomes a folder where a later entry is one.
void judge_replaced_links(const std::map<std::string, const Entry *> &last, Report &report)
{
	constexpr u32 kFolder = 0040000;
	constexpr u32 kLink = 0120000;
	Names replaced;

	for (const Entry &entry : report.entries) {
		const auto later = last.find(plain_name(entry.name));

		if ((entry.mode & kTypeMask) != kLink || later == last.end() ||
		    (later->second->mode & kTypeMask) != kFolder)
			continue;
		replaced.add(entry.name + " -> " + entry.target);
	}
	if (replaced.count())
		report.add(Severity::kWarning, "link-replaced",
			   replaced.text() +
				   " that a later entry makes a folder: what is behind the link is "
				   "not found by that name any more",
			   "let the later archive have its files where the link leads to");
}

// The root folder's own entry counts, too.
void judge_root_folder(const std::map<std::string, const Entry *> &last, Report &report)
{
	const auto root = last.find("");

	if (root == last.end() || (root->second->mode & 0005) == 0005)
		return;
	char mode[8];

	std::snprintf(mode, sizeof(mode), "%04o", root->second->mode & 07777);
	report.add(Severity::kWarning, "root-mode",
		   std::string("the archive gives the root folder the mode ") + mode +
			   ": nobody but root finds anything in it",
		   "chmod 755 the folder that the archive is made of, and make it again");
}

} // namespace

void judge_entries(const Trace &trace, Report &report)
{
	std::map<std::string, const Entry *> last;
	Names climbing;
	Names absolute;
	Names missing;

	for (const Entry &entry : report.entries) {
		last[plain_name(entry.name)] = &entry;
		if (climbs(entry.name))
			climbing.add(entry.name);
		if (entry.name[0] == '/')
			absolute.add(entry.name);
	}
	for (const Entry &entry : report.entries)
		if (last[plain_name(entry.name)] == &entry && !is_there(entry))
			missing.add(entry.name);
	if (climbing.count())
		report.add(Severity::kWarning, "climbing",
			   climbing.text() +
				   " with .. in the name: no harm in the kernel, where there "
				   "is nothing above the root, but for whoever unpacks it");
	if (absolute.count())
		report.add(Severity::kNote, "absolute",
			   absolute.text() +
				   " with a name that begins with /: the kernel unpacks them "
				   "all the same, others may write over your files");
	judge_replaced_links(last, report);
	judge_root_folder(last, report);
	if (trace.recorder().skipped)
		report.add(
			Severity::kWarning, "skipped",
			"entries that the kernel skips without a word: " +
				std::to_string(trace.recorder().skipped),
			"their name or link is empty or longer than 4095 bytes, or they have data "
			"and are neither a file nor a link");
	if (missing.count() && !report.says("Initramfs unpacking failed"))
		report.add(Severity::kWarning, "not-made",
			   missing.text() + " not made, or replaced later, without a word",
			   "each folder has to come before what is in it");
	if (trace.recorder().full)
		report.add(Severity::kWarning, "many-entries",
			   "only the first " + std::to_string(report.entries.size()) +
				   " entries are listed");
}

} // namespace inspect
