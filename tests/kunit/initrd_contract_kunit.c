// SPDX-License-Identifier: GPL-2.0
/*
 * The contract suite on this side: the kernel's shims. The bodies are in tests/contract/.
 */
#include <kunit/test.h>

#include "tests/contract/cases.h"
#include "tests/kunit/support.h"

#define ENTRY(name) KUNIT_CASE(name),

static struct kunit_case __refdata initrd_contract_cases[] = {
	INITRD_CONTRACT_CASES(ENTRY)
	{}
};

static struct kunit_suite __refdata initrd_contract_suite = {
	.name = "initrd_contract",
	.suite_init = initrd_kunit_wait,
	.test_cases = initrd_contract_cases,
};
kunit_test_init_section_suites(&initrd_contract_suite);
