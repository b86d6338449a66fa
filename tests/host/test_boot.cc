// SPDX-License-Identifier: GPL-2.0
// boot.cc: archives, from the loader's memory to files and back to free memory.

#include "boots.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;
using host::Own;
using host::operator+;

using BootArchive = host::Boot;

Data with_init()
{
	return Archive()
		.folder("dev")
		.add({.name = "init", .mode = 0100755, .data = "#!/bin/sh"})
		.trailer()
		.pad(512)
		.data();
}

TEST_F(BootArchive, IsUnpackedAndItsMemoryGivenBack)
{
	host::set_image(with_init() + Data(5000));
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::tree(), "dev init");
	EXPECT_EQ(host::image_pages(), "FF");
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, "Trying to unpack rootfs image as initramfs..."));
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, "initrd: cpio archive: "));
	EXPECT_TRUE(host::gendisks().empty()) << "no RAM disk was needed";
	EXPECT_TRUE(host::root().calls.empty());
}

TEST_F(BootArchive, IsUnpackedFromEveryCompressor)
{
	for (const host::Method &method : host::kMethods) {
		SCOPED_TRACE(method.name);
		host::reset();
		host::set_image(method.compress(with_init()), 33, Own::kLast);
		EXPECT_EQ(boot(), 0);
		EXPECT_EQ(host::tree(), "dev init");
		EXPECT_TRUE(
			host::logged(std::string("initrd: ") + method.name + "+cpio archive: "));
		expect_no_page_left();
	}
}

TEST_F(BootArchive, WithoutAnImageNothingHappens)
{
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::whole_log(), "");
	EXPECT_EQ(host::tree(), "");
}

TEST_F(BootArchive, TheBuiltInOneComesFirst)
{
	host::set_builtin_archive(
		Archive().folder("dev").file("both", "built in").file("own", "1").trailer().data());
	host::set_image(Archive().file("both", "loaded").file("init", "").trailer().data());
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(text("both"), "loaded");
	EXPECT_EQ(text("own"), "1");
	// Each is told apart from the other.
	const std::string log = host::whole_log();
	const size_t first = log.find("initrd: built-in cpio archive: ");
	const size_t second = log.find("initrd: cpio archive: ");

	ASSERT_NE(first, std::string::npos) << log;
	ASSERT_NE(second, std::string::npos) << log;
	EXPECT_LT(first, second);
	EXPECT_NE(log.find(" bytes out, unpacked, 3 entries, "), std::string::npos) << log;
	expect_no_page_left();
}

TEST_F(BootArchive, TheBuiltInOneSaysWhoseBytesItCounts)
{
	const Data archive = Archive().file("large", std::string(3 << 20, 'x')).trailer().data();
	const std::string size = std::to_string(archive.size());

	host::set_clock_step(1000000001);
	host::set_builtin_archive(archive);
	boot();
	EXPECT_TRUE(
		host::logged(SEAM_LOG_INFO, "initrd: built-in archive: 30% of " + size + " bytes"))
		<< host::whole_log();
	EXPECT_TRUE(host::logged("initrd: built-in cpio archive: " + size + " bytes in, "));
	EXPECT_FALSE(host::logged("initrd: 30% of "));
}

TEST_F(BootArchive, ADamagedBuiltInOnePanics)
{
	host::set_builtin_archive(Archive().file("a", "1").patch(0, "X").data());
	try {
		initrd_populate_rootfs();
		FAIL() << "the boot went on";
	} catch (const host::Panic &panic) {
		EXPECT_STREQ(panic.what(), "invalid magic at start of compressed archive");
	}
}

TEST_F(BootArchive, ADamagedOneIsNamedAndTheBootGoesOn)
{
	host::set_image(with_init() + Archive().file("late", "1").patch(2, "X").data());
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::tree(), "dev init");
	EXPECT_TRUE(host::logged(SEAM_LOG_EMERG, "Initramfs unpacking failed: no cpio magic"));
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: no cpio magic at offset 512, after"
					       " TRAILER!!!: 2 entries unpacked"));
	expect_no_page_left();
}

TEST_F(BootArchive, IsRetainedWhereItIs)
{
	const Data image = with_init();

	EXPECT_EQ(initrd_set(INITRD_PARAMETER_RETAIN, ""), 1);
	host::set_image(image, 100);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::published(), image);
	EXPECT_EQ(host::image_pages(), "o");
}

TEST_F(BootArchive, RetainTakesNoValue)
{
	EXPECT_EQ(initrd_set(INITRD_PARAMETER_RETAIN, "=1"), 0);
	host::set_image(with_init());
	boot();
	EXPECT_EQ(host::image_pages(), "F");
	EXPECT_TRUE(host::published().empty());
}

TEST_F(BootArchive, OfTheKernelItselfIsUnpackedWithNoinitrd)
{
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	host::set_image(with_init());
	host::set_builtin_archive(host::Archive().folder("dev").trailer().data());
	boot();
	EXPECT_EQ(host::tree(), "dev");
}

TEST_F(BootArchive, InACrashReservationIsClearedAndNotFreed)
{
	host::set_image(with_init() + Data(3 * host::kPage));
	host::set_crash_reservation(1, 1);
	boot();
	EXPECT_EQ(host::tree(), "dev init");
	EXPECT_EQ(host::image_pages(), "FcFF");
	EXPECT_EQ(host::image_page(1), Data(host::kPage));
}

TEST_F(BootArchive, NoisyImagesWithAnInitGoToAFile)
{
	const Data image = host::ext2_image(9000);

	host::set_builtin_archive(with_init());
	host::set_image(image);
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(host::logged(
		SEAM_LOG_INFO, "rootfs image is not initramfs (invalid magic at start of compressed"
			       " archive); looks like an initrd"));
	ASSERT_TRUE(host::node_at("/initrd.image"));
	EXPECT_EQ(host::node_at("/initrd.image")->permissions(), 0700u);
	EXPECT_EQ(host::node_at("/initrd.image")->data, image);
	expect_no_page_left();
}

// That it is there is all that the kernel asks for: it mounts no root then.
TEST_F(BootArchive, ThatFileIsMadeForAnInitThatCannotRun)
{
	host::set_builtin_archive(Archive().file("init", "not executable").trailer().data());
	host::set_image(host::ext2_image(9000));
	boot();
	EXPECT_TRUE(host::node_at("/initrd.image"));
	expect_no_page_left();
}

TEST_F(BootArchive, ThatFileIsNotMadeForALinkToNowhere)
{
	host::plant("/init", 0120777, "lib/systemd/systemd");
	host::set_image(host::ext2_image(9000));
	initrd_populate_rootfs();
	EXPECT_FALSE(host::node_at("/initrd.image"));
	EXPECT_EQ(host::image_pages(), "ooo") << "waits for the RAM disk";
	EXPECT_EQ(initrd_load_root(nullptr), 0);
	expect_no_page_left();
}

TEST_F(BootArchive, RdinitNamesAnotherInit)
{
	initrd_see("rdinit", "/sbin/early");
	host::plant("/sbin/early", 0100755);
	host::set_image(host::ext2_image(5000));
	boot();
	EXPECT_TRUE(host::node_at("/initrd.image"));
}

TEST_F(BootArchive, AFullFileSystemIsToldForTheFileToo)
{
	host::set_builtin_archive(with_init());
	host::set_image(host::ext2_image(9000));
	host::set_room(1000);
	host::set_files_are_pages(false); // so that every byte counts
	boot();
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "/initrd.image: incomplete write (991 != 9000)"));
	expect_no_page_left();
}

TEST_F(BootArchive, AFileThatCannotBeMadeIsToldToo)
{
	host::plant("/init", 0100755);
	host::set_image(host::ext2_image(9000));
	host::fail_file_creation(30);
	EXPECT_EQ(boot(), 0);
	EXPECT_TRUE(
		host::logged(SEAM_LOG_ERR, "initrd: /initrd.image could not be made: error 30"));
	EXPECT_FALSE(host::node_at("/initrd.image"));
	expect_no_page_left();
}

TEST_F(BootArchive, AnArchiveBeforeAnImageLeavesTheImageToRamdiskStart)
{
	const Data image = host::ext2_image(8192);

	initrd_set(INITRD_PARAMETER_START_BLOCK, "1");
	host::set_image(Archive().folder("dev").trailer().pad(1024).data() + image);
	EXPECT_EQ(boot(), 0);
	EXPECT_EQ(host::tree(), "dev");
	EXPECT_EQ(ram0(8192), image);
	expect_no_page_left();
}

TEST_F(BootArchive, OfTheOldFormatSaysHowToMakeIt)
{
	host::set_image(Archive().file("a", "1").patch(0, "070707").data());
	boot();
	EXPECT_TRUE(host::logged("rootfs image is not initramfs (incorrect cpio method used: use -H"
				 " newc option); looks like an initrd"));
	expect_no_page_left();
}

TEST_F(BootArchive, StartBlocksThatAreNoneAreRefused)
{
	initrd_set(INITRD_PARAMETER_START_BLOCK, "12");
	for (const char *value : {"", "x", "2147483648"})
		initrd_set(INITRD_PARAMETER_START_BLOCK, value);
	EXPECT_EQ(host::image_start_block(), 12);
	EXPECT_EQ(host::times_logged("initrd: ramdisk_start=: not a block number, ignored"), 3u);
}

} // namespace
