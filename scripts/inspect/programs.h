/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel needs to run a program: the program, its permission, and what its
 * first bytes name, an interpreter or a loader.
 */
#ifndef INSPECT_PROGRAMS_H
#define INSPECT_PROGRAMS_H

#include <optional>
#include <string>
#include <vector>

#include "inspect/config.h"
#include "inspect/report.h"

namespace inspect {

/* A file, as far as it is looked at. */
struct File {
	u32 mode = 0; /* with the type */
	u64 size = 0;
	std::string target;   /* of a symbolic link */
	std::vector<u8> head; /* what a regular file begins with: kHead bytes at most */
};

inline constexpr size_t kHead = size_t{64} << 10;

/* A root file system to look into. */
class Files {
public:
	virtual ~Files() = default;
	/* The file that `path` leads to; nothing when there is none. */
	virtual std::optional<File> find(const std::string &path) = 0;
};

/*
 * Looks whether the kernel can run `path`, and what that names in turn. Adds what is
 * wrong to the report, as an error. True when nothing is.
 */
bool check_program(Files &files, const std::string &path, const Config &config, Report &report);

/*
 * The program that the loader of `head`, an ELF file, is, or the interpreter of a
 * script; "" when it needs none, nothing when it is neither a script nor ELF.
 */
std::optional<std::string> interpreter_of(const std::vector<u8> &head);

} // namespace inspect

#endif
