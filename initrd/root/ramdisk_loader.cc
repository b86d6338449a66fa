// SPDX-License-Identifier: GPL-2.0

#include "initrd/root/ramdisk_loader.h"

#include "initrd/image/formats.h"
#include "initrd/kernel/handles.h"
#include "initrd/kernel/log.h"
#include "ramdisk/page_writer.h"

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

// The name of what `head` begins, `size` bytes in all; says when that is less
// than its superblock claims.
const char *name_of(const Format *format, Bytes head, u64 size)
{
	if (!format || format->kind != Kind::kFileSystem)
		return "unknown";
	const u64 claimed = claimed_size(*format, head);

	if (claimed > size)
		seam_log(
			SEAM_LOG_ERR,
			"initrd: %s image is truncated: its superblock says %llu bytes, there are %llu\n",
			format->name, claimed, size);
	return format->name;
}

// Names what was decoded into the disk, from as many bytes as the table looks at.
const char *content_of(ramdisk::Disk &disk, u64 size)
{
	constexpr size_t kHead = size_t{68} << 10;
	auto head = Buffer::create(kHead);

	if (!head)
		return "unknown";
	const MutableBytes bytes =
		head.value().bytes().first(size < kHead ? static_cast<size_t>(size) : kHead);

	disk.read(0, bytes);
	return name_of(identify(bytes), bytes, size);
}

// The image's pages become the disk's; or copies of them, where they are kept.
Result<void> take_over(Region &region, Bytes image, ramdisk::Disk &disk, bool keep,
		       Account &account)
{
	TRY(disk.grow(image.size()));
	if (keep || !region.may_hand_over()) {
		TRY(disk.write(0, image, RAMDISK_AT_BOOT));
		account.how = "copied";
		account.copied = image.size();
		return {};
	}
	const Bytes aligned = TRY(region.align([&](u64 offset, Bytes rest) {
		account.copied += rest.size();
		return disk.write(offset, rest, RAMDISK_AT_BOOT);
	}));

	TRY(disk.adopt(aligned));
	if (aligned.data() != image.data())
		account.copied = image.size();
	region.hand_over(aligned.size());
	account.how = account.copied == image.size() ? "moved" : "adopted";
	return {};
}

// Decodes all members at the start of `image` straight into pages of the disk;
// returns their length. What comes behind the first is taken for one more
// member only if it can be decoded.
Result<size_t> decode_members(Bytes image, const Format &format, ramdisk::PageWriter &pages,
			      Account &account)
{
	size_t at = 0;

	do {
		auto member = format.decode(image.skip(at), pages);

		if (!member && (at == 0 || member.error().code == kNoMemory)) {
			// What came out before may do: the mount will tell.
			account.out = pages.size();
			return member.error().after(at);
		}
		if (!member) {
			seam_log(SEAM_LOG_ERR, "initrd: no other %s member at offset %zu: %s\n",
				 format.name, at, member.error().reason);
			return at;
		}
		account.out = pages.size();
		at += member.value();
		at += leading_zeros(image.skip(at));
	} while (identify_compressed(image.skip(at)) == &format);
	return at;
}

Result<void> decode_into(Bytes image, const Format &format, ramdisk::Disk &disk, Account &account)
{
	ramdisk::PageWriter pages(disk);

	account.out = 0;
	account.how = "decoded";
	auto members = decode_members(image, format, pages, account);
	auto finished = pages.finish();

	// What came of bytes that were no member.
	disk.discard(account.out, pages.size() - account.out);
	TRY(disk.grow(account.out));
	TRY(move(finished));
	const size_t used = TRY(move(members));

	if (used < image.size())
		seam_log(SEAM_LOG_WARNING,
			 "initrd: %zu bytes behind the %s image ignored, from offset %zu\n",
			 image.size() - used, format.name, used);
	return {};
}

Result<void> load_compressed(Bytes image, const Format &format, int start_block,
			     ramdisk::Disk &disk, Account &account)
{
	seam_log(SEAM_LOG_NOTICE, "RAMDISK: %s image found at block %d\n", format.name,
		 start_block);
	if (!format.decode) {
		seam_log(SEAM_LOG_EMERG, "RAMDISK: %s decompressor not configured!\n", format.name);
		return Error{kInvalid, "its decompressor is not configured"};
	}
	account.compressor = format.name;
	auto decoded = decode_into(image, format, disk, account);

	// Not even a part is of use where it leaves no memory to boot with.
	if (!decoded && decoded.error().code == kNoMemory) {
		disk.clear();
		return decoded;
	}
	account.content = content_of(disk, account.out);
	return decoded;
}

Result<void> load_plain(Region &region, Bytes image, const Format *format, int start_block,
			ramdisk::Disk &disk, bool keep, Account &account)
{
	if (format) {
		seam_log(SEAM_LOG_NOTICE, "RAMDISK: %s filesystem found at block %d\n",
			 format->name, start_block);
	} else {
		seam_log(SEAM_LOG_NOTICE,
			 "RAMDISK: Couldn't find valid RAM disk image starting at %d.\n",
			 start_block);
		seam_log(SEAM_LOG_WARNING,
			 "initrd: unknown format at offset %llu: taken whole, as it is\n",
			 static_cast<u64>(start_block) * kImageBlock);
	}
	// Before its bytes are the disk's.
	account.content = name_of(format, image, image.size());
	TRY(take_over(region, image, disk, keep, account));
	seam_log(SEAM_LOG_NOTICE, "RAMDISK: Loading %lluKiB [1 disk] into ram disk... done.\n",
		 kibibytes(account.out));
	return {};
}

} // namespace

Result<void> load_ramdisk(Region &region, int start_block, bool keep)
{
	const u64 started_ns = seam_now_ns();
	u64 offset;

	if (start_block < 0 ||
	    !checked_multiply(static_cast<u64>(start_block), u64{kImageBlock}, offset) ||
	    offset >= region.bytes().size()) {
		seam_log(SEAM_LOG_NOTICE,
			 "RAMDISK: Couldn't find valid RAM disk image starting at %d.\n",
			 start_block);
		return Error{kInvalid, "ramdisk_start= is behind the end of the image"};
	}
	if (!keep)
		region.drop_front(static_cast<size_t>(offset));

	const Bytes image = region.bytes().skip(keep ? static_cast<size_t>(offset) : 0);
	const Format *const format = identify(image);
	const bool is_file_system = format && format->kind == Kind::kFileSystem;
	ramdisk::Disk &disk = *TRY(ramdisk::boot_disk());

	disk.mark_as_initrd();
	Account account = {nullptr, "unknown", image.size(), image.size(), "", 0, started_ns};
	auto loaded = format && format->kind == Kind::kCompressed ?
			      load_compressed(image, *format, start_block, disk, account) :
			      load_plain(region, image, is_file_system ? format : nullptr,
					 start_block, disk, keep, account);

	if (!loaded)
		return loaded.error().after(offset);
	disk.find_partitions();
	report(account);
	return {};
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

	if (disk.value()->retire())
		seam_log(SEAM_LOG_INFO, "initrd: %llu KiB of /dev/ram0 given back\n", kib);
	else
		seam_log(
			SEAM_LOG_NOTICE,
			"initrd: /dev/ram0 is in use: its %llu KiB will be given back by the last user\n",
			kib);
}

} // namespace initrd::root
