// SPDX-License-Identifier: GPL-2.0

#include "inspect/text.h"

#include <cstdio>

#include "inspect/listing.h"

namespace inspect {
namespace {

enum class Colour { kBold, kDim, kRed, kYellow, kGreen };

class Page {
public:
	explicit Page(bool colour) : colour_(colour) {}

	std::string painted(Colour colour, const std::string &text) const
	{
		static const char *const kCodes[] = {"1", "2", "31;1", "33;1", "32;1"};

		if (!colour_)
			return text;
		return "\033[" + std::string(kCodes[static_cast<size_t>(colour)]) + "m" + text +
		       "\033[0m";
	}

	void headline(const std::string &text)
	{
		out_ += (out_.empty() ? "" : "\n") + painted(Colour::kBold, text) + "\n";
	}
	void line(const std::string &text) { out_ += "  " + text + "\n"; }
	void raw(const std::string &text) { out_ += text; }
	const std::string &text() const { return out_; }

private:
	bool colour_;
	std::string out_;
};

std::string segment_line(const Segment &segment)
{
	const std::string format = segment.format.empty() ? "unknown" : segment.format;
	const std::string use = segment.use == Use::kNone ? ", not used" :
				segment.use == Use::kFile ? ", in /initrd.image" :
							    "";
	char numbers[96];

	std::snprintf(numbers, sizeof(numbers), "%12zu  %12zu  %12llu  ", segment.offset,
		      segment.size, static_cast<unsigned long long>(segment.out));
	return numbers + (segment.compressor.empty() ? "" : segment.compressor + "+") + format +
	       (segment.streams > 1 ? ", " + std::to_string(segment.streams) + " streams" : "") +
	       (segment.whole ? "" : ", not to its end") + use;
}

void write_segments(const Report &report, Page &page)
{
	if (report.segments.empty())
		return;
	page.headline("Segments");
	page.line(page.painted(Colour::kDim, "      offset      bytes in     bytes out  what"));
	for (const Segment &segment : report.segments)
		page.line(segment_line(segment));
}

void write_messages(const Report &report, Page &page)
{
	constexpr int kError = 3;
	constexpr int kWarning = 4;

	if (report.messages.empty())
		return;
	page.headline("What the kernel prints");
	for (const Message &message : report.messages) {
		const std::string text = printable(message.text);

		page.line(message.level <= kError   ? page.painted(Colour::kRed, text) :
			  message.level == kWarning ? page.painted(Colour::kYellow, text) :
						      text);
	}
}

void write_findings(const Report &report, Page &page)
{
	static const Colour kColours[] = {Colour::kDim, Colour::kYellow, Colour::kRed};

	if (report.findings.empty())
		return;
	page.headline("Findings");
	for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote}) {
		for (const Finding &finding : report.findings) {
			if (finding.severity != severity)
				continue;
			page.line(page.painted(kColours[static_cast<size_t>(severity)],
					       std::string(name_of(severity)) + ":") +
				  " " + finding.text + " [" + finding.code + "]");
			if (!finding.advice.empty())
				page.line("    " + finding.advice);
		}
	}
}

void write_list(const Report &report, Page &page)
{
	page.headline("Entries");
	if (report.has_entries)
		page.raw(listing_of(report.entries));
	else
		page.line("(not known)");
}

} // namespace

std::string size_in_words(u64 bytes)
{
	static const char *const kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
	double size = static_cast<double>(bytes);
	size_t unit = 0;
	char text[48];

	if (bytes < 1024) {
		std::snprintf(text, sizeof(text), "%u bytes", static_cast<unsigned>(bytes));
		return text;
	}
	for (size /= 1024; size >= 1024 && unit < 3; size /= 1024)
		unit++;
	std::snprintf(text, sizeof(text), "%.*f %s", size < 10 && bytes % 1024 ? 1 : 0, size,
		      kUnits[unit]);
	return text;
}

std::string text_of(const Report &report, const std::string &image, const Style &style)
{
	Page page(style.colour);
	int number = 0;

	page.headline(printable(image) + ": " + size_in_words(report.size) + " (" +
		      std::to_string(report.size) + " bytes)");
	if (!report.append.empty())
		page.line("command line: " + printable(report.append));
	page.headline("What happens");
	for (const std::string &step : report.steps)
		page.line(std::to_string(++number) + ". " + step);
	page.line("Memory: " + size_in_words(report.memory_peak) + " at most, " +
		  size_in_words(report.memory_end) + " afterwards.");
	write_segments(report, page);
	write_messages(report, page);
	write_findings(report, page);
	if (style.list)
		write_list(report, page);
	page.raw("\n" +
		 (report.has(Severity::kError) ?
			  page.painted(Colour::kRed, "Something would go wrong.") :
			  page.painted(Colour::kGreen, "It boots, as far as can be told.")) +
		 "\n");
	return page.text();
}

} // namespace inspect
