# SPDX-License-Identifier: GPL-2.0
"""How kunit.py runs the suites on arm64: for its option --qemu_config.

The options here and in tests/.kunitconfig are part of what
scripts/build-kernel.sh configures, so that kunit.py finds that kernel up to
date; they also make a kernel of their own when kunit.py is run by hand.
"""

from ..qemu_config import QemuArchParams

QEMU_ARCH = QemuArchParams(
    linux_arch="arm64",
    kconfig="""
CONFIG_SERIAL_AMBA_PL011=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y
""",
    qemu_arch="aarch64",
    kernel_path="arch/arm64/boot/Image",
    kernel_command_line="console=ttyAMA0 panic=-1",
    extra_qemu_params=["-no-user-config", "-machine", "virt,gic-version=3", "-cpu", "cortex-a57"],
)
