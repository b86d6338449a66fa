// SPDX-License-Identifier: GPL-2.0
// What is to be said of the root that the kernel goes on to.

#include <algorithm>

#include "initrd/hosted/files.h"
#include "inspect/file_systems.h"
#include "inspect/findings.h"

namespace inspect {
namespace {

constexpr u32 kTypeMask = 0170000;
constexpr u32 kCharacter = 0020000;

const char *const kInits[] = {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};

// The first program in a root that the kernel has mounted; "" when there is none.
std::string first_init(Files &files, const std::string &requested)
{
	if (!requested.empty())
		return requested;
	for (const char *const name : kInits)
		if (files.find(name))
			return name;
	return "";
}

void judge_console(Files &files, const char *where, Severity severity, Report &report)
{
	const std::optional<File> console = files.find("/dev/console");

	if (!console)
		report.add(severity, "no-console",
			   std::string("there is no /dev/console in ") + where,
			   "make the node (c 5 1), or have CONFIG_DEVTMPFS_MOUNT=y");
	else if ((console->mode & kTypeMask) != kCharacter)
		report.add(Severity::kWarning, "no-console",
			   std::string("/dev/console in ") + where + " is no character device",
			   "make the node (c 5 1)");
}

// The program that the kernel runs where /init, or what rdinit= names, cannot be run; ""
// where it would panic.
std::string program_instead(Machine &machine, const Config &config)
{
	std::vector<std::string> names(std::begin(kInits), std::end(kInits));
	const std::string own = config.text("DEFAULT_INIT");

	if (!own.empty())
		names.insert(names.begin(), own);
	// It is this one or none.
	if (!machine.requested_init().empty())
		names = {machine.requested_init()};
	for (const std::string &name : names) {
		Report unseen;

		if (check_program(machine.rootfs(), name, config, unseen))
			return name;
	}
	return "";
}

// An archive's own program is there; that it is, is all that the kernel looks at. Where it
// cannot be run, another one of the archive's may be, and no root is mounted.
void judge_init(Machine &machine, const Request &request, Report &report)
{
	const std::string init = machine.command_line().value_or("rdinit", "/init");
	const size_t before = report.findings.size();

	report.program = init;
	report.program_in = "archive";
	if (!check_program(machine.rootfs(), init, request.config, report)) {
		const std::string instead = program_instead(machine, request.config);
		const bool shell = instead == "/bin/sh" && machine.requested_init().empty();

		for (size_t i = before; i < report.findings.size(); i++) {
			Finding &finding = report.findings[i];

			if (finding.code == "not-executable" &&
			    finding.text.rfind(printable(init) + " ", 0) == 0)
				finding.code = "init-not-executable";
			if (!instead.empty() && !shell)
				finding.severity = std::min(finding.severity, Severity::kWarning);
		}
		report.program = instead;
		report.add(Severity::kNote, "init-instead",
			   instead.empty() ?
				   "nothing else in the archive can be run as the first program, "
				   "either: No working init found" :
				   "the kernel runs " + printable(instead) + " instead");
	}
	judge_console(machine.rootfs(), "the root file system", Severity::kWarning, report);
}

// Why the archive's program is not run, where one was unpacked.
void judge_no_init(Machine &machine, const std::string &root, Report &report)
{
	const CommandLine &line = machine.command_line();
	const std::string init = line.value_or("rdinit", "/init");
	const host::Node *const link = host::node_at(init);
	const std::string shown = printable(init);
	const Severity severity = line.has("rdinit") || root.empty() ? Severity::kError :
								       Severity::kWarning;

	if (link)
		report.add(severity, "no-init",
			   shown + " is a link to " + printable(link->target) +
				   ", which is not there, so the kernel goes on to mount a root",
			   link->target.empty() || link->target[0] != '/' ?
				   "the link begins in the folder that it is in" :
				   "put what it leads to into the archive, or let the link be "
				   "relative to the archive's root");
	else if (line.has("rdinit"))
		report.add(severity, "no-init",
			   shown + ", which rdinit= names, is not in the archive",
			   "rdinit= wants a full path in the archive");
	else if (root.empty() || machine.command_line().root_is_ram0())
		report.add(Severity::kError, "no-init",
			   "there is no /init in the archive, and nothing else to start",
			   machine.rootfs().find("/sbin/init") ? "add rdinit=/sbin/init" :
								 "put an /init into it");
	else
		report.add(Severity::kNote, "no-init",
			   "there is no /init in the archive: the kernel mounts " +
				   printable(root) + " over it");
}

void judge_image_root(Machine &machine, const Request &request, Report &report)
{
	Inside *const inside = machine.inside();

	report.program_in = "image";
	report.program = machine.requested_init();
	if (machine.partition() && !machine.has_partition())
		report.add(Severity::kError, "no-partition",
			   "the image has no partition " + std::to_string(machine.partition()) +
				   ", or none in a table that the kernel knows",
			   "sfdisk shows what it has");
	if (!inside || machine.panics())
		return;
	report.program = first_init(*inside, machine.requested_init());
	if (report.program.empty())
		report.add(
			Severity::kError, "no-program",
			"there is none of /sbin/init, /etc/init, /bin/init, /bin/sh in the image: "
			"No working init found",
			"put an init into it, or name one with init=");
	else
		check_program(*inside, report.program, request.config, report);
	if (!request.config.built_in("DEVTMPFS_MOUNT"))
		judge_console(*inside, "the image", Severity::kWarning, report);
}

bool is_mountable(const Machine &machine, const Request &request, const Report &report)
{
	return std::ranges::all_of(
		obstacles(report.file_system, machine.disk_head(), request.config),
		[](const Obstacle &obstacle) { return obstacle.only_for_writing; });
}

// An image that is not the root: linuxrc runs, if it is there.
void judge_linuxrc(Machine &machine, const Request &request, const std::string &root,
		   Report &report)
{
	Inside *const inside = machine.inside();
	const bool has_linuxrc = inside && inside->find("/linuxrc").has_value();
	const bool could_be_root = !report.file_system.empty() && !machine.is_cut_off() &&
				   is_mountable(machine, request, report);

	if (machine.partition())
		report.add(Severity::kError, "no-partition",
			   printable(root) +
				   " has no number: the kernel looks for no partitions of "
				   "/dev/ram0 without brd.max_part=",
			   "add brd.max_part=" +
				   std::to_string(std::max(4u, machine.partition() + 1)) +
				   " to the command line");
	else if (root.empty())
		report.add(
			Severity::kError, "no-root",
			has_linuxrc ?
				"/linuxrc runs, but then there is no root to mount, unless it "
				"names one in /proc/sys/kernel/real-root-dev" :
				"nothing names the root: the kernel would not go on from here",
			could_be_root ?
				"add root=/dev/ram0 to the command line if the image is to be "
				"the root" :
				"name another root: the image is no file system that can be one");
	else if (inside && !has_linuxrc)
		report.add(Severity::kWarning, "no-linuxrc",
			   "the image is loaded, but " + printable(root) +
				   " is the root, and there is no /linuxrc in the image to be run",
			   "add root=/dev/ram0 if the image is to be the root");
}

} // namespace

void judge_root(Machine &machine, const Request &request, Report &report)
{
	const std::string root = machine.command_line().value_or("root", "");
	const bool unpacked = report.outcome == Outcome::kArchive;

	if (machine.root() == Root::kInit) {
		judge_init(machine, request, report);
		return;
	}
	if (unpacked)
		judge_no_init(machine, root, report);
	if (report.outcome == Outcome::kDisk && machine.root() == Root::kImage) {
		judge_image_root(machine, request, report);
		return;
	}
	report.program_in = root;
	report.program = machine.requested_init();
	if (report.outcome == Outcome::kDisk)
		judge_linuxrc(machine, request, root, report);
	else if (machine.root() == Root::kImage)
		report.add(Severity::kError, "no-image",
			   "the root is to be /dev/ram0, but nothing is loaded into it",
			   unpacked ? "an archive needs no root=" : "");
	else if (root.empty() && !unpacked)
		report.add(Severity::kError, "no-root",
			   "nothing names the root: the kernel would not go on from here",
			   "add root= to the command line");
}

} // namespace inspect
