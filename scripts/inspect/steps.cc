// SPDX-License-Identifier: GPL-2.0

#include "inspect/steps.h"

#include <algorithm>

#include "initrd/hosted/world.h"

namespace inspect {
namespace {

std::string bytes(u64 count)
{
	return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

// The image, if archives come before it; or null.
const Segment *image_behind(const Report &report)
{
	const Segment *image = nullptr;
	bool unpacked = false;

	for (const Segment &segment : report.segments) {
		if (segment.use == Use::kUnpacked)
			unpacked = true;
		else if (unpacked && !image &&
			 (segment.use == Use::kLoaded || segment.use == Use::kFile))
			image = &segment;
	}
	return image;
}

std::string unpacked_in_words(size_t entries)
{
	return std::to_string(entries) + (entries == 1 ? " entry is" : " entries are") +
	       " unpacked into the root file system in memory.";
}

// How the image gets into the RAM disk.
std::string load_in_words(const Report &report)
{
	const std::string name = report.file_system.empty() ?
					 "an image of an unknown kind" :
					 "a file system image (" + report.file_system + ")";
	const Segment *const behind = image_behind(report);
	const std::string it_is = behind ? "At offset " + std::to_string(behind->offset) + " is " :
					   "It is ";

	if (!report.load)
		return it_is + name +
		       ", but damaged: what came out of it until then is in "
		       "/dev/ram0.";
	const Load &load = *report.load;

	if (load.how == "adopted")
		return it_is + name + ": its pages become /dev/ram0, and " +
		       (load.copied ? bytes(load.copied) + " are" : "nothing is") + " copied.";
	if (load.how == "moved")
		return it_is + name +
		       ": it is moved to the start of its pages, which become "
		       "/dev/ram0.";
	if (load.how == "decoded")
		return it_is + name + ", compressed: " + bytes(load.in) + " are decoded into " +
		       bytes(load.out) + " of /dev/ram0.";
	return it_is + name + ": it is copied into /dev/ram0, for its own memory is to stay.";
}

std::string outcome_in_words(const Machine &machine, const Report &report)
{
	switch (report.outcome) {
	case Outcome::kNothing:
		return "There is no initrd.";
	case Outcome::kIgnored:
		return "The kernel does not look at it.";
	case Outcome::kArchive:
		return "It is an archive: " + unpacked_in_words(report.entries.size());
	case Outcome::kDisk:
		return load_in_words(report);
	case Outcome::kPreserved:
		return "noinitrd: nothing is unpacked or loaded; its " +
		       bytes(machine.image().size()) + " can be read from /dev/initrd.";
	case Outcome::kFile:
		return "It is no archive: it becomes the file /initrd.image, for the init that is "
		       "built in.";
	case Outcome::kUseless:
		return machine.refused() ? "The kernel refuses it: it is not verified." :
					   "The kernel can make nothing of it.";
	}
	return "";
}

// One step for what it is, or one for each kind of what was put together.
void tell_parts(const Machine &machine, Report &report)
{
	const size_t unpacked = machine.trace().recorder().entries.size();
	const auto file = std::ranges::find(report.segments, Use::kFile, &Segment::use);

	if (report.outcome == Outcome::kDisk && image_behind(report))
		report.steps.push_back("It begins with an archive: " + unpacked_in_words(unpacked));
	report.steps.push_back(outcome_in_words(machine, report));
	if (report.outcome == Outcome::kArchive && file != report.segments.end())
		report.steps.push_back("The image at offset " + std::to_string(file->offset) +
				       " becomes the file /initrd.image, for an init in the "
				       "archive runs.");
}

std::string memory_in_words(const Machine &machine, const Report &report)
{
	const bool retained = machine.command_line().has("retain_initrd");

	for (const Message &message : report.messages)
		if (message.text.rfind("Freeing initrd memory: ", 0) == 0)
			return "Its memory goes back: " + message.text.substr(23) + ".";
	if (retained)
		return "Its memory is kept, and shown as /sys/firmware/initrd.";
	return report.load ? "None of its memory goes back now: it is the RAM disk's." : "";
}

std::string program_in_words(const Machine &machine, const Report &report)
{
	const std::string program = printable(report.program);
	const std::string device = printable(report.program_in);

	if (machine.stopped_early())
		return "The kernel panics on the way.";
	switch (machine.root()) {
	case Root::kInit:
		if (program.empty())
			return "The kernel mounts no root, and there is no program of the archive "
			       "that it can run as process 1: it stops.";
		return program + " of the archive runs as process 1. The kernel mounts no root.";
	case Root::kImage:
		if (report.outcome != Outcome::kDisk)
			return "/dev/ram0 is to be the root, but there is nothing in it: the kernel "
			       "stops.";
		if (machine.panics())
			return "/dev/ram0 is to be the root, but it cannot be mounted: the kernel "
			       "stops.";
		return "/dev/ram0 is mounted as the root, and " +
		       (program.empty() ? "its init" : program) + " runs as process 1.";
	case Root::kDevice:
		return std::string(machine.changed_root() ?
					   "/linuxrc of the image runs, if it can be run; then " :
					   "") +
		       (device.empty() ? "the root that linuxrc names" : device) +
		       " is mounted as the root, and " + (program.empty() ? "its init" : program) +
		       " runs as process 1.";
	case Root::kNone:
		if (!machine.changed_root() && machine.command_line().root_device() != 0)
			return "The kernel panics on the way.";
		return machine.changed_root() ?
			       "/linuxrc of the image runs, if it can be run; it has to name the root." :
			       "No root is named: the kernel stops.";
	}
	return "";
}

} // namespace

void tell_steps(const Machine &machine, const Request &request, Report &report)
{
	std::vector<std::string> &steps = report.steps;

	steps.push_back(
		"The boot loader leaves " + bytes(report.size) + " in memory" +
		(request.load_address % host::kPage ? ", not at the start of a page." : "."));
	if (report.bootconfig)
		steps.push_back("A boot configuration of " + bytes(*report.bootconfig) +
				" is cut off its end.");
	tell_parts(machine, report);
	if (const std::string memory = memory_in_words(machine, report); !memory.empty())
		steps.push_back(memory);
	steps.push_back(program_in_words(machine, report));
}

} // namespace inspect
