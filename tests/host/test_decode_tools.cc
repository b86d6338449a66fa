// SPDX-License-Identifier: GPL-2.0
// formats/: what the tools have packed that users pack images with. The same
// samples are decoded in the kernel (tests/kunit/decode_cases.cc).

#include "tests/kunit/samples.h"

#include "initrd/formats/formats.h"
#include "sinks.h"

namespace {

using namespace initrd;
using host::Data;
using host::Decoded;
using host::operator+;

struct Sample {
	const char *name;
	Bytes packed;
};

const Sample kSamples[] = {
	{"gzip", kunit::sample_gzip}, {"bzip2", kunit::sample_bzip2}, {"lzma", kunit::sample_lzma},
	{"xz", kunit::sample_xz},     {"lzo", kunit::sample_lzo},     {"lz4", kunit::sample_lz4},
	{"zstd", kunit::sample_zstd},
};

class DecodeTool : public host::World, public testing::WithParamInterface<Sample> {};

INSTANTIATE_TEST_SUITE_P(Samples, DecodeTool, testing::ValuesIn(kSamples),
			 [](const auto &info) { return info.param.name; });

TEST_P(DecodeTool, SamplesAreKnownAndDecoded)
{
	const Data packed(GetParam().packed.begin(), GetParam().packed.end());
	const Format *const format = identify(GetParam().packed);
	Data plain;

	for (size_t i = 0; i < kunit::kSampleSize; i++)
		plain.push_back(kunit::sample_byte(i));
	ASSERT_NE(format, nullptr);
	EXPECT_STREQ(format->name, GetParam().name);
	for (const Data &rest : {Data(), Data(100)}) {
		const Decoded decoded = host::decode(format->decode, packed + rest);

		EXPECT_EQ(decoded.reason, "");
		EXPECT_EQ(decoded.used, packed.size());
		EXPECT_TRUE(decoded.output == plain);
	}
}

} // namespace
