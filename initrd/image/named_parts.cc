// SPDX-License-Identifier: GPL-2.0

#include "initrd/image/named_parts.h"

#include "initrd/formats/formats.h"
#include "initrd/formats/segments.h"
#include "initrd/support/parse.h"

namespace initrd {
namespace {

// The hash of a part so far, which can be looked at in between.
class Running {
public:
	INLINE Running(Bytes image, size_t start, Span<const Digest> wanted)
		: image_(image), wanted_(wanted), done_(start), start_(start)
	{
		seam_sha256_start(&state_);
	}

	// Whether the part up to `end`, which is not before the last one, is wanted.
	bool is_named(size_t end, Digest &found)
	{
		// What is between two ends is hashed faster than an end is looked at; data
		// that has very many of them is not what anybody has hashed.
		if (looks_ > kLooks && looks_ - kLooks > (end - start_) / kEach &&
		    end < image_.size())
			return false;
		looks_++;
		seam_sha256_add(&state_, image_.data() + done_, end - done_);
		done_ = end;
		seam_sha256_state copy = state_;

		seam_sha256_finish(&copy, found.bytes);
		for (const Digest &one : wanted_)
			if (one == found)
				return true;
		return false;
	}

private:
	static constexpr size_t kLooks = 4096;
	static constexpr size_t kEach = 64;

	Bytes image_;
	Span<const Digest> wanted_;
	size_t done_;
	size_t start_;
	size_t looks_ = 0;
	seam_sha256_state state_;
};

// Tells the bytes that something known may begin with from all others.
class FirstBytes {
public:
	INLINE FirstBytes()
	{
		for (const Format &format : known_formats) {
			if (format.offset == 0)
				set(format.magic[0]);
			// A skippable frame of zstd.
			for (u32 byte = 0x50; format.offset == 1 && byte < 0x60; byte++)
				set(byte);
		}
	}
	INLINE bool has(u8 byte) const { return bits_[byte / 32] >> byte % 32 & 1; }

private:
	INLINE void set(u32 byte) { bits_[byte / 32] |= u32{1} << byte % 32; }

	u32 bits_[8] = {};
};

bool is_begin(Bytes bytes)
{
	return is_archive(bytes) || identify_compressed(bytes) || identify_file_system(bytes);
}

// The eight digits of field number `field` of an archive's header.
u32 header_field(Bytes header, size_t field)
{
	u32 value = 0;

	for (const u8 byte : header.skip(6 + 8 * field).first(8))
		value = value << 4 | digit_value(static_cast<char>(byte));
	return value;
}

// Whether a name is ".extra" or below that, and stays there.
bool is_in_extra(Bytes name)
{
	constexpr size_t kExtra = 6;

	if (!holds(name, 0, ".extra") || (name[kExtra] && name[kExtra] != '/'))
		return false;
	for (size_t at = kExtra; name[at]; at++)
		if (holds(name, at, "/..") && (!name[at + 3] || name[at + 3] == '/'))
			return false;
	return true;
}

} // namespace

size_t next_part(Bytes image, size_t end)
{
	const size_t first = end + count_zeros(image.skip(end));
	size_t start;

	if (first < image.size() && find_file_system(image, end, first, start))
		return start;
	return first;
}

size_t find_named_end(Bytes image, size_t start, Span<const Digest> wanted, Digest &found)
{
	// Files that are padded by those who write them are a multiple of this long; a file
	// system begins with as many NULs, if with any.
	constexpr size_t kUnit = 512;
	// A file may itself end in a few NULs.
	constexpr size_t kFew = 8;
	const FirstBytes first_bytes;
	const Bytes part = image.skip(start);
	const Format *const format = identify_file_system(part);
	const u64 claimed = format ? claimed_size(*format, part) : 0;
	Running running(image, start, wanted);
	size_t at = start;

	while (at < image.size()) {
		const bool has_end = claimed && at < start + claimed && claimed < part.size();
		const size_t limit = has_end ? start + static_cast<size_t>(claimed) : image.size();

		if (image[at]) {
			if (at > start && first_bytes.has(image[at]) && is_begin(image.skip(at)) &&
			    running.is_named(at, found))
				return at;
			at++;
		} else {
			const size_t zeros = count_zeros(image.first(limit).skip(at));
			const size_t end = at + zeros;
			const bool ends_part = end == limit || zeros >= kUnit ||
					       (first_bytes.has(image[end]) &&
						is_begin(image.skip(end)));

			for (size_t next = at; ends_part && next < end;) {
				if (next > start && running.is_named(next, found))
					return next;
				next = next < at + kFew ? next + 1 :
							  start + round_up(next + 1 - start, kUnit);
			}
			if (ends_part && running.is_named(end, found))
				return end;
			at = end;
		}
		if (at == limit && running.is_named(at, found))
			return at;
	}
	return 0;
}

bool is_whole_file_system(Bytes image, size_t start, size_t end)
{
	const Bytes part = image.skip(start);
	const Format *const format = identify_file_system(part);
	const u64 claimed = format ? claimed_size(*format, part) : 0;

	return claimed && claimed <= end - start;
}

size_t extra_archive_end(Bytes image, size_t start)
{
	enum Field : size_t { kMode = 1, kLinks = 4, kSize = 6, kNameSize = 11 };
	constexpr size_t kHeader = 110;
	constexpr size_t kMostName = 256;
	size_t at = start;

	// Where it would not be read in the same way.
	if (start % 4)
		return 0;
	while (is_archive(image.skip(at))) {
		const Bytes header = image.skip(at);
		const u32 mode = header_field(header, kMode);
		const size_t size = header_field(header, kSize);
		const size_t name_size = header_field(header, kNameSize);
		const Bytes name = header.skip(kHeader).first(name_size);
		const size_t data = round_up(kHeader + name_size, size_t{4});

		if (name_size < 2 || name_size > kMostName || name.size() < name_size ||
		    name[name_size - 1])
			return 0;
		if (!header.has(data, size))
			return 0;
		at += data + round_up(size, size_t{4});
		if (holds(name, 0, "TRAILER!!!\0"))
			return size ? 0 : min(at, image.size());
		if (!is_in_extra(name))
			return 0;
		// A folder, or a file in it that is no other name of one elsewhere.
		const bool folder = mode >> 12 == 4 && !size;
		const bool file = mode >> 12 == 8 && header_field(header, kLinks) == 1;

		if (!folder && !(file && name[6] == '/'))
			return 0;
	}
	return 0;
}

} // namespace initrd
