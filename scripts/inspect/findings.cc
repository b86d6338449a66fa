// SPDX-License-Identifier: GPL-2.0

#include "inspect/findings.h"

#include <algorithm>

#include "initrd/formats/segments.h"
#include "initrd/hosted/world.h"
#include "initrd/seam/log.h"
#include "inspect/file_systems.h"

namespace inspect {
namespace {

using initrd::Bytes;

std::string number(u64 value)
{
	return std::to_string(value);
}

// What the kernel itself complains of.
void judge_messages(Report &report)
{
	for (const Message &message : report.messages) {
		const bool error = message.level <= SEAM_LOG_ERR;

		if (error || message.level == SEAM_LOG_WARNING)
			report.add(error ? Severity::kError : Severity::kWarning,
				   error ? "kernel-error" : "kernel-warning",
				   "the kernel says: " + printable(message.text));
	}
}

void judge_memory(const Machine &machine, const Request &request, Report &report)
{
	const u64 mib = u64{1} << 20;
	const std::string options = machine.command_line().has("initramfs_options") ?
					    ", by initramfs_options=" :
					    "";

	if (request.memory && request.memory <= request.kernel_memory)
		report.add(Severity::kError, "memory",
			   "the kernel is taken to have " + number(request.kernel_memory / mib) +
				   " MiB for itself, and there is no more",
			   "more memory, or another --kernel-memory");
	else if (machine.ran_out() && request.memory)
		report.add(Severity::kError, "memory",
			   "the memory is too small: " + number(request.memory / mib) +
				   " MiB, of which the kernel is taken to have " +
				   number(request.kernel_memory / mib) + " MiB for itself",
			   "more memory, a smaller image, or one that is not compressed, which "
			   "becomes the RAM disk without a copy");
	else if (machine.ran_out() || machine.trace().stopped())
		report.add(Severity::kError, "limit",
			   "stopped: what comes out is more than the limit of " +
				   number(request.limit / mib) +
				   " MiB, so what follows is not known",
			   "if this is no bomb, give a larger --limit, or the machine's --memory");
	else if (request.memory && report.says("inodes are left of "))
		report.add(Severity::kError, "room",
			   "the root file system has too few inodes for all files" + options,
			   "a larger nr_inodes= in initramfs_options=, or none");
	else if (request.memory && report.says("no space"))
		report.add(Severity::kError, "room",
			   "the root file system is too small for all files" + options,
			   "a larger size= in initramfs_options=, or none");
	else if (request.memory &&
		 report.memory_peak > (request.memory - request.kernel_memory) / 8 * 7)
		report.add(
			Severity::kWarning, "memory-tight",
			"seven eighths of the memory that is left by the kernel, or more, are in "
			"use while the image is read");
}

// The name of what is in a segment.
std::string name_of_content(const Segment &segment)
{
	const std::string content = segment.format == "cpio"	   ? "archive" :
				    segment.format == "bootconfig" ? "boot configuration" :
				    segment.format.empty()	   ? "data" :
								     segment.format + " image";

	return segment.compressor.empty() ? content : segment.compressor + " " + content;
}

std::string place_of(const Segment &segment)
{
	return "the " + name_of_content(segment) + " at offset " + number(segment.offset);
}

// What the C code does not take, and this one does.
void judge_for_c_kernels(Bytes image, const Segment &segment, Report &report)
{
	constexpr size_t kEndMark = 4;
	const Bytes behind = image.skip(segment.offset + segment.size);

	if (segment.format == "cpio" && segment.compressor.empty() && segment.offset % 4)
		report.add(Severity::kNote, "unaligned",
			   place_of(segment) + " does not begin at a multiple of 4: C kernels "
					       "refuse it, this one takes it",
			   "put NULs before it for those");
	if (segment.compressor == "lz4" && segment.whole &&
	    initrd::holds(image, segment.offset, "\x02\x21\x4c\x18") && !behind.empty() &&
	    initrd::count_zeros(behind.first(kEndMark)) < kEndMark)
		report.add(Severity::kNote, "lz4-end",
			   place_of(segment) +
				   " is of lz4 -l, which has no end mark, and something "
				   "follows: C kernels take that for more of it, this "
				   "one does not",
			   "for those, put four NULs behind it, or nothing at all");
}

void judge_segments(const Machine &machine, Report &report)
{
	const bool any = std::ranges::any_of(
		report.segments, [](const Segment &segment) { return segment.use != Use::kNone; });

	for (const Segment &segment : report.segments) {
		if (segment.use == Use::kUnpacked || segment.use == Use::kLoaded)
			judge_for_c_kernels(machine.image(), segment, report);
		else if (segment.use == Use::kNone && any)
			report.add(Severity::kNote, "not-used",
				   place_of(segment) + " is not used: " + number(segment.size) +
					   " bytes");
	}
}

void judge_place(const Machine &machine, const Request &request, Report &report)
{
	const seam_physical_range said = host::physical().image;
	const u64 size = machine.image().size();

	if (said.size && said.size != report.size)
		report.add(said.size < report.size ? Severity::kError : Severity::kWarning,
			   "initrd-size",
			   "initrd= gives " + number(said.size) + " bytes, the image has " +
				   number(report.size),
			   "give the size of the file");
	if (report.load && report.load->how == "moved") {
		const size_t offset = machine.image_place().offset;
		const std::string pages = "a multiple of " + number(host::kPage);

		report.add(Severity::kNote, "moved",
			   "the image begins " +
				   number((request.load_address + offset) % host::kPage) +
				   " bytes behind the start of a page, so it is moved there",
			   (offset % host::kPage ?
				    "fill up what comes before it with NULs to " + pages :
				    "load it at " + pages) +
				   ": nothing is copied then");
	}
	if (size % 4 && report.outcome == Outcome::kArchive && !report.segments.empty() &&
	    report.segments.back().format == "cpio" && report.segments.back().compressor.empty())
		report.add(Severity::kNote, "odd-length",
			   "its length is no multiple of 4: C kernels would refuse an archive that "
			   "is put behind it",
			   "for those, fill it up with NULs first");
	if (report.load && report.claimed && !machine.partition() &&
	    report.load->out > report.claimed + host::kPage)
		report.add(Severity::kNote, "longer",
			   number(report.load->out - report.claimed) +
				   " bytes behind the end of the " + report.file_system +
				   " file system become a part of /dev/ram0, too");
}

// An image that can be decoded, or need not be, but not loaded.
bool lacks_ramdisk_only(const Machine &machine, const Report &report)
{
	return report.outcome == Outcome::kUseless && !machine.refused() &&
	       !report.says("not configured at");
}

// Whether the kernel can mount what is in /dev/ram0.
void judge_file_system(const Machine &machine, const Request &request, Report &report)
{
	if (report.file_system.empty() || machine.root() == Root::kInit)
		return;
	const bool writes = machine.command_line().is_read_write();
	const std::string image = "the " + report.file_system + " image";

	for (const Obstacle &obstacle :
	     obstacles(report.file_system, machine.disk_head(), request.config)) {
		const bool lacks = !obstacle.option.empty();

		if (obstacle.only_for_writing && !writes)
			continue;
		report.add(obstacle.only_for_writing ? Severity::kWarning : Severity::kError,
			   lacks ? "no-driver" : "unmountable",
			   (lacks ? "this kernel" : "the kernel") + std::string(" cannot mount ") +
				   image + (obstacle.only_for_writing ? " read-write: " : ": ") +
				   (lacks ? "it lacks " + obstacle.option + "=y" : obstacle.reason),
			   lacks ? "set it, or make an image of another file system" :
				   obstacle.advice);
	}
	if (machine.is_cut_off())
		report.add(Severity::kError, "cut-off",
			   "the " + report.file_system + " file system has " +
				   number(report.claimed) +
				   " bytes by its superblock, and there "
				   "are " +
				   number(Machine::disk_size()) + ": it cannot be mounted",
			   "give the whole image");
}

void judge_config(const Machine &machine, const Request &request, Report &report)
{
	const Config &config = request.config;
	const CommandLine &line = machine.command_line();

	if (!config.known())
		return;
	if (report.append != request.append)
		report.add(Severity::kNote, "command-line",
			   "the kernel's command line is not the one that is given: its "
			   "configuration has one, too (CONFIG_CMDLINE)");
	if (config.has("INITRAMFS_FORCE"))
		report.add(Severity::kWarning, "forced",
			   "CONFIG_INITRAMFS_FORCE=y: the boot loader's image is not looked at",
			   "turn that option off");
	if (!config.built_in("INITRD_CXX"))
		report.add(
			Severity::kNote, "other-code",
			"this kernel has the C code for initrds (no CONFIG_INITRD_CXX=y), which does "
			"some things otherwise");
	if (config.has("BLK_DEV_RAM") && !config.built_in("BLK_DEV_RAM") &&
	    lacks_ramdisk_only(machine, report))
		report.add(Severity::kError, "no-ramdisk",
			   "CONFIG_BLK_DEV_RAM=m comes too late for an image",
			   "set CONFIG_BLK_DEV_RAM=y");
	if (!config.has("BLK_DEV_RAM") && lacks_ramdisk_only(machine, report))
		report.add(Severity::kError, "no-ramdisk",
			   "without CONFIG_BLK_DEV_RAM=y only archives can be read",
			   "set CONFIG_BLK_DEV_RAM=y, or make an archive");
	if (!config.text("INITRAMFS_SOURCE").empty())
		report.add(Severity::kNote, "built-in",
			   "an archive is built into this kernel: " +
				   printable(config.text("INITRAMFS_SOURCE")),
			   "give it with --built-in");
	if (report.bootconfig && !config.built_in("BOOT_CONFIG"))
		report.add(
			Severity::kWarning, "bootconfig",
			"without CONFIG_BOOT_CONFIG=y the boot configuration is cut off and not used");
	if (!config.built_in("DEVTMPFS"))
		report.add(
			Severity::kNote, "no-devtmpfs",
			"without CONFIG_DEVTMPFS=y, programs find only those device nodes that are "
			"in the image");
	for (const char *const name : {"initrd.sha256", "initrd.verify"})
		if (line.has(name) && !config.built_in("INITRD_CXX"))
			report.add(Severity::kWarning, "unused-parameter",
				   std::string(name) +
					   "= has no effect without CONFIG_INITRD_CXX=y: "
					   "nothing is verified");
	if (line.has("ramdisk_size") && !config.built_in("BLK_DEV_RAM"))
		report.add(Severity::kNote, "unused-parameter",
			   "ramdisk_size= has no effect without CONFIG_BLK_DEV_RAM=y");
}

} // namespace

void judge(Machine &machine, const Request &request, Report &report)
{
	judge_messages(report);
	judge_memory(machine, request, report);
	judge_place(machine, request, report);
	judge_segments(machine, report);
	if (report.bootconfig)
		report.add(
			Severity::kNote, "bootconfig",
			"a boot configuration of " + number(*report.bootconfig) +
				" bytes is cut off the image's end; its keys are not looked at here",
			machine.command_line().has("bootconfig") ?
				"" :
				"add bootconfig to the command line if it is to be used");
	judge_config(machine, request, report);
	judge_file_system(machine, request, report);
	if (report.outcome == Outcome::kArchive)
		judge_entries(machine.trace(), report);
	if (!machine.stopped_early())
		judge_root(machine, request, report);
}

} // namespace inspect
