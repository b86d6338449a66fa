# SPDX-License-Identifier: GPL-2.0
"""The benchmark: this project's kernel beside the kernel's own C code.

tests/bench/run is the way in. The modules build on qemu/vm.py and
qemu/images.py, which are found here.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "qemu"))
