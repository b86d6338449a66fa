/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the body of a case says what it expects; it goes on in any case.
 */
#ifndef INITRD_TESTS_CONTRACT_EXPECT_H
#define INITRD_TESTS_CONTRACT_EXPECT_H

#include "tests/contract/report.h"

#define EXPECT(test, condition)                                                  \
	do {                                                                     \
		if (!(condition))                                                \
			initrd_kunit_fail(test, __FILE__, __LINE__, #condition); \
	} while (0)

#define EXPECT_EQ(test, found, expected)                                                          \
	do {                                                                                      \
		const u64 found_ = static_cast<u64>(found);                                       \
		const u64 expected_ = static_cast<u64>(expected);                                 \
                                                                                                  \
		if (found_ != expected_)                                                          \
			initrd_kunit_differ(test, __FILE__, __LINE__, #found, found_, expected_); \
	} while (0)

#endif
