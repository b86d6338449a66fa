// SPDX-License-Identifier: GPL-2.0
// A RAM disk under several users at the same time: reads, writes, discards, flushes, opens
// and closes, with and without adopted pages. It has a build of its own, under
// ThreadSanitizer, which sees what no lock and no read-side section keeps apart.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "initrd/hosted/world.h"
#include "initrd/seam/image.h"
#include "ramdisk/ramdisk.h"

namespace host {
void reset_blkdev();
void reset_image();
void reset_memory();
void reset_pages();
} // namespace host

namespace {

using namespace initrd;
using host::kPage;
using ramdisk::Disk;

constexpr size_t kThreads = 3;
constexpr size_t kPages = 12;
// Each unit is one thread's, to write and to read; every page has some of all threads.
constexpr size_t kUnit = 512;
constexpr size_t kUnits = kPages * kPage / kUnit;
// What every unit of the image holds.
constexpr u8 kImage = 200;

void expect(bool right, const char *what)
{
	if (right)
		return;
	std::fprintf(stderr, "not so: %s\n", what);
	for (const std::string &complaint : host::complaints())
		std::fprintf(stderr, "  %s\n", complaint.c_str());
	std::abort();
}

void start_anew()
{
	host::reset_pages();
	host::reset_image();
	host::reset_memory();
	host::reset_blkdev();
}

enum class Operation : u8 {
	kWrite,
	kRead,
	kDiscard,
	kFlush,
	kOpen,
	kClose,
	kRetire,
	kClear,
	kFind,
	kMaxValue = kFind,
};

struct Step {
	Operation operation;
	u8 place;
	u8 more;
};

// One user: of its own units it knows what it wrote last; a discard makes zeros of it.
class User {
public:
	User(size_t number, Disk &disk, u8 content) : number_(number), disk_(disk)
	{
		for (u8 &byte : last_)
			byte = content;
	}

	void run(const std::vector<Step> &steps)
	{
		for (const Step &step : steps)
			take(step);
		while (opened_)
			close();
		for (size_t unit = number_; unit < kUnits; unit += kThreads)
			read(unit);
	}

private:
	ramdisk_disk *handle() const { return reinterpret_cast<ramdisk_disk *>(&disk_); }
	size_t own(u8 place) const
	{
		return (place * kThreads + number_) % (kUnits / kThreads * kThreads);
	}

	void write(size_t unit, u8 byte)
	{
		const std::vector<u8> data(kUnit, byte);

		expect(!ramdisk_write(handle(), unit * kUnit, data.data(), kUnit,
				      RAMDISK_MAY_SLEEP),
		       "a write succeeds");
		last_[unit] = byte;
	}

	void read(size_t unit)
	{
		std::vector<u8> data(kUnit, 0xee);

		ramdisk_read(handle(), unit * kUnit, data.data(), kUnit);
		for (const u8 byte : data)
			expect(byte == data[0], "a unit has come whole");
		expect(data[0] == last_[unit] || !data[0],
		       "what was written last, or nothing, is there");
		last_[unit] = data[0];
	}

	void open()
	{
		host::open_disk(0);
		opened_++;
	}

	void close()
	{
		host::close_disk(0);
		opened_--;
	}

	void take(const Step &step)
	{
		switch (step.operation) {
		case Operation::kWrite:
			// (0 is what a discard leaves.)
			write(own(step.place), static_cast<u8>(step.more | 1));
			break;
		case Operation::kRead:
			read(own(step.place));
			break;
		case Operation::kDiscard:
			ramdisk_discard(handle(), step.place % kPages * kPage,
					(1 + step.more % kPages) * kPage);
			break;
		case Operation::kFlush:
			ramdisk_flush(handle());
			break;
		case Operation::kOpen:
			if (opened_ < 3)
				open();
			break;
		case Operation::kClose:
			if (opened_)
				close();
			break;
		case Operation::kRetire:
			disk_.retire();
			break;
		case Operation::kClear:
			disk_.clear();
			break;
		case Operation::kFind:
			expect(Disk::find_or_create(step.place % 3).ok(),
			       "a disk is found, or made");
			break;
		}
	}

	size_t number_;
	Disk &disk_;
	unsigned opened_ = 0;
	u8 last_[kUnits];
};

void adopt(Disk &disk, size_t pages)
{
	host::set_image(std::vector<u8>(pages * kPage, kImage));

	disk.begin_load();
	expect(disk.adopt(host::image_own_pages().size, host::give_image_away).ok(),
	       "the image is adopted");
	disk.end_load();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	FuzzedDataProvider input(data, size);

	start_anew();
	host::page_rules().retire_late = input.ConsumeBool();
	host::set_boot_is_over(input.ConsumeBool());
	Disk &disk = *Disk::find_or_create(0).value();
	const bool adopts = input.ConsumeBool();

	// It was looked at for partitions, long ago.
	host::gendisks()[0].closing = 0;
	if (adopts)
		adopt(disk, kPages);
	std::vector<Step> steps[kThreads];

	while (input.remaining_bytes()) {
		const size_t user = input.ConsumeIntegralInRange<size_t>(0, kThreads - 1);
		const auto operation = input.ConsumeEnum<Operation>();

		steps[user].push_back(
			{operation, input.ConsumeIntegral<u8>(), input.ConsumeIntegral<u8>()});
	}
	std::vector<std::thread> threads;

	for (size_t i = 0; i < kThreads; i++)
		threads.emplace_back([&, i] { User(i, disk, adopts ? kImage : 0).run(steps[i]); });
	for (std::thread &thread : threads)
		thread.join();
	ramdisk_destroy_all();
	expect(host::complaints().empty(), "nobody complains");
	expect(host::live() == host::Live(), "nothing is left");
	start_anew();
	return 0;
}
