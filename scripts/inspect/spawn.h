/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs a tool and reads what it prints. Bytes that tools look at are in memory files.
 */
#ifndef INSPECT_SPAWN_H
#define INSPECT_SPAWN_H

#include <optional>
#include <string>
#include <vector>

#include "initrd/support/types.h"

namespace inspect {

/* A file that is nowhere but in memory, and gone with this object. */
class MemoryFile {
public:
	explicit MemoryFile(const std::vector<u8> &content);
	~MemoryFile();
	MemoryFile(const MemoryFile &) = delete;
	MemoryFile &operator=(const MemoryFile &) = delete;

	bool ok() const { return descriptor_ >= 0; }
	/* Its name for a tool that is started with run_tool(). */
	std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
	int descriptor_;
};

/* The path of a tool in PATH, or in /usr/sbin or /sbin; "" when it is not installed. */
std::string find_tool(const std::string &name);

/*
 * What words[0], a path, prints on standard output: its first `most` bytes; it is killed
 * then, or when it takes longer than half a minute. It runs without a shell, with no
 * input and with its messages thrown away. Nothing when it could not be run.
 */
std::optional<std::string> run_tool(const std::vector<std::string> &words, size_t most);

} // namespace inspect

#endif
