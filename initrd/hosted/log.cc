// SPDX-License-Identifier: GPL-2.0
// The log, the clock, the panic, the series' policy.

#include "initrd/seam/log.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "initrd/hosted/world.h"
#include "initrd/seam/policy.h"

namespace {

struct State {
	std::vector<host::Line> lines;
	std::vector<std::string> complaints;
	bool muted = false;
	bool open = false; // the last line has no newline yet
	bool strict_hex = false;
	u64 now = 0;
	u64 step = 1000000;
	u64 looks = 0;
};
State state;

bool begins(const std::string &text, const std::string &start)
{
	return text.compare(0, start.size(), start) == 0;
}

} // namespace

namespace host {

void reset_log()
{
	state = {};
}

void complain(const std::string &what)
{
	static std::mutex mutex;
	const std::lock_guard lock(mutex);

	state.complaints.push_back(what);
}

const std::vector<std::string> &complaints()
{
	return state.complaints;
}

const std::vector<Line> &log_lines()
{
	return state.lines;
}

bool logged(const std::string &text)
{
	return times_logged(text);
}

bool logged(seam_log_level level, const std::string &text)
{
	for (const Line &line : state.lines)
		if (line.level == level && begins(line.text, text))
			return true;
	return false;
}

size_t times_logged(const std::string &text)
{
	size_t times = 0;

	for (const Line &line : state.lines)
		times += begins(line.text, text);
	return times;
}

std::string whole_log()
{
	std::string all;

	for (const Line &line : state.lines)
		all += std::to_string(line.level) + " " + line.text + "\n";
	return all;
}

void set_log_muted(bool muted)
{
	state.muted = muted;
}

void set_clock_step(u64 nanoseconds)
{
	state.step = nanoseconds;
}

u64 clock_looks()
{
	return state.looks;
}

void set_strict_hex(bool strict)
{
	state.strict_hex = strict;
}

void pass_time(u64 milliseconds)
{
	state.now += milliseconds * 1000000;
}

} // namespace host

void seam_log(enum seam_log_level level, const char *format, ...)
{
	char text[8192];
	va_list args;

	if (state.muted)
		return;
	va_start(args, format);
	std::vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	std::string piece = text;
	const bool complete = !piece.empty() && piece.back() == '\n';

	if (complete)
		piece.pop_back();
	if (level == SEAM_LOG_CONT && state.open)
		state.lines.back().text += piece;
	else
		state.lines.push_back({level, piece});
	state.open = !complete;
}

size_t seam_format(char *to, size_t size, const char *format, __builtin_va_list arguments)
{
	const int length = std::vsnprintf(to, size, format, arguments);

	return std::min(static_cast<size_t>(length), size - 1);
}

void seam_panic(const char *reason)
{
	throw host::Panic(reason);
}

// (In a kernel the rest of populating comes before it.)
void seam_halt(const char *reason)
{
	throw host::Panic(reason);
}

u64 seam_now_ns(void)
{
	state.looks++;
	return state.now += state.step;
}

int seam_strict_hex(void)
{
	return state.strict_hex;
}
