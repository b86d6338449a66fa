// SPDX-License-Identifier: GPL-2.0
// boot.cc: file system images, into /dev/ram0.

#include "boots.h"

namespace {

using namespace initrd;
using host::Data;
using host::kPage;
using host::Own;
using host::operator+;

using BootImage = host::Boot;

TEST_F(BootImage, IsAdoptedPageForPage)
{
	const Data image = host::ext2_image(10 * kPage);

	host::set_image(image);
	EXPECT_EQ(boot(), 0) << "the kernel mounts /dev/ram0 itself";
	EXPECT_EQ(host::image_pages(), "HHHHHHHHHH");
	EXPECT_EQ(host::live().pages, 0u);
	EXPECT_EQ(ram0(image.size()), image);
	EXPECT_EQ(ram0_pages(), 10u);
	EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE, "RAMDISK: ext2 filesystem found at block 0"));
	EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE,
				 "RAMDISK: Loading 40KiB [1 disk] into ram disk... done."));
	EXPECT_TRUE(host::logged("initrd: ext2 image: 40960 bytes in, 40960 bytes out, adopted,"
				 " 0 bytes copied,"));
}

TEST_F(BootImage, InAPageThatOthersShareIsCopiedOutOfIt)
{
	const Data image = host::ext2_image(10 * kPage + 1024);

	host::set_image(image, 0, Own::kNeither);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::image_pages(), "HHHHHHHHHH-");
	EXPECT_EQ(ram0(image.size()), image);
	EXPECT_TRUE(host::logged("initrd: ext2 image: 41984 bytes in, 41984 bytes out, adopted,"
				 " 1024 bytes copied,"))
		<< host::whole_log();
}

TEST_F(BootImage, AtAnOddAddressIsMoved)
{
	const Data image = host::ext2_image(10 * kPage + 1024);

	for (const Own own : {Own::kBoth, Own::kLast, Own::kNeither}) {
		SCOPED_TRACE(static_cast<int>(own));
		host::reset();
		host::set_image(image, 1000, own);
		EXPECT_EQ(boot(), 0);
		EXPECT_EQ(ram0(image.size()), image);
		EXPECT_EQ(ram0_pages(), 11u);
		EXPECT_TRUE(
			host::logged("initrd: ext2 image: 41984 bytes in, 41984 bytes out, moved,"
				     " 41984 bytes copied,"));
		expect_no_page_left();
		ramdisk_destroy_all();
	}
}

// movablecore=: pages of a RAM disk would be in the way there.
TEST_F(BootImage, IsCopiedFromWhereOnlyPagesMayBeThatCanMove)
{
	const Data image = host::ext2_image(700 * kPage);
	const u64 before = host::memory_in_use();

	host::set_image(image);
	host::set_image_is_movable(true);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::image_pages(), std::string(700, 'F'));
	EXPECT_TRUE(ram0(image.size()) == image);
	EXPECT_LT(host::memory_peak() - before, (700 + 600) * kPage)
		<< "it is given back meanwhile";
	EXPECT_TRUE(host::logged("initrd: ext2 image: 2867200 bytes in, 2867200 bytes out, copied,"
				 " 2867200 bytes copied,"));
}

// dm-mod.create=, block2mtd: they keep what they have read, and what they would write.
TEST_F(BootImage, IsCopiedUnderThoseWhoHaveTheDiskOpen)
{
	for (const size_t misalignment : {0, 1000}) {
		SCOPED_TRACE(misalignment);
		again();
		const Data image = host::ext2_image(20 * kPage + 512);
		auto disk = ramdisk::boot_disk();

		ASSERT_TRUE(disk.ok());
		host::open_disk(0);
		ASSERT_TRUE(
			disk.value()->write(30 * kPage, host::bytes_of({1}), RAMDISK_AT_BOOT).ok());
		host::set_image(image, misalignment, Own::kNeither);
		EXPECT_EQ(boot(), 0);
		EXPECT_EQ(host::image_pages().find('H'), std::string::npos) << host::image_pages();
		EXPECT_TRUE(ram0(image.size()) == image);
		EXPECT_EQ(ram0_pages(), 21u);
		EXPECT_EQ(host::gendisks()[0].cache_drops, 2u);
		expect_no_page_left();
		EXPECT_TRUE(
			host::logged("initrd: ext2 image: 82432 bytes in, 82432 bytes out, copied,"
				     " 82432 bytes copied,"));
		host::close_disk(0);
	}
}

TEST_F(BootImage, IsGivenBackWhileItIsCopiedUnderThem)
{
	const Data image = host::ext2_image(700 * kPage);

	ASSERT_TRUE(ramdisk::boot_disk().ok());
	host::open_disk(0);
	host::set_image(image);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::image_pages(), std::string(700, 'F'));
	EXPECT_TRUE(ram0(image.size()) == image);
	EXPECT_LT(host::memory_peak(), (700 + 600) * kPage);
	host::close_disk(0);
}

TEST_F(BootImage, LargerThanTheDiskMakesTheDiskLarger)
{
	host::set_default_disk_kib(8);
	host::set_image(host::ext2_image(5 * kPage + 1));
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0_size(), 6 * kPage);
}

TEST_F(BootImage, SmallerThanTheDiskLeavesItsSize)
{
	host::set_image(host::ext2_image(5 * kPage));
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0_size(), 4096u << 10);
}

TEST_F(BootImage, IsDecodedFromEveryCompressor)
{
	const Data image = host::ext2_image(1500000);

	for (const host::Method &method : host::kMethods) {
		SCOPED_TRACE(method.name);
		host::reset();
		host::set_default_disk_kib(16);
		host::set_image(method.compress(image), 77, Own::kLast);
		EXPECT_EQ(boot(), 0);
		EXPECT_TRUE(ram0(image.size()) == image);
		EXPECT_EQ(ram0_pages(), (image.size() + kPage - 1) / kPage);
		EXPECT_GE(ram0_size(), image.size());
		EXPECT_TRUE(host::logged(std::string("RAMDISK: ") + method.name +
					 " image found at block 0"));
		EXPECT_TRUE(host::logged(std::string("initrd: ") + method.name + "+ext2 image: "));
		EXPECT_NE(host::whole_log().find(" 1500000 bytes out, decoded, 0 bytes copied, "),
			  std::string::npos);
		expect_no_page_left();
		EXPECT_EQ(host::image_pages().find('H'), std::string::npos);
		ramdisk_destroy_all();
	}
}

TEST_F(BootImage, OfSeveralMembersIsDecodedWhole)
{
	const Data image = host::ext2_image(200000);
	const auto middle = image.begin() + 77777;

	host::set_image(host::gzip({image.begin(), middle}) + host::gzip({middle, image.end()}) +
			Data(600));
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(ram0(image.size()) == image);
	EXPECT_FALSE(host::logged("initrd: 600 bytes of junk"));
}

TEST_F(BootImage, OfSeveralZstdFramesIsDecodedWhereverTheyEnd)
{
	// What is mapped then, behind the first frame, is less than a block's room.
	for (const size_t left : {size_t{4096}, size_t{50000}, size_t{131071}}) {
		const Data image = host::ext2_image(2000000);
		const auto middle = image.begin() + (1 << 20) - static_cast<ptrdiff_t>(left);

		again();
		host::set_image(host::zstd_without_checksum({image.begin(), middle}) +
				host::zstd_without_checksum({middle, image.end()}));
		EXPECT_EQ(boot(), 0);
		EXPECT_TRUE(ram0(image.size()) == image) << host::whole_log();
	}
}

TEST_F(BootImage, BytesBehindACompressedOneAreNamed)
{
	host::set_image(host::xz(host::ext2_image(20000)) + host::to_data("rest"));
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(
		host::logged(SEAM_LOG_WARNING, "initrd: 4 bytes of junk behind the xz data at"));
}

TEST_F(BootImage, WhatOnlyLooksLikeAnotherMemberIsNotPartOfIt)
{
	const Data image = host::ext2_image(20000);

	host::set_image(host::gzip(image) + Data{0x1f, 0x8b, 0x08, 0x00, 1, 2, 3});
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(ram0(image.size()) == image);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 7 bytes of junk behind the gzip data at offset " +
					 std::to_string(host::gzip(image).size()) +
					 ", ignored: truncated gzip data"));
	EXPECT_TRUE(host::logged("initrd: gzip+ext2 image:"));
	expect_no_page_left();
}

TEST_F(BootImage, NothingIsLeftOfAMemberThatFailsHalfway)
{
	const Data image = host::ext2_image(20000);
	Data other = host::gzip(host::sample(3000000));

	other[other.size() - 8] ^= 1;
	host::set_image(host::gzip(image) + other);
	EXPECT_EQ(boot(), 0);
	EXPECT_NE(host::whole_log().find("ignored: bad checksum (CRC-32)"), std::string::npos)
		<< host::whole_log();
	Data found = image;

	found.resize(3100000);
	EXPECT_TRUE(ram0(found.size()) == found);
	EXPECT_EQ(ram0_pages(), 5u);
	expect_no_page_left();
}

TEST_F(BootImage, ThatBreaksOffIsNamedAndLeavesWhatCameBefore)
{
	const Data image = host::ext2_image(600064);
	Data packed = host::gzip(image);

	packed.resize(packed.size() - 1000);
	host::set_image(packed);
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: truncated gzip data at offset " +
						       std::to_string(packed.size()) +
						       ": 600064 bytes expected, "))
		<< host::whole_log();
	EXPECT_TRUE(ram0(500000) == Data(image.begin(), image.begin() + 500000));
	EXPECT_FALSE(host::logged("initrd: truncated ext2 image")) << "said already";
	expect_no_page_left();
}

TEST_F(BootImage, ShorterThanItsSuperblockSaysIsNamed)
{
	host::set_image(host::ext2_image(40960, 81920));
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(host::logged(
		SEAM_LOG_ERR, "initrd: truncated ext2 image at offset 40960: 81920 bytes expected,"
			      " 40960 there"));
}

TEST_F(BootImage, OfAnUnknownFormatIsTakenWhole)
{
	Data image = host::sample(9000);

	image[0] = 'x';
	host::set_image(image);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0(9000), image);
	EXPECT_TRUE(host::logged("RAMDISK: Couldn't find valid RAM disk image starting at 0."));
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: unknown format at offset 0: begins with 78 "));
	expect_no_page_left();
}

TEST_F(BootImage, StartsWhereRamdiskStartSays)
{
	const Data image = host::ext2_image(5 * kPage);

	initrd_set(INITRD_PARAMETER_START_BLOCK, "7");
	host::set_image(Data(7 * 1024, 'k') + image);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0(image.size()), image);
	EXPECT_TRUE(host::logged("RAMDISK: ext2 filesystem found at block 7"));
	EXPECT_EQ(host::image_pages().substr(0, 1), "F") << "the page in front of it";
	expect_no_page_left();
}

TEST_F(BootImage, BehindItsEndIsAnError)
{
	initrd_set(INITRD_PARAMETER_START_BLOCK, "1000");
	host::set_image(host::ext2_image(5 * kPage));
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(host::logged("RAMDISK: Couldn't find valid RAM disk image starting at 1000."));
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
				 "initrd: ramdisk_start= is behind the end of the image at offset"
				 " 20480"));
	expect_no_page_left();
}

TEST_F(BootImage, IsRetainedAndCopied)
{
	const Data image = host::ext2_image(5 * kPage);

	initrd_set(INITRD_PARAMETER_RETAIN, "");
	host::set_image(image);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0(image.size()), image);
	EXPECT_EQ(host::published(), image);
	EXPECT_EQ(host::image_pages(), "ooooo");
	EXPECT_EQ(host::live().pages, 5u);
	EXPECT_TRUE(host::logged("initrd: ext2 image: 20480 bytes in, 20480 bytes out, copied,"));
}

TEST_F(BootImage, BehindRamdiskStartIsRetainedWhole)
{
	const Data image = Data(2048, 'k') + host::ext2_image(5 * kPage);

	initrd_set(INITRD_PARAMETER_RETAIN, "");
	initrd_set(INITRD_PARAMETER_START_BLOCK, "2");
	host::set_image(image);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0(5 * kPage), Data(image.begin() + 2048, image.end()));
	EXPECT_EQ(host::published(), image);
}

// What has come out by then is memory that the boot needs.
TEST_F(BootImage, WithoutTheMemoryForItLeavesNothing)
{
	const Data image = host::ext2_image(3 << 20);

	for (const Data &packed : {image, host::gzip(image), host::lzo(image), host::zstd(image)}) {
		SCOPED_TRACE(packed.size());
		again();
		host::set_image(packed);
		initrd_set(INITRD_PARAMETER_RETAIN, "");
		host::set_memory_limit(host::memory_in_use() + (u64{3} << 20));
		EXPECT_EQ(boot(), 0);
		EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: no space: ")) << host::whole_log();
		EXPECT_EQ(ram0_pages(), 0u);
		EXPECT_EQ(host::live().pages, 0u);
	}
}

TEST_F(BootImage, OverACrashReservationIsCopied)
{
	const Data image = host::ext2_image(5 * kPage);

	host::set_image(image);
	host::set_crash_reservation(2, 2);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(ram0(image.size()), image);
	EXPECT_EQ(host::image_pages(), "FFccF");
	EXPECT_EQ(host::live().pages, 5u);
}

TEST_F(BootImage, WithNoinitrdIsNotLoaded)
{
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	host::set_image(host::ext2_image(5 * kPage));
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::live().pages, 0u);
	EXPECT_TRUE(host::root().calls.empty());
	EXPECT_EQ(host::image_pages(), "ddddd");
}

TEST_F(BootImage, IsFreedPageByPageWhenTheDiskIsCleared)
{
	host::set_image(host::ext2_image(4 * kPage));
	boot();
	ramdisk::boot_disk().value()->discard(kPage, 2 * kPage);
	EXPECT_EQ(host::image_pages(), "HRRH");
	ramdisk::boot_disk().value()->clear();
	EXPECT_EQ(host::image_pages(), "RRRR");
}

TEST_F(BootImage, SmallerThanAPageIsTaken)
{
	Data image = host::sample(100);

	image[0] = 'x';
	for (const Own own : {Own::kBoth, Own::kLast, Own::kNeither}) {
		for (const size_t misalignment : {size_t{0}, size_t{200}, kPage - 50}) {
			SCOPED_TRACE(testing::Message() << static_cast<int>(own) << misalignment);
			host::reset();
			host::set_image(image, misalignment, own);
			boot();
			EXPECT_EQ(ram0(101), image + Data(1));
			expect_no_page_left();
			EXPECT_TRUE(host::surroundings_intact());
			ramdisk_destroy_all();
		}
	}
}

} // namespace
