// SPDX-License-Identifier: GPL-2.0
// The table of formats with the compressors that a configuration has, and with decoders
// that are traced.

#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "initrd/formats/formats.h"
#include "initrd/hosted/world.h"
#include "inspect/kernel.h"
#include "inspect/trace.h"

namespace inspect {
namespace {

using initrd::Bytes;
using initrd::Decoder;
using initrd::Format;
using initrd::Result;
using initrd::Sink;
using initrd::Span;

// The table as it is in the sources, and the one that a kernel has.
const Span<const Format> kTable = initrd::known_formats;
std::vector<Format> configured;

// More rows than the table has.
constexpr size_t kMostRows = 64;

// A decoder has no argument of its own, so each row gets one that knows its number.
template <size_t Row> Result<size_t> decode_row(Bytes in, Sink &out)
{
	const Format &format = kTable[Row];

	return Trace::active()->decode(format.name, format.decode, in, out);
}

template <size_t... Rows>
constexpr std::array<Decoder, sizeof...(Rows)> decoders_of(std::index_sequence<Rows...>)
{
	return {decode_row<Rows>...};
}

constexpr auto kDecoders = decoders_of(std::make_index_sequence<kMostRows>());

// Rows with one decoder still have one: boot compares them.
size_t first_with(Decoder decode)
{
	size_t row = 0;

	while (kTable[row].decode != decode)
		row++;
	return row;
}

// CONFIG_RD_GZIP for "gzip", without its prefix: by the first row with the decoder.
std::string option_of(const Format &format)
{
	std::string option = "RD_";

	for (const char *c = kTable[first_with(format.decode)].name; *c; c++)
		option += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
	return option;
}

struct Filter {
	u32 number;
	const char *option;
	bool everywhere; // all series have it
};

constexpr Filter kFilters[] = {
	{4, "XZ_DEC_X86", true},     {5, "XZ_DEC_POWERPC", true},  {6, "XZ_DEC_IA64", false},
	{7, "XZ_DEC_ARM", true},     {8, "XZ_DEC_ARMTHUMB", true}, {9, "XZ_DEC_SPARC", true},
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
	configured.assign(kTable.begin(), kTable.end());
	for (Format &format : configured) {
		if (format.kind != initrd::Kind::kCompressed || !format.decode)
			continue;
		format.decode = config.may_be_built_in(option_of(format)) ?
					kDecoders.at(first_with(format.decode)) :
					nullptr;
	}
	initrd::known_formats = {configured.data(), configured.size()};
}

} // namespace inspect
