/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of initrd-inspect.
 */
#ifndef INSPECT_OPTIONS_H
#define INSPECT_OPTIONS_H

#include <string>

#include "initrd/support/types.h"

namespace inspect {

/* How the program ends; initrd-inspect(1) has the same list. */
enum Exit : int {
	kBoots = 0,
	kTrouble = 1,
	kUsage = 2,
	kUnreadable = 3,
};

enum class When { kAuto, kAlways, kNever };

/* Sizes are in bytes. */
struct Options {
	std::string image;
	std::string append;
	std::string config;
	std::string built_in;
	std::string extract;
	u64 memory = 0;
	u64 kernel_memory = 0; /* 0: the usual one */
	u64 limit = 0;	       /* 0: the usual one */
	u64 load_address = 0;
	When colour = When::kAuto;
	bool list = false;
	bool json = false;
	bool nodes = false;
	bool look_inside = true;
};

/* Reads it; prints what is asked for or wrong, and exits, unless there is work to do. */
Options parse_options(int count, char **words);

} // namespace inspect

#endif
