// SPDX-License-Identifier: GPL-2.0
/*
 * Archives, into the root file system of a running kernel.
 * The bodies are in cpio_cases.cc and cpio_node_cases.cc.
 */
#include <kunit/test.h>

#include "tests/kunit/support.h"

#define ENTRY(name) KUNIT_CASE(name),

static struct kunit_case __refdata initrd_cpio_cases[] = {
	INITRD_CPIO_CASES(ENTRY)
	{}
};

static struct kunit_suite __refdata initrd_cpio_suite = {
	.name = "initrd_cpio",
	.suite_init = initrd_kunit_wait,
	.test_cases = initrd_cpio_cases,
};
kunit_test_init_section_suites(&initrd_cpio_suite);
