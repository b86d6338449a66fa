/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of the kernel's kconfig.h and .config: included before everything
 * else. With HOST_SMALL_CONFIG, a kernel that lacks most options.
 */
#ifndef INITRD_HOSTED_KCONFIG_H
#define INITRD_HOSTED_KCONFIG_H

#define CONFIG_ARCH_HAS_KEEPINITRD 1
#define CONFIG_BLK_DEV_INITRD 1
#define CONFIG_RD_GZIP 1

#ifndef HOST_SMALL_CONFIG
#define CONFIG_BLK_DEV_RAM 1
#define CONFIG_INITRD_CXX_FILE_PAGES 1
#define CONFIG_BLOCK 1
#define CONFIG_INITRAMFS_PRESERVE_MTIME 1
#define CONFIG_RD_BZIP2 1
#define CONFIG_RD_LZMA 1
#define CONFIG_RD_XZ 1
#define CONFIG_RD_LZO 1
#define CONFIG_RD_LZ4 1
#define CONFIG_RD_ZSTD 1
#define CONFIG_INITRD_CXX_VERIFY 1
#endif

#ifndef CONFIG_INITRAMFS_SOURCE
#define CONFIG_INITRAMFS_SOURCE "built-in"
#endif

#ifndef CONFIG_INITRD_CXX_SHA256
#define CONFIG_INITRD_CXX_SHA256 ""
#endif

/* 1 for an option defined as 1, 0 for one that is not defined at all. */
#define KCONFIG_ONE_IS_1 ,
#define KCONFIG_THIRD(first, second, third, ...) third
#define KCONFIG_PICK(...) KCONFIG_THIRD(__VA_ARGS__)
#define KCONFIG_IS_ONE(value) KCONFIG_PICK(KCONFIG_ONE_IS_##value 0, 1, 0, 0)
#define KCONFIG_EXPAND(value) KCONFIG_IS_ONE(value)

#define IS_BUILTIN(option) KCONFIG_EXPAND(option)
#define IS_MODULE(option) KCONFIG_EXPAND(option##_MODULE)
#define IS_ENABLED(option) (IS_BUILTIN(option) || IS_MODULE(option))

#endif
