// SPDX-License-Identifier: GPL-2.0
// initrd-inspect, with any bytes and any command line: it comes to an end, finds no
// fault of its own, and says the same again.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "inspect/inspect.h"
#include "inspect/json.h"

namespace {

constexpr size_t kLongestLine = 400;
constexpr u64 kLimit = u64{64} << 20;

inspect::Request request_of(FuzzedDataProvider &input)
{
	// What is taken from the end comes first.
	const bool little = input.ConsumeIntegral<u8>() == 1;
	const u64 memory = u64{input.ConsumeIntegralInRange<u16>(0, 512)} << 20;
	const u64 address = input.ConsumeBool() ? input.ConsumeIntegral<u32>() : 0;

	return {
		.append = input.ConsumeRandomLengthString(kLongestLine),
		.memory = memory,
		.limit = little ? u64{1} << 20 : kLimit,
		.load_address = address,
		.list = true,
	};
}

[[noreturn]] void fail(const std::string &why)
{
	std::cerr << why << std::endl;
	std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	FuzzedDataProvider input(data, size);
	const inspect::Request request = request_of(input);
	const std::vector<u8> image = input.ConsumeRemainingBytes<u8>();
	const initrd::Bytes bytes(image.data(), image.size());
	const inspect::Report report = inspect::inspect(bytes, request);
	const std::string text = inspect::json_of(report, "initrd", "");

	for (const inspect::Finding &finding : report.findings)
		if (finding.code == "internal")
			fail(finding.text + "\n" + text);
	const std::string again = inspect::json_of(inspect::inspect(bytes, request), "initrd", "");

	if (again != text)
		fail("the second report differs:\n" + text + again);
	return 0;
}
