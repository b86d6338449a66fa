// SPDX-License-Identifier: GPL-2.0
// Archives as such: names, data, checksums, headers.

#include "initrd/seam/policy.h"
#include "tests/kunit/archive.h"

using namespace initrd;
using namespace initrd::kunit;

namespace {

constexpr u32 kFolderMode = 0040755;
constexpr size_t kRoom = 16384;

// Where the field of a header with this number begins.
constexpr size_t field_at(size_t number)
{
	return 6 + 8 * number;
}

// "many0000" and so on, in place.
void number_name(char *name, u32 number)
{
	for (u32 i = 0; i < 4; i++, number /= 10)
		name[7 - i] = static_cast<char>('0' + number % 10);
}

} // namespace

void initrd_cpio_extract(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit/file", "initrd_kunit"};
	const Item items[] = {
		{.name = "initrd_kunit", .mode = kFolderMode, .mtime = 1000, .uid = 5, .gid = 6},
		{.name = "initrd_kunit/file",
		 .mode = 0104750,
		 .data = "content",
		 .mtime = 0x70000000,
		 .uid = 7,
		 .gid = 8},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit/file", "content"));
	const initrd_kunit_node folder = stat("/initrd_kunit");
	const initrd_kunit_node file = stat("/initrd_kunit/file");

	EXPECT_EQ(test, folder.mode, 0040755);
	EXPECT_EQ(test, folder.uid, 5);
	EXPECT_EQ(test, folder.gid, 6);
	EXPECT_EQ(test, file.mode, 0104750);
	EXPECT_EQ(test, file.uid, 7);
	EXPECT_EQ(test, file.gid, 8);
	EXPECT_EQ(test, file.size, 7);
	EXPECT_EQ(test, file.nlink, 1);
	if (IS_ENABLED(CONFIG_INITRAMFS_PRESERVE_MTIME)) {
		EXPECT_EQ(test, folder.mtime, 1000);
		EXPECT_EQ(test, file.mtime, 0x70000000);
	}
	remove(made);
}

// The name fills its space, and no NUL ends it.
void initrd_cpio_name_overrun(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_first"};
	const Item items[] = {
		{.name = "initrd_kunit_first"},
		{.name = "initrd_kunit_no_nul", .data = "overrun", .name_without_nul = true},
	};

	EXPECT(test, same(unpack_items(items), "malformed archive"));
	EXPECT(test, exists("/initrd_kunit_first"));
	EXPECT(test, !exists("/initrd_kunit_no_nul"));
	EXPECT(test, !exists("/initrd_kunit_no_nuloverrun"));
	remove(made);
}

void initrd_cpio_data(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_a", "initrd_kunit_b"};
	const Item items[] = {
		{.name = "initrd_kunit_a", .data = "longer, at first"},
		{.name = "initrd_kunit_b", .data = ""},
		{.name = "initrd_kunit_a", .data = "then short"},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_a", "then short"));
	EXPECT(test, reads("/initrd_kunit_b", ""));
	remove(made);
}

void initrd_cpio_checksum(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_sum"};
	const Item items[] = {{.name = "initrd_kunit_sum", .data = "summed \xff\xfe", .crc = true}};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_sum", "summed \xff\xfe"));
	remove(made);
}

void initrd_cpio_bad_checksum(struct kunit *test)
{
	const Item items[] = {
		{.name = "initrd_kunit_sum", .data = "summed", .crc = true, .checksum_error = 1}};

	EXPECT(test, same(unpack_items(items), "bad data checksum"));
	EXPECT(test, !exists("/initrd_kunit_sum"));
}

void initrd_cpio_many(struct kunit *test)
{
	constexpr u32 kMany = 1000;
	auto archive = Archive::create(size_t{kMany} * 160);
	char name[] = "many0000";
	char path[] = "/many0000";

	if (!archive) {
		EXPECT(test, archive.ok());
		return;
	}
	for (u32 i = 0; i < kMany; i++) {
		number_name(name, i);
		archive.value().add({.name = name, .data = name});
	}
	EXPECT(test, same(unpack(archive.value().trailer()), ""));
	for (u32 i = 0; i < kMany; i++) {
		number_name(path + 1, i);
		EXPECT(test, reads(path, path + 1));
		seam_unlink(path);
	}
}

void initrd_cpio_padded_names(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_padded", "initrd_kunit_next"};
	const Item items[] = {
		{.name = "initrd_kunit_padded", .data = "x", .name_padding = 200},
		{.name = "initrd_kunit_next", .data = "y"},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_padded", "x"));
	EXPECT(test, reads("/initrd_kunit_next", "y"));
	remove(made);
}

// With its NUL, a name has at most 4096 bytes; a longer one's entry is skipped.
void initrd_cpio_path_max(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_fits", "initrd_kunit_long",
					       "initrd_kunit_next"};
	constexpr u32 kPathMax = 4096;
	const Item items[] = {
		{.name = "initrd_kunit_fits", .data = "1", .name_padding = kPathMax - 18},
		{.name = "initrd_kunit_long", .data = "2", .name_padding = kPathMax - 17},
		{.name = "initrd_kunit_next", .data = "3"},
	};

	EXPECT(test, same(unpack_items(items), ""));
	EXPECT(test, reads("/initrd_kunit_fits", "1"));
	EXPECT(test, !exists("/initrd_kunit_long"));
	EXPECT(test, reads("/initrd_kunit_next", "3"));
	remove(made);
}

// "0x" and the like are for series that read fields with strtoul().
void initrd_cpio_header_digits(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_digits"};
	static constexpr const char *odd_fields[] = {"0x0012ab", "12ab    ", "12abg000"};
	auto archive = Archive::create(kRoom);

	if (!archive) {
		EXPECT(test, archive.ok());
		return;
	}
	archive.value().add({.name = "initrd_kunit_digits", .uid = 0x12ab}).trailer();
	archive.value().patch(field_at(2), "000012Ab");
	EXPECT(test, same(unpack(archive.value()), ""));
	EXPECT_EQ(test, stat("/initrd_kunit_digits").uid, 0x12ab);
	remove(made);

	for (const char *odd : odd_fields) {
		archive.value().patch(field_at(2), odd);
		const char *const reason = unpack(archive.value());

		if (seam_strict_hex()) {
			EXPECT(test, same(reason, "damaged header"));
			EXPECT(test, !exists("/initrd_kunit_digits"));
		} else {
			EXPECT(test, same(reason, ""));
			EXPECT_EQ(test, stat("/initrd_kunit_digits").uid, 0x12ab);
		}
		remove(made);
	}
}

void initrd_cpio_truncated(struct kunit *test)
{
	static constexpr const char *made[] = {"initrd_kunit_whole", "initrd_kunit_cut"};
	auto archive = Archive::create(kRoom);

	if (!archive) {
		EXPECT(test, archive.ok());
		return;
	}
	archive.value()
		.add({.name = "initrd_kunit_whole", .data = "whole"})
		.add({.name = "initrd_kunit_cut", .data = "what of this is missing"});
	archive.value().cut(archive.value().size() - 12);
	EXPECT(test, same(unpack(archive.value()), "truncated archive"));
	EXPECT(test, reads("/initrd_kunit_whole", "whole"));
	EXPECT(test, !exists("/initrd_kunit_cut"));
	remove(made);
}

void initrd_cpio_not_cpio(struct kunit *test)
{
	auto archive = Archive::create(kRoom);

	if (!archive) {
		EXPECT(test, archive.ok());
		return;
	}
	archive.value().add({.name = "initrd_kunit_none"}).patch(0, "070707");
	EXPECT(test,
	       same(unpack(archive.value()), "incorrect cpio method used: use -H newc option"));
	EXPECT(test, same(unpack(archive.value().patch(0, "070709")), "no cpio magic"));
	EXPECT(test, same(unpack(archive.value().patch(0, "hsqs")),
			  "invalid magic at start of compressed archive"));
	EXPECT(test, !exists("/initrd_kunit_none"));
}
