# SPDX-License-Identifier: GPL-2.0
"""Shows rows as a table: for a terminal, and in Markdown for a page."""

from __future__ import annotations

from typing import Sequence

from .rows import Row

HEADINGS = ("input", "instrument", "unit", "ours", "C", "ratio", "target", "met")


def figure(number: float | None) -> str:
    """A number with about four digits, "-" for none."""
    if number is None:
        return "-"
    if isinstance(number, int):
        return str(number)
    size = abs(number)
    if size >= 1000:
        return f"{number:.0f}"
    return f"{number:.1f}" if size >= 100 else f"{number:.2f}" if size >= 10 else f"{number:.3f}"


def cells(row: Row) -> tuple[str, ...]:
    """A row's cells as text, in the order of HEADINGS."""
    met = {True: "yes", False: "NO", None: "-"}[row.met]
    ours = "fails" if row.ours is None and "ours" in row.failed else figure(row.ours)
    c = "fails" if row.c is None and "C" in row.failed else figure(row.c)
    return (row.input, row.instrument, row.unit, ours, c, figure(row.ratio),
            str(row.target) if row.target else "-", met)


def text(rows: Sequence[Row]) -> str:
    """The table with aligned columns."""
    grid = [HEADINGS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in grid) for column in range(len(HEADINGS))]
    lines = []
    for line in grid:
        words = [word.ljust(width) if column < 3 else word.rjust(width)
                 for column, (word, width) in enumerate(zip(line, widths))]
        lines.append("  ".join(words).rstrip())
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|---|---|--:|--:|--:|--:|---|"]
    for row in rows:
        lines.append("| " + " | ".join(word.replace("|", "\\|") for word in cells(row)) + " |")
    return "\n".join(lines)


def notes(rows: Sequence[Row]) -> list[str]:
    """What is to be said about single rows."""
    return [f"{row.input}, {row.instrument}: {row.note}" for row in rows if row.note]
