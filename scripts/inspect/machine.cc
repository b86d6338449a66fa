// SPDX-License-Identifier: GPL-2.0

#include "inspect/machine.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sstream>

#include "initrd/formats/formats.h"
#include "initrd/hosted/limits.h"
#include "initrd/hosted/tree.h"
#include "initrd/hosted/world.h"
#include "initrd/load/ramdisk_loader.h"
#include "initrd/seam/files.h"
#include "initrd/support/parse.h"
#include "initrd/support/utility.h"
#include "inspect/bootconfig.h"
#include "inspect/file_systems.h"
#include "ramdisk/ramdisk.h"

namespace inspect {
namespace {

using initrd::Bytes;

// As many bytes as the table of formats looks at.
constexpr size_t kHeadOfDisk = size_t{68} << 10;
// The number of a root device that is not the RAM disk; any will do.
constexpr u32 kSomeDevice = 0xfe00;

// The files of the world, while it is there.
class Rootfs final : public Files {
public:
	std::optional<File> find(const std::string &path) override
	{
		const host::Place place = host::resolve(path, true);

		if (place.status || !place.node)
			return std::nullopt;
		const host::Node &node = *place.node;
		const auto end = node.data.begin() +
				 static_cast<std::ptrdiff_t>(std::min(node.data.size(), kHead));

		return File{node.mode, node.data.size(), node.target, {node.data.begin(), end}};
	}
};

bool has_tmpfs_root(const CommandLine &line, const Config &config)
{
	const auto types = line.value("rootfstype");

	if (!config.may_be_built_in("TMPFS"))
		return false;
	return types ? types->find("tmpfs") != std::string::npos :
		       line.value_or("root", "").empty();
}

// Which of the pages that an image shares with others go with it (seam_image_owns()).
host::Own own_pages(const Config &config)
{
	if (config.built_in("ARM"))
		return host::Own::kBoth;
	if (config.built_in("ARM64") || config.built_in("RISCV") || config.built_in("UML"))
		return host::Own::kNeither;
	return host::Own::kLast;
}

// mount_root() of init/do_mounts.c, where there is nothing to mount.
void mount_real_root()
{
	if (!host::root().device)
		seam_panic("VFS: Unable to mount root fs on unknown-block(0,0)");
}

// What the root file system is mounted with, when `total` bytes of memory are free.
struct Room {
	u64 size;
	u64 nodes;
};

// A number of tmpfs's options, which is unlimited where it is 0.
void set_limit(u64 &limit, const char *text, u64 unit, u64 total)
{
	u64 value;

	if (!initrd::parse_size(text, value))
		return;
	if (*text == '%')
		value = total / 100 * value;
	else
		value *= unit;
	limit = value ? value : ~u64{0};
}

// As tmpfs itself says, or initramfs_options=.
Room mounted_room(const CommandLine &line, u64 total, u64 page)
{
	Room room = {total / 2, total / 2 / page};
	std::istringstream options(line.value_or("initramfs_options", ""));

	for (std::string option; std::getline(options, option, ',');) {
		const size_t at = option.find('=') + 1;
		const char *const value = option.c_str() + at;

		if (option.rfind("size=", 0) == 0)
			set_limit(room.size, value, 1, total);
		else if (option.rfind("nr_blocks=", 0) == 0)
			set_limit(room.size, value, page, total);
		else if (option.rfind("nr_inodes=", 0) == 0)
			set_limit(room.nodes, value, 1, total);
	}
	return room;
}

} // namespace

Machine::Machine(Bytes image, const Request &request, Report &report)
	: image_(image),
	  request_(request),
	  report_(report),
	  command_line_(report.append),
	  rootfs_(std::make_unique<Rootfs>())
{
	host::reset();
	configure_kernel(request.config);
}

Machine::~Machine()
{
	trace_.reset();
	ramdisk_destroy_all();
	host::reset();
}

void Machine::set_up_memory()
{
	const u64 left = request_.memory > request_.kernel_memory ?
				 request_.memory - request_.kernel_memory :
				 0;

	host::set_memory_limit(request_.memory ? left : request_.limit);
	host::set_file_page(request_.config.page_size());
	if (!request_.memory || !has_tmpfs_root(command_line_, request_.config))
		return;
	// The image's memory does not count before it is given back.
	const u64 image = initrd::round_up(u64{image_.size()}, u64{host::kPage});
	const Room room = mounted_room(command_line_, left > image ? left - image : 0,
				       request_.config.page_size());

	host::set_room(room.size);
	host::set_nodes(room.nodes);
}

void Machine::set_up_root()
{
	host::Root &root = host::root();
	const std::string size = request_.config.text("BLK_DEV_RAM_SIZE");

	if (const u64 kib = ramdisk_parse_kib(size.c_str()))
		host::set_default_disk_kib(kib);
	root.device = command_line_.root_device().value_or(kSomeDevice);
	// (A partition of /dev/ram0 has a number or none; it is no other device.)
	if (const auto name = command_line_.value("root");
	    name && !name->empty() && !command_line_.root_partition())
		root.devices[*name] = kSomeDevice;
	root.file_systems.clear();
	root.mountable_as = "";
	root.before_mount = [this] { offer_file_systems(); };
	root.linuxrc = [this] { return linuxrc_status(); };
	root.mount_real_root = [this] {
		changed_root_ = true;
		mount_real_root();
	};
}

bool Machine::boot()
{
	const Bytes loaded = image_;
	const Bootconfig config = find_bootconfig(loaded);

	if (config.size) {
		report_.bootconfig = config.size;
		image_ = loaded.first(config.at);
	}
	if (config.trouble)
		report_.add(Severity::kWarning, "bootconfig",
			    std::string("the boot configuration behind the image is not used: ") +
				    config.trouble);
	set_up_memory();
	// The pages that it lies in are taken before anything else.
	if (!host::take_memory(loaded.size())) {
		report_.add(Severity::kError, request_.memory ? "memory" : "limit",
			    "the image alone is larger than the memory for it",
			    request_.memory ? "more memory, or a smaller image" :
					      "give a larger --limit, or --memory");
		return false;
	}
	host::give_memory(loaded.size());
	host::set_image({loaded.begin(), loaded.end()}, request_.load_address % host::kPage,
			own_pages(request_.config));
	host::cut_image(config.size);
	if (request_.built_in.empty()) {
		// As usr/default_cpio_list has it.
		host::plant("/dev", host::kFolder | 0755);
		host::Node *const console = host::plant("/dev/console", 0020600);

		console->major = 5;
		console->minor = 1;
		host::plant("/root", host::kFolder | 0700);
	} else {
		host::set_builtin_archive({request_.built_in.begin(), request_.built_in.end()});
	}
	trace_.emplace(image_,
		       std::min(std::max(request_.limit, request_.memory), ~u64{0} / 4) * 4);
	// How long it would take is not known: all times are 0.
	host::set_clock_step(0);
	set_up_root();
	run();
	refused_ = host::logged("initrd: image refused: ");
	report_.memory_peak = host::memory_peak();
	report_.memory_end = host::memory_in_use();
	for (const host::Line &line : host::log_lines())
		report_.messages.push_back({line.level, line.text});
	if (panic_)
		report_.messages.push_back(
			{SEAM_LOG_EMERG, "Kernel panic - not syncing: " + *panic_});
	report_.load = told_load();
	if (report_.load)
		trace_->end_image(report_.load->out);
	// Nothing that follows is the kernel's.
	ran_out_ = host::memory_ran_out();
	host::set_memory_limit(~u64{0});
	look_at_disk();
	report_.tree = host::top();
	return true;
}

void Machine::run()
{
	const std::string root_name = command_line_.value_or("root", "");
	const std::string init = command_line_.value_or("rdinit", "/init");

	try {
		command_line_.hand_over(request_.config);
		partition_ = command_line_.root_partition();
		if (partition_)
			host::root().device = partition_ < ramdisk_max_part() ?
						      initrd::root::kRam0 + partition_ :
						      0;
		initrd_populate_rootfs();
		stopped_early_ = false;
		was_read_ = host::logged("Trying to unpack rootfs image") ||
			    host::logged("Unpacking initramfs...");
		if (was_read_)
			trace_->begin_load();
		if (seam_may_execute(init.c_str()) == 0) {
			root_ = Root::kInit;
			return;
		}
		changed_root_ = initrd_load_root(root_name.c_str());
	} catch (const host::Panic &panic) {
		panic_ = panic.what();
		return;
	}
	if (initrd::root::on_ramdisk(host::root().device)) {
		root_ = Root::kImage;
		if (!changed_root_)
			mount_image();
	} else if (changed_root_) {
		root_ = host::root().real_device ? Root::kDevice : Root::kNone;
	} else {
		root_ = root_name.empty() ? Root::kNone : Root::kDevice;
	}
}

// mount_root() with root=/dev/ram0, after the boot path.
void Machine::mount_image()
{
	const host::Root &root = host::root();

	offer_file_systems();
	if (root.file_systems.empty()) {
		// (From 6.5 on it has the name that the user gave, too.)
		const u32 series = request_.config.series();
		const std::string name = series && series < 6005 ?
						 "" :
						 "\"" + command_line_.value_or("root", "") +
							 "\" or ";

		panic_ = "VFS: Unable to mount root fs on " + name + "unknown-block(1," +
			 std::to_string(partition_) + ")";
		return;
	}
	seam_log(SEAM_LOG_INFO, "VFS: Mounted root (%s filesystem)%s on device 1:%u.\n",
		 root.mountable_as.c_str(),
		 root.writable && command_line_.is_read_write() ? "" : " readonly", partition_);
}

// The kernel's own account of a load; nothing where it has not loaded anything.
std::optional<Load> Machine::told_load()
{
	for (const host::Line &line : host::log_lines()) {
		Load load;
		char format[64];
		char how[16];
		unsigned long long in;
		unsigned long long out;
		unsigned long long copied;

		if (std::sscanf(line.text.c_str(),
				"initrd: %63s image: %llu bytes in, %llu bytes out, %15[a-z], "
				"%llu bytes copied",
				format, &in, &out, how, &copied) != 5)
			continue;
		load.format = format;
		load.how = how;
		load.in = in;
		load.out = out;
		load.copied = copied;
		return load;
	}
	return std::nullopt;
}

u64 Machine::disk_size()
{
	// To look for it would make it.
	if (!host::gendisks().contains(0))
		return 0;
	auto disk = ramdisk::boot_disk();
	const u64 pages = disk ? disk.value()->pages() : 0;
	const std::optional<Load> load = told_load();

	// What is damaged is not accounted for, but there all the same.
	return pages && load ? load->out : pages * host::kPage;
}

std::vector<u8> Machine::read_disk(u64 offset, u64 size)
{
	const u64 all = disk_size();
	std::vector<u8> bytes(offset < all ? std::min(size, all - offset) : 0);
	auto disk = ramdisk::boot_disk();

	if (disk)
		disk.value()->read(offset, initrd::MutableBytes(bytes.data(), bytes.size()));
	return bytes;
}

// Where in /dev/ram0 the root is, or would be.
Partition Machine::root_place() const
{
	return place_.value_or(Partition{0, partition_ ? 0 : disk_size()});
}

void Machine::look_at_disk()
{
	if (!head_.empty())
		return;
	if (partition_ && partition_ < ramdisk_max_part())
		place_ = find_partition(read_disk, disk_size(), partition_, request_.config);
	const Partition place = root_place();

	head_ = read_disk(place.offset, std::min<u64>(place.size, kHeadOfDisk));
	const initrd::Format *const format = initrd::identify(disk_head());

	if (!format || format->kind != initrd::Kind::kFileSystem)
		return;
	report_.file_system = format->name;
	report_.claimed = initrd::claimed_size(*format, disk_head());
}

Inside *Machine::inside()
{
	look_at_disk();
	if (looked_inside_ || report_.file_system.empty() || !request_.look_inside)
		return inside_.get();
	looked_inside_ = true;
	const Partition place = root_place();

	if (place.size)
		inside_ = request_.look_inside(read_disk(place.offset, place.size),
					       report_.file_system, report_);
	return inside_.get();
}

// Whether its driver refuses the file system because the device is smaller than that.
bool Machine::is_cut_off() const
{
	if (!wants_its_size(report_.file_system) || !disk_size())
		return false;
	return report_.claimed > (place_ ? place_->size : host::gendisks()[0].size);
}

// What the kernel can mount /dev/ram0 as.
void Machine::offer_file_systems()
{
	static const char *const kReadOnly[] = {"squashfs", "cramfs", "romfs", "erofs", "iso9660"};
	host::Root &root = host::root();

	look_at_disk();
	if (report_.file_system.empty() || is_cut_off())
		return;
	root.writable = true;
	for (const Obstacle &obstacle :
	     obstacles(report_.file_system, disk_head(), request_.config)) {
		if (!obstacle.only_for_writing)
			return;
		root.writable = false;
	}
	root.mountable_as = mount_type(report_.file_system, disk_head(), request_.config);
	root.file_systems = {root.mountable_as};
	if (std::ranges::find(kReadOnly, root.mountable_as) != std::end(kReadOnly))
		root.writable = false;
}

int Machine::linuxrc_status()
{
	Inside *const files = inside();

	if (!files)
		return 0;
	const std::optional<File> linuxrc = files->find("/linuxrc");

	if (!linuxrc)
		return -ENOENT;
	if (!(linuxrc->mode & 0111))
		return -EACCES;
	const auto interpreter = interpreter_of(linuxrc->head);

	if (!interpreter)
		return -ENOEXEC;
	return interpreter->empty() || files->find(*interpreter) ? 0 : -ENOENT;
}

} // namespace inspect
