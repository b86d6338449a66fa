// SPDX-License-Identifier: GPL-2.0
/*
 * The RAM disk's pages, on the kernel's pages, xarray and RCU.
 * The bodies are in ramdisk_cases.cc.
 */
#include <kunit/test.h>

#include "tests/kunit/support.h"

#define ENTRY(name) KUNIT_CASE(name),

static struct kunit_case __refdata initrd_ramdisk_cases[] = {
	INITRD_RAMDISK_CASES(ENTRY)
	{}
};

static struct kunit_suite __refdata initrd_ramdisk_suite = {
	.name = "initrd_ramdisk",
	.test_cases = initrd_ramdisk_cases,
};
kunit_test_init_section_suites(&initrd_ramdisk_suite);
