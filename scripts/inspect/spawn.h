/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs a tool and reads what it prints. Bytes that tools look at are in memory files.
 */
#ifndef INSPECT_SPAWN_H
#define INSPECT_SPAWN_H

#include <chrono>
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

/* What all tools that are run for a report may take together. */
class Budget {
public:
	/* Whether one more may be started; counts it. */
	bool start();
	/* Takes so many bytes that were read. */
	void take(size_t bytes);
	/* What is left: bytes, and milliseconds from now on. */
	size_t bytes() const { return bytes_; }
	int milliseconds() const;
	/* What was too much, in words, as soon as something was: "" else. */
	const std::string &spent() const { return spent_; }
	/* The time is over. */
	void end_of_time();

private:
	static constexpr size_t kMostBytes = size_t{16} << 20;

	size_t processes_ = 0;
	size_t bytes_ = kMostBytes;
	std::optional<std::chrono::steady_clock::time_point> deadline_;
	std::string spent_;
};

/*
 * What words[0], a path, prints on standard output: its first `most` bytes, or as many
 * as are left in the budget; it is killed then, or when its time is over. It runs without
 * a shell, with no input and with its messages thrown away. Nothing when it could not be
 * run, or not be run any more.
 */
std::optional<std::string> run_tool(const std::vector<std::string> &words, size_t most,
				    Budget &budget);

} // namespace inspect

#endif
