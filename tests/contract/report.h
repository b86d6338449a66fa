/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a case says when something is not as it should be. A case is a function that
 * gets a struct kunit: in a kernel that of KUnit (tests/kunit/support.c), on a host one
 * of GoogleTest's (tests/host/test_contract.cc).
 */
#ifndef INITRD_TESTS_CONTRACT_REPORT_H
#define INITRD_TESTS_CONTRACT_REPORT_H

#include "initrd/support/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kunit;

/* Fails the case, which goes on. */
void initrd_kunit_fail(struct kunit *test, const char *file, int line, const char *what);
void initrd_kunit_differ(struct kunit *test, const char *file, int line, const char *what,
			 u64 found, u64 expected);
/* Marks the case as skipped; the body returns then. */
void initrd_kunit_skip(struct kunit *test, const char *why);

#ifdef __cplusplus
}
#endif

#endif
