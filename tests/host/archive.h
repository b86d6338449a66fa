/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A builder of cpio archives, right ones and wrong ones. A writer of its own: it
 * shares nothing with the reader under test.
 */
#ifndef HOST_ARCHIVE_H
#define HOST_ARCHIVE_H

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>

#include "fixture.h"

namespace host {

struct Item {
	std::string name;
	u32 mode = 0100644;
	std::string data = "";
	u32 mtime = 1000;
	u32 ino = 1;
	u32 nlink = 1;
	u32 uid = 0;
	u32 gid = 0;
	u32 rdev_major = 0;
	u32 rdev_minor = 0;
	u32 dev_major = 8;
	u32 dev_minor = 1;
	bool crc = false;
	std::optional<u32> checksum = {}; /* a wrong one */
	size_t pad_name = 0;		  /* NULs behind the name's NUL */
	bool name_without_nul = false;
	std::optional<u32> claimed_size = {};
};

inline constexpr u32 kFolderMode = 0040755;
inline constexpr u32 kLinkMode = 0120777;
inline constexpr u32 kHeaderSize = 110;

class Archive {
public:
	Archive &add(const Item &item)
	{
		u32 sum = 0;
		char header[kHeaderSize + 1];
		const size_t name_size = item.name.size() + (item.name_without_nul ? 0 : 1) +
					 item.pad_name;

		for (const char c : item.data)
			sum += static_cast<u8>(c);
		std::snprintf(header, sizeof(header),
			      "07070%c%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08zX%08X",
			      item.crc ? '2' : '1', item.ino, item.mode, item.uid, item.gid,
			      item.nlink, item.mtime,
			      item.claimed_size.value_or(static_cast<u32>(item.data.size())),
			      item.dev_major, item.dev_minor, item.rdev_major, item.rdev_minor,
			      name_size, item.crc ? item.checksum.value_or(sum) : 0);
		append(to_data(std::string(header) + item.name));
		data_.resize(data_.size() + name_size - item.name.size());
		pad();
		append(to_data(item.data));
		pad();
		return *this;
	}

	Archive &file(const std::string &name, const std::string &content)
	{
		return add({.name = name, .data = content});
	}

	Archive &folder(const std::string &name)
	{
		return add({.name = name, .mode = kFolderMode});
	}

	Archive &symlink(const std::string &name, const std::string &target)
	{
		return add({.name = name, .mode = kLinkMode, .data = target});
	}

	Archive &trailer() { return add({.name = "TRAILER!!!", .mode = 0, .mtime = 0, .ino = 0}); }

	/* NULs up to a multiple of `unit`. */
	Archive &pad(size_t unit = 4)
	{
		data_.resize((data_.size() + unit - 1) / unit * unit);
		return *this;
	}

	/* Overwrites what is at `offset`. */
	Archive &patch(size_t offset, const std::string &text)
	{
		std::copy(text.begin(), text.end(),
			  data_.begin() + static_cast<std::ptrdiff_t>(offset));
		return *this;
	}

	Archive &raw(const Data &data)
	{
		append(data);
		return *this;
	}

	const Data &data() const { return data_; }
	size_t size() const { return data_.size(); }

private:
	void append(const Data &data) { data_.insert(data_.end(), data.begin(), data.end()); }

	Data data_;
};

/* Where a header's field begins, from the header's start. */
inline constexpr size_t field_at(size_t number)
{
	return 6 + 8 * number;
}

} // namespace host

#endif
