# SPDX-License-Identifier: GPL-2.0
"""What the benchmark's files hold: data that compresses to about a half, as a
system's programs, texts and modules do, and that is the same for everyone.
"""

from __future__ import annotations

import random
from itertools import accumulate
from typing import Iterator

KIB = 1024
MIB = 1024 * 1024

#: Data is made in pieces of this size, each of one kind.
PIECE = 64 * KIB

#: The kinds of pieces and how many of ten pieces are of each: text compresses well,
#: program code fairly, what is compressed already does not.
KINDS = ("text", "code", "code", "text", "code", "packed", "text", "code", "text", "code")

_WORDS = 3000
_TOKENS = 6000


def _falling_weights(count: int) -> list[float]:
    """Zipf's law, summed up: the n-th is used 1/n as often as the first."""
    return list(accumulate(1 / n for n in range(1, count + 1)))


class Source:
    """An endless stream of bytes; equal seeds give equal streams."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        common = random.Random(20250101)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        self._words = ["".join(common.choices(letters, range(26, 0, -1), k=common.randint(1, 9))).encode()
                       for _ in range(_WORDS)]
        self._tokens = [common.randbytes(common.choice((1, 2, 3, 3, 4, 4, 5, 7))) for _ in range(_TOKENS)]
        self._word_weights = _falling_weights(_WORDS)
        self._token_weights = _falling_weights(_TOKENS)
        self._rest = bytearray()
        self._count = 0

    def _text(self) -> bytes:
        words = self._random.choices(self._words, cum_weights=self._word_weights, k=PIECE // 4)
        lines = (b" ".join(words[at : at + 12]) for at in range(0, len(words), 12))
        return b"\n".join(lines)[:PIECE]

    def _code(self) -> bytes:
        tokens = self._random.choices(self._tokens, cum_weights=self._token_weights, k=PIECE // 2)
        return b"".join(tokens)[:PIECE]

    def _piece(self) -> bytes:
        kind = KINDS[self._count % len(KINDS)]
        self._count += 1
        if kind == "packed":
            return self._random.randbytes(PIECE)
        return self._text() if kind == "text" else self._code()

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self._rest) < count:
            self._rest += self._piece()
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken


def sizes(total: int, low: int, high: int, seed: int) -> Iterator[int]:
    """Sizes of files that make up `total` bytes, the last one what is left:
    between `low` and `high`, and as many small ones as there are in a system."""
    source = random.Random(seed)
    left = total
    while left > 0:
        size = min(left, int(low * (high / low) ** source.random()))
        yield size
        left -= size
