// SPDX-License-Identifier: GPL-2.0
// The table of formats as it is, and in front of it one whose decoders are traced and
// whose compressors are those that a configuration has.

#define identify identify_in_table
#define identify_compressed identify_compressed_in_table
#define known_formats formats_of_table
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "initrd/formats/formats.cc"
#undef identify
#undef identify_compressed
#undef known_formats

#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "inspect/kernel.h"
#include "inspect/trace.h"
#include "initrd/hosted/world.h"

namespace initrd {

// As formats.h declares them.
const Format *identify(Bytes image);
const Format *identify_compressed(Bytes segment);
Span<const Format> known_formats();

namespace {

std::vector<Format> configured;

// A decoder has no argument of its own, so each row gets one that knows its number.
template <size_t Row> Result<size_t> decode_row(Bytes in, Sink &out)
{
	const Format &format = formats_of_table()[Row];

	return inspect::Trace::active()->decode(format.name, format.decode, in, out);
}

template <size_t... Rows>
constexpr std::array<Decoder, sizeof...(Rows)> decoders_of(std::index_sequence<Rows...>)
{
	return {decode_row<Rows>...};
}

constexpr auto kDecoders =
	decoders_of(std::make_index_sequence<sizeof(formats) / sizeof(formats[0])>());

// Rows with one decoder still have one: boot compares them.
size_t first_with(Decoder decode)
{
	size_t row = 0;

	while (formats_of_table()[row].decode != decode)
		row++;
	return row;
}

const Format *configured_row(const Format *row)
{
	return row ? &configured[static_cast<size_t>(row - formats_of_table().data())] : nullptr;
}

// CONFIG_RD_GZIP for "gzip", without its prefix: by the first row with the decoder.
std::string option_of(const Format &format)
{
	std::string option = "RD_";

	for (const char *c = formats_of_table()[first_with(format.decode)].name; *c; c++)
		option += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
	return option;
}

} // namespace

const Format *identify(Bytes image)
{
	return configured_row(identify_in_table(image));
}

const Format *identify_compressed(Bytes segment)
{
	return configured_row(identify_compressed_in_table(segment));
}

Span<const Format> known_formats()
{
	return {configured.data(), configured.size()};
}

} // namespace initrd

namespace inspect {
namespace {

struct Filter {
	u32 number;
	const char *option;
	bool everywhere; // all series have it
};

constexpr Filter kFilters[] = {
	{4, "XZ_DEC_X86", true},      {5, "XZ_DEC_POWERPC", true},   {6, "XZ_DEC_IA64", false},
	{7, "XZ_DEC_ARM", true},      {8, "XZ_DEC_ARMTHUMB", true},  {9, "XZ_DEC_SPARC", true},
	{10, "XZ_DEC_ARM64", false}, {11, "XZ_DEC_RISCV", false},
};

// ZSTD_WINDOWLOG_MAX_32 of the kernel's library.
constexpr u32 kZstdWindowBits32 = 30;

void configure_filters(const Config &config)
{
	u32 filters = 0;

	for (const Filter &filter : kFilters)
		if (config.known() ? config.built_in(filter.option) : filter.everywhere)
			filters |= 1u << filter.number;
	host::set_xz_filters(filters);
}

} // namespace

void configure_formats(const Config &config)
{
	configure_filters(config);
	host::set_zstd_window_bits(config.known() && !config.has("64BIT") ?
					   kZstdWindowBits32 :
					   host::kMostZstdWindowBits);
	initrd::configured.assign(initrd::formats_of_table().begin(),
				  initrd::formats_of_table().end());
	for (initrd::Format &format : initrd::configured) {
		if (format.kind != initrd::Kind::kCompressed || !format.decode)
			continue;
		format.decode = config.may_be_built_in(initrd::option_of(format)) ?
					initrd::kDecoders[initrd::first_with(format.decode)] :
					nullptr;
	}
}

} // namespace inspect
