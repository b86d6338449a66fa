// SPDX-License-Identifier: GPL-2.0

#include "inspect/config.h"

#include <cstdio>

namespace inspect {
namespace {

// A string as it was before Kconfig put quotes around it.
std::string unquoted(std::string_view value)
{
	std::string text;

	if (value.size() < 2 || value.front() != '"' || value.back() != '"')
		return std::string(value);
	value = value.substr(1, value.size() - 2);
	for (size_t at = 0; at < value.size(); at++) {
		if (value[at] == '\\' && at + 1 < value.size())
			at++;
		text += value[at];
	}
	return text;
}

// The series in "# Linux/x86 6.12.117 Kernel Configuration"; 0 in another line.
u32 series_in(std::string_view line)
{
	unsigned major;
	unsigned minor;

	return std::sscanf(std::string(line.substr(0, 256)).c_str(), "# Linux/%*s %u.%u", &major,
			   &minor) == 2 &&
			       minor < 1000 && major < 1000 ?
		       major * 1000 + minor :
		       0;
}

} // namespace

Config Config::parse(std::string_view text)
{
	constexpr std::string_view kPrefix = "CONFIG_";
	Config config;

	config.known_ = true;
	while (!text.empty()) {
		std::string_view line = text.substr(0, text.find('\n'));

		text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
		if (!line.empty() && line.back() == '\r')
			line.remove_suffix(1);
		if (const u32 series = series_in(line))
			config.series_ = series;
		const size_t sign = line.find('=');

		if (line.substr(0, kPrefix.size()) != kPrefix || sign == std::string_view::npos)
			continue;
		config.values_[std::string(line.substr(kPrefix.size(), sign - kPrefix.size()))] =
			unquoted(line.substr(sign + 1));
	}
	return config;
}

std::string Config::text(const std::string &option) const
{
	const auto found = values_.find(option);

	return found == values_.end() || found->second == "n" ? "" : found->second;
}

u64 Config::page_size() const
{
	struct Size {
		const char *option;
		u64 kib;
	};
	static constexpr Size kSizes[] = {
		{"PAGE_SIZE_8KB", 8},	 {"PAGE_SIZE_16KB", 16},   {"PAGE_SIZE_32KB", 32},
		{"PAGE_SIZE_64KB", 64},	 {"PAGE_SIZE_256KB", 256}, {"ARM64_16K_PAGES", 16},
		{"ARM64_64K_PAGES", 64}, {"PPC_16K_PAGES", 16},	   {"PPC_64K_PAGES", 64},
		{"PPC_256K_PAGES", 256}, {"PAGE_SIZE_4KB", 4},
	};

	for (const Size &size : kSizes)
		if (built_in(size.option))
			return size.kib << 10;
	return 4096;
}

bool Config::has(const std::string &option) const
{
	return built_in(option) || text(option) == "m";
}

bool Config::built_in(const std::string &option) const
{
	return text(option) == "y";
}

} // namespace inspect
