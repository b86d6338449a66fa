// SPDX-License-Identifier: GPL-2.0

#include "target.h"

#include <cstdlib>
#include <iostream>

namespace {

class EndAtFailure final : public testing::EmptyTestEventListener {
	void OnTestPartResult(const testing::TestPartResult &result) override
	{
		if (!result.failed())
			return;
		std::cerr << result << host::whole_log() << std::flush;
		std::abort();
	}
};

} // namespace

extern "C" int LLVMFuzzerInitialize(int *, char ***)
{
	// It belongs to GoogleTest from here on.
	testing::UnitTest::GetInstance()->listeners().Append(new EndAtFailure);
	return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	FuzzedDataProvider input(data, size);

	host::reset();
	fuzz::try_input(input);
	host::expect_nothing_left();
	host::reset();
	return 0;
}
