// SPDX-License-Identifier: GPL-2.0

#include "inspect/report.h"

#include <algorithm>
#include <cstdio>

namespace inspect {

void Report::add(Severity severity, std::string code, std::string text, std::string advice)
{
	findings.push_back({severity, std::move(code), std::move(text), std::move(advice)});
}

bool Report::has(Severity severity) const
{
	return std::ranges::any_of(findings, [severity](const Finding &finding) {
		return finding.severity >= severity;
	});
}

bool Report::says(const char *words) const
{
	return std::ranges::any_of(messages, [words](const Message &message) {
		return message.text.find(words) != std::string::npos;
	});
}

const char *name_of(Severity severity)
{
	switch (severity) {
	case Severity::kNote:
		return "note";
	case Severity::kWarning:
		return "warning";
	case Severity::kError:
		return "error";
	}
	return "";
}

const char *name_of(Outcome outcome)
{
	switch (outcome) {
	case Outcome::kNothing:
		return "nothing";
	case Outcome::kIgnored:
		return "ignored";
	case Outcome::kArchive:
		return "archive";
	case Outcome::kDisk:
		return "disk";
	case Outcome::kPreserved:
		return "preserved";
	case Outcome::kFile:
		return "file";
	case Outcome::kUseless:
		return "useless";
	}
	return "";
}

const char *name_of(Use use)
{
	switch (use) {
	case Use::kNone:
		return nullptr;
	case Use::kUnpacked:
		return "unpacked";
	case Use::kLoaded:
		return "loaded";
	case Use::kFile:
		return "file";
	case Use::kPreserved:
		return "preserved";
	}
	return nullptr;
}

namespace {

// Characters that nobody sees, or that change how others are shown.
bool is_control(u32 character)
{
	struct Range {
		u32 first;
		u32 last;
	};
	static constexpr Range kRanges[] = {
		{0, 0x1f},	  {0x7f, 0x9f},	    {0x61c, 0x61c},   {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xe0000, 0xe007f},
	};

	return std::ranges::any_of(kRanges, [character](const Range &range) {
		return character >= range.first && character <= range.last;
	});
}

// How many bytes of a well-formed UTF-8 character `text` has at `at`; 0: none, or a
// control character, or the backslash that stands before the digits of those.
size_t character_at(const std::string &text, size_t at)
{
	const auto byte = [&](size_t i) {
		return i < text.size() ? static_cast<u8>(text[i]) : u8{0};
	};
	const u8 first = byte(at);

	if (first < 0x80)
		return !is_control(first) && first != '\\';
	const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	u32 value = first & (0x7fu >> length);

	if (first < 0xc2 || first > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((byte(at + i) & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (byte(at + i) & 0x3f);
	}
	const bool too_long = value < (length == 4 ? 0x10000u : length == 3 ? 0x800u : 0x80u);

	if (too_long || is_control(value) || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	return length;
}

} // namespace

std::string printable(const std::string &text)
{
	std::string out;

	for (size_t at = 0; at < text.size();) {
		const size_t length = character_at(text, at);

		if (length) {
			out.append(text, at, length);
			at += length;
			continue;
		}
		char octal[8];

		std::snprintf(octal, sizeof(octal), "\\%03o", static_cast<u8>(text[at++]));
		out += octal;
	}
	return out;
}

} // namespace inspect
