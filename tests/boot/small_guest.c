// SPDX-License-Identifier: GPL-2.0
/*
 * /init and /sbin/init of a guest that Debian has no busybox for, see
 * small_guest.py: it is built over the kernel's own tools/include/nolibc.
 *
 * It reports as qemu/guest-init.sh does. The facts: where the root is, a sum of
 * /share/sample, and whether /dev/ram1 keeps what is written to it.
 */
#include <linux/fs.h>

/* The nolibc of older series has none. */
#ifndef O_DIRECT
#ifdef __aarch64__
#define O_DIRECT 0200000
#else
#define O_DIRECT 040000
#endif
#endif

static char buffer[65536] __attribute__((__aligned__(4096)));

/* Reads the start of a file as text; an empty one when that fails. */
static char *text_of(const char *path)
{
	static char text[4096];
	int file = open(path, O_RDONLY);
	ssize_t size = file < 0 ? 0 : read(file, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	close(file);
	return text;
}

/* Copies the word that follows `key` in the kernel's command line. */
static void option(const char *key, char *value, size_t size)
{
	const char *at = text_of("/proc/cmdline");
	size_t length = strlen(key);

	for (; *at && memcmp(at, key, length); at++)
		;
	for (at += *at ? length : 0; *at > ' ' && size > 1; size--)
		*value++ = *at++;
	*value = '\0';
}

/* The FNV-1a hash of a file, 0 when it cannot be read. */
static unsigned int sum_of(const char *path)
{
	unsigned int sum = 2166136261u;
	int file = open(path, O_RDONLY);
	ssize_t size;

	while ((size = read(file, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < size; i++)
			sum = (sum ^ (unsigned char)buffer[i]) * 16777619u;
	close(file);
	return size < 0 ? 0 : sum;
}

static void fill(int step)
{
	for (size_t i = 0; i < sizeof(buffer); i++)
		buffer[i] = (char)(i * 7 + i / 4096 + step * 13);
}

/* Fills a RAM disk past the page cache and reads it back; the bytes read. */
static int write_and_read(const char *path)
{
	static char again[sizeof(buffer)] __attribute__((__aligned__(4096)));
	int file = open(path, O_RDWR | O_DIRECT);
	int same = 0;

	if (file < 0)
		return -1;
	for (int step = 0; fill(step), write(file, buffer, sizeof(buffer)) == sizeof(buffer); step++)
		;
	lseek(file, 0, SEEK_SET);
	for (int step = 0; read(file, again, sizeof(again)) == sizeof(again); step++) {
		fill(step);
		if (!memcmp(buffer, again, sizeof(buffer)))
			same += sizeof(buffer);
	}
	close(file);
	return same;
}

int main(void)
{
	char token[64], port[32] = "/dev/";
	const char *mounts, *root = "none";
	int file;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	option("initrd_test.token=", token, sizeof(token));
	option("initrd_test.port=", port + 5, sizeof(port) - 5);
	file = open(port, O_WRONLY);
	if (file >= 0)
		dup2(file, 1);
	printf("BEGIN %s\n", token);

	for (mounts = text_of("/proc/mounts"); *mounts; mounts++)
		if (!memcmp(mounts, " / ", 3))
			root = mounts + 3;
	printf("root: ");
	write(1, root, strchr(root, ' ') ? (size_t)(strchr(root, ' ') - root) : strlen(root));
	printf("\nsum: %x\n", sum_of("/share/sample"));
	printf("ram1: %d\n", write_and_read("/dev/ram1"));
	printf("SUCCESS %s\n", token);
	reboot(LINUX_REBOOT_CMD_RESTART);
	return 1;
}
