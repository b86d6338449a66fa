/* SPDX-License-Identifier: GPL-2.0 */
/*
 * support/: what a kernel was built with, as far as the boot path acts on it. The one
 * place that asks the configuration for it.
 */
#ifndef INITRD_SUPPORT_BUILD_H
#define INITRD_SUPPORT_BUILD_H

#include "initrd/support/compiler.h"

namespace initrd {

struct Build {
	bool ram_disk;		    /* CONFIG_BLK_DEV_RAM, built in or a module */
	bool ram_disk_is_built_in;  /* CONFIG_BLK_DEV_RAM=y */
	bool block_layer;	    /* CONFIG_BLOCK */
	bool built_in_archive_only; /* CONFIG_INITRAMFS_FORCE */
	/*
	 * CONFIG_INITRAMFS_SOURCE; without one the archive that is built in is the
	 * kernel's own, of three entries.
	 */
	bool has_archive_source;
	bool can_verify;     /* CONFIG_INITRD_CXX_VERIFY */
	bool enforces;	     /* CONFIG_INITRD_CXX_VERIFY_ENFORCE */
	const char *digests; /* CONFIG_INITRD_CXX_SHA256, "" where there are none */
};

#if IS_ENABLED(CONFIG_INITRD_CXX_VERIFY)
#define INITRD_BUILD_DIGESTS CONFIG_INITRD_CXX_SHA256
#else
#define INITRD_BUILD_DIGESTS ""
#endif

/* What this file is built with. */
#define INITRD_BUILD                                                                \
	::initrd::Build                                                             \
	{                                                                           \
		.ram_disk = IS_ENABLED(CONFIG_BLK_DEV_RAM),                         \
		.ram_disk_is_built_in = IS_BUILTIN(CONFIG_BLK_DEV_RAM),             \
		.block_layer = IS_ENABLED(CONFIG_BLOCK),                            \
		.built_in_archive_only = IS_ENABLED(CONFIG_INITRAMFS_FORCE),        \
		.has_archive_source = sizeof(CONFIG_INITRAMFS_SOURCE) > sizeof(""), \
		.can_verify = IS_ENABLED(CONFIG_INITRD_CXX_VERIFY),                 \
		.enforces = IS_ENABLED(CONFIG_INITRD_CXX_VERIFY_ENFORCE),           \
		.digests = INITRD_BUILD_DIGESTS,                                    \
	}

/*
 * The Build that an object was made for. In a kernel that is always its own, a
 * constant: what it leaves out is not even linked. On a host it may be any.
 */
class Built {
public:
#if __STDC_HOSTED__
	INLINE constexpr explicit Built(const Build &build) : build_(build) {}
	INLINE constexpr const Build *operator->() const { return &build_; }
	INLINE constexpr const Build &operator*() const { return build_; }

private:
	Build build_;
#else
	INLINE constexpr explicit Built(const Build &) {}
	INLINE constexpr const Build *operator->() const { return &kBuild; }
	INLINE constexpr const Build &operator*() const { return kBuild; }

private:
	static constexpr Build kBuild = INITRD_BUILD;
#endif
};

} // namespace initrd

#endif
