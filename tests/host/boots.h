/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A boot on the host: images to boot from, and the kernel's calls in its order.
 */
#ifndef HOST_BOOTS_H
#define HOST_BOOTS_H

#include <algorithm>

#include "archive.h"
#include "compress.h"
#include "fixture.h"
#include "initrd/seam/boot.h"
#include "ramdisk/ramdisk.h"

namespace host {

/* An ext2 image, as far as the table of formats looks; its superblock is right. */
inline Data ext2_image(size_t size, size_t claimed = 0)
{
	Data image = sample(size, 5);
	const u32 blocks = static_cast<u32>((claimed ? claimed : size) / 1024);

	std::fill(image.begin(), image.begin() + 2048, u8{0});
	for (int i = 0; i < 4; i++)
		image[static_cast<size_t>(1028 + i)] = static_cast<u8>(blocks >> 8 * i);
	image[1080] = 0x53;
	image[1081] = 0xef;
	return image;
}

class Boot : public World {
protected:
	/* The kernel's calls; 1 when linuxrc's way has mounted the root. */
	static int boot(const char *root_name = nullptr)
	{
		initrd_populate_rootfs();
		EXPECT_TRUE(image_forgotten());
		// What was written can be run.
		EXPECT_EQ(files_closing(), 0u);
		// What main.c asks before it prepares a root file system.
		if (node_at("/init") || node_at("/sbin/early"))
			return 0;
		return initrd_load_root(root_name);
	}

	/* Another machine, as before the first boot. */
	static void again()
	{
		ramdisk_destroy_all();
		reset();
	}

	/* Every page that the image owned went away, or is the RAM disk's. */
	static void expect_no_page_left(const std::string &kept = "")
	{
		EXPECT_EQ(image_pages().find_first_not_of("-FHR" + kept), std::string::npos)
			<< image_pages();
	}

	static std::string text(const std::string &path)
	{
		const Node *const node = node_at(path);

		return node ? node->text() : "(nothing)";
	}

	/* The first bytes of /dev/ram0. */
	static Data ram0(size_t size)
	{
		Data data(size, 0xee);

		ramdisk::boot_disk().value()->read(0, initrd::MutableBytes(data.data(), size));
		return data;
	}

	static u64 ram0_size() { return gendisks()[0].size; }
	static u64 ram0_pages() { return ramdisk::boot_disk().value()->pages(); }
};

} // namespace host

#endif
