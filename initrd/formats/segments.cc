// SPDX-License-Identifier: GPL-2.0

#include "initrd/formats/segments.h"

#include "initrd/seam/memory.h"

namespace initrd {
namespace {

// The bytes and the sizes of what the kernel's bootconfig program appends.
constexpr char kConfigMagic[] = "#BOOTCONFIG\n";
constexpr size_t kConfigMagicSize = sizeof(kConfigMagic) - 1;
constexpr size_t kConfigNumbers = 8;
constexpr size_t kMostConfig = 32767;

// Whether a boot configuration whose text is to begin between `from` and `first` has
// its size and checksum at `numbers`.
bool is_configuration(Bytes bytes, size_t from, size_t first, size_t numbers)
{
	const u32 size = load_le32(bytes, numbers);
	u32 sum = 0;

	if (size > kMostConfig || size > numbers - from || numbers - size > first)
		return false;
	for (const u8 byte : bytes.first(numbers).skip(numbers - size))
		sum += byte;
	return sum == load_le32(bytes, numbers + 4);
}

// Whether there is a table of partitions: then it is a whole disk, whatever begins it.
bool is_partitioned(Bytes image)
{
	constexpr size_t kTable = 446;
	constexpr size_t kEntry = 16;
	bool any = false;

	if (holds(image, 512, "EFI PART"))
		return true;
	if (!image.has(0, 512) || image[510] != 0x55 || image[511] != 0xaa)
		return false;
	for (size_t at = kTable; at < kTable + 4 * kEntry; at += kEntry) {
		if (image[at] & 0x7f)
			return false;
		any |= image[at + 4] && load_le32(image, at + 8) && load_le32(image, at + 12);
	}
	return any;
}

// The bytes of a digest, as dm-verity names its algorithm; 0: not known.
u32 digest_size(Bytes algorithm)
{
	if (holds(algorithm, 0, "sha1\0"))
		return 20;
	if (holds(algorithm, 0, "sha224\0"))
		return 28;
	if (holds(algorithm, 0, "sha256\0"))
		return 32;
	if (holds(algorithm, 0, "sha384\0"))
		return 48;
	return holds(algorithm, 0, "sha512\0") ? 64 : 0;
}

// Where the tree of digests ends whose superblock is at `at` of `image`: each level has
// a digest for each block of the one below. ~0 where that cannot be told.
u64 verity_end(Bytes image, size_t at)
{
	constexpr size_t kSuper = 512;
	const Bytes super = image.skip(at);
	const u32 digest = super.has(0, kSuper) ? digest_size(super.first(64).skip(32)) : 0;
	const u32 block = digest ? load_le32(super, 68) : 0;
	u32 bits = 0;
	u64 blocks = 0;

	if (!is_power_of_two(block, 512, 65536))
		return ~u64{0};
	while (digest << (bits + 1) <= block)
		bits++;
	const u64 data = load_le64(super, 72);

	if (!data || data >> 48)
		return ~u64{0};
	for (u32 shift = 0; (data - 1) >> shift; shift += bits)
		blocks += ((data - 1) >> (shift + bits)) + 1;
	return round_up(u64{at} + kSuper, u64{block}) + blocks * block;
}

// How much of `image` belongs to it beyond the file system, which ends at `size`: with
// dm-verity's digests, or whatever Android's verified boot describes in a footer.
u64 size_with_company(Bytes image, size_t size)
{
	constexpr size_t kFooter = 64;
	const size_t next = size + count_zeros(image.skip(size));

	if (holds(image, next, "verity\0\0"))
		return min(verity_end(image, next), u64{image.size()});
	if (image.size() - size >= kFooter && holds(image, image.size() - kFooter, "AVBf"))
		return image.size();
	return size;
}

// Where archives begin behind `end` of `image`, or 0. NULs and a boot configuration in
// front of them count.
size_t archives_behind(Bytes image, size_t end, HoldsArchive holds)
{
	const size_t first = end + count_zeros(image.skip(end));
	const size_t config = find_boot_configuration(image, end, first);
	const Bytes next = config ? image.skip(config + count_zeros(image.skip(config))) :
				    image.skip(first);

	return is_archive(next) || (identify_compressed(next) && holds(next)) ? end : 0;
}

} // namespace

size_t count_zeros(Bytes bytes)
{
	constexpr size_t kWord = sizeof(u64);
	size_t at = 0;

	while (bytes.has(at, kWord) && load_le64(bytes, at) == 0)
		at += kWord;
	return at + leading_zeros(bytes.skip(at));
}

const Format *find_file_system(Bytes bytes, size_t from, size_t first, size_t &start)
{
	const Format *cut_off = nullptr;
	size_t at = from;

	// No superblock is farther in.
	if (first - from > kImageHead)
		at = round_up(first - kImageHead, size_t{4});
	for (;;) {
		const Bytes image = bytes.skip(at);
		const Format *const format = identify_file_system(image);

		if (format && claimed_size(*format, image) <= image.size()) {
			start = at;
			return format;
		}
		if (format && !cut_off) {
			cut_off = format;
			start = at;
		}
		if (at == first)
			return cut_off;
		at = min(round_up(at + 1, size_t{4}), first);
	}
}

size_t find_boot_configuration(Bytes bytes, size_t from, size_t first)
{
	const size_t most = first + kMostConfig + kConfigNumbers;

	for (size_t at = first; at <= most && bytes.has(at, kConfigNumbers + kConfigMagicSize);
	     at++)
		if (bytes[at + kConfigNumbers] == kConfigMagic[0] &&
		    holds(bytes, at + kConfigNumbers, kConfigMagic) &&
		    is_configuration(bytes, from, first, at))
			return at + kConfigNumbers + kConfigMagicSize;
	return 0;
}

bool ends_in_trailer(Bytes bytes)
{
	constexpr size_t kTrailer = 10;
	size_t end = bytes.size();

	while (end && bytes.data()[end - 1] == 0)
		end--;
	return end >= kTrailer && holds(bytes, end - kTrailer, "TRAILER!!!");
}

size_t find_archive(Bytes bytes, size_t from)
{
	for (size_t at = from; at < bytes.size(); at++)
		if (bytes.data()[at] == '0' && is_archive(bytes.skip(at)))
			return at;
	return bytes.size();
}

ImagePlace place_image(Bytes bytes, size_t offset, Tail tail, bool mapped, HoldsArchive holds)
{
	const Bytes image = bytes.skip(offset);
	const Format *const format = identify(image);
	ImagePlace place;

	place.offset = offset;
	place.size = image.size();
	place.room = image.size();
	place.block = static_cast<int>(offset / 1024);
	if (tail == Tail::kKeep || !format || format->kind != Kind::kFileSystem)
		return place;
	const u64 claimed = claimed_size(*format, image);

	if (!claimed || claimed >= image.size() || !is_sound(*format, image) ||
	    is_partitioned(image))
		return place;
	// The rest of a page costs nothing.
	const size_t size = static_cast<size_t>(claimed);
	const size_t in_pages = min(round_up(size, seam_page_size()), image.size());

	if (count_zeros(image.skip(size)) == image.size() - size) {
		place.size = in_pages;
		return place;
	}
	u64 with_company = size_with_company(image, size);
	size_t archives = 0;

	if (with_company < image.size())
		archives = archives_behind(image, static_cast<size_t>(with_company), holds);
	if (archives) {
		place.archives = offset + archives;
		place.size = archives;
		place.room = archives;
	} else if (tail == Tail::kDrop || (format->ends_there && !mapped && with_company == size)) {
		place.size = size;
		place.dropped = image.size() - size;
	}
	return place;
}

} // namespace initrd
