// SPDX-License-Identifier: GPL-2.0
// /dev/initrd: who may open it, what is read, when it is gone.

#include <algorithm>

#include "boots.h"
#include "initrd/seam/image_device.h"
#include "ramdisk/image_device.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;

// Stand for two processes.
const char shell = 0;
const char mount = 0;

class ImageDevice : public host::Boot {
protected:
	void SetUp() override { ramdisk_image_start(); }

	/* Boots with `content` and noinitrd. */
	static void preserve(const Data &content, size_t misalignment = 0)
	{
		host::set_image(content, misalignment);
		initrd_set(INITRD_PARAMETER_NOINITRD, "");
		ASSERT_EQ(boot("/dev/sda1"), 0);
	}

	static Data read(u64 offset, size_t size)
	{
		Data data(size, 0xee);

		ramdisk_image_read(offset, data.data(), size);
		return data;
	}

	static int open() { return ramdisk_image_open(false, false, nullptr); }
	static void close() { ramdisk_image_close(&shell); }
};

TEST_F(ImageDevice, HasNothingWithoutAnImage)
{
	host::set_image({});
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	EXPECT_EQ(boot("/dev/sda1"), 0);
	EXPECT_EQ(open(), -kNoDevice);
	EXPECT_EQ(ramdisk_image_size(), 0u);
}

TEST_F(ImageDevice, HasNothingWithoutNoinitrd)
{
	host::set_image(host::ext2_image(5 * kPage));
	EXPECT_EQ(boot("/dev/ram0"), 0);
	EXPECT_EQ(open(), -kNoDevice);
}

TEST_F(ImageDevice, ShowsTheBytesAsTheyAre)
{
	const Data content = host::sample(3 * kPage + 77);

	preserve(content);
	EXPECT_EQ(ramdisk_image_size(), content.size());
	EXPECT_EQ(host::image_device_size(), content.size());
	ASSERT_EQ(open(), 0);
	EXPECT_EQ(read(0, content.size()), content);
	EXPECT_EQ(read(4000, 200), Data(content.begin() + 4000, content.begin() + 4200));
	close();
	expect_no_page_left("D");
}

TEST_F(ImageDevice, IsZeroBehindTheLastByte)
{
	const Data content = host::sample(1000);

	preserve(content);
	ASSERT_EQ(open(), 0);
	Data last = read(512, 512);

	EXPECT_TRUE(std::equal(last.begin(), last.begin() + 488, content.begin() + 512));
	EXPECT_EQ(Data(last.begin() + 488, last.end()), Data(24, 0));
	EXPECT_EQ(read(1024, 512), Data(512, 0));
	EXPECT_EQ(read(~0ull, 1), Data(1, 0));
	close();
}

TEST_F(ImageDevice, NothingIsUnpackedOrLoaded)
{
	const Data archive = host::Archive().file("init", "x").trailer().data();

	preserve(archive);
	EXPECT_EQ(text("/init"), "(nothing)");
	EXPECT_EQ(host::gendisks().count(0), 0u) << "/dev/ram0 was made";
	EXPECT_TRUE(host::root().calls.empty());
	EXPECT_EQ(ramdisk_image_size(), archive.size());
	EXPECT_TRUE(
		host::logged(SEAM_LOG_INFO, "initrd: noinitrd: " + std::to_string(archive.size()) +
						    " bytes in /dev/initrd"));
}

TEST_F(ImageDevice, MakesNoCopy)
{
	host::set_image(host::sample(5 * kPage));
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	boot("/dev/sda1");
	EXPECT_EQ(host::image_pages(), "ddddd");
	EXPECT_EQ(host::live(), host::Live());
}

TEST_F(ImageDevice, CannotBeWritten)
{
	preserve(host::sample(kPage));
	EXPECT_EQ(ramdisk_image_open(true, false, nullptr), -kReadOnly);
	EXPECT_EQ(ramdisk_image_open(true, true, &mount), -kNoAccess)
		<< "or mounting it as the root is not tried again read-only";
	EXPECT_EQ(ramdisk_image_open(true, true, nullptr), -kNoAccess);
	EXPECT_EQ(open(), 0) << "the refusals used it up";
	close();
}

TEST_F(ImageDevice, IsGoneWithItsLastUser)
{
	preserve(host::sample(4 * kPage));
	ASSERT_EQ(open(), 0);
	ASSERT_EQ(open(), 0);
	close();
	EXPECT_EQ(host::image_pages(), "dddd");
	EXPECT_EQ(open(), 0) << "one user is left";
	close();
	close();
	EXPECT_EQ(host::image_pages(), "DDDD");
	EXPECT_EQ(open(), -kNoDevice);
	EXPECT_EQ(ramdisk_image_size(), 0u);
	EXPECT_EQ(host::image_device_size(), 0u);
}

TEST_F(ImageDevice, GivesBackOnlyPagesOfItsOwn)
{
	host::set_image(host::sample(3 * kPage), 100, host::Own::kNeither);
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	boot("/dev/sda1");
	EXPECT_EQ(host::image_pages(), "-dd-");
	ASSERT_EQ(open(), 0);
	close();
	EXPECT_EQ(host::image_pages(), "-DD-");
	EXPECT_TRUE(host::surroundings_intact());
}

TEST_F(ImageDevice, RetainInitrdKeepsIt)
{
	const Data content = host::sample(4 * kPage);

	initrd_set(INITRD_PARAMETER_RETAIN, "");
	preserve(content);
	EXPECT_EQ(host::published(), content);
	ASSERT_EQ(open(), 0);
	close();
	EXPECT_EQ(host::image_pages(), "oooo");
	ASSERT_EQ(open(), 0);
	EXPECT_EQ(read(0, content.size()), content);
	close();
}

TEST_F(ImageDevice, HasNothingThatACrashKernelIsLoadedOver)
{
	host::set_image(host::sample(5 * kPage));
	host::set_crash_reservation(2, 2);
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	boot("/dev/sda1");
	EXPECT_EQ(open(), -kNoDevice);
	EXPECT_EQ(host::image_pages(), "FFccF");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: noinitrd: image lies in the crash kernel's"
					       " memory, dropped"));
}

TEST_F(ImageDevice, GivesUpWhatItHoldsWhenThereWillBeNoDisk)
{
	preserve(host::sample(2 * kPage));
	ramdisk_image_give_up();
	EXPECT_EQ(host::image_pages(), "DD");
	EXPECT_EQ(open(), -kNoDevice);
}

TEST_F(ImageDevice, GivesUpWhatComesAfterItsDiskHasFailed)
{
	ramdisk_image_give_up();
	preserve(host::sample(2 * kPage));
	EXPECT_EQ(host::image_pages(), "DD");
	EXPECT_EQ(open(), -kNoDevice);
}

TEST_F(ImageDevice, IsNotUsedUpByAMountThatFails)
{
	preserve(host::sample(2 * kPage));
	ASSERT_EQ(ramdisk_image_open(false, true, &mount), 0);
	ramdisk_image_close(&mount);
	EXPECT_EQ(host::image_pages(), "dd");
	host::end_system_call();
	EXPECT_EQ(host::image_pages(), "dd");
	EXPECT_EQ(open(), 0);
	close();
	EXPECT_EQ(host::image_pages(), "DD");
}

TEST_F(ImageDevice, IsUsedUpByAMountThatSucceeded)
{
	preserve(host::sample(2 * kPage));
	ASSERT_EQ(ramdisk_image_open(false, true, &mount), 0);
	host::end_system_call();
	ramdisk_image_close(&mount);
	EXPECT_EQ(host::image_pages(), "DD");
}

TEST_F(ImageDevice, AFailingMountDoesNotHideThatAUserHasGone)
{
	preserve(host::sample(2 * kPage));
	ASSERT_EQ(open(), 0);
	ASSERT_EQ(ramdisk_image_open(false, true, &mount), 0);
	close();
	EXPECT_EQ(host::image_pages(), "dd");
	ramdisk_image_close(&mount);
	host::end_system_call();
	EXPECT_EQ(host::image_pages(), "DD");
}

TEST_F(ImageDevice, AMountThatCannotBeWatchedIsAUserLikeAnyOther)
{
	preserve(host::sample(2 * kPage));
	host::fail_allocation(1);
	ASSERT_EQ(ramdisk_image_open(false, true, &mount), 0);
	ramdisk_image_close(&mount);
	EXPECT_EQ(host::image_pages(), "DD");
	host::end_system_call();
}

TEST_F(ImageDevice, IsFreedInPieces)
{
	const size_t pages = (size_t{5} << 20) / kPage / 2;

	preserve(host::sample(pages * kPage));
	ASSERT_EQ(open(), 0);
	close();
	EXPECT_EQ(host::image_pages(), std::string(pages, 'D'));
	EXPECT_EQ(host::times_logged("Freeing initrd memory: 2560K"), 1u);
}

TEST_F(ImageDevice, ASecondAttemptAtTheSameTimeIsAUserLikeAnyOther)
{
	preserve(host::sample(2 * kPage));
	ASSERT_EQ(ramdisk_image_open(false, true, &mount), 0);
	ASSERT_EQ(ramdisk_image_open(false, true, &shell), 0);
	ramdisk_image_close(&shell);
	ramdisk_image_close(&mount);
	host::end_system_call();
	EXPECT_EQ(host::image_pages(), "DD");
}

TEST_F(ImageDevice, AnotherCloseByTheSameTaskIsThatOfAUser)
{
	preserve(host::sample(2 * kPage));
	ASSERT_EQ(open(), 0);
	ASSERT_EQ(ramdisk_image_open(false, true, &mount), 0);
	ramdisk_image_close(&mount);
	ramdisk_image_close(&mount);
	host::end_system_call();
	EXPECT_EQ(host::image_pages(), "DD");
}

TEST_F(ImageDevice, GetsItsSizeWhenItsDiskComesLate)
{
	host::reset();
	preserve(host::sample(700));
	EXPECT_EQ(open(), -kNoDevice) << "it is not whole yet: who came now would use it up";
	EXPECT_EQ(host::image_pages(), "d");
	// (Nobody has seen the size that it got before it was there.)
	ramdisk_image_lock();
	ramdisk_image_resize(0);
	ramdisk_image_unlock();
	ramdisk_image_start();
	EXPECT_EQ(host::image_device_size(), 700u);
	EXPECT_EQ(open(), 0);
	close();
	EXPECT_EQ(host::image_pages(), "D");
}

// Who has the lock already and calls something that takes it is dead.
TEST_F(ImageDevice, EverythingButReadingTakesItsLock)
{
	const auto takes_it = [](auto what) {
		ramdisk_image_lock();
		what();
		const bool taken = !host::complaints().empty();

		ramdisk_image_unlock();
		host::reset();
		return taken;
	};

	EXPECT_TRUE(takes_it(ramdisk_image_start));
	EXPECT_TRUE(takes_it(ramdisk_image_give_up));
	EXPECT_TRUE(takes_it(open));
	EXPECT_TRUE(takes_it(close));
	EXPECT_TRUE(takes_it(ramdisk_image_call_ends));
	EXPECT_TRUE(takes_it(ramdisk_image_size));
	EXPECT_TRUE(takes_it([] { ramdisk::hold_image({}, {}, false); }));
	EXPECT_FALSE(takes_it([] { read(0, 1); })) << "it is always open then";
}

} // namespace
