// SPDX-License-Identifier: GPL-2.0

#include "inspect/command_line.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "initrd/hosted/world.h"
#include "initrd/load/ramdisk_loader.h"
#include "initrd/seam/blkdev.h"
#include "initrd/seam/boot.h"
#include "initrd/seam/log.h"
#include "initrd/support/parse.h"

namespace inspect {
namespace {

struct Parameter {
	const char *name;
	std::function<void(const char *value)> set;
	/* What it needs of the configuration, or "". */
	const char *option = "";
};

std::function<void(const char *)> setter_of(initrd_parameter parameter)
{
	return [parameter](const char *value) { initrd_set(parameter, value); };
}

#define NO_ROW(...)
#define ROW(id, name, setter, option, ...) {name, setter_of(INITRD_PARAMETER_##id), option},

// As early_param() has them: by their whole name, with a value or without.
const Parameter kEarly[] = {
#define EARLY ROW
#define SETUP NO_ROW
#define SEEN NO_ROW
#include "initrd/seam/parameters.inc"
#undef EARLY
#undef SETUP
};

void set_disk_size(const char *value)
{
	if (const u64 kib = ramdisk_parse_kib(value))
		host::set_default_disk_kib(kib);
	else
		seam_log(SEAM_LOG_ERR, "initrd: ramdisk_size=%s: not a size, ignored\n", value);
}

void set_minors(const char *value)
{
	u64 minors;

	if (initrd::parse_number(value, minors) && minors <= 256)
		host::set_minors(static_cast<u32>(minors));
}

void ignore_load(const char *)
{
	seam_log(SEAM_LOG_WARNING, "ignoring the deprecated load_ramdisk= option\n");
}

// As __setup() has them: a row takes every word that begins with its name. Those of the
// RAM disk's driver and of init/do_mounts.c among them.
const Parameter kSetup[] = {
#define EARLY NO_ROW
#define SETUP ROW
#include "initrd/seam/parameters.inc"
#undef EARLY
#undef SETUP
#undef SEEN
	{"ramdisk_size=", set_disk_size, "BLK_DEV_RAM"},
	{"brd.max_part=", set_minors, "BLK_DEV_RAM"},
	{"load_ramdisk=", ignore_load},
};

// '-' and '_' are the same in names.
bool same(const std::string &a, const std::string &b)
{
	const auto plain = [](char c) { return c == '-' ? '_' : c; };

	return std::ranges::equal(a, b, {}, plain, plain);
}

bool is_there(const Parameter &row, const Config &config)
{
	const std::string option = row.option;

	if (option.empty())
		return true;
	// What architectures differ in is not there unless a configuration says so.
	return config.known() ? config.built_in(option) : !option.starts_with("ARCH_");
}

// Without the sign behind it.
std::string plain_name(const std::string &name)
{
	return name.substr(0, name.find('='));
}

bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

} // namespace

std::string whole_command_line(const std::string &given, const Config &config)
{
	const std::string own = config.text("CMDLINE");
	const bool is_x86 = config.built_in("X86") || config.built_in("X86_64");

	if (own.empty() || (is_x86 && !config.built_in("CMDLINE_BOOL")))
		return given;
	if (config.built_in("CMDLINE_OVERRIDE") || config.built_in("CMDLINE_FORCE"))
		return own;
	if (is_x86)
		return own + " " + given;
	if (config.built_in("CMDLINE_EXTEND"))
		return given + " " + own;
	return given.empty() ? own : given;
}

CommandLine::CommandLine(const std::string &text)
{
	for (size_t at = 0; at < text.size();) {
		std::string word;
		bool quoted = false;

		while (at < text.size() && is_blank(text[at]))
			at++;
		for (; at < text.size() && (quoted || !is_blank(text[at])); at++) {
			if (text[at] == '"')
				quoted = !quoted;
			else
				word += text[at];
		}
		if (word == "--")
			break;
		if (word.empty())
			continue;
		const size_t sign = word.find('=');

		words_.push_back({word.substr(0, sign),
				  sign == std::string::npos ? "" : word.substr(sign + 1)});
		// A sign with nothing behind it is not a flag.
		if (sign != std::string::npos)
			words_.back().name += '=';
	}
}

void CommandLine::hand_over(const Config &config) const
{
	for (const Word &word : words_)
		for (const Parameter &row : kEarly)
			if (is_there(row, config) && same(plain_name(word.name), row.name))
				row.set(word.value.c_str());
	for (const Word &word : words_) {
		const std::string text = word.name + word.value;

		for (const Parameter &row : kSetup) {
			const size_t size = std::strlen(row.name);

			if (is_there(row, config) && same(text.substr(0, size), row.name))
				row.set(text.c_str() + size);
		}
	}
	for (const Word &word : words_)
		initrd_see(plain_name(word.name).c_str(), word.value.c_str());
}

std::optional<std::string> CommandLine::value(const std::string &name) const
{
	std::optional<std::string> found;

	for (const Word &word : words_)
		if (same(plain_name(word.name), name))
			found = word.value;
	return found;
}

std::string CommandLine::value_or(const std::string &name, const std::string &otherwise) const
{
	return value(name).value_or(otherwise);
}

std::optional<u32> CommandLine::root_device() const
{
	const std::string name = value_or("root", "");
	unsigned major;
	unsigned minor;
	char rest;

	if (name.empty())
		return 0;
	if (name == "/dev/ram0" || name == "/dev/ram")
		return initrd::root::kRam0;
	if (std::sscanf(name.c_str(), "%u:%u%c", &major, &minor, &rest) == 2)
		return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffu) << 12;
	char *end;
	const unsigned long number = std::strtoul(name.c_str(), &end, 16);

	if (*end == 0 && number <= 0xffffffff)
		return static_cast<u32>(number);
	return std::nullopt;
}

u32 CommandLine::root_partition() const
{
	const std::string name = value_or("root", "");
	unsigned number = 0;
	char rest;

	if (std::sscanf(name.c_str(), "/dev/ram0p%3u%c", &number, &rest) == 1)
		return number;
	const u32 device = root_device().value_or(0);

	// Where disks have several numbers.
	return device > initrd::root::kRam0 && device < initrd::root::kRam0 + ramdisk_max_part() ?
		       device - initrd::root::kRam0 :
		       0;
}

bool CommandLine::is_read_write() const
{
	bool writable = false;

	for (const Word &word : words_)
		if (word.name == "rw" || word.name == "ro")
			writable = word.name == "rw";
	return writable;
}

bool CommandLine::root_is_ram0() const
{
	return root_device() == initrd::root::kRam0;
}

} // namespace inspect
