// SPDX-License-Identifier: GPL-2.0
// A whole boot from any bytes: what ends up in the root file system and in the RAM
// disk does not depend on where the boot loader put the image, on how many processors
// there are, or on who keeps the memory; and every page has one owner.

#include <algorithm>

#include "boots.h"
#include "initrd/seam/files.h"
#include "initrd/seam/image_device.h"
#include "target.h"

namespace {

using host::Data;
using host::Own;

constexpr u64 kMemory = u64{48} << 20;
constexpr u64 kRoom = u64{32} << 20;

// What has a say in the result.
struct Wishes {
	bool noinitrd = false;
	bool strict = false;
	bool on_ram0 = false;
	int start_block = 0;
	bool builtin = false;
	u64 room = kRoom;
};

// What has none.
struct Circumstances {
	size_t misalignment = 0;
	Own own = Own::kBoth;
	size_t cpus = 1;
	size_t crash_pages = 0;
	bool retain = false;
	bool files_are_pages = true;
	bool no_range = false;
	bool retire_late = false;
};

struct Outcome {
	std::string tree;
	Data ram0; // nothing where there is none
	u64 size = 0;
	int mounted = 0;
	bool panic = false;
	bool trouble = false;

	bool operator==(const Outcome &) const = default;
};

Wishes wishes_of(FuzzedDataProvider &input)
{
	Wishes wishes;

	wishes.noinitrd = input.ConsumeIntegral<u8>() == 1;
	wishes.strict = input.ConsumeBool();
	wishes.on_ram0 = input.ConsumeBool();
	wishes.start_block = input.ConsumeIntegralInRange(0, 3);
	wishes.builtin = input.ConsumeIntegral<u8>() == 1;
	if (input.ConsumeIntegral<u8>() == 1)
		wishes.room = input.ConsumeIntegral<u16>();
	return wishes;
}

Circumstances circumstances_of(FuzzedDataProvider &input)
{
	constexpr Own kOwns[] = {Own::kBoth, Own::kLast, Own::kNeither};

	return {
		.misalignment = input.ConsumeIntegralInRange<size_t>(0, host::kPage - 1),
		.own = input.PickValueInArray(kOwns),
		.cpus = input.ConsumeIntegralInRange<size_t>(1, 4),
		.crash_pages = input.ConsumeIntegralInRange<size_t>(0, 3),
		.retain = input.ConsumeBool(),
		.files_are_pages = input.ConsumeBool(),
		.no_range = input.ConsumeBool(),
		.retire_late = input.ConsumeBool(),
	};
}

// Everything about a node and what is below it.
void describe(const host::Node &node, const std::string &path, std::string &out)
{
	out += path;
	for (const s64 number : {s64{node.mode}, s64{node.uid}, s64{node.gid}, s64{node.nlink},
				 s64{node.major}, s64{node.minor}, node.mtime})
		out += " " + std::to_string(number);
	out += " " + node.target + "\n";
	out.append(node.data.begin(), node.data.end());
	for (const auto &[name, child] : node.children)
		describe(*child, path + "/" + name, out);
}

bool is_serious(const host::Line &line)
{
	return line.level <= SEAM_LOG_ERR;
}

// The pages of the image that is still held as /dev/initrd.
void expect_device(const Data &image)
{
	Data data(image.size());

	ASSERT_EQ(ramdisk_image_size(), image.size());
	ramdisk_image_read(0, data.data(), data.size());
	EXPECT_TRUE(data == image);
	ramdisk_image_give_up();
}

// The kernel's calls, in its order.
int call_boot()
{
	initrd_reserve();
	initrd_populate_rootfs();
	EXPECT_TRUE(host::image_forgotten());
	return seam_may_execute("/init") < 0 ? initrd_load_root("/dev/sda1") : 0;
}

Outcome boot(const Data &image, const Wishes &wishes, const Circumstances &circumstances,
	     uint64_t failing_allocation = 0)
{
	Outcome outcome;

	host::reset();
	host::set_memory_limit(kMemory);
	host::set_memory_available(kMemory);
	host::set_room(wishes.room);
	host::set_default_disk_kib(64);
	host::set_strict_hex(wishes.strict);
	host::set_cpus(circumstances.cpus);
	host::set_files_are_pages(circumstances.files_are_pages);
	host::page_rules().no_range = circumstances.no_range;
	host::page_rules().retire_late = circumstances.retire_late;
	host::root().device = wishes.on_ram0 ? 0x100 : 0x801;
	host::root().devices = {{"/dev/sda1", 0x801}};
	if (wishes.builtin)
		host::set_builtin_archive(image);
	if (!image.empty())
		host::set_image(image, circumstances.misalignment, circumstances.own);
	if (circumstances.crash_pages && !image.empty())
		host::set_crash_reservation(0, circumstances.crash_pages);
	seam_set_image_start_block(wishes.start_block);
	if (circumstances.retain)
		initrd_set(INITRD_PARAMETER_RETAIN, "");
	if (wishes.noinitrd)
		initrd_set(INITRD_PARAMETER_NOINITRD, "");
	host::fail_allocation(failing_allocation);

	try {
		outcome.mounted = call_boot();
	} catch (const host::Panic &) {
		outcome.panic = true;
	}
	host::fail_allocation(0);
	const auto &lines = host::log_lines();

	outcome.trouble = std::any_of(lines.begin(), lines.end(), is_serious);
	describe(*host::node_at("/"), "", outcome.tree);
	if (host::gendisks().contains(0)) {
		outcome.size = host::gendisks()[0].size;
		outcome.ram0.resize(static_cast<size_t>(std::min<u64>(outcome.size, u64{1} << 20)));
		ramdisk::boot_disk().value()->read(
			0, initrd::MutableBytes(outcome.ram0.data(), outcome.ram0.size()));
	}
	if (wishes.noinitrd && !image.empty() && !outcome.panic)
		expect_device(image);
	// Freed, handed over or shared; else it is to be kept.
	const bool kept = circumstances.retain || outcome.panic;

	EXPECT_EQ(host::image_pages().find_first_not_of(kept ? "-FHRDco" : "-FHRDc"),
		  std::string::npos)
		<< host::image_pages();
	if (circumstances.retain && !outcome.panic && !wishes.noinitrd)
		EXPECT_TRUE(host::published() == image);
	host::expect_nothing_left();
	return outcome;
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	const Wishes wishes = wishes_of(input);
	Circumstances circumstances = circumstances_of(input);
	const uint64_t failing = input.ConsumeIntegralInRange<uint64_t>(0, 40);
	const Data image = input.ConsumeRemainingBytes<u8>();

	// What a crash kernel is loaded over cannot be preserved, and that is told.
	if (wishes.noinitrd)
		circumstances.crash_pages = 0;

	const Outcome plain = boot(image, wishes, {});
	const Outcome other = boot(image, wishes, circumstances);

	// Of a RAM disk that could not be loaded whole, how much came is left open.
	EXPECT_EQ(plain.trouble, other.trouble);
	EXPECT_EQ(plain.panic, other.panic);
	EXPECT_EQ(plain.mounted, other.mounted);
	if (!plain.trouble && !other.trouble) {
		EXPECT_EQ(plain.size, other.size);
		EXPECT_TRUE(plain.ram0 == other.ram0);
		EXPECT_TRUE(plain.tree == other.tree);
	}
	// No memory is no reason to lose any, or to do harm.
	if (failing)
		boot(image, wishes, circumstances, failing);
}
