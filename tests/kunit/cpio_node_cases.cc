// SPDX-License-Identifier: GPL-2.0
// The nodes that archives make in the kernel's own file systems.

#include "tests/kunit/archive.h"

using namespace initrd;
using namespace initrd::kunit;

void initrd_cpio_node_types(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_link", "initrd_kunit_null",
					       "initrd_kunit_block", "initrd_kunit_pipe",
					       "initrd_kunit_socket"};
	const Item items[] = {
		{.name = "initrd_kunit_link",
		 .mode = 0120777,
		 .data = "../some/target",
		 .mtime = 2000,
		 .uid = 3},
		{.name = "initrd_kunit_null", .mode = 0020666, .rdev_major = 1, .rdev_minor = 3},
		{.name = "initrd_kunit_block",
		 .mode = 0060640,
		 .mtime = 3000,
		 .gid = 6,
		 .rdev_major = 259,
		 .rdev_minor = 70000},
		{.name = "initrd_kunit_pipe", .mode = 0010622},
		{.name = "initrd_kunit_socket", .mode = 0140755},
	};

	EXPECT(test, same(unpack_items(items), ""));
	const initrd_kunit_node link = stat("/initrd_kunit_link");
	const initrd_kunit_node null = stat("/initrd_kunit_null");
	const initrd_kunit_node block = stat("/initrd_kunit_block");

	EXPECT(test, initrd_kunit_leads_to("/initrd_kunit_link", "../some/target"));
	EXPECT_EQ(test, link.mode, 0120777);
	EXPECT_EQ(test, link.uid, 3);
	EXPECT_EQ(test, null.mode, 0020666);
	EXPECT_EQ(test, null.rdev_major, 1);
	EXPECT_EQ(test, null.rdev_minor, 3);
	EXPECT_EQ(test, block.mode, 0060640);
	EXPECT_EQ(test, block.gid, 6);
	EXPECT_EQ(test, block.rdev_major, 259);
	EXPECT_EQ(test, block.rdev_minor, 70000);
	EXPECT_EQ(test, stat("/initrd_kunit_pipe").mode, 0010622);
	EXPECT_EQ(test, stat("/initrd_kunit_socket").mode, 0140755);
	if (IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME)) {
		EXPECT_EQ(test, link.mtime, 2000);
		EXPECT_EQ(test, block.mtime, 3000);
	}
	remove(made);
}

void initrd_cpio_other_types_give_way(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_node", "initrd_kunit_other"};
	static constexpr u32 types[] = {0010644, 0020644, 0040755, 0060644, 0100644, 0120777};

	for (u32 before : types) {
		for (u32 after : types) {
			const bool link = (after & cpio::kTypeMask) == cpio::kLink;
			const bool was_link = (before & cpio::kTypeMask) == cpio::kLink;
			const Item items[] = {
				{.name = "initrd_kunit_other", .data = "precious"},
				{.name = "initrd_kunit_node",
				 .mode = before,
				 .data = was_link ? "initrd_kunit_other" : ""},
				{.name = "initrd_kunit_node",
				 .mode = after,
				 .data = link ? "target" : ""},
			};

			EXPECT(test, same(unpack_items(items), ""));
			EXPECT_EQ(test, stat("/initrd_kunit_node").mode, after);
			EXPECT(test, reads("/initrd_kunit_other", "precious"));
			remove(made);
		}
	}
}

void initrd_cpio_hardlinks(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_a", "initrd_kunit_b", "initrd_kunit_c",
					       "initrd_kunit_d"};
	const Item items[] = {
		{.name = "initrd_kunit_a", .data = "shared", .ino = 9, .nlink = 3},
		{.name = "initrd_kunit_b", .ino = 9, .nlink = 3},
		{.name = "initrd_kunit_c", .data = "own", .ino = 10, .nlink = 2},
		{.name = "initrd_kunit_d", .ino = 9, .nlink = 3},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_a", "shared"));
	EXPECT(test, reads("/initrd_kunit_d", "shared"));
	EXPECT(test, reads("/initrd_kunit_c", "own"));
	EXPECT_EQ(test, stat("/initrd_kunit_a").nlink, 3);
	EXPECT_EQ(test, stat("/initrd_kunit_c").nlink, 1);
	EXPECT_EQ(test, stat("/initrd_kunit_b").ino, stat("/initrd_kunit_a").ino);
	EXPECT_EQ(test, stat("/initrd_kunit_d").ino, stat("/initrd_kunit_a").ino);
	remove(made);
}

void initrd_cpio_hardlinks_data_last(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_a", "initrd_kunit_b"};
	const Item items[] = {
		{.name = "initrd_kunit_a", .ino = 9, .nlink = 2},
		{.name = "initrd_kunit_b", .data = "came last", .ino = 9, .nlink = 2},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_a", "came last"));
	EXPECT_EQ(test, stat("/initrd_kunit_a").nlink, 2);
	remove(made);
}

void initrd_cpio_hardlinks_end_at_trailer(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_a", "initrd_kunit_b"};
	const Item items[] = {
		{.name = "initrd_kunit_a", .data = "first", .ino = 9, .nlink = 2},
		{.name = "TRAILER!!!", .mode = 0},
		{.name = "initrd_kunit_b", .data = "second", .ino = 9, .nlink = 2},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_a", "first"));
	EXPECT(test, reads("/initrd_kunit_b", "second"));
	remove(made);
}

// What is put into a folder changes its time: it has to be set afterwards.
void initrd_cpio_directory_times(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit/inner/file", "initrd_kunit/inner",
					       "initrd_kunit"};
	const Item items[] = {
		{.name = "initrd_kunit", .mode = 0040755, .mtime = 4000},
		{.name = "initrd_kunit/inner", .mode = 0040755, .mtime = 5000},
		{.name = "initrd_kunit/inner/file", .data = "x", .mtime = 6000},
	};

	EXPECT(test, same(unpack_items(items), ""));
	if (IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME)) {
		EXPECT_EQ(test, stat("/initrd_kunit").mtime, 4000);
		EXPECT_EQ(test, stat("/initrd_kunit/inner").mtime, 5000);
		EXPECT_EQ(test, stat("/initrd_kunit/inner/file").mtime, 6000);
	}
	remove(made);
}

// What messages say of a file that does not fit.
void initrd_cpio_room(struct kunit *test)
{
	seam_room room = {1, 2, 3, 4};

	EXPECT_EQ(test, seam_file_system_room("/", &room), 0);
	EXPECT(test, room.free <= room.size);
	EXPECT(test, room.free_nodes <= room.nodes);
	EXPECT_EQ(test, -seam_file_system_room("/initrd_kunit_none", &room), kNoEntry);
	EXPECT(test, seam_memory_available() > 0);
}
