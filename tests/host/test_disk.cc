// SPDX-License-Identifier: GPL-2.0
// ramdisk/Disk and the functions that the block layer's shim calls.

#include "fixture.h"
#include "initrd/seam/files.h"
#include "ramdisk/ramdisk.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using ramdisk::Disk;

class Disks : public host::World {
protected:
	static Disk &disk(u32 number = 0) { return *Disk::find_or_create(number).value(); }

	static ramdisk_disk *handle(Disk &disk) { return reinterpret_cast<ramdisk_disk *>(&disk); }
};

TEST_F(Disks, AreMadeOnceAndFoundAgain)
{
	host::set_default_disk_kib(8192);
	Disk &first = disk();

	EXPECT_EQ(&disk(), &first);
	EXPECT_NE(&disk(7), &first);
	EXPECT_EQ(ramdisk_create(7), 0);
	EXPECT_EQ(host::gendisks().size(), 2u);
	EXPECT_EQ(host::gendisks()[0].size, 8192u << 10);
	EXPECT_EQ(disk(7).number(), 7u);
}

TEST_F(Disks, AreAllDestroyed)
{
	disk(1);
	ASSERT_TRUE(disk(2).write(0, host::bytes_of({1}), RAMDISK_MAY_SLEEP).ok());
	ramdisk_destroy_all();
	EXPECT_FALSE(host::gendisks()[1].visible);
	EXPECT_FALSE(host::gendisks()[2].visible);
	EXPECT_EQ(host::live(), host::Live());
}

TEST_F(Disks, GrowInUnitsOfFourKibibytesAndNeverShrink)
{
	host::set_default_disk_kib(16);
	Disk &ram0 = disk();

	ASSERT_TRUE(ram0.grow(100).ok());
	EXPECT_EQ(host::gendisks()[0].size, 16384u);
	ASSERT_TRUE(ram0.grow(16385).ok());
	EXPECT_EQ(host::gendisks()[0].size, 20480u);
	ASSERT_TRUE(ram0.grow(20480).ok());
	EXPECT_EQ(host::gendisks()[0].size, 20480u);
	EXPECT_EQ(ram0.grow(~0ull).error().code, kTooBig);
	EXPECT_EQ(host::gendisks()[0].size, 20480u);
}

TEST_F(Disks, DiscardFreesWholePagesOnly)
{
	Disk &ram0 = disk();

	ASSERT_TRUE(ram0.write(0, host::bytes_of(Data(5 * kPage, 1)), RAMDISK_MAY_SLEEP).ok());
	ramdisk_discard(handle(ram0), 1, kPage - 1);
	EXPECT_EQ(ram0.pages(), 5u);
	ramdisk_discard(handle(ram0), 512, 2 * kPage);
	EXPECT_EQ(ram0.pages(), 4u);
	ramdisk_discard(handle(ram0), 2 * kPage, 3 * kPage);
	EXPECT_EQ(ram0.pages(), 1u);
	ramdisk_discard(handle(ram0), 0, 0);
	EXPECT_EQ(ramdisk_pages(handle(ram0)), 1u);
}

TEST_F(Disks, TheShimReadsWhatItWrote)
{
	Disk &ram0 = disk();
	const Data data = host::sample(3000);
	Data found(3000);

	ASSERT_EQ(ramdisk_write(handle(ram0), 3500, data.data(), data.size(), RAMDISK_MAY_SLEEP),
		  0);
	ramdisk_read(handle(ram0), 3500, found.data(), found.size());
	EXPECT_EQ(found, data);
	host::page_rules().no_page_at_once = true;
	EXPECT_EQ(ramdisk_write(handle(ram0), 1 << 20, data.data(), 1, RAMDISK_NO_WAIT), -12);
}

TEST_F(Disks, ClearWaitsUntilThePagesAreFree)
{
	Disk &ram0 = disk();

	host::page_rules().retire_late = true;
	ASSERT_TRUE(ram0.write(0, host::bytes_of(Data(5 * kPage, 1)), RAMDISK_MAY_SLEEP).ok());
	ram0.clear();
	EXPECT_EQ(ram0.pages(), 0u);
	EXPECT_EQ(host::live().pages, 0u);
}

TEST_F(Disks, AreWholeWhenTheyCanBeSeen)
{
	size_t users = 0;

	host::set_on_show([&](ramdisk_disk *disk) {
		const u32 number = users++ ? 7 : 0;

		// All that anybody can do with one.
		host::open_disk(number);
		EXPECT_EQ(ramdisk_flush(disk), -kNotForIt);
		EXPECT_EQ(ramdisk_pages(disk), 0u);
		EXPECT_EQ(ramdisk_write(disk, 0, "x", 1, RAMDISK_MAY_SLEEP), 0);
		ramdisk_discard(disk, 0, kPage);
		host::close_disk(number);
		EXPECT_EQ(host::gendisks()[number].size, 4096u << 10);
	});
	disk(0);
	disk(7);
	EXPECT_EQ(users, 2u);
}

TEST_F(Disks, EveryFailureToMakeOneLeavesNothing)
{
	for (uint64_t n = 1; n <= 3; n++) {
		host::fail_allocation(n);
		auto made = Disk::find_or_create(0);

		ASSERT_FALSE(made) << n;
		EXPECT_EQ(made.error().code, kNoMemory);
		EXPECT_EQ(host::live(), host::Live()) << n;
	}
	host::set_gendisk_status(-kExists);
	EXPECT_EQ(ramdisk_create(0), -kExists);
	EXPECT_EQ(host::live(), host::Live());
	EXPECT_EQ(ramdisk_create(0), -kExists) << "it is not found either";
	host::set_gendisk_status(0);
	EXPECT_EQ(ramdisk_create(0), 0);
}

TEST_F(Disks, AreMadeAsFarAsThereAreNumbersForThem)
{
	int status;

	EXPECT_EQ(ramdisk_create_first(-1, &status), 0u);
	EXPECT_EQ(ramdisk_create_first(3, &status), 3u);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(host::gendisks().size(), 3u);
	// (Number 250 is not one that can be made.)
	EXPECT_EQ(ramdisk_create_first(252, &status), 252u);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(host::gendisks().size(), 251u);
	EXPECT_EQ(ramdisk_create_first(2000000000, &status), 4096u);
	EXPECT_EQ(status, -kTooBig);
	EXPECT_EQ(host::gendisks().size(), 4095u);

	// 1 << 20 device numbers in all.
	ramdisk_destroy_all();
	host::gendisks().clear();
	host::set_minors(1 << 14);
	EXPECT_EQ(ramdisk_create_first(2000000000, &status), 64u);
	EXPECT_EQ(status, -kTooBig);
	// (Where a product of 32 bits would be that of disk 0.)
	EXPECT_EQ(ramdisk_create(1 << 18), -kTooBig);
	EXPECT_EQ(ramdisk_create(~0u), -kTooBig);
	EXPECT_EQ(host::gendisks().size(), 64u);
}

TEST_F(Disks, AreMadeAsFarAsThereIsMemoryForThem)
{
	int status;

	host::set_memory_for_pages(kPage);
	EXPECT_EQ(ramdisk_create_first(16, &status), 0u);
	EXPECT_EQ(status, -kNoMemory);
	host::set_memory_for_pages(~0ull);
	host::fail_allocation(9);
	EXPECT_EQ(ramdisk_create_first(16, &status), 2u);
	EXPECT_EQ(status, -kNoMemory);
}

TEST_F(Disks, PartitionsAreLookedForOnlyWhereThereAreMinorNumbersForThem)
{
	disk().end_load();
	EXPECT_EQ(host::gendisks()[0].rescans, 0u);
	host::set_minors(16);
	disk().end_load();
	EXPECT_EQ(host::gendisks()[0].rescans, 1u);
}

TEST_F(Disks, OwnTheirMinorNumbers)
{
	host::set_minors(4);
	EXPECT_TRUE(disk(0).owns(0));
	EXPECT_TRUE(disk(0).owns(3));
	EXPECT_FALSE(disk(0).owns(4));
	EXPECT_FALSE(disk(1).owns(3));
	EXPECT_TRUE(disk(1).owns(4));
	EXPECT_FALSE(disk(1).owns(8));
}

TEST(RamdiskSize, IsKibibytesOrHasASuffix)
{
	EXPECT_EQ(ramdisk_parse_kib("4096"), 4096u);
	EXPECT_EQ(ramdisk_parse_kib("0x1000"), 4096u);
	EXPECT_EQ(ramdisk_parse_kib("16M"), 16384u);
	EXPECT_EQ(ramdisk_parse_kib("64k"), 64u);
	EXPECT_EQ(ramdisk_parse_kib("2G"), 2u << 20);
	EXPECT_EQ(ramdisk_parse_kib(""), 0u);
	EXPECT_EQ(ramdisk_parse_kib("lots"), 0u);
	EXPECT_EQ(ramdisk_parse_kib("16MB"), 0u);
	EXPECT_EQ(ramdisk_parse_kib("99999999999999999999"), 0u);
}

TEST(RamdiskPartitions, DivideTheMinorNumbers)
{
	EXPECT_EQ(ramdisk_sane_partitions(0, 256), 1);
	EXPECT_EQ(ramdisk_sane_partitions(-5, 256), 1);
	EXPECT_EQ(ramdisk_sane_partitions(1, 256), 1);
	EXPECT_EQ(ramdisk_sane_partitions(5, 256), 8);
	EXPECT_EQ(ramdisk_sane_partitions(16, 256), 16);
	EXPECT_EQ(ramdisk_sane_partitions(129, 256), 256);
	EXPECT_EQ(ramdisk_sane_partitions(1000, 256), 256);
}

TEST_F(Disks, LeaveTheMinorNumberOfDevInitrdAlone)
{
	EXPECT_EQ(ramdisk_create(250), -kExists);
	EXPECT_EQ(ramdisk_create_for_minor(250), -kExists);
	EXPECT_EQ(host::gendisks().count(250), 0u);
	EXPECT_EQ(ramdisk_create_for_minor(251), 0);
	EXPECT_EQ(host::gendisks()[251].first_minor, 251u);
	EXPECT_EQ(host::live().blocks, 2u) << "one disk and its gendisk";
}

TEST_F(Disks, WithPartitionsStopBeforeTheMinorNumberOfDevInitrd)
{
	host::set_minors(16);
	Disk &ram15 = disk(15);

	EXPECT_EQ(host::gendisks()[15].first_minor, 240u);
	EXPECT_EQ(host::gendisks()[15].minors, 10u);
	EXPECT_TRUE(ram15.owns(249));
	EXPECT_FALSE(ram15.owns(250));
	disk(16);
	EXPECT_EQ(host::gendisks()[16].first_minor, 256u);
	EXPECT_EQ(host::gendisks()[16].minors, 16u);
}

class InitrdDisk : public Disks {
protected:
	void SetUp() override
	{
		disk();
		// Nobody looks for partitions any more.
		seam_files_flush();
		disk().begin_load();
		ASSERT_TRUE(
			disk().write(0, host::bytes_of(host::sample(3 * kPage)), RAMDISK_MAY_SLEEP)
				.ok());
		disk().end_load();
		host::gendisks()[0].cache_drops = 0;
	}

	static int flush() { return ramdisk_flush(handle(disk())); }

	// blockdev --flushbufs
	static int open_and_flush()
	{
		host::open_disk(0);
		const int status = flush();

		host::close_disk(0);
		return status;
	}

	// As a mount, or a program, that writes.
	static void use(bool claims, bool writes)
	{
		host::open_disk(0);
		host::gendisks()[0].claimed = claims;
		if (writes)
			EXPECT_EQ(ramdisk_write(handle(disk()), 5, "new", 3, RAMDISK_MAY_SLEEP), 0);
		host::gendisks()[0].claimed = false;
		host::close_disk(0);
	}
};

TEST_F(InitrdDisk, IsOneHoweverOftenItIsMountedAtBoot)
{
	// As one type of file system after the other.
	use(true, false);
	use(true, true);
	use(true, true);
	host::set_boot_is_over(true);
	// /initrd, as long as it is mounted, with others who look at it, or write to it.
	host::open_disk(0);
	host::gendisks()[0].claimed = true;
	host::open_disk(0);
	host::close_disk(0);
	EXPECT_EQ(ramdisk_write(handle(disk()), 0, "x", 1, RAMDISK_MAY_SLEEP), 0);
	EXPECT_EQ(flush(), 0);
	EXPECT_EQ(disk().pages(), 0u);
}

TEST_F(InitrdDisk, MayBeEmptiedLongAfterItWasUnmounted)
{
	use(true, true);
	host::set_boot_is_over(true);
	use(true, true);
	for (int i = 0; i < 3; i++)
		use(i, false); // blkid; mount -o ro
	EXPECT_EQ(open_and_flush(), 0);
	EXPECT_EQ(disk().pages(), 0u);
}

TEST_F(InitrdDisk, IsOneNoMoreWhenItWasUnmountedAndIsPutToAnotherUse)
{
	for (const bool by_mount : {false, true}) {
		disk().begin_load();
		host::set_boot_is_over(true);
		use(true, true);
		use(by_mount, true);
		EXPECT_EQ(open_and_flush(), -kNotForIt);
		EXPECT_EQ(disk().pages(), 1u) << "it is not emptied";
		host::set_boot_is_over(false);
	}
}

TEST_F(InitrdDisk, IsOneNoMoreWhateverElseHasItOpenMeanwhile)
{
	host::set_boot_is_over(true);
	host::open_disk(0);
	use(true, true);
	use(true, true);
	host::close_disk(0);
	EXPECT_EQ(open_and_flush(), -kNotForIt);
	EXPECT_EQ(disk().pages(), 3u);
}

TEST_F(InitrdDisk, IsNotEmptiedByItsLastUserWhenItIsPutToAnotherUse)
{
	host::open_disk(0);
	EXPECT_FALSE(disk().retire());
	host::set_boot_is_over(true);
	host::open_disk(0);
	host::close_disk(0);
	EXPECT_EQ(ramdisk_write(handle(disk()), 0, "x", 1, RAMDISK_MAY_SLEEP), 0);
	host::close_disk(0);
	EXPECT_EQ(disk().pages(), 3u);
}

TEST_F(InitrdDisk, NothingOfBeforeIsLeftInItOrInThePageCache)
{
	u64 left = 0;
	size_t drops = 0;

	host::open_disk(0);
	host::gendisks()[0].on_cache_drop = [&] {
		left = disk().pages();
		drops++;
	};
	disk().begin_load();
	EXPECT_EQ(left, 3u) << "a page written back later would come to life again";
	EXPECT_EQ(disk().pages(), 0u);
	EXPECT_EQ(drops, 1u);
	ASSERT_TRUE(disk().write(0, host::bytes_of(host::sample(10)), RAMDISK_AT_BOOT).ok());
	disk().end_load();
	EXPECT_EQ(drops, 2u) << "what was read before it was loaded";
	EXPECT_EQ(left, 1u);
	host::close_disk(0);
	EXPECT_EQ(disk().pages(), 1u);
}

TEST_F(InitrdDisk, TakesNoPagesOverUnderItsUsers)
{
	host::set_image(host::sample(2 * kPage));
	const seam_range own = host::image_own_pages();

	host::open_disk(0);
	auto adopted = disk().adopt(own.size, host::give_image_away);

	ASSERT_FALSE(adopted);
	EXPECT_EQ(adopted.error().code, kBusy);
	EXPECT_EQ(disk().pages(), 3u);
	host::close_disk(0);
	ASSERT_TRUE(disk().adopt(own.size, host::give_image_away).ok());
}

TEST_F(InitrdDisk, IsEmptiedByBlkflsbuf)
{
	host::gendisks()[0].users = 1;
	EXPECT_EQ(flush(), 0);
	EXPECT_EQ(disk().pages(), 0u);
	EXPECT_EQ(host::live().pages, 0u);
	EXPECT_EQ(host::gendisks()[0].cache_drops, 1u);
	EXPECT_FALSE(host::gendisks()[0].locked);
}

TEST_F(InitrdDisk, ForgetsThePageCacheFirst)
{
	u64 left = 0;

	host::gendisks()[0].users = 1;
	host::gendisks()[0].on_cache_drop = [&left] { left = disk().pages(); };
	EXPECT_EQ(flush(), 0);
	EXPECT_EQ(left, 3u) << "a page written back later would come to life again";
}

TEST_F(InitrdDisk, IsNotEmptiedUnderOtherUsers)
{
	host::gendisks()[0].users = 2;
	EXPECT_EQ(flush(), -kBusy);
	EXPECT_EQ(disk().pages(), 3u);
	EXPECT_EQ(host::gendisks()[0].cache_drops, 0u);
	EXPECT_FALSE(host::gendisks()[0].locked);
	host::gendisks()[0].users = 1;
	EXPECT_EQ(flush(), 0);
}

TEST_F(InitrdDisk, IsAnOrdinaryDiskAfterwards)
{
	host::gendisks()[0].users = 1;
	EXPECT_EQ(flush(), 0);
	ASSERT_TRUE(disk().write(0, host::bytes_of(host::sample(kPage)), RAMDISK_MAY_SLEEP).ok());
	EXPECT_EQ(flush(), -kNotForIt);
	EXPECT_EQ(disk().pages(), 1u);
}

TEST_F(InitrdDisk, OthersKeepTheirDataOnBlkflsbuf)
{
	Disk &ram1 = disk(1);

	ASSERT_TRUE(ram1.write(0, host::bytes_of(host::sample(kPage)), RAMDISK_MAY_SLEEP).ok());
	host::gendisks()[1].users = 1;
	EXPECT_EQ(ramdisk_flush(handle(ram1)), -kNotForIt);
	EXPECT_EQ(ram1.pages(), 1u);
}

TEST_F(InitrdDisk, RetiresAtOnceOrWithItsLastUser)
{
	host::open_disk(0);
	host::open_disk(0);
	EXPECT_FALSE(disk().retire());
	EXPECT_EQ(disk().pages(), 3u);
	host::close_disk(0);
	EXPECT_EQ(disk().pages(), 3u);
	host::close_disk(0);
	EXPECT_EQ(disk().pages(), 0u);

	use(false, true);
	EXPECT_EQ(disk().pages(), 1u) << "only once";
	EXPECT_TRUE(disk().retire());
	EXPECT_EQ(disk().pages(), 0u);
}

} // namespace
