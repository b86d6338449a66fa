// SPDX-License-Identifier: GPL-2.0
// What is to be said of an archive's entries.

#include <map>

#include "inspect/findings.h"
#include "seam/tree.h"

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

} // namespace

void judge_entries(const Trace &trace, Report &report)
{
	std::map<std::string, const Entry *> last;
	Names climbing;
	Names absolute;
	Names missing;

	for (const Entry &entry : report.entries) {
		last[entry.name] = &entry;
		if (climbs(entry.name))
			climbing.add(entry.name);
		if (entry.name[0] == '/')
			absolute.add(entry.name);
	}
	for (const Entry &entry : report.entries)
		if (last[entry.name] == &entry && !is_there(entry))
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
