# SPDX-License-Identifier: GPL-2.0
"""What a measurement gives: one row per input and instrument, and its target."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Target:
    """What is asked for: at least or at most `value`, either of the ratio
    (C ÷ ours) or of our own measure."""

    value: float
    sense: Literal["at least", "at most"] = "at least"
    of: Literal["ratio", "ours"] = "ratio"

    def __str__(self) -> str:
        return f"{'≥' if self.sense == 'at least' else '≤'} {self.value:g}"

    def met_by(self, number: float) -> bool:
        return number >= self.value if self.sense == "at least" else number <= self.value


#: Units of which C ÷ ours would say nothing.
WITHOUT_RATIO = ("growth",)


@dataclass
class Row:
    """One measured thing. `ours` and `c` are None where there is no figure;
    `note` then says why ("C: fails")."""

    instrument: str
    input: str
    unit: str
    ours: float | None
    c: float | None = None
    target: Target | None = None
    note: str = ""
    #: Given for rows in which another ratio than c ÷ ours is meant.
    own_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """C ÷ ours: how many times less we need."""
        if self.own_ratio is not None:
            return self.own_ratio
        if self.unit in WITHOUT_RATIO or self.ours is None or self.c is None or self.ours <= 0 or self.c < 0:
            return None
        return self.c / self.ours

    @property
    def failed(self) -> list[str]:
        """Whose boot failed: of "ours" and "C"."""
        return [name for name in ("ours", "C") if f"{name}: fails" in self.note]

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target or a figure to compare
        with. Where only ours failed it is not."""
        if self.target is None:
            return None
        if self.failed == ["ours"]:
            return False
        number = self.ratio if self.target.of == "ratio" else self.ours
        return None if number is None else self.target.met_by(number)

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "target": str(self.target) if self.target else None,
                "ratio": self.ratio, "met": self.met}
