// SPDX-License-Identifier: GPL-2.0

#include "inspect/json.h"

#include <nlohmann/json.hpp>

#include "inspect/listing.h"

namespace inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

Json nullable(const std::string &text)
{
	return text.empty() ? Json(nullptr) : Json(printable(text));
}

Json of(const Segment &segment)
{
	return {{"offset", segment.offset},
		{"size", segment.size},
		{"out", segment.out},
		{"compressor", nullable(segment.compressor)},
		{"format", nullable(segment.format)},
		{"streams", segment.streams},
		{"whole", segment.whole},
		{"use", segment.use == Use::kNone ? Json(nullptr) : Json(name_of(segment.use))}};
}

Json of(const Entry &entry)
{
	return {{"name", printable(entry.name)},
		{"type", type_name(entry.mode)},
		{"mode", entry.mode & 07777},
		{"uid", entry.uid},
		{"gid", entry.gid},
		{"nlink", entry.nlink},
		{"size", entry.size},
		{"mtime", entry.mtime},
		{"target", nullable(entry.target)},
		{"major", entry.major},
		{"minor", entry.minor},
		{"segment", entry.segment}};
}

Json of(const Message &message)
{
	return {{"level", message.level}, {"text", printable(message.text)}};
}

Json of(const Finding &finding)
{
	return {{"severity", name_of(finding.severity)},
		{"code", finding.code},
		{"text", finding.text},
		{"advice", finding.advice.empty() ? Json(nullptr) : Json(finding.advice)}};
}

template <typename T> Json all_of(const std::vector<T> &items)
{
	Json array = Json::array();

	for (const T &item : items)
		array.push_back(of(item));
	return array;
}

Json of(const Load &load)
{
	return {{"format", load.format},
		{"how", load.how},
		{"in", load.in},
		{"out", load.out},
		{"copied", load.copied}};
}

} // namespace

std::string json_of(const Report &report, const std::string &image, const std::string &version)
{
	Json root = {
		{"schema", kSchema},
		{"version", version},
		{"image", printable(image)},
		{"size", report.size},
		{"append", printable(report.append)},
		{"bootconfig", report.bootconfig ? Json(*report.bootconfig) : Json(nullptr)},
		{"outcome", name_of(report.outcome)},
		{"segments", all_of(report.segments)},
		{"load", report.load ? of(*report.load) : Json(nullptr)},
		{"file_system", nullable(report.file_system)},
		{"claimed", report.claimed},
		{"program", nullable(report.program)},
		{"program_in", nullable(report.program_in)},
		{"memory",
		 {{"peak", report.memory_peak},
		  {"end", report.memory_end},
		  {"least", report.memory_least ? Json(report.memory_least) : Json(nullptr)}}},
		{"messages", all_of(report.messages)},
		{"steps", report.steps},
		{"findings", all_of(report.findings)},
		{"boots", !report.has(Severity::kError)},
		{"entries", report.has_entries ? all_of(report.entries) : Json(nullptr)},
	};

	return root.dump(1, '\t', false, Json::error_handler_t::replace) + "\n";
}

} // namespace inspect
