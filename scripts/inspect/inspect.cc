// SPDX-License-Identifier: GPL-2.0

#include "inspect/inspect.h"

#include <algorithm>

#include "initrd/formats/segments.h"
#include "initrd/hosted/tree.h"
#include "initrd/hosted/world.h"
#include "inspect/findings.h"
#include "inspect/machine.h"
#include "inspect/segments.h"
#include "inspect/steps.h"

namespace inspect {
namespace {

bool was_unpacked(const Machine &machine, const Report &report)
{
	return !machine.trace().recorder().entries.empty() ||
	       std::ranges::any_of(report.messages, [](const Message &message) {
		       return message.text.find("cpio archive: ") != std::string::npos &&
			      message.text.find("built-in ") == std::string::npos;
	       });
}

// What the boot path has done with it.
Outcome outcome_of(const Machine &machine, const Report &report)
{
	if (machine.image().empty())
		return Outcome::kNothing;
	if (machine.refused())
		return Outcome::kUseless;
	if (host::image_device_size())
		return Outcome::kPreserved;
	if (!machine.was_read())
		return Outcome::kIgnored;
	if (report.load || Machine::disk_size())
		return Outcome::kDisk;
	if (was_unpacked(machine, report))
		return Outcome::kArchive;
	return host::node_at("/initrd.image") ? Outcome::kFile : Outcome::kUseless;
}

// The image in the RAM disk, where it was not compressed.
Segment plain_image(const Machine &machine, const Report &report)
{
	const initrd::ImagePlace place = machine.image_place();
	const initrd::Bytes image = machine.image().skip(place.offset).first(place.size);
	Segment segment;

	segment.offset = place.offset;
	segment.size = image.size();
	// (NULs behind it are not worth a word.)
	if (report.claimed && report.claimed < image.size()) {
		const initrd::Bytes rest = image.skip(static_cast<size_t>(report.claimed));

		if (initrd::count_zeros(rest) == rest.size())
			segment.size = static_cast<size_t>(report.claimed);
	}
	segment.out = segment.size;
	segment.format = report.file_system;
	segment.use = Use::kLoaded;
	return segment;
}

// The image in /initrd.image: from its own start on where it came behind archives.
std::vector<Segment> file_segments(const Machine &machine, size_t size)
{
	const size_t at = machine.image_place().offset;
	const bool behind =
		std::ranges::any_of(machine.trace().unpacked(),
				    [at](const Segment &segment) { return segment.offset < at; });
	const size_t start = behind ? at : 0;

	return tell_apart(machine.image(), start, start + size, Use::kFile);
}

std::vector<Segment> segments_of(const Machine &machine, const Report &report)
{
	const initrd::Bytes image = machine.image();
	std::vector<Segment> used;

	if (report.outcome == Outcome::kPreserved)
		return tell_apart(image, 0, image.size(), Use::kPreserved);
	if (machine.was_read() && !machine.refused())
		used = machine.trace().unpacked();
	if (report.outcome == Outcome::kDisk) {
		for (Segment segment : machine.trace().loaded()) {
			segment.format = report.file_system;
			used.push_back(segment);
		}
		if (machine.trace().loaded().empty())
			used.push_back(plain_image(machine, report));
	} else if (const host::Node *const file = host::node_at("/initrd.image");
		   file && machine.was_read() && machine.image_place().size) {
		for (const Segment &segment : file_segments(machine, file->data.size()))
			used.push_back(segment);
	}
	return all_segments(image, used);
}

// What was unpacked, each entry with the segment that it is in.
std::vector<Entry> entries_of(const Machine &machine, const Report &report)
{
	std::vector<Entry> entries = machine.trace().recorder().entries;
	const std::vector<Segment> &unpacked = machine.trace().unpacked();

	for (Entry &entry : entries) {
		const size_t offset = entry.segment < unpacked.size() ?
					      unpacked[entry.segment].offset :
					      0;
		const auto found = std::ranges::find(report.segments, offset, &Segment::offset);

		entry.segment = static_cast<size_t>(found - report.segments.begin());
	}
	return entries;
}

void list_inside(Inside &inside, Report &report)
{
	const bool whole = inside.list(report.entries);

	report.has_entries = whole || !report.entries.empty();
	if (!whole && report.has_entries && inside.spent().empty())
		report.add(Severity::kWarning, "many-entries",
			   "only the first " + std::to_string(report.entries.size()) +
				   " entries are listed, or some folders are left out");
}

bool is_short_of_memory(const Report &report)
{
	return std::ranges::any_of(report.findings, [](const Finding &finding) {
		return finding.severity == Severity::kError &&
		       (finding.code == "memory" || finding.code == "room");
	});
}

Report look_at(initrd::Bytes image, const Request &request)
{
	Report report;

	report.size = image.size();
	report.append = whole_command_line(request.append, request.config);
	if (!request.config.may_have("BLK_DEV_INITRD")) {
		report.outcome = Outcome::kIgnored;
		report.add(Severity::kError, "no-initrd",
			   "without CONFIG_BLK_DEV_INITRD=y the kernel does not look at any initrd",
			   "set that option");
		return report;
	}

	Machine machine(image, request, report);

	if (!machine.boot()) {
		report.outcome = Outcome::kUseless;
		return report;
	}
	report.outcome = outcome_of(machine, report);
	report.segments = segments_of(machine, report);
	if (report.outcome == Outcome::kArchive) {
		report.entries = entries_of(machine, report);
		report.has_entries = true;
	}
	judge(machine, request, report);
	if (Inside *const inside =
		    request.list && report.outcome == Outcome::kDisk ? machine.inside() : nullptr)
		list_inside(*inside, report);
	if (machine.looked_inside() && !machine.looked_inside()->spent().empty())
		report.add(Severity::kWarning, "many-entries",
			   "looking into the image was given up after " +
				   machine.looked_inside()->spent() +
				   ": what it has was not all found, or listed");
	tell_steps(machine, request, report);
	for (const std::string &complaint : host::complaints())
		report.add(Severity::kError, "internal", "a fault of initrd-cxx: " + complaint,
			   "please report it, with the image");
	return report;
}

// The least memory, in whole MiB, of a machine that the image is not too large for; 0 where
// it would be more than may be taken here.
u64 least_memory(initrd::Bytes image, Request request)
{
	constexpr u64 kMib = u64{1} << 20;
	const u64 most = request.kernel_memory + request.limit;
	const auto fits = [&](u64 memory) {
		request.memory = memory;
		return !is_short_of_memory(look_at(image, request));
	};
	u64 too_little = request.memory / kMib;
	u64 enough = too_little;

	request.look_inside = nullptr;
	request.list = false;
	do {
		too_little = enough;
		enough = std::max(enough * 2, (request.kernel_memory + image.size()) / kMib + 1);
		if (enough * kMib > most)
			return 0;
	} while (!fits(enough * kMib));
	while (enough - too_little > 1) {
		const u64 middle = too_little + (enough - too_little) / 2;

		(fits(middle * kMib) ? enough : too_little) = middle;
	}
	return enough * kMib;
}

} // namespace

Report inspect(initrd::Bytes image, const Request &request)
{
	Report report = look_at(image, request);

	if (!request.memory || !is_short_of_memory(report))
		return report;
	report.memory_least = least_memory(image, request);
	if (report.memory_least)
		for (Finding &finding : report.findings)
			if (finding.code == "memory" || finding.code == "room")
				finding.text += "; it takes " +
						std::to_string(report.memory_least >> 20) + " MiB";
	return report;
}

} // namespace inspect
