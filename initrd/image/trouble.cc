// SPDX-License-Identifier: GPL-2.0

#include "initrd/image/trouble.h"

#include "initrd/seam/log.h"
#include "initrd/seam/memory.h"
#include "initrd/support/text.h"

namespace initrd {
namespace {

// The one line that is put together; nobody else tells anything meanwhile.
constinit char text[800] = {};
constinit size_t length = 0;

__attribute__((__format__(__printf__, 1, 2))) void add(const char *format, ...)
{
	__builtin_va_list arguments;

	__builtin_va_start(arguments, format);
	length += seam_format(text + length, sizeof(text) - length, format, arguments);
	__builtin_va_end(arguments);
}

void begin(const char *where)
{
	length = 0;
	text[0] = 0;
	add("%s%s", where ?: "", where ? ": " : "");
}

void say()
{
	seam_log(SEAM_LOG_ERR, "initrd: %s\n", text);
}

// Whether an earlier row has the same name.
bool is_repeated(const Format &format)
{
	for (const Format &other : known_formats) {
		if (&other == &format)
			return false;
		if (same_text(other.name, format.name))
			return true;
	}
	return false;
}

// The names of what can be used, or cannot, behind `before`; nothing if none.
void add_formats(bool usable, const char *before)
{
	const char *separator = before;

	for (const Format &format : known_formats) {
		const bool has_decoder = format.kind != Kind::kCompressed || format.decode;

		if (has_decoder != usable || is_repeated(format))
			continue;
		add("%s%s", separator, format.name);
		separator = " ";
	}
}

// What bytes begin with, and what that may be.
void add_head(Bytes bytes)
{
	const Format *const compressed = identify_compressed(bytes);
	const char *const hint = hint_for(bytes);

	add("begins with");
	for (const u8 byte : bytes.first(8))
		add(" %02x", byte);
	// What is looked at has been decompressed, if it was compressed.
	if (compressed)
		add(" (%s data: compressed twice, decompress it once)", compressed->name);
	else if (hint)
		add(" (%s)", hint);
}

void add_unknown(Bytes bytes)
{
	add_head(bytes);
	add_formats(true, ", known are ");
	add_formats(false, ", not configured ");
}

// CONFIG_RD_GZIP for "gzip".
void add_option(const Format &format)
{
	add("this kernel has no CONFIG_RD_");
	for (const char *name = format.name; *name; name++)
		add("%c", *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
}

// What comes behind the colon, one thing after the other.
class Details {
public:
	INLINE const char *separator()
	{
		const char *const now = separator_;

		separator_ = ", ";
		return now;
	}

private:
	const char *separator_ = ": ";
};

void add_sizes(const Error &error, const Trouble &trouble, Details &details)
{
	if (error.code == kNoMemory) {
		if (error.expected)
			add("%s%llu bytes needed", details.separator(), error.expected);
		add("%s%llu available", details.separator(), seam_memory_available());
		return;
	}
	if (trouble.inodes) {
		add("%sno inodes are left of %llu", details.separator(), trouble.inodes);
		return;
	}
	if (error.code == kNoSpace) {
		add("%s%llu bytes needed, %llu free", details.separator(), error.expected,
		    error.there);
		return;
	}
	const bool in_stream = trouble.compressed && !trouble.inside && error.code != kNotSupported;

	if (error.expected)
		add("%s%llu bytes expected", details.separator(), error.expected);
	if (in_stream)
		add("%s%llu bytes came out", details.separator(), trouble.came_out);
	else if (error.expected)
		add("%s%llu there", details.separator(), error.there);
}

} // namespace

void Trouble::set_entry(const char *name)
{
	copy_printable(entry, sizeof(entry), name, ~size_t{0});
}

void tell(const Trouble &trouble)
{
	const Error &error = trouble.error;
	const bool no_room = error.code == kNoMemory || error.code == kNoSpace;
	Details details;

	begin(trouble.where);
	if (no_room)
		add("no space: ");
	else if (error.code == kUnknownFormat)
		add("unknown format: ");
	if (trouble.file_system)
		add("truncated %s image", trouble.file_system);
	else
		add("%s", error.reason);
	// Want of memory may have nothing to do with any offset.
	if (error.offset || !no_room)
		add(" at offset %llu", error.offset);
	if (trouble.inside && trouble.compressed)
		add(" of the unpacked %s data", trouble.compressed->name);
	if (trouble.entry[0])
		add(", %s %s%s", trouble.behind_entry ? "after" : "in", trouble.entry,
		    trouble.entry_removed ? " (removed)" : "");
	add_sizes(error, trouble, details);
	if (error.code == kUnknownFormat) {
		add("%s", details.separator());
		add_unknown(trouble.head);
	}
	if (error.code == kNotSupported && trouble.compressed) {
		add("%s", details.separator());
		add_option(*trouble.compressed);
	}
	if (trouble.is_archive)
		add("%s%llu entries unpacked", details.separator(), trouble.entries);
	say();
}

void tell_unknown(const char *where, u64 offset, Bytes bytes, const char *consequence)
{
	begin(where);
	add("unknown format at offset %llu: ", offset);
	add_unknown(bytes);
	add("%s", consequence);
	seam_log(SEAM_LOG_WARNING, "initrd: %s\n", text);
}

void tell_junk(const char *what, const char *more, u64 offset, Bytes junk, const char *why)
{
	begin(nullptr);
	add("%zu bytes of junk behind the %s%s at offset %llu, ignored: ", junk.size(), what, more,
	    offset);
	if (why)
		add("%s", why);
	else
		add_head(junk);
	seam_log(SEAM_LOG_WARNING, "initrd: %s\n", text);
}

void tell_junk_inside(const char *compressor, u64 offset, u64 size, Bytes head)
{
	begin(nullptr);
	add("%llu bytes of junk behind the archive at offset %llu of the unpacked %s data, ignored: ",
	    size, offset, compressor);
	add_head(head);
	seam_log(SEAM_LOG_WARNING, "initrd: %s\n", text);
}

void tell_archives(const char *format, u64 offset, u64 size, bool inside)
{
	seam_log(
		SEAM_LOG_NOTICE,
		"initrd: %llu bytes of archives behind the %s image at offset %llu%s: not unpacked, for no init in them runs\n",
		size, format, offset, inside ? " of what came out" : "");
}

void tell_boot_configuration(u64 offset, u64 size)
{
	seam_log(
		SEAM_LOG_WARNING,
		"initrd: boot configuration at offset %llu, %llu bytes: not used, for it is not at the end of everything\n",
		offset, size);
}

} // namespace initrd
