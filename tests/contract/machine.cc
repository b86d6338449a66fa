// SPDX-License-Identifier: GPL-2.0
// initrd/seam/memory.h, cpus.h, log.h, random.h: the machine.

#include "initrd/seam/cpus.h"
#include "initrd/seam/log.h"
#include "initrd/seam/memory.h"
#include "initrd/seam/random.h"
#include "tests/contract/cases.h"
#include "tests/contract/expect.h"

void contract_memory(struct kunit *test)
{
	constexpr size_t kSizes[] = {1, 24, 100, 4096, 5000, size_t{1} << 20};

	for (const size_t size : kSizes) {
		u8 *const memory = static_cast<u8 *>(seam_alloc(size));

		EXPECT(test, memory);
		if (!memory)
			continue;
		// SAFETY: an address is looked at, not read.
		EXPECT_EQ(test, reinterpret_cast<size_t>(memory) % alignof(u64), 0);
		memory[0] = 1;
		memory[size - 1] = 2;
		EXPECT_EQ(test, memory[size - 1], 2);
		seam_free(memory);
	}
	seam_free(nullptr);
	// More than there is: no memory, and no trouble.
	EXPECT(test, !seam_alloc(~size_t{0} / 4));
}

void contract_memory_figures(struct kunit *test)
{
	const size_t page = seam_page_size();

	EXPECT(test, page >= 4096);
	EXPECT_EQ(test, page & (page - 1), 0);
	EXPECT(test, seam_memory_available() > 0);
	EXPECT(test, seam_memory_available() <= seam_memory_total());
	EXPECT(test, seam_memory_low() <= seam_memory_total());
	EXPECT(test, seam_memory_low() > 0);
	EXPECT(test, seam_memory_for_objects() > 0);
}

void contract_cpus(struct kunit *test)
{
	EXPECT(test, seam_cpus() >= 1);
	seam_cond_resched();
}

namespace {

struct Work {
	u32 begun = 0;
	u32 ended = 0;
};

void work(void *context)
{
	Work &work = *static_cast<Work *>(context);

	__atomic_fetch_add(&work.begun, 1, __ATOMIC_RELAXED);
	seam_cond_resched();
	__atomic_fetch_add(&work.ended, 1, __ATOMIC_RELEASE);
}

size_t format(char *to, size_t size, const char *format, ...)
{
	__builtin_va_list arguments;

	__builtin_va_start(arguments, format);
	const size_t length = seam_format(to, size, format, arguments);

	__builtin_va_end(arguments);
	return length;
}

} // namespace

// Called once at least, not more often than told, and all is over afterwards.
void contract_parallel(struct kunit *test)
{
	for (size_t calls = 1; calls <= seam_cpus(); calls++) {
		Work done;

		seam_run_parallel(work, &done, calls);
		const u32 ended = __atomic_load_n(&done.ended, __ATOMIC_ACQUIRE);

		EXPECT(test, ended >= 1);
		EXPECT(test, ended <= calls);
		EXPECT_EQ(test, done.begun, ended);
	}
}

void contract_log(struct kunit *test)
{
	char text[8];
	const u64 before = seam_now_ns();

	EXPECT_EQ(test, format(text, sizeof(text), "%u-%s", 12u, "ab"), 5);
	EXPECT_EQ(test, __builtin_strcmp(text, "12-ab"), 0);
	// Cut off, with a NUL, and counted as it is.
	EXPECT_EQ(test, format(text, sizeof(text), "%s", "much too long"), 7);
	EXPECT_EQ(test, __builtin_strcmp(text, "much to"), 0);
	EXPECT(test, seam_now_ns() >= before);
}

void contract_random(struct kunit *test)
{
	const u64 first = seam_random();

	EXPECT(test, seam_random() != first || seam_random() != first);
}
