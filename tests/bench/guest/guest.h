/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the benchmark's init share. */
#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

/* Sends a line to the host. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Keeps the reason for a failure, the first one; the others are forgotten. */
__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);

/* Measures the disk of a word "NAME:OFFSET:LENGTH[:fresh]", which it takes apart. */
void measure_disk(char *word);

#endif
