// SPDX-License-Identifier: GPL-2.0
// boot.cc and image/segments: archives, an image and archives again, one behind the
// other, as boot loaders join them.

#include <algorithm>

#include "boots.h"
#include "initrd/formats/segments.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;
using host::kPage;
using host::Own;
using host::operator+;

void put(Data &image, size_t at, u64 value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		image[at + i] = static_cast<u8>(value >> 8 * i);
}

// An ext2 image with a superblock that is one, as far as anybody looks.
Data ext2(size_t size, size_t claimed = 0)
{
	Data image = host::ext2_image(size, claimed);

	put(image, 1024, 0x10, 4);	// inodes
	put(image, 1024 + 16, 5, 4);	// free ones
	put(image, 1024 + 20, 1, 4);	// the first block
	put(image, 1024 + 32, 8192, 4); // blocks in a group
	put(image, 1024 + 40, 0x10, 4); // inodes in a group
	put(image, 1024 + 76, 1, 4);	// revision
	return image;
}

Data squashfs(size_t size)
{
	Data image = host::sample(size, 3);

	std::copy_n("hsqs", 4, image.begin());
	put(image, 12, 131072, 4);
	put(image, 22, 17, 2);
	put(image, 28, 4, 2);
	put(image, 30, 0, 2);
	put(image, 40, size, 8);
	return image;
}

Data cramfs(size_t size, size_t padding)
{
	Data image = Data(padding) + host::sample(size - padding, 4);

	put(image, padding, 0x28cd3d45, 4);
	put(image, padding + 4, size, 4);
	std::copy_n("Compressed ROMFS", 16, image.begin() + static_cast<long>(padding) + 16);
	put(image, padding + 72, (padding + 76) / 4 << 6, 4);
	return image;
}

Data minix(size_t size)
{
	Data image = host::sample(size, 6);

	std::fill(image.begin(), image.begin() + 2048, u8{0});
	put(image, 1024, 64, 2);
	put(image, 1026, size / 1024, 2);
	put(image, 1028, 1, 2);
	put(image, 1030, 1, 2);
	put(image, 1032, 6, 2);
	put(image, 1036, 0x10081c00, 4);
	put(image, 1040, 0x137f, 2);
	return image;
}

Data romfs(size_t size)
{
	Data image = host::sample(size, 7);
	u32 sum = 0;

	std::fill(image.begin(), image.begin() + 512, u8{0});
	std::copy_n("-rom1fs-", 8, image.begin());
	for (size_t i = 0; i < 4; i++)
		image[8 + i] = static_cast<u8>(size >> 8 * (3 - i));
	for (size_t at = 0; at < 512; at += 4)
		sum += load_be32(host::bytes_of(image), at);
	for (size_t i = 0; i < 4; i++)
		image[12 + i] = static_cast<u8>(-sum >> 8 * (3 - i));
	return image;
}

Data erofs(size_t size)
{
	Data image = host::sample(size, 8);

	std::fill(image.begin(), image.begin() + 2048, u8{0});
	put(image, 1024, 0xe0f5e1e2, 4);
	put(image, 1036, 12, 1);
	put(image, 1060, size / 4096, 4);
	return image;
}

struct FileSystem {
	const char *name;
	Data image;
};

const std::vector<FileSystem> &file_systems()
{
	static const std::vector<FileSystem> all = {
		{"ext2", ext2(40960)},	      {"squashfs", squashfs(40000)},
		{"cramfs", cramfs(40960, 0)}, {"cramfs", cramfs(40960, 512)},
		{"Minix", minix(40960)},      {"romfs", romfs(40960)},
		{"erofs", erofs(40960)},
	};
	return all;
}

// What GRUB, systemd-stub and others put in front of or behind an image.
Data early(size_t pad = 4)
{
	return Archive().folder("kernel").file("kernel/microcode", "abc").trailer().pad(pad).data();
}

Data late()
{
	return Archive().folder(".extra").file(".extra/os-release", "ID=x").trailer().data();
}

Data with_init(const std::string &name = "init")
{
	return Archive().add({.name = name, .mode = 0100755, .data = "#!"}).trailer().data();
}

Data config(const std::string &text)
{
	Data data = host::to_data(text);
	u32 sum = 0;

	while (data.size() % 4)
		data.push_back(0);
	for (const u8 byte : data)
		sum += byte;
	const size_t size = data.size();

	data.resize(size + 8);
	put(data, size, size, 4);
	put(data, size + 4, sum, 4);
	return data + host::to_data("#BOOTCONFIG\n");
}

class Segments : public host::Boot {
protected:
	// The disk holds the image, and zeros behind it.
	void expect_loaded(const Data &image)
	{
		EXPECT_TRUE(ram0(image.size() + 8192) == image + Data(8192)) << host::whole_log();
		expect_no_page_left();
		EXPECT_TRUE(host::surroundings_intact());
		EXPECT_FALSE(host::logged("Initramfs unpacking failed"));
	}
};

// --- an image behind archives ------------------------------------------------------------

TEST_F(Segments, AnImageBehindAnArchiveIsLoaded)
{
	for (const FileSystem &system : file_systems()) {
		// As loaders and writers pad: not at all, to words, sectors, blocks, pages.
		for (const size_t pad : {1u, 4u, 512u, 1024u, 4096u, 8192u}) {
			SCOPED_TRACE(testing::Message() << system.name << " " << pad);
			const Data front = early(pad);

			again();
			host::set_image(front + system.image);
			EXPECT_EQ(boot(), 0);
			EXPECT_EQ(text("kernel/microcode"), "abc");
			EXPECT_TRUE(host::logged(
				std::string("initrd: ") + system.name + " image at offset " +
				std::to_string(front.size()) + ", behind archives"))
				<< host::whole_log();
			expect_loaded(system.image);
		}
	}
}

TEST_F(Segments, ItsBlockIsSaid)
{
	host::set_image(early(8192) + ext2(40960));
	boot();
	EXPECT_TRUE(host::logged("RAMDISK: ext2 filesystem found at block 8"));
	EXPECT_TRUE(host::logged("initrd: cpio archive: 8192 bytes in,"));
	EXPECT_TRUE(
		host::logged("initrd: ext2 image: 40960 bytes in, 40960 bytes out, adopted, 0"));
}

TEST_F(Segments, AnImageBehindCompressedArchivesIsLoaded)
{
	const Data image = ext2(40960);

	for (const host::Method &method : host::kMethods) {
		if (!method.ended)
			continue;
		for (const size_t pad : {0u, 1u, 2u, 3u, 100u}) {
			SCOPED_TRACE(testing::Message() << method.name << " " << pad);
			Data front = method.compress(early());

			// To a multiple of four, as loaders do, unless there is no padding at all.
			front.resize(pad ? (front.size() + pad + 3) / 4 * 4 : front.size());
			again();
			host::set_image(front + image, 77, Own::kLast);
			EXPECT_EQ(boot(), 0);
			EXPECT_EQ(text("kernel/microcode"), "abc");
			expect_loaded(image);
		}
	}
}

TEST_F(Segments, ACompressedImageBehindAnArchiveIsLoaded)
{
	const Data image = ext2(1500000);

	for (const host::Method &method : host::kMethods) {
		for (const size_t pad : {0u, 1u, 4u, 4096u}) {
			SCOPED_TRACE(testing::Message() << method.name << " " << pad);
			const Data front = early() + Data(pad);

			again();
			host::set_image(front + method.compress(image));
			EXPECT_EQ(boot(), 0);
			EXPECT_EQ(text("kernel/microcode"), "abc");
			EXPECT_TRUE(host::logged(
				std::string("initrd: ") + method.name + " image at offset " +
				std::to_string(front.size()) + ", behind archives"));
			expect_loaded(image);
		}
	}
}

TEST_F(Segments, ALargeCompressedImageLosesNothingWhileItIsTakenForAnArchive)
{
	// Noise, so that a lot is read before the first byte comes out; and memory of
	// archives is given back by then.
	Data image = ext2(6 << 20);
	std::mt19937 random(1);

	for (size_t i = 4096; i < image.size(); i++)
		image[i] = static_cast<u8>(random());
	const std::string noise(image.begin() + (1 << 20), image.end());
	const Data front = Archive().file("large", noise).trailer().data();

	for (const host::Method &method : host::kMethods) {
		SCOPED_TRACE(method.name);
		again();
		host::set_image(front + method.compress(image));
		boot();
		EXPECT_TRUE(text("large") == noise);
		expect_loaded(image);
	}
}

TEST_F(Segments, TheFirstNulsOfAnImageAreNotGivenBack)
{
	// The archive is so large that its memory goes back; what follows it begins with
	// more NULs than anything has, and its superblock is far in.
	const std::string large(3 << 20, 'x');
	const Data image = ext2(2 << 20);

	for (const size_t zeros : {0u, 4096u, 65536u, 300000u}) {
		SCOPED_TRACE(zeros);
		again();
		host::set_image(Archive().file("large", large).trailer().pad(4096).data() +
				Data(zeros) + image);
		boot();
		expect_loaded(image);
	}
}

TEST_F(Segments, TheMemoryOfArchivesGoesBackBeforeTheImageIsLoaded)
{
	host::set_image(early(4 * kPage) + ext2(4 * kPage));
	initrd_populate_rootfs();
	EXPECT_EQ(host::image_pages(), "FFFFoooo");
	initrd_load_root(nullptr);
	EXPECT_EQ(host::image_pages(), "FFFFHHHH");
}

TEST_F(Segments, CompressedNulsAreKeptUntilItIsKnownWhatFollowsThem)
{
	// More of them than are read at once; an archive might come, and it is an image.
	Data content(4 << 20);

	content.resize(content.size() + 3 * kPage, 'x');
	const Data packed = host::gzip_stored(content);
	const size_t pages = (packed.size() + kPage - 1) / kPage;

	host::set_image(early(kPage) + packed);
	initrd_populate_rootfs();
	EXPECT_EQ(host::image_pages(), "F" + std::string(pages, 'o'));
}

TEST_F(Segments, AllIsRetainedWhereItIs)
{
	const Data image = ext2(40960);
	const Data all = early() + image + late();

	initrd_set(INITRD_PARAMETER_RETAIN, "");
	host::set_image(all);
	boot();
	EXPECT_EQ(host::published(), all);
	EXPECT_TRUE(ram0(image.size() + 4096) == image + Data(4096));
	EXPECT_EQ(text("kernel/microcode"), "abc");
}

TEST_F(Segments, ACrashKernelsMemoryIsNotAdopted)
{
	const Data image = ext2(5 * kPage);

	host::set_image(early(kPage) + image);
	host::set_crash_reservation(0, 1);
	boot();
	EXPECT_TRUE(ram0(image.size()) == image);
	EXPECT_EQ(host::image_pages(), "cFFFFF");
}

TEST_F(Segments, NothingIsLoadedWithNoinitrd)
{
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	host::set_image(early() + ext2(40960));
	boot();
	EXPECT_EQ(text("kernel/microcode"), "(nothing)");
	EXPECT_FALSE(host::logged("RAMDISK: "));
}

TEST_F(Segments, AnInitInFrontFindsTheImageAsAFile)
{
	const Data image = ext2(40960);

	host::set_image(with_init() + image);
	EXPECT_EQ(boot(), 0);
	ASSERT_TRUE(host::node_at("/initrd.image"));
	EXPECT_EQ(host::node_at("/initrd.image")->data, image);
	expect_no_page_left();
}

TEST_F(Segments, ThatFileEndsWhereArchivesBegin)
{
	const Data image = ext2(40960);

	for (const Data &packed : {image, host::gzip(image)}) {
		again();
		host::set_image(with_init() + packed + late());
		boot();
		ASSERT_TRUE(host::node_at("/initrd.image"));
		EXPECT_EQ(host::node_at("/initrd.image")->data, packed);
		EXPECT_EQ(text(".extra/os-release"), "ID=x");
		expect_no_page_left();
	}
}

TEST_F(Segments, RamdiskStartCountsFromTheStartOfAll)
{
	const Data image = ext2(40960);

	initrd_set(INITRD_PARAMETER_START_BLOCK, "1");
	host::set_image(early(1024) + image + late());
	boot();
	expect_loaded(image);
	EXPECT_TRUE(host::logged("RAMDISK: ext2 filesystem found at block 1"));
}

TEST_F(Segments, AnImageThatIsCutOffIsNamed)
{
	const Data front = early();

	host::set_image(front + ext2(40960, 81920));
	boot();
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: truncated ext2 image at offset " +
						       std::to_string(front.size() + 40960) +
						       ": 81920 bytes expected, 40960 there"));
}

TEST_F(Segments, TheMagicAloneMakesNoImage)
{
	// No inodes, no groups.
	host::set_image(early() + host::ext2_image(40960));
	boot();
	EXPECT_TRUE(host::gendisks().empty());
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: "));
	EXPECT_TRUE(host::logged("initrd: 39"));
}

TEST_F(Segments, InodesMayLookLikeTheStartOfAnArchive)
{
	// The first byte that is not NUL is '0'; then, one that is a compressor's.
	for (const u32 inodes : {0x30u, 0x130u, 0x8b1fu, 0x100u, 0x10000u, 0x5a42u}) {
		SCOPED_TRACE(inodes);
		Data image = ext2(40960);

		put(image, 1024, inodes, 4);
		again();
		host::set_image(early() + image);
		boot();
		expect_loaded(image);
	}
}

TEST_F(Segments, LinuxrcIsRunOfAnImageBehindArchives)
{
	bool ran = false;

	host::root().device = 0x801;
	host::root().linuxrc = [&ran] {
		ran = true;
		return 0;
	};
	host::set_image(early() + ext2(40960) + late());
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(ran);
}

// --- archives behind an image -------------------------------------------------------------

TEST_F(Segments, ArchivesBehindAnImageAreNoPartOfIt)
{
	for (const FileSystem &system : file_systems()) {
		for (const size_t pad : {1u, 4u, 4096u}) {
			SCOPED_TRACE(testing::Message() << system.name << " " << pad);
			Data front = system.image;

			front.resize((front.size() + pad - 1) / pad * pad);
			again();
			host::set_image(front + late());
			boot();
			expect_loaded(system.image);
			EXPECT_EQ(text(".extra/os-release"), "(nothing)");
			EXPECT_TRUE(host::logged(
				SEAM_LOG_NOTICE,
				"initrd: " +
					std::to_string(front.size() - system.image.size() +
						       late().size()) +
					" bytes of archives behind the " + system.name +
					" image at offset " + std::to_string(system.image.size())))
				<< host::whole_log();
		}
	}
}

TEST_F(Segments, ADiskHasNoRoomForArchivesBehindItsImage)
{
	const Data image = ext2(40960);

	host::set_default_disk_kib(8);
	host::set_image(image + late() + Data(100000));
	boot();
	expect_loaded(image);
	EXPECT_EQ(ram0_size(), image.size());
}

TEST_F(Segments, ArchivesBehindAnImageMayBeCompressed)
{
	const Data image = ext2(40960);

	for (const host::Method &method : host::kMethods) {
		SCOPED_TRACE(method.name);
		again();
		host::set_image(image + method.compress(late()));
		boot();
		expect_loaded(image);
		EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE, "initrd: "));
		EXPECT_NE(host::whole_log().find("bytes of archives behind the ext2 image"),
			  std::string::npos);
	}
}

TEST_F(Segments, ArchivesBehindACompressedImageAreNoPartOfIt)
{
	const Data image = ext2(97 << 10);

	for (const host::Method &method : host::kMethods) {
		if (!method.ended)
			continue;
		for (const Data &behind : {late(), host::gzip(late()), host::zstd(late())}) {
			SCOPED_TRACE(method.name);
			again();
			host::set_image(method.compress(image) + behind);
			boot();
			EXPECT_TRUE(ram0(image.size()) == image);
			EXPECT_NE(host::whole_log().find(" bytes of archives behind the "),
				  std::string::npos)
				<< host::whole_log();
			EXPECT_EQ(host::whole_log().find("junk"), std::string::npos);
			expect_no_page_left();
			// Not a byte of it is left in the disk.
			const Data disk = ram0(300000);
			const std::string secret = "ID=x";

			EXPECT_EQ(
				std::search(disk.begin(), disk.end(), secret.begin(), secret.end()),
				disk.end());
		}
	}
}

TEST_F(Segments, ArchivesPackedTogetherWithAnImageAreNoPartOfIt)
{
	const Data image = ext2(99 << 10);

	host::set_image(host::gzip(image + Data(1000) + late()));
	boot();
	expect_loaded(image);
	EXPECT_NE(host::whole_log().find("of what came out"), std::string::npos);
}

TEST_F(Segments, ArchivesWithAnInitMakeRootfsTheRoot)
{
	const Data image = ext2(40960);

	for (const Data &behind :
	     {with_init(), with_init("./init"), with_init("/init"), host::gzip(with_init()),
	      Archive().file("busybox", "").symlink("init", "busybox").trailer().data(),
	      late() + Data(512) + host::xz(with_init())}) {
		again();
		host::set_image(image + behind);
		EXPECT_EQ(boot(), 0);
		EXPECT_TRUE(host::node_at("/init")) << host::whole_log();
		ASSERT_TRUE(host::node_at("/initrd.image"));
		EXPECT_EQ(host::node_at("/initrd.image")->data, image);
		EXPECT_TRUE(host::gendisks().empty());
		expect_no_page_left();
	}
}

TEST_F(Segments, AnArchiveWithAnInitBehindACompressedImageDoesToo)
{
	const Data image = host::gzip(ext2(40960));

	host::set_image(image + with_init());
	boot();
	EXPECT_TRUE(host::node_at("/init"));
	ASSERT_TRUE(host::node_at("/initrd.image"));
	EXPECT_EQ(host::node_at("/initrd.image")->data, image);
}

TEST_F(Segments, AnInitThatCannotRunDoesNot)
{
	host::set_image(ext2(40960) + Archive().file("init", "").trailer().data());
	boot();
	EXPECT_FALSE(host::node_at("/init"));
	expect_loaded(ext2(40960));
}

TEST_F(Segments, ArchivesBehindAnImageAreUnpackedForAnInitThatIsThere)
{
	host::set_builtin_archive(with_init());
	host::set_image(ext2(40960) + late());
	boot();
	EXPECT_EQ(text(".extra/os-release"), "ID=x");
	ASSERT_TRUE(host::node_at("/initrd.image"));
	EXPECT_EQ(host::node_at("/initrd.image")->data, ext2(40960));
}

TEST_F(Segments, TroubleInArchivesBehindAnImageIsToldWithItsPlace)
{
	const Data image = ext2(40960);

	host::set_builtin_archive(with_init());
	host::set_image(image + Archive().file("a", "1").data() +
			Archive().file("b", "2").patch(3, "X").data());
	boot();
	EXPECT_EQ(text("a"), "1");
	EXPECT_TRUE(host::logged(
		SEAM_LOG_ERR,
		"initrd: no cpio magic at offset " +
			std::to_string(image.size() + Archive().file("a", "1").size())))
		<< host::whole_log();
}

// --- other things behind an image ---------------------------------------------------------

TEST_F(Segments, NulsBehindAnImageNeedNoPages)
{
	const Data image = ext2(10 * kPage);

	host::set_image(image + Data(50 * kPage));
	boot();
	EXPECT_EQ(host::image_pages(), std::string(10, 'H') + std::string(50, 'F'));
	EXPECT_EQ(ram0_pages(), 10u);
	EXPECT_EQ(host::whole_log().find("initrd.tail"), std::string::npos);
	EXPECT_TRUE(ram0(60 * kPage) == image + Data(50 * kPage));
}

TEST_F(Segments, TheDiskIsAsLargeAsWithThem)
{
	host::set_default_disk_kib(8);
	host::set_image(ext2(10 * kPage) + Data(50 * kPage));
	boot();
	EXPECT_EQ(ram0_size(), 60 * kPage);
}

TEST_F(Segments, StaleBytesBehindAnImageAreDroppedAndNamed)
{
	const Data image = ext2(10 * kPage);

	host::set_image(image + Data(50 * kPage, 0xff));
	boot();
	EXPECT_EQ(host::image_pages(), std::string(10, 'H') + std::string(50, 'F'));
	EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE,
				 "initrd: 204800 bytes behind the ext2 image at offset 40960 are no"
				 " part of it, not used: initrd.tail=keep keeps them"))
		<< host::whole_log();
	EXPECT_TRUE(ram0(12 * kPage) == image + Data(2 * kPage));
}

TEST_F(Segments, TheyAreKeptWhereSomebodyWantsThem)
{
	const Data image = ext2(10 * kPage);
	Data verity = Data(20 * kPage, 0xaa);
	Data footer = Data(20 * kPage, 0xaa);

	std::copy_n("verity\0\0", 8, verity.begin());
	std::copy_n("AVBf", 4, footer.end() - 64);
	host::set_image(image + verity);
	boot();
	EXPECT_TRUE(ram0(30 * kPage) == image + verity);
	again();
	host::set_image(image + Data(kPage) + verity);
	boot();
	EXPECT_TRUE(ram0(31 * kPage) == image + Data(kPage) + verity);
	again();
	host::set_image(image + footer);
	boot();
	EXPECT_TRUE(ram0(30 * kPage) == image + footer);
	for (const auto &[name, value] : {std::pair("initrd.tail", "keep"),
					  std::pair("dm-mod.create", "r,,,ro,0 8 linear 1:0 0"),
					  std::pair("dm_mod.create", "x")}) {
		again();
		initrd_see(name, value);
		host::set_image(image + Data(20 * kPage, 0xff));
		boot();
		EXPECT_TRUE(ram0(30 * kPage) == image + Data(20 * kPage, 0xff)) << name;
		EXPECT_EQ(host::image_pages(), std::string(30, 'H'));
	}
}

TEST_F(Segments, OrDroppedWhereSomebodySaysSo)
{
	const Data image = ext2(10 * kPage);
	Data verity = Data(20 * kPage, 0xaa);

	initrd_see("initrd.tail", "drop");
	std::copy_n("verity\0\0", 8, verity.begin());
	host::set_image(image + verity);
	boot();
	EXPECT_TRUE(ram0(12 * kPage) == image + Data(2 * kPage));
	again();
	initrd_see("initrd.tail", "what");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
				 "initrd: initrd.tail=what: neither auto, keep nor drop, ignored"));
}

TEST_F(Segments, ArchivesBehindATreeOfDigestsAreNoPartOfIt)
{
	// 256 blocks: two levels of digests, 2 blocks and 1.
	const Data image = squashfs(256 * kPage);
	Data verity = Data(4 * kPage, 0xaa);

	std::copy_n("verity\0\0", 8, verity.begin());
	put(verity, 8, 1, 4);
	std::fill_n(verity.begin() + 32, 32, u8{0});
	std::copy_n("sha256", 6, verity.begin() + 32);
	put(verity, 64, kPage, 4);
	put(verity, 68, kPage, 4);
	put(verity, 72, 256, 8);
	host::set_image(image + verity + late());
	boot();
	expect_loaded(image + verity);
	EXPECT_NE(host::whole_log().find("bytes of archives behind the squashfs image"),
		  std::string::npos);
}

TEST_F(Segments, ADiskWithPartitionsIsTakenWhole)
{
	Data image = ext2(10 * kPage) + Data(10 * kPage, 0x77);

	image[510] = 0x55;
	image[511] = 0xaa;
	put(image, 446 + 4, 0x83, 1);
	put(image, 446 + 8, 63, 4);
	put(image, 446 + 12, 100, 4);
	host::set_image(image);
	boot();
	EXPECT_TRUE(ram0(20 * kPage) == image);
}

TEST_F(Segments, WhatIsTakenForAFileSystemByItsMagicAloneIsTakenWhole)
{
	const Data image = host::ext2_image(20 * kPage, 10 * kPage);

	host::set_image(image);
	boot();
	EXPECT_TRUE(ram0(20 * kPage) == image);
}

// --- boot configurations ------------------------------------------------------------------

TEST_F(Segments, ABootConfigurationInTheMiddleIsPassedOver)
{
	const Data settings = config("kernel.foo = bar\n");

	for (const Data &front : {early(), early(512), host::gzip(early())}) {
		for (const Data &next : {late(), host::zstd(late()), Data(2) + host::xz(late())}) {
			Data joined = front + settings;

			joined.resize((joined.size() + 3) / 4 * 4);
			again();
			host::set_image(joined + next);
			boot();
			EXPECT_EQ(text(".extra/os-release"), "ID=x") << host::whole_log();
			EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
						 "initrd: boot configuration at offset " +
							 std::to_string(front.size()) + ", "))
				<< host::whole_log();
		}
	}
}

TEST_F(Segments, OneMayBeginLikeAnArchiveToo)
{
	host::set_image(early() + config("0.a = b") + late());
	boot();
	EXPECT_EQ(text(".extra/os-release"), "ID=x") << host::whole_log();
}

TEST_F(Segments, OneThatIsDamagedIsJunk)
{
	Data settings = config("kernel.foo = bar\n");

	settings[3] ^= 1;
	host::set_image(early() + settings + late());
	boot();
	EXPECT_EQ(text(".extra/os-release"), "(nothing)");
	EXPECT_NE(host::whole_log().find("bytes of junk behind the archive at offset"),
		  std::string::npos);
}

TEST_F(Segments, OneBetweenAnImageAndArchivesIsNoPartOfEither)
{
	const Data image = ext2(40960);

	for (const Data &packed : {image, host::gzip(image)}) {
		again();
		host::set_image(packed + config("a = b\n") + late());
		boot();
		expect_loaded(image);
		EXPECT_NE(host::whole_log().find("bytes of archives behind the"), std::string::npos)
			<< host::whole_log();
	}
}

// --- junk ---------------------------------------------------------------------------------

TEST_F(Segments, JunkBehindAnArchiveIsAWarning)
{
	const Data front = early(512);

	host::set_image(front + Data(1000, 0xff));
	boot();
	EXPECT_EQ(text("kernel/microcode"), "abc");
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: 1000 bytes of junk behind the archive at offset " +
					 std::to_string(front.size()) +
					 ", ignored: begins with ff ff ff ff"));
	EXPECT_FALSE(host::logged("Initramfs unpacking failed"));
	expect_no_page_left();
}

TEST_F(Segments, CountZeros)
{
	for (const size_t size : {0u, 1u, 7u, 8u, 9u, 100u}) {
		Data data(size);

		EXPECT_EQ(count_zeros(host::Exact(data).bytes()), size);
		for (size_t at = 0; at < size; at++) {
			Data other = data;

			other[at] = 1;
			EXPECT_EQ(count_zeros(host::Exact(other).bytes()), at);
		}
	}
}

// As systemd-stub, GRUB, SYSLINUX, iPXE and the EFI stub join things; each one is looked
// at in memory of its exact size, at any address, and nothing is lost or leaks.
TEST_F(Segments, AnythingJoinedWithAnything)
{
	const std::vector<Data> parts = {
		early(),
		late(),
		host::gzip(early()),
		host::xz(late()),
		ext2(40960),
		squashfs(40000),
		host::gzip(ext2(40960)),
		config("a = b\n"),
		Data(700, 0xff),
		Data(3000),
		minix(20480),
	};
	std::mt19937 random(7);

	for (int i = 0; i < 300; i++) {
		Data all;
		const size_t pad = std::vector<size_t>{1, 4, 512, 4096}[random() % 4];

		for (size_t count = 1 + random() % 5; count; count--) {
			all = all + parts[random() % parts.size()];
			all.resize((all.size() + pad - 1) / pad * pad);
		}
		SCOPED_TRACE(i);
		again();
		host::set_image(all, random() % kPage, static_cast<Own>(random() % 3));
		if (random() % 8 == 0)
			host::set_builtin_archive(with_init());
		boot();
		expect_no_page_left();
		EXPECT_TRUE(host::surroundings_intact());
		EXPECT_TRUE(host::complaints().empty());
	}
}

} // namespace
