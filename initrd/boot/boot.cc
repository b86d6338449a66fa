// SPDX-License-Identifier: GPL-2.0
//
// The way of an initrd, from the boot loader's memory to the root file system
// and back to free memory, in the order of the document's numbered list:
//
//   1. The boot loader has left the image; reserve_physical_image() keeps it safe.
//   2. Boot::populate_rootfs() verifies it, if it was asked to, and unpacks it if
//      it is an archive; else Boot::load_root() makes it the RAM disk. It may be
//      archives, then an image, then archives. Its memory is given back.
//      With noinitrd it is neither: /dev/initrd shows it as it is.
//   3. Where the root device is not /dev/ram0, change_root() runs linuxrc.
//   4. The kernel mounts the root device, and goes on.

#include "initrd/boot/boot.h"

#include "initrd/formats/formats.h"
#include "initrd/load/change_root.h"
#include "initrd/load/ramdisk_loader.h"
#include "initrd/rootfs/file_data.h"
#include "initrd/rootfs/limits.h"
#include "initrd/seam/log.h"
#include "initrd/seam/root.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"
#include "ramdisk/image_device.h"

namespace initrd {
namespace {

template <size_t N> void assign(char (&to)[N], const char *from)
{
	const size_t length = min(__builtin_strlen(from), N - 1);

	__builtin_memcpy(to, from, length);
	to[length] = 0;
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

} // namespace

bool Boot::set(initrd_parameter parameter, const char *value)
{
	switch (parameter) {
#define INITRD_CASE(id, name, setter, ...) \
	case INITRD_PARAMETER_##id:        \
		return setter(value);
#define EARLY INITRD_CASE
#define SETUP INITRD_CASE
#define SEEN INITRD_CASE
#include "initrd/seam/parameters.inc"
#undef EARLY
#undef SETUP
#undef SEEN
	}
	return false;
}

void Boot::see(const char *name, const char *value)
{
#define EARLY(...)
#define SETUP(...)
#define SEEN(id, its_name, setter, ...) \
	if (same_text(name, its_name))  \
		setter(value);
#include "initrd/seam/parameters.inc"
#undef EARLY
#undef SETUP
#undef SEEN
}

bool Boot::set_image(const char *value)
{
	set_physical_image(value);
	return true;
}

bool Boot::add_digests(const char *value)
{
	verification_.add_digests(value);
	return true;
}

bool Boot::set_verification(const char *value)
{
	verification_.set_mode(value);
	return true;
}

bool Boot::set_unnamed(const char *value)
{
	verification_.set_unnamed(value);
	return true;
}

bool Boot::set_retain(const char *value)
{
	if (*value)
		return false;
	options_.retain = true;
	return true;
}

bool Boot::set_keep(const char *)
{
	return set_retain("");
}

bool Boot::set_noinitrd(const char *)
{
	options_.noinitrd = true;
	return true;
}

bool Boot::set_start_block(const char *value)
{
	u64 block;

	if (!parse_number(value, block) || block > 0x7fffffff)
		seam_log(SEAM_LOG_ERR, "initrd: ramdisk_start=: not a block number, ignored\n");
	else
		seam_set_image_start_block(static_cast<int>(block));
	return true;
}

bool Boot::ignore_prompt(const char *)
{
	seam_log(SEAM_LOG_WARNING, "ignoring the deprecated prompt_ramdisk= option\n");
	return true;
}

bool Boot::set_tail(const char *value)
{
	if (same_text(value, "auto"))
		options_.tail = Tail::kAuto;
	else if (same_text(value, "keep"))
		options_.tail = Tail::kKeep;
	else if (same_text(value, "drop"))
		options_.tail = Tail::kDrop;
	else
		seam_log(SEAM_LOG_ERR,
			 "initrd: initrd.tail=%.80s: neither auto, keep nor drop, ignored\n",
			 value);
	return true;
}

bool Boot::see_mapping(const char *)
{
	options_.mapped = true;
	return true;
}

bool Boot::see_init(const char *value)
{
	assign(options_.init, value);
	return true;
}

bool Boot::see_root(const char *value)
{
	assign(options_.root, value);
	return true;
}

bool Boot::see_file_systems(const char *value)
{
	assign(options_.file_systems, value);
	return true;
}

bool Boot::see_rootfs(const char *value)
{
	assign(options_.rootfs, value);
	return true;
}

bool Boot::see_wait(const char *value)
{
	const bool ends = parse_number(value, options_.wait_seconds) && !*value;

	options_.wait = !ends || options_.wait_seconds;
	if (!ends)
		options_.wait_seconds = 0;
	return true;
}

void Boot::verify()
{
	if (verdict_ != Verdict::kNone)
		return;
	const seam_range loaded = seam_image_loaded();
	bool wanted = true;

	if (Region::locate().empty())
		verification_.note_absence();
	else
		wanted = verification_.allows(Bytes(loaded.start, loaded.size));
	verdict_ = wanted ? Verdict::kWanted : Verdict::kRefused;
}

void Boot::populate_rootfs()
{
	verify();

	Region region = Region::locate();
	rootfs::Limits limits(options_.rootfs);

	limits.lift(region.bytes().size());
	unpack_built_in_archive();
	seam_image_forget();
	if (verdict_ == Verdict::kRefused)
		region.free();
	if (!region.empty() && options_.noinitrd)
		preserve(region);
	else if (!region.empty() && !build_->built_in_archive_only)
		unpack_image(region);
	if (!region.empty())
		dispose(region);
	limits.settle();
	seam_files_flush();
}

bool Boot::load_root(const char *root_name)
{
	Region region = move(waiting_);

	if (region.empty())
		return false;
	auto loaded = root::load_ramdisk(region, place_, options_.retain, archives_->holds_archive);

	dispose(region);
	// The kernel has looked for the name when, with brd.rd_nr=0, there was no disk yet.
	if (const u32 device = seam_root_device() ? 0 : root::find_ramdisk(options_.root))
		seam_set_root_device(device);
	if (root::on_ramdisk(seam_root_device()))
		return false;
	if (!loaded) {
		root::retire_ramdisk();
		return false;
	}
	auto changed = root::change_root(root_name, {options_.root, options_.file_systems,
						     options_.wait, options_.wait_seconds});

	if (changed)
		return true;
	seam_log(SEAM_LOG_ERR, "initrd: going on to the real root: %s\n", changed.error().reason);
	root::retire_ramdisk();
	return false;
}

void Boot::dispose(Region &region)
{
	if (options_.retain)
		region.retain();
	else
		region.free();
}

void Boot::unpack_built_in_archive()
{
	const u64 started_ns = seam_now_ns();
	const seam_range archive = seam_builtin_archive();
	rootfs::Unpacked unpacked;

	unpacked.trouble.where = "built-in archive";
	auto result = archives_->unpack(Bytes(archive.start, archive.size), unpacked, 0);

	// It holds nothing but archives.
	if (result && unpacked.end < archive.size)
		seam_panic("invalid magic at start of compressed archive");
	// (The kernel's own is not worth a line.)
	if (result && build_->has_archive_source && archive.size)
		report_archive(unpacked, archive.size, started_ns);
	if (result)
		return;
	tell(unpacked.trouble);
	// One that was cut off may do; a kernel that cannot read its own is broken.
	if (result.error().code != kNoData)
		seam_panic(result.error().reason);
}

// Archives behind an image, where rootfs stays the root. What lies before them is of
// no use any more.
void Boot::unpack_behind(Region &region, size_t offset)
{
	const u64 started_ns = seam_now_ns();
	const Bytes archives = region.bytes().skip(offset);
	rootfs::Unpacked unpacked;
	bool good;

	if (options_.retain) {
		good = archives_->unpack(archives, unpacked, offset).ok();
	} else {
		region.drop_front(offset);
		good = archives_->unpack_region(region, unpacked, offset).ok();
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
size_t Boot::find_archives(Bytes bytes, size_t from) const
{
	constexpr int kTries = 16;

	if (!ends_in_trailer(bytes))
		return 0;
	for (int i = 0; i < kTries; i++) {
		const size_t at = find_archive(bytes, from);

		if (at == bytes.size())
			return 0;
		if (archives_->look_into(bytes.skip(at), options_.init).end == bytes.size() - at)
			return at;
		from = at + 1;
	}
	return 0;
}

// The image begins at `offset`. It waits for the RAM disk, or goes to a file for an init
// that runs in rootfs, which may come with archives behind it.
void Boot::settle_image(Region &region, size_t offset, bool behind_archives)
{
	const Bytes bytes = region.bytes();
	const Format *const format = identify(bytes.skip(offset));

	place_ = place_image(bytes, offset, options_.tail, options_.mapped,
			     archives_->holds_archive);
	size_t archives = place_.archives;

	if (format && format->kind == Kind::kCompressed && options_.tail != Tail::kKeep)
		archives = find_archives(bytes, offset);
	if (seam_may_execute(options_.init) < 0 &&
	    (!archives || !archives_->look_into(bytes.skip(archives), options_.init).holds_init)) {
		if (place_.archives)
			tell_archives(format->name, archives, bytes.size() - archives);
		waiting_ = move(region);
		return;
	}
	write_image_file(bytes.first(archives ?: bytes.size()).skip(behind_archives ? offset : 0));
	if (archives)
		unpack_behind(region, archives);
}

void Boot::unpack_image(Region &region)
{
	const u64 started_ns = seam_now_ns();
	const Bytes bytes = region.bytes();
	rootfs::Unpacked unpacked;

	seam_log(SEAM_LOG_INFO, build_->ram_disk ?
					"Trying to unpack rootfs image as initramfs...\n" :
					"Unpacking initramfs...\n");
	// What may still be wanted as an image stays whole.
	const bool may_be_image = build_->ram_disk_is_built_in && has_image_at_start(bytes);
	auto result = options_.retain || may_be_image ?
			      archives_->unpack(bytes, unpacked, 0) :
			      archives_->unpack_region(region, unpacked, 0);
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
	if (may_be_image || (build_->ram_disk_is_built_in && unpacked.headers == 0)) {
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
	} else if (!build_->ram_disk_is_built_in) {
		seam_log(
			SEAM_LOG_WARNING,
			"initrd: %s image at offset %zu, behind archives: not loaded, this kernel has no CONFIG_BLK_DEV_RAM=y\n",
			unpacked.follows->name, end);
	} else {
		seam_log(SEAM_LOG_INFO, "initrd: %s image at offset %zu, behind archives\n",
			 unpacked.follows->name, end);
		region.release_before(bytes.data() + end, 1);
		settle_image(region, end, true);
	}
}

// noinitrd: the image stays as it is and is read from /dev/initrd.
void Boot::preserve(Region &region)
{
	const Bytes image = region.bytes();

	if (!build_->block_layer) {
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
	if (options_.retain) {
		region.retain();
		ramdisk::hold_image(image, {}, true);
	} else {
		ramdisk::hold_image(image, region.give_away_uncounted(), false);
	}
}

} // namespace initrd
