// SPDX-License-Identifier: GPL-2.0

#include "tests/kunit/archive.h"

namespace initrd::kunit {
namespace {

Bytes as_bytes(const char *string)
{
	return {reinterpret_cast<const u8 *>(string), __builtin_strlen(string)};
}

size_t padding(size_t size)
{
	return (4 - size % 4) % 4;
}

} // namespace

Result<Archive> Archive::create(size_t size)
{
	return Archive(TRY(Buffer::create(size)));
}

Archive &Archive::add(const Item &item)
{
	const size_t name = __builtin_strlen(item.name);
	const size_t data = __builtin_strlen(item.data);
	const size_t nul = item.name_without_nul ? 0 : 1;
	const size_t name_size = name + nul + item.name_padding;
	u32 sum = item.checksum_error;

	for (u8 byte : as_bytes(item.data))
		sum += byte;
	text("07070");
	text(item.crc ? "2" : "1");
	hex(item.ino);
	hex(item.mode);
	hex(item.uid);
	hex(item.gid);
	hex(item.nlink);
	hex(item.mtime);
	hex(static_cast<u32>(data));
	hex(8);
	hex(1);
	hex(item.rdev_major);
	hex(item.rdev_minor);
	hex(static_cast<u32>(name_size));
	hex(item.crc ? sum : 0);
	text(item.name);
	zeros(name_size - name);
	zeros(padding(size_));
	text(item.data);
	zeros(padding(size_));
	return *this;
}

Archive &Archive::patch(size_t offset, const char *bytes)
{
	copy(buffer_.bytes().skip(offset), as_bytes(bytes));
	return *this;
}

void Archive::text(const char *string)
{
	size_ += copy(buffer_.bytes().skip(size_), as_bytes(string));
}

void Archive::zeros(size_t count)
{
	for (; count && size_ < buffer_.size(); count--)
		buffer_.data()[size_++] = 0;
}

void Archive::hex(u32 value)
{
	char digits[9] = {};

	for (u32 i = 0; i < 8; i++)
		digits[i] = "0123456789ABCDEF"[value >> (28 - 4 * i) & 15];
	text(digits);
}

const char *unpack(const Archive &archive)
{
	rootfs::Unpacked report;
	auto result = rootfs::unpack(archive.bytes(), report);

	seam_files_flush();
	return result ? "" : result.error().reason;
}

bool same(const char *a, const char *b)
{
	return __builtin_strcmp(a, b) == 0;
}

bool reads(const char *path, const char *content)
{
	char found[64];
	const size_t size = __builtin_strlen(content);
	const s64 got = initrd_kunit_read(path, found, sizeof(found));

	return got == static_cast<s64>(size) && __builtin_memcmp(found, content, size) == 0;
}

initrd_kunit_node stat(const char *path)
{
	initrd_kunit_node node = {};

	initrd_kunit_stat(path, &node);
	return node;
}

bool exists(const char *path)
{
	initrd_kunit_node node;

	return initrd_kunit_stat(path, &node) == 0;
}

} // namespace initrd::kunit
