// SPDX-License-Identifier: GPL-2.0
/*
 * Decompressors, on top of the kernel's own libraries.
 * The bodies are in decode_cases.cc.
 */
#include <kunit/test.h>

#include "tests/kunit/support.h"

#define ENTRY(name) KUNIT_CASE(name),

static struct kunit_case __refdata initrd_decode_cases[] = {
	INITRD_DECODE_CASES(ENTRY)
	{}
};

static struct kunit_suite __refdata initrd_decode_suite = {
	.name = "initrd_decode",
	.test_cases = initrd_decode_cases,
};
kunit_test_init_section_suites(&initrd_decode_suite);
