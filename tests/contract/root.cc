// SPDX-License-Identifier: GPL-2.0
// initrd/seam/root.h, image.h: root devices, and where the image is, as far as it can be
// asked when the real one has been used.

#include "initrd/seam/root.h"
#include "initrd/seam/files.h"
#include "initrd/seam/image.h"
#include "initrd/seam/nodes.h"
#include "initrd/seam/policy.h"
#include "initrd/support/result.h"
#include "tests/contract/cases.h"
#include "tests/contract/expect.h"

namespace {

constexpr u32 kFormat = 0170000;

} // namespace

// The user-space encoding: 12 bits of the major between 8 and 12 of the minor.
void contract_root_devices(struct kunit *test)
{
	constexpr u32 kDevices[] = {0, 0x100, 0x1fa, 0xfe00, 0x10311170};
	const u32 root = seam_root_device();
	const u32 real_root = seam_real_root_device();
	u32 found = 1;

	for (const u32 device : kDevices) {
		seam_set_root_device(device);
		seam_set_real_root_device(device ^ 1);
		EXPECT_EQ(test, seam_root_device(), device);
		EXPECT_EQ(test, seam_real_root_device(), device ^ 1);
	}
	seam_set_root_device(root);
	seam_set_real_root_device(real_root);
	EXPECT_EQ(test, seam_find_device("/dev/no-such-device", &found), -initrd::kNoDevice);
	EXPECT_EQ(test, found, 0);
	EXPECT(test, seam_strict_hex() == 0 || seam_strict_hex() == 1);
}

void contract_block_file_systems(struct kunit *test)
{
	char names[256] = {};
	const int count = seam_block_file_systems(names, sizeof(names));
	const char *name = names;

	EXPECT(test, count >= 0);
	for (int i = 0; i < count; i++) {
		EXPECT(test, *name);
		name += __builtin_strlen(name) + 1;
		EXPECT(test, name <= names + sizeof(names));
	}
}

// In place of what is there.
void contract_block_nodes(struct kunit *test)
{
	constexpr const char *kPath = "/contract-node";
	int status;

	EXPECT_EQ(test, seam_make_block_node(kPath, 0x100), 0);
	EXPECT_EQ(test, seam_make_block_node(kPath, 0xfe01), 0);
	seam_directory *const root = seam_directory_open("/", &status);
	seam_node *const node = root ? seam_node_find(root, kPath + 1, __builtin_strlen(kPath) - 1,
						      &status) :
				       nullptr;

	EXPECT(test, node);
	if (node) {
		EXPECT_EQ(test, seam_node_mode(node) & kFormat, 0060000);
		EXPECT_EQ(test, seam_node_mode(node) & 0777, 0600);
		seam_node_release(node);
	}
	if (root)
		seam_directory_close(root);
	EXPECT_EQ(test, seam_unlink(kPath), 0);
	EXPECT_EQ(test, seam_unlink(kPath), -initrd::kNoEntry);
}

void contract_physical_image(struct kunit *test)
{
	const seam_physical_range before = seam_physical_image();
	const int block = seam_image_start_block();

	EXPECT(test, seam_set_physical_image({0x12345000, 0x6000}));
	EXPECT_EQ(test, seam_physical_image().start, 0x12345000);
	EXPECT_EQ(test, seam_physical_image().size, 0x6000);
	EXPECT(test, seam_set_physical_image(before));
	seam_set_image_start_block(77);
	EXPECT_EQ(test, seam_image_start_block(), 77);
	seam_set_image_start_block(block);
}

// It was forgotten when it had been used.
void contract_no_image(struct kunit *test)
{
	seam_image_forget();
	EXPECT_EQ(test, seam_image().size, 0);
}
