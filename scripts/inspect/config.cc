// SPDX-License-Identifier: GPL-2.0

#include "inspect/config.h"

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

bool Config::has(const std::string &option) const
{
	return built_in(option) || text(option) == "m";
}

bool Config::built_in(const std::string &option) const
{
	return text(option) == "y";
}

} // namespace inspect
