# SPDX-License-Identifier: GPL-2.0
"""Draws the ratios as bars, in SVG: a logarithmic scale, the targets marked."""

from __future__ import annotations

import math
from typing import Sequence
from xml.sax.saxutils import escape

from .rows import Row

WIDTH = 960
LABELS = 250
RIGHT = 120
BAR = 16
STEP = 24
TOP = 86
HEADING = 30

COLOURS = {True: "#2e7d5b", False: "#c0392b", None: "#7f8c8d"}
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)

TITLES = {
    "icount": "Instructions: C ÷ ours",
    "smp": "Our load time: one processor ÷ two",
    "uml": "Time at native speed: C ÷ ours",
    "memory": "Memory: C ÷ ours (targets are in the table)",
    "io": "Instructions per MiB of the RAM disk: C ÷ ours",
    "size": "Bytes of the objects: C ÷ ours",
}


class Scale:
    """Puts ratios on a logarithmic axis from `low` to `high`."""

    def __init__(self, numbers: Sequence[float]) -> None:
        below = [tick for tick in TICKS if tick <= min([*numbers, 0.5])]
        above = [tick for tick in TICKS if tick >= max([*numbers, 2])]
        self.low = below[-1] if below else TICKS[0]
        self.high = above[0] if above else TICKS[-1]

    def x(self, number: float) -> float:
        """The place of a ratio; those outside the scale are put at its end."""
        inside = min(max(number, self.low), self.high)
        part = math.log(inside / self.low) / math.log(self.high / self.low)
        return LABELS + part * (WIDTH - LABELS - RIGHT)

    def ticks(self) -> list[float]:
        return [tick for tick in TICKS if self.low <= tick <= self.high]


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{" " + more if more else ""}>{escape(text)}</text>'


def _line(x: float, top: float, bottom: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" stroke="{colour}" {more}/>'


def _bar(row: Row, scale: Scale, y: float) -> list[str]:
    """One row: its label, its bar from 1 on, its ratio, its target."""
    middle = y + BAR / 2 + 4
    parts = [_text(LABELS - 10, middle, row.input, 'text-anchor="end"')]
    ratio = row.ratio
    one = scale.x(1)
    if ratio is None:
        said = "; ".join(f"{name}: fails" for name in row.failed)
        colour = COLOURS[False] if "ours" in row.failed else "#555"
        return parts + [_text(one + 6, middle, said, f'fill="{colour}" font-style="italic"')]
    x = scale.x(ratio)
    parts.append(f'<rect x="{min(one, x):.1f}" y="{y:.1f}" width="{max(abs(x - one), 1):.1f}" height="{BAR}" '
                 f'fill="{COLOURS[row.met]}"/>')
    of_ratio = row.target is not None and row.target.of == "ratio"
    after = max(x, one, scale.x(row.target.value) if of_ratio and row.target else 0)
    parts.append(_text(after + 7, middle, f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"))
    if of_ratio and row.target:
        parts.append(_line(scale.x(row.target.value), y - 3, y + BAR + 3, "#111", 'stroke-width="3"'))
    return parts


def svg(rows: Sequence[Row], title: str, subtitle: str) -> str:
    """The picture; rows are grouped by instrument, in their order."""
    shown = [row for row in rows if row.ratio is not None or row.failed]
    groups: dict[str, list[Row]] = {}
    for row in shown:
        groups.setdefault(row.instrument, []).append(row)
    numbers = [row.ratio for row in shown if row.ratio is not None and row.ratio > 0]
    targets = [row.target.value for row in shown if row.target and row.target.of == "ratio"]
    scale = Scale([*numbers, *targets])
    height = TOP + sum(HEADING + STEP * len(group) for group in groups.values()) + 34
    bottom = height - 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12" fill="#222">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        _text(16, 24, title, 'font-size="16" font-weight="bold"'),
        _text(16, 42, subtitle, 'fill="#555" font-size="11"'),
        _text(16, 58, "logarithmic; green: target met, red: missed, grey: no target for the ratio; "
                      "black mark: the target", 'fill="#555" font-size="11"'),
    ]
    for tick in scale.ticks():
        x = scale.x(tick)
        parts.append(_line(x, TOP, bottom, "#888" if tick == 1 else "#ddd"))
        for place in (TOP - 4, bottom + 16):
            parts.append(_text(x, place, f"{tick:g}", 'text-anchor="middle" fill="#555"'))
    y = float(TOP)
    for name, group in groups.items():
        parts.append(_text(16, y + 20, TITLES.get(name, name), 'font-weight="bold"'))
        y += HEADING
        for row in group:
            parts += _bar(row, scale, y)
            y += STEP
    return "\n".join([*parts, "</svg>"]) + "\n"
