// SPDX-License-Identifier: GPL-2.0
/*
 * Measures reads and writes of a disk, past the page cache ("direct") and through
 * it ("buffered"), in blocks of several sizes:
 *
 *	disk.NAME.HOW.WHAT.BLOCK: TIME	nanoseconds for the whole place
 */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* The place that is read and written, and the memory that mirrors it. */
struct place {
	const char *name;
	int64_t offset;
	size_t length;
	uint8_t *memory;
};

/* Moves the whole place once, in blocks; returns how long that took. */
static uint64_t transfer(const struct place *place, int fd, int writing, const char *how, size_t block)
{
	uint64_t started;

	if (fsync(fd) < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		fail("/dev/%s: cannot be flushed", place->name);
	started = now();
	for (size_t done = 0; done < place->length; done += block) {
		uint8_t *memory = place->memory + done;
		ssize_t count = writing ? pwrite(fd, memory, block, place->offset + done) :
					  pread(fd, memory, block, place->offset + done);

		if (count != (ssize_t)block) {
			fail("/dev/%s: %s %s of %zu bytes at %lld: %s", place->name, how,
			     writing ? "write" : "read", block, (long long)(place->offset + done),
			     count < 0 ? strerror(errno) : "short");
			break;
		}
	}
	if (writing && fsync(fd) < 0)
		fail("/dev/%s: fsync: %s", place->name, strerror(errno));
	return now() - started;
}

/* Does so several times and sends the shortest, which nothing has disturbed. */
static void measure(const struct place *place, int fd, int writing, const char *how, size_t block, int times)
{
	uint64_t best = UINT64_MAX;

	while (times--) {
		uint64_t time = transfer(place, fd, writing, how, block);

		if (time < best)
			best = time;
	}
	say("disk.%s.%s.%s.%zu: %llu", place->name, how, writing ? "write" : "read", block,
	    (unsigned long long)best);
}

/*
 * Measures the disk of "NAME:OFFSET:LENGTH[:fresh]". Unless it is fresh, it has
 * the same content afterwards: what is written is what was read.
 */
void measure_disk(char *word)
{
	enum { TIMES = 3 };
	static const size_t blocks[] = { 4096, 65536, 1048576 };
	struct place place = { .name = strsep(&word, ":") };
	const char *offset = strsep(&word, ":"), *length = strsep(&word, ":");
	char path[64];

	if (!length) {
		fail("bench.disk= is malformed");
		return;
	}
	place.offset = strtoll(offset, NULL, 10);
	place.length = strtoul(length, NULL, 10);
	place.memory = mmap(NULL, place.length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	snprintf(path, sizeof(path), "/dev/%.40s", place.name);
	int direct = open(path, O_RDWR | O_DIRECT), buffered = open(path, O_RDWR);

	if (direct < 0 || buffered < 0 || place.memory == MAP_FAILED) {
		fail("%s: %s", path, strerror(errno));
		return;
	}
	if (word) {
		memset(place.memory, 0x5a, place.length);
		measure(&place, direct, 1, "first", 1048576, 1);
	}
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		measure(&place, direct, 0, "direct", blocks[i], TIMES);
		measure(&place, direct, 1, "direct", blocks[i], TIMES);
		measure(&place, buffered, 0, "buffered", blocks[i], TIMES);
		measure(&place, buffered, 1, "buffered", blocks[i], TIMES);
	}
	munmap(place.memory, place.length);
	close(direct);
	close(buffered);
}
