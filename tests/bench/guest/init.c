// SPDX-License-Identifier: GPL-2.0
/*
 * /init and /sbin/init of the benchmark's images: a static program that says
 * how far the boot came, and when, over a serial port of its own.
 *
 *	BEGIN token		the token comes from initrd_test.token=
 *	kmsg.N: TIME TEXT	the kernel's log, with its stamps in microseconds
 *	idle: TIME		nanoseconds that the processor had nothing to do
 *	check.N: WHAT		ok, or what is wrong
 *	disk.…: TIME		nanoseconds, see disk.c
 *	SUCCESS token | FAILURE reason
 *
 * On the kernel's command line:
 *
 *	initrd_test.port=ttyS1
 *	bench.check=FILE:OFFSET:LENGTH:CRC32	bytes of a file or device that have
 *						to be there; may be repeated
 *	bench.disk=NAME:OFFSET:LENGTH[:fresh]	measure /dev/NAME; may be repeated
 *
 * Then it powers off.
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int port = -1;
static char failure[200];

void say(const char *format, ...)
{
	char line[1200];
	va_list arguments;
	size_t done = 0;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if ((size_t)length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	while (done < (size_t)length) {
		ssize_t count = write(port, line + done, length - done);

		if (count <= 0)
			return;
		done += count;
	}
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!failure[0])
		vsnprintf(failure, sizeof(failure), format, arguments);
	va_end(arguments);
}

static void open_port(const char *name)
{
	struct termios settings;
	char path[64];

	snprintf(path, sizeof(path), "/dev/%.40s", name);
	port = open(path, O_WRONLY | O_NOCTTY);
	if (port >= 0 && tcgetattr(port, &settings) == 0) {
		cfmakeraw(&settings);
		tcsetattr(port, TCSANOW, &settings);
	}
}

/* Sends the kernel's log, a line per record. */
static void send_log(void)
{
	char record[4096];
	unsigned int number = 0;
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	for (;;) {
		ssize_t length = read(log, record, sizeof(record) - 1);

		if (length < 0 && errno == EPIPE)
			continue; /* records were lost, go on with the next */
		if (length <= 0)
			break;
		record[length] = 0;
		char *text = strchr(record, ';');
		const char *level = strchr(record, ',');
		const char *stamp = level ? strchr(level + 1, ',') : NULL;

		if (!text || !stamp)
			continue;
		text[1 + strcspn(text + 1, "\n")] = 0;
		say("kmsg.%u: %llu %.900s", number++, strtoull(stamp + 1, NULL, 10), text + 1);
	}
	close(log);
}

/* Sends how long the processors have been idle, if the kernel knows. */
static void send_idle(void)
{
	static const char key[] = ".idle_sleeptime";
	unsigned long long sum = 0, value;
	int known = 0;
	char line[256];
	FILE *list = fopen("/proc/timer_list", "r");

	if (!list)
		return;
	while (fgets(line, sizeof(line), list)) {
		const char *found = strstr(line, key);

		if (found && sscanf(found + strlen(key), " : %llu nsecs", &value) == 1) {
			sum += value;
			known = 1;
		}
	}
	fclose(list);
	if (known)
		say("idle: %llu", sum);
}

static uint32_t crc32(const uint8_t *data, size_t length)
{
	uint32_t crc = ~0U;

	while (length--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0);
	}
	return ~crc;
}

/* Checks "FILE:OFFSET:LENGTH:CRC32". */
static void check(char *word, unsigned int number)
{
	const char *file = strsep(&word, ":"), *offset = strsep(&word, ":"), *length = strsep(&word, ":");
	const char *result = "ok";
	uint8_t *data = NULL;

	if (!word) {
		fail("bench.check= is malformed");
		return;
	}
	size_t size = strtoul(length, NULL, 10);
	int fd = open(file, O_RDONLY);

	if (fd < 0)
		result = "is missing";
	else if (!(data = malloc(size)))
		result = "no memory to check it";
	else if (pread(fd, data, size, strtoll(offset, NULL, 10)) != (ssize_t)size)
		result = "is too short";
	else if (crc32(data, size) != strtoul(word, NULL, 16))
		result = "has other content";
	free(data);
	close(fd);
	say("check.%u: %s", number, result);
	if (strcmp(result, "ok"))
		fail("%s %s at offset %s", file, result, offset);
}

int main(void)
{
	static char line[8192];
	const char *token = "none";
	unsigned int checks = 0;
	char *words[300], *rest = line, *word;
	size_t count = 0;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	int fd = open("/proc/cmdline", O_RDONLY);

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		fail("/proc/cmdline: %s", strerror(errno));
	while ((word = strsep(&rest, " \n")) && count < sizeof(words) / sizeof(words[0]))
		words[count++] = word;
	for (size_t i = 0; i < count; i++) {
		if (!strncmp(words[i], "initrd_test.token=", 18))
			token = words[i] + 18;
		else if (!strncmp(words[i], "initrd_test.port=", 17))
			open_port(words[i] + 17);
	}
	say("BEGIN %s", token);
	send_idle();
	send_log();
	for (size_t i = 0; i < count; i++) {
		if (!strncmp(words[i], "bench.check=", 12))
			check(words[i] + 12, checks++);
		else if (!strncmp(words[i], "bench.disk=", 11))
			measure_disk(words[i] + 11);
	}
	if (failure[0])
		say("FAILURE %s", failure);
	else
		say("SUCCESS %s", token);
	tcdrain(port);
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	return 1;
}
