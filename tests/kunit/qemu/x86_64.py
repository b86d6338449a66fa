# SPDX-License-Identifier: GPL-2.0
"""How kunit.py runs the suites on x86_64: for its option --qemu_config.

The options here and in tests/.kunitconfig are part of what
scripts/build-kernel.sh configures, so that kunit.py finds that kernel up to
date; they also make a kernel of their own when kunit.py is run by hand.
"""

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(
    linux_arch="x86_64",
    kconfig="""
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_8250_CONSOLE=y
""",
    qemu_arch="x86_64",
    kernel_path="arch/x86/boot/bzImage",
    kernel_command_line="console=ttyS0 panic=-1",
    extra_qemu_params=["-no-user-config", "-accel", "tcg"],
)
