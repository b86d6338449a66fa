// SPDX-License-Identifier: GPL-2.0

#include "peer.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace peer {
namespace {

using Reading = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Writing = std::unique_ptr<archive, decltype(&archive_write_free)>;
using Header = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

std::string text(const char *string)
{
	return string ? string : "";
}

// The entry whose header was just read; false when its data is not all there.
bool read_entry(archive *from, archive_entry *header, Entry &entry)
{
	char buffer[4096];
	la_ssize_t size;

	entry.name = text(archive_entry_pathname(header));
	entry.target = text(archive_entry_symlink(header));
	entry.mode = archive_entry_mode(header);
	entry.uid = static_cast<uint32_t>(archive_entry_uid(header));
	entry.gid = static_cast<uint32_t>(archive_entry_gid(header));
	entry.mtime = static_cast<uint32_t>(archive_entry_mtime(header));
	entry.nlink = archive_entry_nlink(header);
	entry.is_other_name = archive_entry_hardlink(header);
	while ((size = archive_read_data(from, buffer, sizeof(buffer))) > 0)
		entry.data.append(buffer, static_cast<size_t>(size));
	return size == 0;
}

la_ssize_t append(archive *, void *to, const void *bytes, size_t size)
{
	auto &out = *static_cast<std::vector<uint8_t> *>(to);
	const auto *const from = static_cast<const uint8_t *>(bytes);

	out.insert(out.end(), from, from + size);
	return static_cast<la_ssize_t>(size);
}

bool write_entry(archive *to, const Entry &entry)
{
	const Header header(archive_entry_new(), archive_entry_free);

	archive_entry_set_pathname(header.get(), entry.name.c_str());
	archive_entry_set_mode(header.get(), entry.mode);
	archive_entry_set_uid(header.get(), entry.uid);
	archive_entry_set_gid(header.get(), entry.gid);
	archive_entry_set_mtime(header.get(), entry.mtime, 0);
	archive_entry_set_ino64(header.get(), entry.ino);
	archive_entry_set_nlink(header.get(), entry.nlink);
	archive_entry_set_rdevmajor(header.get(), entry.rdev_major);
	archive_entry_set_rdevminor(header.get(), entry.rdev_minor);
	archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.data.size()));
	if (!entry.target.empty())
		archive_entry_set_symlink(header.get(), entry.target.c_str());
	return archive_write_header(to, header.get()) == ARCHIVE_OK &&
	       archive_write_data(to, entry.data.data(), entry.data.size()) ==
		       static_cast<la_ssize_t>(entry.data.size());
}

} // namespace

Archive read(const std::vector<uint8_t> &bytes)
{
	const Reading reader(archive_read_new(), archive_read_free);
	Archive got;
	archive_entry *header;

	archive_read_support_format_cpio(reader.get());
	int status = archive_read_open_memory(reader.get(), bytes.data(), bytes.size());

	while (status == ARCHIVE_OK &&
	       (status = archive_read_next_header(reader.get(), &header)) == ARCHIVE_OK) {
		got.entries.emplace_back();
		if (!read_entry(reader.get(), header, got.entries.back()))
			status = ARCHIVE_FATAL;
	}
	got.accepted = status == ARCHIVE_EOF;
	return got;
}

std::vector<uint8_t> write(const std::vector<Entry> &entries)
{
	const Writing writer(archive_write_new(), archive_write_free);
	std::vector<uint8_t> out;
	bool good = archive_write_set_format_cpio_newc(writer.get()) == ARCHIVE_OK &&
		    archive_write_set_bytes_per_block(writer.get(), 0) == ARCHIVE_OK &&
		    archive_write_open(writer.get(), &out, nullptr, append, nullptr) == ARCHIVE_OK;

	for (const Entry &entry : entries)
		good = good && write_entry(writer.get(), entry);
	good = archive_write_close(writer.get()) == ARCHIVE_OK && good;
	return good ? out : std::vector<uint8_t>();
}

} // namespace peer
