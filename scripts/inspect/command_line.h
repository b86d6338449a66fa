/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's command line, and what of it this subsystem and its callers look at.
 */
#ifndef INSPECT_COMMAND_LINE_H
#define INSPECT_COMMAND_LINE_H

#include <optional>
#include <string>
#include <vector>

#include "initrd/support/types.h"
#include "inspect/kernel.h"

namespace inspect {

/*
 * The whole of it, where the boot loader gives `given`: x86 puts CONFIG_CMDLINE in front
 * of that; others put it behind (CMDLINE_EXTEND), or take it where nothing is given; and
 * either takes nothing else if told to (CMDLINE_OVERRIDE, CMDLINE_FORCE).
 */
std::string whole_command_line(const std::string &given, const Config &config);

class CommandLine {
public:
	/* Takes it apart as the kernel does: quotes keep blanks, "--" ends it. */
	explicit CommandLine(const std::string &text);

	/* Hands the parameters to the kernel, in the order in which it reads them. */
	void hand_over(const Config &config) const;

	/* The last value of a parameter, "" without one; nothing when it is not there. */
	std::optional<std::string> value(const std::string &name) const;
	std::string value_or(const std::string &name, const std::string &otherwise) const;
	bool has(const std::string &name) const { return value(name).has_value(); }

	/* The device that root= names, as in real-root-dev; nothing: the kernel asks drivers. */
	std::optional<u32> root_device() const;
	/* The number of the partition of /dev/ram0 that root= names; 0: it names none. */
	u32 root_partition() const;
	/* Whether the root is mounted read-write: rw, and no ro behind it. */
	bool is_read_write() const;
	/* Whether that is /dev/ram0. */
	bool root_is_ram0() const;

private:
	struct Word {
		std::string name;
		std::string value;
	};
	std::vector<Word> words_;
};

} // namespace inspect

#endif
