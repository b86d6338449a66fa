// SPDX-License-Identifier: GPL-2.0
// The contract suite on this side: initrd/hosted/ has to keep the rules, too.

#include "fixture.h"

#include "tests/contract/cases.h"

// What a case fails with is GoogleTest's; whether it was skipped is kept until its end.
struct kunit {
	const char *skipped = nullptr;
};

void initrd_kunit_fail(struct kunit *, const char *file, int line, const char *what)
{
	ADD_FAILURE_AT(file, line) << what;
}

void initrd_kunit_differ(struct kunit *, const char *file, int line, const char *what, u64 found,
			 u64 expected)
{
	ADD_FAILURE_AT(file, line) << what << " is " << found << ", not " << expected;
}

void initrd_kunit_skip(struct kunit *test, const char *why)
{
	test->skipped = why;
}

namespace {

class Contract : public host::World {
protected:
	void run(void (*body)(struct kunit *test))
	{
		struct kunit test;

		body(&test);
		if (test.skipped)
			GTEST_SKIP() << test.skipped;
	}
};

#define CONTRACT_TEST(name)    \
	TEST_F(Contract, name) \
	{                      \
		run(name);     \
	}
INITRD_CONTRACT_CASES(CONTRACT_TEST)

} // namespace
