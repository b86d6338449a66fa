// SPDX-License-Identifier: GPL-2.0

#include "inspect/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace inspect {

MemoryFile::MemoryFile(const std::vector<u8> &content)
	: descriptor_(memfd_create("initrd-inspect", 0))
{
	for (size_t at = 0; ok() && at < content.size();) {
		const ssize_t written = write(descriptor_, content.data() + at,
					      content.size() - at);

		if (written > 0) {
			at += static_cast<size_t>(written);
		} else if (errno != EINTR) {
			close(descriptor_);
			descriptor_ = -1;
		}
	}
}

MemoryFile::~MemoryFile()
{
	if (ok())
		close(descriptor_);
}

std::string find_tool(const std::string &name)
{
	const char *const path = std::getenv("PATH");
	std::istringstream folders(std::string(path ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin");

	for (std::string path; std::getline(folders, path, ':');) {
		if (path.empty())
			continue;
		path.append("/").append(name);
		if (access(path.c_str(), X_OK) == 0)
			return path;
	}
	return "";
}

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostProcesses = 5000;
constexpr auto kPatience = std::chrono::seconds(30);

} // namespace

bool Budget::start()
{
	if (!deadline_)
		deadline_ = Clock::now() + kPatience;
	if (milliseconds() == 0)
		end_of_time();
	else if (processes_ == kMostProcesses)
		spent_ = std::to_string(kMostProcesses) + " processes";
	if (!spent_.empty())
		return false;
	processes_++;
	return true;
}

void Budget::take(size_t bytes)
{
	if (bytes > bytes_)
		spent_ = std::to_string(kMostBytes >> 20) + " MiB of text";
	bytes_ -= std::min(bytes, bytes_);
}

int Budget::milliseconds() const
{
	const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
		deadline_.value_or(Clock::now() + kPatience) - Clock::now());

	return static_cast<int>(std::max<s64>(left.count(), 0));
}

void Budget::end_of_time()
{
	spent_ = std::to_string(kPatience.count()) + " seconds";
}

namespace {

pid_t start(const std::vector<std::string> &words, int output)
{
	static const char *const environment[] = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
						  "DEBUGFS_PAGER=__none__", "PAGER=cat", nullptr};
	std::vector<char *> arguments;
	posix_spawn_file_actions_t actions;
	pid_t child;

	arguments.reserve(words.size() + 1);
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	const int status = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(),
				       const_cast<char **>(environment));

	posix_spawn_file_actions_destroy(&actions);
	return status ? -1 : child;
}

// Reads until the end, `most` bytes or the end of the time; false when it was not the end.
bool read_all(int from, size_t most, Budget &budget, std::string &text)
{
	char piece[65536];

	while (text.size() < most) {
		pollfd wait = {from, POLLIN, 0};

		if (poll(&wait, 1, budget.milliseconds()) == 0) {
			budget.end_of_time();
			return false;
		}
		const ssize_t n = read(from, piece, std::min(sizeof(piece), most - text.size()));

		if (n > 0)
			text.append(piece, static_cast<size_t>(n));
		else if (n == 0)
			return true;
		else if (errno != EINTR)
			return false;
	}
	return false;
}

} // namespace

std::optional<std::string> run_tool(const std::vector<std::string> &words, size_t most,
				    Budget &budget)
{
	int ends[2];
	std::string text;

	if (!budget.start() || pipe2(ends, O_CLOEXEC) < 0)
		return std::nullopt;
	const pid_t child = start(words, ends[1]);

	close(ends[1]);
	if (child > 0) {
		// One more than there may be, to know that there are more.
		if (!read_all(ends[0], std::min(most, budget.bytes() + 1), budget, text))
			kill(child, SIGKILL);
		while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
		}
	}
	close(ends[0]);
	budget.take(text.size());
	return child > 0 ? std::optional(text) : std::nullopt;
}

} // namespace inspect
