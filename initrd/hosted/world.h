/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world around the project's code on the host: what the tests, and fuzzers,
 * set and look at behind the second implementation of the seam.
 *
 * Everything starts anew with reset(). What the code under test did wrong to
 * the seam (a page freed twice, a map freed with pages in it) is collected in
 * complaints(); what it did not give back is in live().
 */
#ifndef INITRD_HOSTED_WORLD_H
#define INITRD_HOSTED_WORLD_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "initrd/seam/blkdev.h"
#include "initrd/seam/image.h"
#include "initrd/seam/log.h"
#include "initrd/seam/pages.h"
#include "initrd/support/loose_pages.h"

namespace host {

/* Of 4 KiB; tests/host builds some for kernels with larger ones, too. */
#ifndef HOST_PAGE_SIZE
#define HOST_PAGE_SIZE 4096
#endif
inline constexpr size_t kPage = HOST_PAGE_SIZE;

/* A fresh world; frees the tree of files and the image. */
void reset();

void complain(const std::string &what);
const std::vector<std::string> &complaints();

/* Allocations of every kind are counted together: memory, pages, codecs, … */

/* The `number`-th allocation from now fails (1: the next one), once; 0: none. */
void fail_allocation(uint64_t number);
/* How many there were since reset() or fail_allocation(). */
uint64_t allocations();
/* Whether the allocation that is asked for now succeeds; counts it. */
bool may_allocate();

/* What the kernel would call available. */
void set_memory_available(u64 bytes);
/* What it would have for objects of its own; without end after reset(). */
void set_memory_for_objects(u64 bytes);
/* What RAM disks could have; the same. */
void set_memory_for_pages(u64 bytes);

/*
 * The machine's memory, as far as it is counted: the image, pages of RAM disks
 * and of files, nodes, buffers and codecs. Beyond a limit there is none; after
 * reset() there is no limit. With one, what is left of it is what is available.
 */
void set_memory_limit(u64 bytes);
/* The most that one allocation gets: `usual`, or that limit where there is one. */
u64 most_at_once(u64 usual);
/* ~0: there is none. */
u64 memory_limit();
/* Takes so many bytes; false, and none, where they are not there. */
bool take_memory(u64 bytes);
void give_memory(u64 bytes);
u64 memory_in_use();
/* The most that was in use since reset(). */
u64 memory_peak();
/* Whether somebody asked for more than there was, or gave up because hardly any was left. */
bool memory_ran_out();
/* malloc() and free() of memory that is counted. */
void *counted_malloc(size_t size);
void counted_free(void *memory);

/* How many processors there are; 1 after reset(). */
void set_cpus(size_t count);
/* As many as this says whenever somebody asks: they come and go. */
void set_cpus(std::function<size_t()> count);
/* Others are busy with something else: nobody comes to share the work. */
void set_no_helpers(bool none);
/* How often work was shared between processors. */
size_t parallel_runs();
/* Complains where much has been done since others could run last; then does more. */
void work_on(u64 bytes);
void give_way();

/* What is allocated at this moment. */
struct Live {
	size_t blocks = 0;
	size_t pages = 0;
	size_t maps = 0;
	size_t windows = 0;
	size_t codecs = 0;
	size_t files = 0;

	bool operator==(const Live &) const = default;
};
Live &live();
/* Files that were closed since the last seam_files_flush(), and are busy still. */
size_t files_closing();

/* Pages of RAM disks. */

struct PageRules {
	bool no_page_at_once = false; /* RAMDISK_NO_WAIT finds no page */
	bool no_range = false;	      /* too few addresses for all output */
	bool retire_late = false;     /* retired pages stay until the next settle() */
	/* Other users of the same disk, at the moments when they hurt. */
	std::function<void(u64 number)> before_map_add;
	std::function<void(u64 number)> after_map_add;
	/* A read or a write of adopted pages has seen which there are. */
	std::function<void()> after_bits_look;
};
PageRules &page_rules();
/* Complains where this processor is in no read-side section. */
void want_read_section(const char *what);
/* Sets of ramdisk_pages_settle() so far. */
size_t settled();

/* The boot loader's image. */

/* Which of its first and last page the image does not share with others. */
enum class Own {
	kBoth,	  /* arm */
	kLast,	  /* x86 */
	kNeither, /* arm64, riscv, User Mode Linux */
};

/*
 * Puts `content` into memory, `misalignment` bytes behind the start of a page;
 * what lies around it belongs to others.
 */
void set_image(const std::vector<u8> &content, size_t misalignment = 0, Own own = Own::kBoth);
/* Says that the image ends `size` bytes earlier: a boot configuration was cut off. */
void cut_image(size_t size);
/* Reserves pages for a crash kernel, counted from the image's first page. */
void set_crash_reservation(size_t first_page, size_t pages);
/* Says that the kernel takes up so many of the image's first pages. */
void set_kernel(size_t pages);
/*
 * One letter for each page that the image lies in, from its first:
 *   -  shared with others, nobody's to free      F  freed
 *   o  the image's own, still                    H  handed over
 *   c  the same, in the crash reservation        R  handed over, then freed
 *   d  out of the boot allocator's books         D  the same, then freed
 * A crash page that is not freed stays c.
 */
std::string image_pages();
/* Whether no byte outside the image's own pages was changed. */
bool surroundings_intact();
/* The page with this number, as it is now. */
std::vector<u8> image_page(size_t number);
/* What was shown in /sys/firmware/initrd; empty when nothing was. */
std::vector<u8> published();
void set_publish_status(int status);
/* The image's pages lie where only those may be that can be moved; not so after reset(). */
void set_image_is_movable(bool movable);
/* Whether seam_image_forget() was called. */
bool image_forgotten();
/* A file gives back a page of the image's. */
void image_page_freed(u8 *mapped);
/* The RAM disk gives back a block of such. */
void adopted_block_freed(u8 *start, u32 order);
/* The image's own pages; and these given away, all of them. */
seam_range image_own_pages();
initrd::LoosePages give_image_away();
/*
 * The zones that the pages which the image lies in are of, one behind the other; those
 * behind them are of another one. All are of one after reset().
 */
void set_zones(const std::vector<size_t> &pages);
/* Memory failure has struck one of the pages that the image lies in. */
void poison_page(size_t number);
/* The orders of the blocks that were freed since reset(). */
const std::vector<u32> &blocks_freed();

struct Physical {
	seam_physical_range image = {};
	seam_physical_range memory = {};
	std::vector<seam_physical_range> reserved;
	std::vector<seam_physical_range> mapped; /* one for each call */
	u64 high_memory = 0;			 /* where it begins; 0: there is none */
	bool reserves_too_early = false;	 /* as x86 does */
	bool believes_any_range = false;	 /* as arm64 does */
	u64 most = ~u64{0};			 /* what the kernel's types hold */
};
Physical &physical();
void set_builtin_archive(const std::vector<u8> &archive);
int image_start_block();

/* The log. */

struct Line {
	seam_log_level level;
	std::string text; /* without the newline */
};
const std::vector<Line> &log_lines();
/* Whether a line is, or begins with, `text`. */
bool logged(const std::string &text);
bool logged(seam_log_level level, const std::string &text);
size_t times_logged(const std::string &text);
std::string whole_log();
/* What is logged while it is muted is not heard. */
void set_log_muted(bool muted);

/* Moves the clock. */
void pass_time(u64 milliseconds);
/* Every look at the clock moves it on by this much; 1 ms after reset(). */
void set_clock_step(u64 nanoseconds);
u64 clock_looks();

/* What seam_panic() throws. */
struct Panic : std::runtime_error {
	using std::runtime_error::runtime_error;
};

/* Header fields as the newest series read them. */
void set_strict_hex(bool strict);

/* Mounts, devices and linuxrc. */

struct Root {
	u32 device = 0x100;
	u32 real_device = 0;
	/* Block file systems that the kernel has. */
	std::vector<std::string> file_systems = {"ext2", "squashfs"};
	/* Type that /dev/root.old can be mounted as; read-only unless `writable`. */
	std::string mountable_as = "ext2";
	bool writable = true;
	int move_status = 0; /* of moving /old to /root/initrd */
	/* Names that root= may give, from which look-up on, and what waits for them. */
	std::map<std::string, u32> devices;
	unsigned look_ups_before_devices = 0;
	unsigned look_ups = 0;
	unsigned busy_drivers = 0; /* how often they are found to be */
	bool root_name_is_wrong = false;
	std::function<int()> linuxrc = [] { return 0; };
	/* The initrd is going to be mounted. */
	std::function<void()> before_mount = [] {};
	/* The real root is mounted; may panic. */
	std::function<void()> mount_real_root = [] {};
	bool mounted = false; /* /dev/ram0 */
	std::vector<std::string> calls;
};
Root &root();

/* The processor has instructions for CRC-32; not so after reset(). */
void set_crc32_is_fast(bool fast);
/* Which filters the kernel's xz library has: a bit for each one's number; all at first. */
inline constexpr u32 kAllXzFilters = 0xff0;
void set_xz_filters(u32 filters);
/* The windows that the kernel's zstd library takes: below 2^(bits + 1); 31 at first. */
inline constexpr u32 kMostZstdWindowBits = 31;
void set_zstd_window_bits(u32 bits);

/* The block layer's view of the RAM disks. */

struct GendiskRecord {
	u64 size = 0;
	bool visible = false;
	size_t rescans = 0; /* of its partition table */
	u32 first_minor = 0;
	u32 minors = 0;
	bool locked = false;
	u32 users = 0;	      /* openers, as the test says */
	u32 closing = 0;      /* more of them, until the next seam_files_flush() */
	bool let_go = false;  /* a mount that failed still has it, the same */
	bool claimed = false; /* somebody has mounted it */
	size_t cache_drops = 0;
	std::function<void()> on_cache_drop;
	ramdisk_disk *disk = nullptr;	    /* null: it is gone */
	ramdisk_gendisk *gendisk = nullptr; /* the same */
};
std::map<u32, GendiskRecord> &gendisks();
void set_gendisk_status(int status);
/* Who uses each disk as soon as it can be seen. */
void set_on_show(std::function<void(ramdisk_disk *disk)> user);
/* A user opens a disk, or closes it, as the block layer does it. */
void open_disk(u32 number);
void close_disk(u32 number);
/* Somebody has opened a disk, and closed it, but is not through with it yet. */
void leave_disk_closing(u32 number);
/* The kernel runs init from now on. */
void set_boot_is_over(bool over);
/* Complains where the lock of /dev/initrd is not held. */
void want_image_lock(const char *what);
/* The system call that is under way ends, with all that was put off until then. */
void end_system_call();
/* The size that /dev/initrd was given last, in bytes. */
u64 image_device_size();
void set_default_disk_kib(u64 kib);
/* brd.max_part= */
void set_minors(u32 minors);

/* Another boot of the same kernel: parameters and a waiting image are forgotten. */
void reboot();

} // namespace host

#endif
