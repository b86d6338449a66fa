/* SPDX-License-Identifier: GPL-2.0 */
/*
 * boot/: the way of an initrd from the boot loader's memory to the root file system
 * and back to free memory, as one object. entry.cc has the kernel's; initrd-inspect
 * and tests make others.
 */
#ifndef INITRD_BOOT_BOOT_H
#define INITRD_BOOT_BOOT_H

#include "initrd/formats/segments.h"
#include "initrd/image/region.h"
#include "initrd/image/verify.h"
#include "initrd/rootfs/unpack.h"
#include "initrd/seam/boot.h"
#include "initrd/support/build.h"

namespace initrd {

/* What the command line asked for. */
struct Options {
	bool retain = false;
	bool noinitrd = false;
	bool wait = false; /* rootwait, without end when there is no number */
	u64 wait_seconds = 0;
	bool mapped = false;	     /* dm-mod.create= */
	Tail tail = Tail::kAuto;     /* initrd.tail= */
	char init[256] = "/init";    /* rdinit= */
	char root[256] = "";	     /* root= */
	char file_systems[256] = ""; /* rootfstype= */
	char rootfs[256] = "";	     /* initramfs_options= */
};

/*
 * One boot. First come the parameters; then, each once and in this order: verify(),
 * populate_rootfs(), and load_root() where no init was unpacked. initrd/seam/boot.h says
 * what each is for.
 */
class Boot {
public:
	INLINE constexpr explicit Boot(const Build &build,
				       const rootfs::Archives &archives = rootfs::kArchives)
		: build_(build), archives_(&archives), verification_(build)
	{
	}

	/* Gives a parameter of initrd/seam/parameters.inc its value; whether it is taken. */
	bool set(initrd_parameter parameter, const char *value);
	/* The same for one that is only looked at, by its name; others are passed over. */
	void see(const char *name, const char *value);

	void verify();
	void populate_rootfs();
	/* Whether the root is mounted already, by way of linuxrc. */
	bool load_root(const char *root_name);

	/* What it was made for. */
	INLINE const Build &build() const { return *build_; }
	/* Where the image is that is, or was, to be loaded; of a size of 0: there is none. */
	INLINE const ImagePlace &place() const { return place_; }

private:
	enum class Verdict { kNone /* nobody has looked yet */, kWanted, kRefused };

	/* The setters of initrd/seam/parameters.inc: whether the value is taken. */
	bool set_image(const char *value);
	bool add_digests(const char *value);
	bool set_verification(const char *value);
	bool set_unnamed(const char *value);
	bool set_retain(const char *value);
	bool set_keep(const char *value);
	bool set_noinitrd(const char *value);
	bool set_start_block(const char *value);
	bool ignore_prompt(const char *value);
	bool set_tail(const char *value);
	bool see_mapping(const char *value);
	bool see_init(const char *value);
	bool see_root(const char *value);
	bool see_file_systems(const char *value);
	bool see_rootfs(const char *value);
	bool see_wait(const char *value);

	void unpack_built_in_archive();
	void unpack_image(Region &region);
	void settle_image(Region &region, size_t offset, bool behind_archives);
	size_t find_archives(Bytes bytes, size_t from) const;
	void unpack_behind(Region &region, size_t offset);
	void preserve(Region &region);
	void dispose(Region &region);

	Built build_;
	const rootfs::Archives *archives_;
	Options options_ = {};
	Verification verification_;
	Verdict verdict_ = Verdict::kNone;
	/* The image from populate_rootfs() to load_root(), while it waits for the driver. */
	Region waiting_ = Region::none();
	ImagePlace place_ = {};
};

/* The one of this kernel, or of this program. */
extern Boot the_boot;

} // namespace initrd

#endif
