// SPDX-License-Identifier: GPL-2.0

#include "initrd/load/ramdisk_loader.h"

#include "initrd/formats/buffer.h"
#include "initrd/image/reading.h"
#include "initrd/image/trouble.h"
#include "initrd/load/page_writer.h"
#include "initrd/seam/files.h"
#include "initrd/seam/log.h"
#include "initrd/seam/root.h"
#include "initrd/support/text.h"

namespace initrd::root {
namespace {

// What the last line of a load says.
struct Account {
	const char *compressor; // null: none
	const char *content;
	u64 in;
	u64 out;
	const char *how;
	u64 copied;
	u64 started_ns;
};

void report(const Account &account)
{
	seam_log(
		SEAM_LOG_INFO,
		"initrd: %s%s%s image: %llu bytes in, %llu bytes out, %s, %llu bytes copied, %llu ms\n",
		account.compressor ?: "", account.compressor ? "+" : "", account.content,
		account.in, account.out, account.how, account.copied,
		to_milliseconds(seam_now_ns() - account.started_ns));
}

u64 kibibytes(u64 bytes)
{
	return (bytes + 1023) / 1024;
}

// What is behind compressed data, from `at` on: archives, or what is not taken for more
// of it.
void tell_behind(Bytes image, u64 offset, const Format &format, size_t end, HoldsArchive holds)
{
	size_t at = end + count_zeros(image.skip(end));

	if (const size_t config = find_boot_configuration(image, end, at)) {
		tell_boot_configuration(offset + at, config - at);
		at = config + count_zeros(image.skip(config));
	}
	const Bytes rest = image.skip(at);

	if (is_archive(rest) || (identify_compressed(rest) && holds(rest)))
		tell_archives(format.name, offset + at, rest.size());
	else if (!rest.empty())
		tell_junk(format.name, " data", offset + at, rest, nullptr);
}

// What is said of an image that is not compressed.
void tell_plain(const Error &error)
{
	Trouble trouble;

	trouble.error = error;
	tell(trouble);
}

// What the bytes of an image begin with.
struct Content {
	const char *name = "unknown";
	u64 claimed = 0; // bytes, as its superblock says; 0: not known
};

Content content_of(const Format *format, Bytes head)
{
	if (!format || format->kind != Kind::kFileSystem)
		return {};
	return {format->name, claimed_size(*format, head)};
}

// Says so if the `size` bytes from `offset` on, or those that came out of
// `compressed`, are fewer than the file system in them claims to have.
void tell_if_truncated(const Content &content, u64 size, u64 offset, const Format *compressed)
{
	Trouble trouble;

	if (content.claimed <= size)
		return;
	trouble.error = {kNoData, "", offset + size, content.claimed, size};
	trouble.file_system = content.name;
	trouble.compressed = compressed;
	trouble.inside = compressed;
	tell(trouble);
}

// Says why a compressed image was not loaded whole. `claimed`: by the superblock
// of what came out, if that is known.
void tell_compressed(Error error, const Format &format, u64 claimed, u64 out)
{
	Trouble trouble;

	if (error.code == kNoData && claimed > out)
		error.expected = claimed;
	if (error.code == kNoMemory)
		error.expected = claimed > out ? claimed : out + error.expected;
	trouble.error = error;
	trouble.compressed = &format;
	trouble.came_out = out;
	tell(trouble);
}

// One load: the image at `place` in `region` goes into `disk`.
class Load {
public:
	INLINE Load(Region &region, Bytes image, const ImagePlace &place, ramdisk::Disk &disk,
		    bool keep, HoldsArchive holds, const Account &account)
		: region_(region),
		  image_(image),
		  place_(place),
		  disk_(disk),
		  keep_(keep),
		  holds_(holds),
		  account_(account)
	{
	}

	Result<void> compressed(const Format &format);
	/* `format`: the file system's; null where it is not known. */
	Result<void> plain(const Format *format);

	INLINE const Account &account() const { return account_; }

private:
	Result<void> copy_in(Bytes image);
	Result<void> take_over();
	Result<size_t> decode_members(const Format &format, ramdisk::PageWriter &pages);
	Result<void> decode_into_disk(const Format &format);
	u64 find_content(u64 at, MutableBytes buffer);
	void drop_archives(const Content &content, MutableBytes buffer);
	Content look_at_decoded(const Format &format, bool whole);

	Region &region_;
	Bytes image_;
	const ImagePlace &place_;
	ramdisk::Disk &disk_;
	bool keep_; /* the region stays as it is */
	HoldsArchive holds_;
	Account account_;
};

// Bytes of an image become the disk's by being copied; those that were are given back,
// where the region allows it.
Result<void> Load::copy_in(Bytes image)
{
	constexpr size_t kPiece = size_t{1} << 20;
	ImageReading reading(image, region_, account_.started_ns);

	for (size_t at = 0; at < image.size(); at += kPiece) {
		TRY(disk_.write(at, image.skip(at).first(kPiece), RAMDISK_AT_BOOT));
		reading.reached(min(at + kPiece, image.size()));
	}
	account_.how = "copied";
	account_.copied = image.size();
	return {};
}

// The image's pages become the disk's; or copies of them, where they are kept, or lie
// where only those may be that can be moved, or where somebody has the disk open.
Result<void> Load::take_over()
{
	const bool movable = region_.is_movable();

	if (!keep_ && movable)
		region_.allow_release();
	if (keep_ || movable || !region_.may_give_away())
		return copy_in(image_);
	const Bytes aligned = TRY(region_.align([&](u64 offset, Bytes rest) {
		account_.copied += rest.size();
		return disk_.write(offset, rest, RAMDISK_AT_BOOT);
	}));

	auto adopted = disk_.adopt(aligned.size(),
				   [&] { return region_.give_away_front(aligned.size()); });

	if (!adopted && adopted.error().code == kBusy) {
		region_.allow_release();
		TRY(copy_in(aligned));
		account_.copied = image_.size();
		return {};
	}
	TRY(move(adopted));
	if (aligned.data() != image_.data())
		account_.copied = image_.size();
	account_.how = account_.copied == image_.size() ? "moved" : "adopted";
	return {};
}

// Decodes all members at the start of `image` straight into pages of the disk;
// returns their length. What comes behind the first is taken for one more
// member only if it can be decoded.
Result<size_t> Load::decode_members(const Format &format, ramdisk::PageWriter &pages)
{
	ImageReading reading(image_, region_, account_.started_ns);
	const Format *next;
	size_t at = 0;
	size_t end;

	do {
		pages.follow(reading, at);
		auto member = format.decode(image_.skip(at), pages);

		if (!member && (at == 0 || member.error().code == kNoMemory)) {
			// What came out before may do: the mount will tell.
			account_.out = pages.size();
			return member.error().after(at);
		}
		if (!member) {
			tell_junk(format.name, " data", place_.offset + at, image_.skip(at),
				  member.error().reason);
			return image_.size();
		}
		account_.out = pages.size();
		end = at + member.value();
		at = end + count_zeros(image_.skip(end));
		next = identify_compressed(image_.skip(at));
	} while (next && next->decode == format.decode);
	tell_behind(image_, place_.offset, format, end, holds_);
	return at;
}

Result<void> Load::decode_into_disk(const Format &format)
{
	ramdisk::PageWriter pages(disk_);

	account_.how = "decoded";
	auto members = decode_members(format, pages);
	auto finished = pages.finish();
	// What came of bytes that were no member.
	auto taken_back = pages.take_back(account_.out);

	TRY(disk_.grow(account_.out));
	TRY(move(finished));
	TRY(move(taken_back));
	TRY(move(members));
	return {};
}

// Where in the disk, from `at` on, something begins that is not NUL; the end of what came
// out if nothing does. `buffer` is for reading.
u64 Load::find_content(u64 at, MutableBytes buffer)
{
	const u64 size = account_.out;

	while (at < size) {
		const MutableBytes piece = size - at < buffer.size() ?
						   buffer.first(static_cast<size_t>(size - at)) :
						   buffer;

		disk_.read(at, piece);
		const size_t zeros = count_zeros(piece);

		at += zeros;
		if (zeros < piece.size())
			break;
	}
	return at;
}

// Archives that were decoded together with a file system, and lie behind its end, are
// no part of it. `buffer` is for reading.
void Load::drop_archives(const Content &content, MutableBytes buffer)
{
	const size_t page = seam_page_size();
	const u64 at = find_content(content.claimed, buffer);
	const u64 left = account_.out - at;

	if (left < buffer.size())
		buffer = buffer.first(static_cast<size_t>(left));
	disk_.read(at, buffer);
	if (!is_archive(buffer))
		return;
	tell_archives(content.name, at, left, true);
	// The rest of the page in which the file system ends, and then whole ones.
	const size_t rest = rest_of_unit(content.claimed, page) ?
				    page - rest_of_unit(content.claimed, page) :
				    0;

	__builtin_memset(buffer.data(), 0, buffer.size());
	for (size_t done = 0; done < rest; done += buffer.size())
		if (!disk_.write(content.claimed + done, buffer.first(rest - done),
				 RAMDISK_AT_BOOT))
			return;
	disk_.discard(content.claimed, round_up(account_.out, u64{page}) - content.claimed);
	account_.out = content.claimed;
}

// Looks at what was decoded into the disk, and says what is wrong with it.
Content Load::look_at_decoded(const Format &format, bool whole)
{
	const u64 size = account_.out;
	auto head = Buffer::create(kImageHead);

	if (!head)
		return {};
	const MutableBytes bytes = head.value().bytes().first(
		size < kImageHead ? static_cast<size_t>(size) : kImageHead);

	disk_.read(0, bytes);
	const Format *const inside = identify(bytes);
	const Content content = content_of(inside, bytes);

	if (!whole)
		return content;
	tell_if_truncated(content, size, 0, &format);
	if (content.claimed && content.claimed < size && is_sound(*inside, bytes))
		drop_archives(content, bytes);
	else if (!inside || inside->kind != Kind::kFileSystem)
		tell_unknown(format.name, 0, bytes, ": loaded as it is");
	return content;
}

Result<void> Load::compressed(const Format &format)
{
	seam_log(SEAM_LOG_NOTICE, "RAMDISK: %s image found at block %d\n", format.name,
		 place_.block);
	if (!format.decode) {
		const Error error = {kNotSupported, "decompressor not configured", place_.offset};

		seam_log(SEAM_LOG_EMERG, "RAMDISK: %s decompressor not configured!\n", format.name);
		tell_compressed(error, format, 0, 0);
		return error;
	}
	account_.compressor = format.name;
	if (!keep_)
		region_.allow_release();
	auto decoded = decode_into_disk(format);
	const Content content = look_at_decoded(format, decoded.ok());

	account_.content = content.name;
	if (decoded)
		return decoded;
	// Not even a part is of use where it leaves no memory to boot with.
	if (decoded.error().code == kNoMemory)
		disk_.clear();
	tell_compressed(decoded.error().after(place_.offset), format, content.claimed,
			account_.out);
	return decoded;
}

Result<void> Load::plain(const Format *format)
{
	if (format) {
		seam_log(SEAM_LOG_NOTICE, "RAMDISK: %s filesystem found at block %d\n",
			 format->name, place_.block);
	} else {
		seam_log(SEAM_LOG_NOTICE,
			 "RAMDISK: Couldn't find valid RAM disk image starting at %d.\n",
			 place_.block);
		tell_unknown(nullptr, place_.offset, image_, ": loaded as it is");
	}
	// Before its bytes are the disk's.
	const Content content = content_of(format, image_);

	account_.content = content.name;
	tell_if_truncated(content, image_.size(), place_.offset, nullptr);
	if (place_.dropped)
		seam_log(
			SEAM_LOG_NOTICE,
			"initrd: %zu bytes behind the %s image at offset %zu are no part of it, not used: initrd.tail=keep keeps them\n",
			place_.dropped, content.name, place_.offset + place_.size);
	auto taken = disk_.grow(place_.room);

	if (taken)
		taken = take_over();
	if (!taken) {
		Error error = taken.error().after(place_.offset);

		if (error.code == kNoMemory) {
			error.expected = image_.size();
			disk_.clear();
		}
		tell_plain(error);
		return error;
	}
	seam_log(SEAM_LOG_NOTICE, "RAMDISK: Loading %lluKiB [1 disk] into ram disk... done.\n",
		 kibibytes(account_.out));
	return {};
}

} // namespace

Result<void> load_ramdisk(Region &region, const ImagePlace &place, bool keep, HoldsArchive holds)
{
	const u64 started_ns = seam_now_ns();

	if (place.offset >= region.bytes().size()) {
		const Error error = {kInvalid, "ramdisk_start= is behind the end of the image",
				     region.bytes().size()};

		seam_log(SEAM_LOG_NOTICE,
			 "RAMDISK: Couldn't find valid RAM disk image starting at %d.\n",
			 place.block);
		tell_plain(error);
		return error;
	}
	if (!keep) {
		region.drop_front(place.offset);
		region.cut_off(place.size);
	}

	const Bytes image = region.bytes().skip(keep ? place.offset : 0).first(place.size);
	const Format *const format = identify(image);
	const bool is_file_system = format && format->kind == Kind::kFileSystem;
	auto disk = ramdisk::boot_disk();

	if (!disk) {
		tell_plain(disk.error());
		return disk.error();
	}
	// Whoever looked at the new disk for partitions may be due to close it.
	seam_files_flush();
	disk.value()->begin_load();
	const Account account = {nullptr, "unknown", image.size(), image.size(), "", 0, started_ns};

	Load load(region, image, place, *disk.value(), keep, holds, account);
	auto loaded = format && format->kind == Kind::kCompressed ?
			      load.compressed(*format) :
			      load.plain(is_file_system ? format : nullptr);

	disk.value()->end_load();
	TRY(move(loaded));
	report(load.account());
	return {};
}

u32 find_ramdisk(const char *name)
{
	constexpr const char *kStart = "/dev/ram";
	constexpr u64 kMost = 1 << 20;
	const char *digits = starts_with(name, kStart) ? name + __builtin_strlen(kStart) : "";
	u64 number = 0;
	u32 device = 0;

	if (*digits < '0' || *digits > '9')
		return 0;
	for (; *digits >= '0' && *digits <= '9' && number < kMost; digits++)
		number = number * 10 + static_cast<u64>(*digits - '0');
	if (number >= kMost || !ramdisk::Disk::find_or_create(static_cast<u32>(number)))
		return 0;
	return seam_find_device(name, &device) < 0 ? 0 : device;
}

bool on_ramdisk(u32 device)
{
	// Eight bits of the minor number, twelve of the major, the minor's rest.
	const u32 major = device >> 8 & 0xfff;
	const u32 minor = (device & 0xff) | (device >> 12 & ~0xffu);

	if (device == kRam0 || major != 1)
		return device == kRam0;
	auto disk = ramdisk::boot_disk();

	return disk && disk.value()->owns(minor);
}

void retire_ramdisk()
{
	auto disk = ramdisk::boot_disk();

	if (!disk)
		return;
	const u64 kib = disk.value()->pages() * (seam_page_size() / 1024);

	// What was opened or mounted on the way here may be due to be closed: for real, and
	// not when this process next returns to user space.
	seam_files_flush();
	if (!disk.value()->retire())
		seam_log(
			SEAM_LOG_NOTICE,
			"initrd: /dev/ram0 is in use: its %llu KiB will be given back by the last user\n",
			kib);
	else if (kib)
		seam_log(SEAM_LOG_INFO, "initrd: %llu KiB of /dev/ram0 given back\n", kib);
}

} // namespace initrd::root
