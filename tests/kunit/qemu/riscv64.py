# SPDX-License-Identifier: GPL-2.0
"""How kunit.py runs the suites on riscv64: for its option --qemu_config.

The options here and in tests/.kunitconfig are part of what
scripts/build-kernel.sh configures, so that kunit.py finds that kernel up to
date; they also make a kernel of their own when kunit.py is run by hand.
"""

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(
    linux_arch="riscv",
    kconfig="""
CONFIG_64BIT=y
CONFIG_RISCV_SBI=y
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_8250_CONSOLE=y
CONFIG_SERIAL_OF_PLATFORM=y
""",
    qemu_arch="riscv64",
    kernel_path="arch/riscv/boot/Image",
    kernel_command_line="console=ttyS0 panic=-1",
    extra_qemu_params=["-no-user-config", "-machine", "virt"],
)
