# SPDX-License-Identifier: GPL-2.0
"""Does several things at a time, and stops at once when it is interrupted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def in_parallel(jobs: int, work: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """The results of `work` in the order of the items, `jobs` at a time. After an
    exception nothing further is begun; what runs is left to the end of the process."""
    pool = ThreadPoolExecutor(jobs)
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
