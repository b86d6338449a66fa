# SPDX-License-Identifier: GPL-2.0
"""How kunit.py runs the suites on arm: for its option --qemu_config.

The options here and in tests/.kunitconfig are part of what
scripts/build-kernel.sh configures, so that kunit.py finds that kernel up to
date; they also make a kernel of their own when kunit.py is run by hand.
"""

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(
    linux_arch="arm",
    kconfig="""
CONFIG_MMU=y
CONFIG_ARCH_MULTIPLATFORM=y
CONFIG_ARCH_MULTI_V7=y
CONFIG_ARCH_VIRT=y
CONFIG_AEABI=y
CONFIG_SERIAL_AMBA_PL011=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y
""",
    qemu_arch="arm",
    kernel_path="arch/arm/boot/zImage",
    kernel_command_line="console=ttyAMA0 panic=-1",
    extra_qemu_params=["-no-user-config", "-machine", "virt,highmem=off", "-cpu", "cortex-a15"],
)
