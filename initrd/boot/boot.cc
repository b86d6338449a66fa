// SPDX-License-Identifier: GPL-2.0
//
// The way of an initrd, from the boot loader's memory to the root file system
// and back to free memory, in the order of the document's numbered list:
//
//   1. The boot loader has left the image; initrd_reserve() keeps it safe.
//   2. initrd_populate_rootfs() verifies it, if it was asked to, and unpacks it if
//      it is an archive; else initrd_load_root() makes it the RAM disk. It may be
//      archives, then an image, then archives. Its memory is given back.
//      With noinitrd it is neither: /dev/initrd shows it as it is.
//   3. Where the root device is not /dev/ram0, change_root() runs linuxrc.
//   4. The kernel mounts the root device, and goes on.

#include "initrd/seam/boot.h"

#include "initrd/formats/formats.h"
#include "initrd/formats/segments.h"
#include "initrd/image/region.h"
#include "initrd/image/verify.h"
#include "initrd/load/change_root.h"
#include "initrd/load/ramdisk_loader.h"
#include "initrd/rootfs/file_data.h"
#include "initrd/rootfs/limits.h"
#include "initrd/rootfs/unpack.h"
#include "initrd/seam/log.h"
#include "initrd/seam/root.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"
#include "ramdisk/image_device.h"

namespace initrd {
namespace {

constexpr bool kRamDisk = IS_ENABLED(CONFIG_BLK_DEV_RAM);
constexpr bool kRamDiskBuiltIn = IS_BUILTIN(CONFIG_BLK_DEV_RAM);

// What the command line asked for.
struct Options {
	bool retain = false;
	bool noinitrd = false;
	bool wait = false; // rootwait, without end when there is no number
	u64 wait_seconds = 0;
	bool mapped = false;	     // dm-mod.create=
	Tail tail = Tail::kAuto;     // initrd.tail=
	char init[256] = "/init";    // rdinit=
	char root[256] = "";	     // root=
	char file_systems[256] = ""; // rootfstype=
	char rootfs[256] = "";	     // initramfs_options=
};

constinit Options options = {};

// Whether the image may be used; kNone: nobody has looked yet.
enum class Verdict { kNone, kWanted, kRefused };

constinit Verdict verdict = Verdict::kNone;

// The image from populate to load, while it waits for the RAM disk driver, and where in
// it the RAM disk's part is.
constinit Region waiting = Region::none();
constinit ImagePlace place = {};

template <size_t N> void assign(char (&to)[N], const char *from)
{
	const size_t length = min(__builtin_strlen(from), N - 1);

	__builtin_memcpy(to, from, length);
	to[length] = 0;
}

void dispose(Region &region)
{
	if (options.retain)
		region.retain();
	else
		region.free();
}

// initrd.tail=
void set_tail(const char *value)
{
	if (same_text(value, "auto"))
		options.tail = Tail::kAuto;
	else if (same_text(value, "keep"))
		options.tail = Tail::kKeep;
	else if (same_text(value, "drop"))
		options.tail = Tail::kDrop;
	else
		seam_log(SEAM_LOG_ERR,
			 "initrd: initrd.tail=%.80s: neither auto, keep nor drop, ignored\n",
			 value);
}

void report_archive(const rootfs::Unpacked &unpacked, size_t in, u64 started_ns)
{
	// Not that of the boot loader, which needs no word.
	const char *const built_in = unpacked.trouble.where ? "built-in " : "";

	seam_log(
		SEAM_LOG_INFO,
		"initrd: %s%s%scpio archive: %zu bytes in, %llu bytes out, unpacked, %llu entries, %llu ms\n",
		built_in, unpacked.compressor ?: "", unpacked.compressor ? "+" : "", in,
		unpacked.bytes, unpacked.entries, to_milliseconds(seam_now_ns() - started_ns));
}

void unpack_builtin_archive()
{
	// Without a source it is the kernel's own, of three entries: not worth a line.
	constexpr bool worth_a_line = sizeof(CONFIG_INITRAMFS_SOURCE) > sizeof("");
	const u64 started_ns = seam_now_ns();
	const seam_range archive = seam_builtin_archive();
	rootfs::Unpacked unpacked;

	unpacked.trouble.where = "built-in archive";
	auto result = rootfs::unpack(Bytes(archive.start, archive.size), unpacked);

	// It holds nothing but archives.
	if (result && unpacked.end < archive.size)
		seam_panic("invalid magic at start of compressed archive");
	if (result && worth_a_line && archive.size)
		report_archive(unpacked, archive.size, started_ns);
	if (result)
		return;
	tell(unpacked.trouble);
	// One that was cut off may do; a kernel that cannot read its own is broken.
	if (result.error().code != kNoData)
		seam_panic(result.error().reason);
}

// Where ramdisk_start= says that the image begins; behind all memory where that is
// nowhere.
size_t start_offset()
{
	const int block = seam_image_start_block();
	size_t offset;

	return block >= 0 && checked_multiply(static_cast<size_t>(block), kImageBlock, offset) ?
		       offset :
		       ~size_t{0};
}

// Whether ramdisk_start= points to something that can be loaded as an image.
bool has_image_at_start(Bytes bytes)
{
	if (seam_image_start_block() <= 0)
		return false;
	const Format *const format = identify(bytes.skip(start_offset()));

	return format && format->kind != Kind::kArchive;
}

// For an init that was built in: the image as a file, /initrd.image.
void write_image_file(Bytes bytes)
{
	int status;
	size_t written;
	File file(seam_file_create("/initrd.image", 0700, &status));

	if (!file) {
		seam_log(SEAM_LOG_ERR, "initrd: /initrd.image could not be made: error %d\n",
			 -status);
		return;
	}
	status = rootfs::write_file(file.get(), bytes, 0, written);
	if (status < 0)
		seam_log(SEAM_LOG_ERR, "/initrd.image: incomplete write (%lld != %zu)\n",
			 written ? static_cast<s64>(written) : status, bytes.size());
}

// Archives behind an image, where rootfs stays the root. What lies before them is of
// no use any more.
void unpack_behind(Region &region, size_t offset)
{
	const u64 started_ns = seam_now_ns();
	const Bytes archives = region.bytes().skip(offset);
	rootfs::Unpacked unpacked;
	bool good;

	if (options.retain) {
		good = rootfs::unpack(archives, unpacked, offset).ok();
	} else {
		region.drop_front(offset);
		good = rootfs::unpack(region, unpacked, offset).ok();
	}
	if (good)
		report_archive(unpacked, unpacked.end, started_ns);
	else
		tell(unpacked.trouble);
	if (good && unpacked.end < archives.size())
		tell_junk("archive", "s", offset + unpacked.end, archives.skip(unpacked.end),
			  unpacked.follows ? "there was an image before" : nullptr);
}

// What is compressed does not tell where it ends before it has been decoded. But that
// an archive is the last of all can be seen, and then be looked for where it begins.
size_t find_archives(Bytes bytes, size_t from)
{
	constexpr int kTries = 16;

	if (!ends_in_trailer(bytes))
		return 0;
	for (int i = 0; i < kTries; i++) {
		const size_t at = find_archive(bytes, from);

		if (at == bytes.size())
			return 0;
		if (rootfs::look_into(bytes.skip(at), options.init).end == bytes.size() - at)
			return at;
		from = at + 1;
	}
	return 0;
}

// The image begins at `offset`. It waits for the RAM disk, or goes to a file for an init
// that runs in rootfs, which may come with archives behind it.
void settle_image(Region &region, size_t offset, bool behind_archives)
{
	const Bytes bytes = region.bytes();
	const Format *const format = identify(bytes.skip(offset));

	place = place_image(bytes, offset, options.tail, options.mapped, rootfs::holds_archive);
	size_t archives = place.archives;

	if (format && format->kind == Kind::kCompressed && options.tail != Tail::kKeep)
		archives = find_archives(bytes, offset);
	if (seam_may_execute(options.init) < 0 &&
	    (!archives || !rootfs::look_into(bytes.skip(archives), options.init).holds_init)) {
		if (place.archives)
			tell_archives(format->name, archives, bytes.size() - archives);
		waiting = move(region);
		return;
	}
	write_image_file(bytes.first(archives ?: bytes.size()).skip(behind_archives ? offset : 0));
	if (archives)
		unpack_behind(region, archives);
}

void unpack_image(Region &region)
{
	const u64 started_ns = seam_now_ns();
	const Bytes bytes = region.bytes();
	rootfs::Unpacked unpacked;

	seam_log(SEAM_LOG_INFO, kRamDisk ? "Trying to unpack rootfs image as initramfs...\n" :
					   "Unpacking initramfs...\n");
	// What may still be wanted as an image stays whole.
	const bool may_be_image = kRamDiskBuiltIn && has_image_at_start(bytes);
	auto result = options.retain || may_be_image ? rootfs::unpack(bytes, unpacked) :
						       rootfs::unpack(region, unpacked);
	const size_t end = unpacked.end;

	if (result && !unpacked.headers && end == bytes.size()) {
		const bool hold_nothing = unpacked.compressor && !unpacked.decoded;

		seam_log(SEAM_LOG_WARNING,
			 "initrd: %zu bytes%s%s%s, %s: nothing to unpack or to load (was it %s?)\n",
			 bytes.size(), unpacked.compressor ? " of " : "", unpacked.compressor ?: "",
			 unpacked.compressor ? " data" : "",
			 hold_nothing ? "which hold nothing" : "nothing but NULs",
			 hold_nothing ? "made without an error" : "read from the right place");
		return;
	}
	if (result)
		report_archive(unpacked, end, started_ns);
	if (result && end == bytes.size())
		return;
	if (may_be_image || (kRamDiskBuiltIn && unpacked.headers == 0)) {
		seam_log(SEAM_LOG_INFO,
			 "rootfs image is not initramfs (%s); looks like an initrd\n",
			 result ? "invalid magic at start of compressed archive" :
				  result.error().reason);
		settle_image(region, start_offset(), false);
	} else if (!result) {
		seam_log(SEAM_LOG_EMERG, "Initramfs unpacking failed: %s\n", result.error().reason);
		tell(unpacked.trouble);
	} else if (!unpacked.follows) {
		tell_junk("archive", "", end, bytes.skip(end), nullptr);
	} else if (!kRamDiskBuiltIn) {
		seam_log(
			SEAM_LOG_WARNING,
			"initrd: %s image at offset %zu, behind archives: not loaded, this kernel has no CONFIG_BLK_DEV_RAM=y\n",
			unpacked.follows->name, end);
	} else {
		seam_log(SEAM_LOG_INFO, "initrd: %s image at offset %zu, behind archives\n",
			 unpacked.follows->name, end);
		region.give_back_before(bytes.data() + end);
		settle_image(region, end, true);
	}
}

// noinitrd: the image stays as it is and is read from /dev/initrd.
void preserve(Region &region)
{
	const Bytes image = region.bytes();

	if (!IS_ENABLED(CONFIG_BLOCK)) {
		seam_log(SEAM_LOG_WARNING,
			 "initrd: noinitrd: no /dev/initrd without CONFIG_BLOCK, image dropped\n");
		return;
	}
	// What a crash kernel is loaded over cannot be read later.
	if (region.overlaps_crash_kernel()) {
		seam_log(SEAM_LOG_ERR,
			 "initrd: noinitrd: image lies in the crash kernel's memory, dropped\n");
		return;
	}
	seam_log(SEAM_LOG_INFO,
		 "initrd: noinitrd: %zu bytes in /dev/initrd, nothing is unpacked or loaded\n",
		 image.size());
	if (options.retain) {
		region.retain();
		ramdisk::hold_image({image, {}, true});
	} else {
		ramdisk::hold_image({image, region.surrender(), false});
	}
}

} // namespace
} // namespace initrd

using namespace initrd;

void initrd_reserve(void)
{
	reserve_physical_image();
}

void initrd_verify(void)
{
	if (verdict != Verdict::kNone)
		return;
	const seam_range loaded = seam_image_loaded();
	bool wanted = true;

	if (Region::locate().empty())
		verify_absence();
	else
		wanted = verify_image(Bytes(loaded.start, loaded.size));
	verdict = wanted ? Verdict::kWanted : Verdict::kRefused;
}

void initrd_populate_rootfs(void)
{
	initrd_verify();

	Region region = Region::locate();
	rootfs::Limits limits(options.rootfs);

	limits.lift(region.bytes().size());
	unpack_builtin_archive();
	seam_image_forget();
	if (verdict == Verdict::kRefused)
		region.free();
	if (!region.empty() && options.noinitrd)
		preserve(region);
	else if (!region.empty() && !IS_ENABLED(CONFIG_INITRAMFS_FORCE))
		unpack_image(region);
	if (!region.empty())
		dispose(region);
	limits.settle();
	seam_files_flush();
}

int initrd_load_root(const char *root_name)
{
	Region region = move(waiting);

	if (region.empty())
		return false;
	auto loaded = root::load_ramdisk(region, place, options.retain, rootfs::holds_archive);

	dispose(region);
	// The kernel has looked for the name when, with brd.rd_nr=0, there was no disk yet.
	if (const u32 device = seam_root_device() ? 0 : root::find_ramdisk(options.root))
		seam_set_root_device(device);
	if (root::on_ramdisk(seam_root_device()))
		return false;
	if (!loaded) {
		root::retire_ramdisk();
		return false;
	}
	auto changed = root::change_root(root_name, {options.root, options.file_systems,
						     options.wait, options.wait_seconds});

	if (changed)
		return true;
	seam_log(SEAM_LOG_ERR, "initrd: going on to the real root: %s\n", changed.error().reason);
	root::retire_ramdisk();
	return false;
}

void initrd_enter_linuxrc(void)
{
	root::enter_linuxrc();
}

int initrd_set_retain(const char *value)
{
	if (*value)
		return false;
	options.retain = true;
	return true;
}

void initrd_set_noinitrd(void)
{
	options.noinitrd = true;
}

void initrd_set_image(const char *value)
{
	set_physical_image(value);
}

void initrd_set_start_block(const char *value)
{
	u64 block;

	if (!parse_number(value, block) || block > 0x7fffffff) {
		seam_log(SEAM_LOG_ERR, "initrd: ramdisk_start=: not a block number, ignored\n");
		return;
	}
	seam_set_image_start_block(static_cast<int>(block));
}

void initrd_add_digests(const char *value)
{
	add_digests(value);
}

void initrd_set_verification(const char *value)
{
	set_verification(value);
}

void initrd_set_unnamed(const char *value)
{
	set_unnamed(value);
}

void initrd_see_parameter(const char *name, const char *value)
{
	if (same_text(name, "initrd.tail")) {
		set_tail(value);
	} else if (same_text(name, "dm-mod.create") || same_text(name, "dm_mod.create")) {
		options.mapped = true;
	} else if (same_text(name, "rdinit")) {
		assign(options.init, value);
	} else if (same_text(name, "root")) {
		assign(options.root, value);
	} else if (same_text(name, "rootfstype")) {
		assign(options.file_systems, value);
	} else if (same_text(name, "initramfs_options")) {
		assign(options.rootfs, value);
	} else if (same_text(name, "rootwait")) {
		const bool ends = parse_number(value, options.wait_seconds) && !*value;

		options.wait = !ends || options.wait_seconds;
		if (!ends)
			options.wait_seconds = 0;
	}
}
