// SPDX-License-Identifier: GPL-2.0

#include "inspect/options.h"

#include <getopt.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "initrd/support/parse.h"

namespace inspect {
namespace {

constexpr char kHelp[] =
	"Usage: initrd-inspect [OPTION]... IMAGE\n"
	"\n"
	"Says what a kernel with initrd-cxx would do with an initrd and a command line, and\n"
	"what would go wrong. Nothing is booted or mounted, nothing of the image is executed.\n"
	"IMAGE is a file, or - for standard input.\n"
	"\n"
	"  -a, --append=LINE         the kernel's command line\n"
	"  -c, --config=FILE         the kernel's .config; without it, one that has everything\n"
	"  -m, --memory=SIZE         the machine's memory\n"
	"      --kernel-memory=SIZE  what the kernel has of it for itself (24M)\n"
	"      --limit=SIZE          without --memory: take no more than this here (2G)\n"
	"      --load-address=ADDR   where the boot loader puts the image (the start of a page)\n"
	"      --built-in=FILE       the archive in the kernel (CONFIG_INITRAMFS_SOURCE)\n"
	"  -l, --list                list the entries, as ls -l does\n"
	"  -x, --extract=DIR         write what an archive unpacks to into a new or empty folder\n"
	"      --nodes               with --extract: owners and device nodes, too; for root\n"
	"      --no-tools            do not let debugfs or unsquashfs look into an image\n"
	"  -j, --json                print JSON\n"
	"      --color[=WHEN]        auto (the default), always or never\n"
	"  -h, --help                this text\n"
	"  -V, --version             the version\n"
	"\n"
	"Sizes may have a suffix K, M or G. Exit status: 0 it boots, as far as can be told;\n"
	"1 something would go wrong; 2 wrong usage; 3 a file cannot be read or written.\n";

enum Long : int {
	kKernelMemory = 256,
	kLimit,
	kLoadAddress,
	kBuiltIn,
	kNodes,
	kNoTools,
	kColour,
};

const option kOptions[] = {
	{"append", required_argument, nullptr, 'a'},
	{"config", required_argument, nullptr, 'c'},
	{"memory", required_argument, nullptr, 'm'},
	{"kernel-memory", required_argument, nullptr, kKernelMemory},
	{"limit", required_argument, nullptr, kLimit},
	{"load-address", required_argument, nullptr, kLoadAddress},
	{"built-in", required_argument, nullptr, kBuiltIn},
	{"list", no_argument, nullptr, 'l'},
	{"extract", required_argument, nullptr, 'x'},
	{"nodes", no_argument, nullptr, kNodes},
	{"no-tools", no_argument, nullptr, kNoTools},
	{"json", no_argument, nullptr, 'j'},
	{"color", optional_argument, nullptr, kColour},
	{"colour", optional_argument, nullptr, kColour},
	{"help", no_argument, nullptr, 'h'},
	{"version", no_argument, nullptr, 'V'},
	{nullptr, 0, nullptr, 0},
};

[[noreturn]] void refuse(const std::string &text)
{
	if (!text.empty())
		std::fprintf(stderr, "initrd-inspect: %s\n", text.c_str());
	std::fprintf(stderr, "Try \"initrd-inspect --help\".\n");
	std::exit(kUsage);
}

u64 size_of(const char *option, const char *text, bool may_be_zero = false)
{
	const char *end = text;
	u64 size;

	if (!initrd::parse_size(end, size) || *end || (!size && !may_be_zero))
		refuse(std::string(option) + " " + text + ": must be a size, such as 512M");
	return size;
}

When when_of(const char *text)
{
	const std::string word = text ? text : "always";

	if (word == "auto")
		return When::kAuto;
	if (word != "always" && word != "never")
		refuse("--color " + word + ": must be auto, always or never");
	return word == "always" ? When::kAlways : When::kNever;
}

[[noreturn]] void print(const std::string &text)
{
	std::fputs(text.c_str(), stdout);
	std::exit(std::fflush(stdout) ? kUnreadable : kBoots);
}

void take(int option, const char *value, Options &options)
{
	switch (option) {
	case 'a':
		options.append = value;
		break;
	case 'c':
		options.config = value;
		break;
	case 'm':
		options.memory = size_of("--memory", value);
		break;
	case kKernelMemory:
		options.kernel_memory = size_of("--kernel-memory", value);
		break;
	case kLimit:
		options.limit = size_of("--limit", value);
		break;
	case kLoadAddress:
		options.load_address = size_of("--load-address", value, true);
		break;
	case kBuiltIn:
		options.built_in = value;
		break;
	case 'l':
		options.list = true;
		break;
	case 'x':
		options.extract = value;
		break;
	case kNodes:
		options.nodes = true;
		break;
	case kNoTools:
		options.look_inside = false;
		break;
	case 'j':
		options.json = true;
		break;
	case kColour:
		options.colour = when_of(value);
		break;
	case 'h':
		print(kHelp);
	case 'V':
		print("initrd-inspect (initrd-cxx) " INSPECT_VERSION "\n");
	default:
		refuse("");
	}
}

} // namespace

Options parse_options(int count, char **words)
{
	Options options;

	for (int option;
	     (option = getopt_long(count, words, "a:c:m:lx:jhV", kOptions, nullptr)) != -1;)
		take(option, optarg, options);
	if (optind >= count)
		refuse("which image? (a file, or - for standard input)");
	if (optind + 1 < count)
		refuse(std::string("more than one image: ") + words[optind] + " and " +
		       words[optind + 1]);
	if (options.nodes && options.extract.empty())
		refuse("--nodes goes with --extract");
	if (options.nodes && geteuid() != 0)
		refuse("--nodes is for root");
	options.image = words[optind];
	return options;
}

} // namespace inspect
