// SPDX-License-Identifier: GPL-2.0
// The same sources in a kernel without a RAM disk, without times and with gzip
// only. (CMakeLists.txt builds those that look at the options a second time.)

#include <cctype>

#include "boots.h"
#include "initrd/formats/formats.h"

namespace {

using namespace initrd;
using host::Archive;
using host::Data;

using SmallConfig = host::Boot;

TEST_F(SmallConfig, CompressorsThatAreLeftOutAreNamed)
{
	for (const host::Method &method : host::kMethods) {
		SCOPED_TRACE(method.name);
		const std::string name = method.name;

		host::reset();
		host::set_image(method.compress(Archive().file("a", "1").trailer().data()));
		boot();
		if (name == "gzip") {
			EXPECT_EQ(text("a"), "1");
			continue;
		}
		EXPECT_TRUE(host::logged(SEAM_LOG_EMERG,
					 "Initramfs unpacking failed: compression method " + name +
						 " not configured"));
		std::string line = "initrd: compression method ";

		line += name;
		line += " not configured at offset 0: this kernel has no CONFIG_RD_";

		for (const char letter : name)
			line += static_cast<char>(std::toupper(letter));
		EXPECT_TRUE(host::logged(SEAM_LOG_ERR, line + ", 0 entries unpacked"))
			<< host::whole_log();
		expect_no_page_left();
	}
}

TEST_F(SmallConfig, FormatsAreKnownWithoutTheirDecoder)
{
	for (const host::Method &method : host::kMethods) {
		const Data packed = method.compress({1, 2, 3});
		const Format *const format = identify(host::bytes_of(packed));

		ASSERT_NE(format, nullptr);
		EXPECT_EQ(format->decode != nullptr, method.name == std::string("gzip"));
	}
}

TEST_F(SmallConfig, ArchivesAreUnpackedInOtherWords)
{
	host::set_image(Archive().folder("d").file("d/a", "1").trailer().data());
	boot();
	EXPECT_TRUE(host::logged("Unpacking initramfs..."));
	EXPECT_EQ(host::tree(), "d d/a");
	expect_no_page_left();
}

TEST_F(SmallConfig, TimesAreThoseOfTheBoot)
{
	host::set_image(Archive().folder("d").file("a", "1").symlink("l", "a").trailer().data());
	boot();
	for (const char *path : {"d", "a", "l"})
		EXPECT_EQ(host::node_at(path)->mtime, host::kNow) << path;
}

TEST_F(SmallConfig, ImagesHaveNowhereToGo)
{
	host::set_image(host::ext2_image(20000));
	EXPECT_EQ(boot("/dev/sda1"), 0);
	EXPECT_TRUE(host::logged(SEAM_LOG_EMERG,
				 "Initramfs unpacking failed: invalid magic at start"
				 " of compressed archive"));
	EXPECT_EQ(host::image_pages(), "FFFFF");
}

TEST_F(SmallConfig, NoinitrdWithoutABlockLayerDropsTheImage)
{
	host::set_image(Archive().folder("d").trailer().data());
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	EXPECT_EQ(boot("myfs"), 0);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: noinitrd: no /dev/initrd without"
						   " CONFIG_BLOCK, image dropped"));
	EXPECT_EQ(host::tree(), "");
	expect_no_page_left();
}

TEST_F(SmallConfig, WhatCannotBeVerifiedIsRefused)
{
	host::set_image(Archive().file("a", "1").trailer().data());
	initrd_set(INITRD_PARAMETER_DIGESTS, std::string(64, '0').c_str());
	boot();
	EXPECT_EQ(text("a"), "(nothing)");
	EXPECT_TRUE(host::logged(
		SEAM_LOG_ERR,
		"initrd: image refused: it cannot be verified without CONFIG_INITRD_CXX_VERIFY"));
	expect_no_page_left();
}

TEST_F(SmallConfig, EnforcedItStopsTheMachine)
{
	host::set_image(Archive().file("a", "1").trailer().data());
	initrd_set(INITRD_PARAMETER_VERIFICATION, "enforce");
	EXPECT_THROW(boot(), host::Panic);
}

} // namespace
