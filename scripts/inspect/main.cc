// SPDX-License-Identifier: GPL-2.0
// initrd-inspect: reads the files, has them inspected, prints the report.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "inspect/extract.h"
#include "inspect/inspect.h"
#include "inspect/json.h"
#include "inspect/options.h"
#include "inspect/text.h"

using namespace inspect;

namespace {

[[noreturn]] void give_up(const std::string &text)
{
	std::fprintf(stderr, "initrd-inspect: %s\n", text.c_str());
	std::exit(kUnreadable);
}

// A whole file, or standard input for "-"; `most` bytes at most.
std::vector<u8> read_file(const std::string &name, u64 most)
{
	const int file = name == "-" ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
	std::vector<u8> content;
	u8 piece[65536];

	if (file < 0)
		give_up(name + ": " + std::strerror(errno));
	for (;;) {
		const ssize_t n = read(file, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			give_up(name + ": " + std::strerror(errno));
		if (n == 0)
			break;
		if (content.size() + static_cast<size_t>(n) > most)
			give_up(name + ": larger than the limit of " + size_in_words(most) +
				"; give a larger --limit");
		content.insert(content.end(), piece, piece + n);
	}
	if (file != STDIN_FILENO)
		close(file);
	return content;
}

bool has_colour(When when)
{
	const char *const none = std::getenv("NO_COLOR");
	const char *const terminal = std::getenv("TERM");

	if (when != When::kAuto)
		return when == When::kAlways;
	if ((none && *none) || (terminal && std::strcmp(terminal, "dumb") == 0))
		return false;
	return isatty(STDOUT_FILENO);
}

void extract_tree(const Report &report, const Options &options)
{
	if (report.outcome != Outcome::kArchive)
		give_up("--extract: the kernel would unpack nothing from this image");
	const Extracted extracted = extract(*report.tree, options.extract, options.nodes);

	if (!extracted.error.empty())
		give_up(extracted.error);
	std::fprintf(stderr, "initrd-inspect: %llu files and folders in %s",
		     static_cast<unsigned long long>(extracted.made), options.extract.c_str());
	if (!extracted.left_out.empty())
		std::fprintf(stderr, "; %zu device nodes, FIFOs and sockets left out, such as %s",
			     extracted.left_out.size(), printable(extracted.left_out[0]).c_str());
	std::fprintf(stderr, "\n");
}

} // namespace

int main(int count, char **words)
{
	const Options options = parse_options(count, words);
	Request request;

	if (options.limit)
		request.limit = options.limit;
	if (options.kernel_memory)
		request.kernel_memory = options.kernel_memory;
	request.append = options.append;
	request.memory = options.memory;
	request.load_address = options.load_address;
	request.list = options.list;
	// What is larger than the machine's memory is told, not refused.
	const u64 most = std::max(request.limit, request.memory);

	if (options.look_inside)
		request.look_inside = look_inside;
	if (!options.config.empty()) {
		const std::vector<u8> text = read_file(options.config, most);

		request.config =
			Config::parse({reinterpret_cast<const char *>(text.data()), text.size()});
	}
	std::vector<u8> built_in;

	if (!options.built_in.empty())
		built_in = read_file(options.built_in, most);
	request.built_in = {built_in.data(), built_in.size()};

	const std::vector<u8> image = read_file(options.image, most);
	const Report report = ::inspect::inspect({image.data(), image.size()}, request);

	const std::string name = options.image == "-" ? "(standard input)" : options.image;
	const std::string text = options.json ? json_of(report, name, INSPECT_VERSION) :
						text_of(report, name,
							{has_colour(options.colour), options.list});

	if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout))
		give_up(std::string("standard output: ") + std::strerror(errno));
	if (!options.extract.empty())
		extract_tree(report, options);
	return report.has(Severity::kError) ? kTrouble : kBoots;
}
