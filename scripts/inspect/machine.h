/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that an image is booted on here: the world of the seam, set up from a
 * request, and what is in it after the boot path has run.
 */
#ifndef INSPECT_MACHINE_H
#define INSPECT_MACHINE_H

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inspect/command_line.h"
#include "inspect/inspect.h"
#include "inspect/partitions.h"
#include "inspect/trace.h"

namespace inspect {

/* What the kernel does when the boot path has returned. */
enum class Root {
	kInit,	 /* runs what was unpacked: no root is mounted */
	kImage,	 /* mounts /dev/ram0 */
	kDevice, /* mounts another device, or something without one */
	kNone,	 /* there is none to mount */
};

class Machine {
public:
	/*
	 * Resets the world. The report has the command line already; `image` must stay as
	 * it is while the machine lives.
	 */
	Machine(initrd::Bytes image, const Request &request, Report &report);
	/* Resets it again. */
	~Machine();
	Machine(const Machine &) = delete;
	Machine &operator=(const Machine &) = delete;

	/*
	 * Runs the boot path; false when it cannot even begin, which the report says.
	 * Fills in what the report has of the boot: messages, sizes, what was loaded.
	 */
	bool boot();

	const CommandLine &command_line() const { return command_line_; }
	const Trace &trace() const { return *trace_; }
	/* The image, without what comes off its end before anybody looks. */
	initrd::Bytes image() const { return image_; }
	Root root() const { return root_; }
	/* Whether it was not the image that is wanted. */
	bool refused() const { return refused_; }
	/* Whether it was looked for archives in it. */
	bool was_read() const { return was_read_; }
	/* Where the kernel has found an image in it; of a size of 0 where it has not. */
	initrd::ImagePlace image_place() const { return initrd::the_boot.place(); }
	/* Whether the memory was too little. */
	bool ran_out() const { return ran_out_; }
	/* Whether it stopped before it was done with archives: nothing follows then. */
	bool stopped_early() const { return stopped_early_; }
	/* Whether the old change_root has mounted the root. */
	bool changed_root() const { return changed_root_; }
	/* What there is in /dev/ram0 at the end, in bytes; 0: nothing. */
	static u64 disk_size();
	/* The number of its partition that is the root; 0: the whole of it. */
	u32 partition() const { return partition_; }
	/* Whether the image has that one, and the kernel a number for it. */
	bool has_partition() const { return place_.has_value(); }
	/* Whether /dev/ram0 is too small for the file system in it, by its driver's measure. */
	bool is_cut_off() const;
	/* Whether the kernel stops on the way, by its own decision. */
	bool panics() const { return panic_.has_value(); }
	/* The start of /dev/ram0, as much as formats are told by. */
	initrd::Bytes disk_head() const { return {head_.data(), head_.size()}; }
	/* Looks into /dev/ram0, the first time it is called; null where nobody can. */
	Inside *inside();
	/* The same, if it was called before. */
	const Inside *looked_inside() const { return inside_.get(); }
	/* The root file system that archives were unpacked into. */
	Files &rootfs() { return *rootfs_; }
	/* The program that is tried first in a root that was mounted; or "". */
	std::string requested_init() const { return command_line_.value_or("init", ""); }

private:
	void set_up_memory();
	void set_up_root();
	void run();
	void mount_image();
	void offer_file_systems();
	void look_at_disk();
	int linuxrc_status();
	static std::optional<Load> told_load();
	static std::vector<u8> read_disk(u64 offset, u64 size);
	Partition root_place() const;

	initrd::Bytes image_;
	const Request &request_;
	Report &report_;
	CommandLine command_line_;
	std::optional<Trace> trace_;
	std::unique_ptr<Files> rootfs_;
	std::unique_ptr<Inside> inside_;
	std::vector<u8> head_;
	std::optional<Partition> place_;
	u32 partition_ = 0;
	bool looked_inside_ = false;
	bool changed_root_ = false;
	bool stopped_early_ = true;
	bool refused_ = false;
	bool was_read_ = false;
	bool ran_out_ = false;
	std::optional<std::string> panic_;
	Root root_ = Root::kNone;
};

} // namespace inspect

#endif
