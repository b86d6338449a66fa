// SPDX-License-Identifier: GPL-2.0
// boot.cc: with every single allocation failing once, and with images of noise.

#include "boots.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;
using host::kPage;
using host::Own;
using host::operator+;

struct Case {
	const char *name;
	Data (*image)();
	u32 root_device;
	bool retain;
	size_t misalignment;
	/* The allocations to try: each up to the first ones, then every so many. */
	uint64_t stride;
};

template <Data (*pack)(const Data &)> Data archive()
{
	return pack(Archive()
			    .folder("d")
			    .file("d/f", "content")
			    .add({.name = "d/l", .ino = 9, .nlink = 2})
			    .trailer()
			    .pad(512)
			    .data());
}

template <Data (*pack)(const Data &)> Data image()
{
	return pack(host::ext2_image(1200000));
}

Data plain(const Data &data)
{
	return data;
}

const Case kCases[] = {
	{"archive", archive<plain>, 0x100, false, 0, 1},
	{"archive_gzip", archive<host::gzip>, 0x100, false, 5, 1},
	{"archive_retained", archive<host::xz>, 0x100, true, 0, 1},
	{"image", image<plain>, 0x100, false, 0, 1},
	{"image_moved", image<plain>, 0x801, false, 100, 1},
	{"image_retained", image<plain>, 0x100, true, 0, 61},
	{"image_gzip", image<host::gzip>, 0x801, false, 0, 61},
	{"image_bzip2", image<host::bzip2>, 0x100, false, 0, 61},
	{"image_lzma", image<host::lzma>, 0x100, false, 0, 173},
	{"image_xz", image<host::xz>, 0x801, false, 9, 173},
	{"image_lzo", image<host::lzo>, 0x100, false, 0, 61},
	{"image_lz4", image<host::lz4>, 0x100, false, 0, 173},
	{"image_zstd", image<host::zstd>, 0x100, false, 0, 61},
};

class BootFailures : public host::Boot, public testing::WithParamInterface<Case> {
protected:
	static void prepare(const Data &image)
	{
		host::reset();
		host::set_image(image, GetParam().misalignment, Own::kLast);
		host::root().device = GetParam().root_device;
		if (GetParam().retain)
			initrd_set(INITRD_PARAMETER_RETAIN, "");
	}

	// The same boot, with the built-in archive's reader behind it.
	static void boot_with_failure(uint64_t number)
	{
		host::fail_allocation(number);
		boot("/dev/sda1");
	}
};

INSTANTIATE_TEST_SUITE_P(Images, BootFailures, testing::ValuesIn(kCases),
			 [](const auto &info) { return info.param.name; });

TEST_P(BootFailures, EveryFailingAllocationIsToldAndTheBootGoesOn)
{
	const Data image = GetParam().image();

	prepare(image);
	boot_with_failure(0);
	const uint64_t all = host::allocations();
	const std::string good_log = host::whole_log();
	const std::string good_tree = host::tree();

	// The first one is for the built-in archive: a kernel that cannot read it panics.
	for (uint64_t n = 2; n <= all; n += n < 12 || n + 12 > all ? 1 : GetParam().stride) {
		SCOPED_TRACE(n);
		ramdisk_destroy_all();
		prepare(image);
		boot_with_failure(n);

		// A file that could not be opened is missing, all else is in the log.
		EXPECT_TRUE(host::whole_log() != good_log || host::tree() != good_tree);
		EXPECT_EQ(host::live().codecs, 0u);
		EXPECT_EQ(host::live().windows, 0u);
		EXPECT_EQ(host::live().files, 0u);
		expect_no_page_left(GetParam().retain ? "o" : "");
		if (GetParam().retain)
			EXPECT_EQ(host::published(), image);
	}
}

using BootNoise = host::Boot;

TEST_F(BootNoise, WithoutMemoryForTheBuiltInArchiveTheKernelPanics)
{
	host::fail_allocation(1);
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
}

TEST_F(BootNoise, NeitherHarmsNorLeaks)
{
	const Data heads[] = {
		host::to_data("070701"),   host::to_data("070702"), {0x1f, 0x8b, 8},
		host::to_data("BZh9"),	   {0x5d, 0, 0, 0x80, 0},   {0xfd, '7', 'z', 'X', 'Z', 0},
		{0x89, 'L', 'Z', 'O', 0},  {2, 0x21, 0x4c, 0x18},   {0x28, 0xb5, 0x2f, 0xfd},
		host::to_data("-rom1fs-"), host::to_data("hsqs"),   {0},
	};
	std::mt19937 random(23);

	for (int i = 0; i < 240; i++) {
		SCOPED_TRACE(i);
		Data image = heads[static_cast<size_t>(i) % std::size(heads)];

		while (image.size() < 50 + random() % (3 * kPage))
			image.push_back(static_cast<u8>(random()));
		ramdisk_destroy_all();
		host::reset();
		host::set_image(image, random() % kPage, static_cast<Own>(random() % 3));
		host::root().device = i % 2 ? 0x100 : 0x801;
		if (i % 5 == 0)
			initrd_set(INITRD_PARAMETER_START_BLOCK, "1");
		boot("/dev/sda1");
		expect_no_page_left();
		EXPECT_TRUE(host::surroundings_intact());
		EXPECT_TRUE(host::complaints().empty());
	}
}

} // namespace
