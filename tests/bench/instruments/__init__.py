# SPDX-License-Identifier: GPL-2.0
"""One module per instrument, each with a function measure()."""
