"""Grades: how an area stands, and the whole, with how it was computed.

In: findings, and which areas were looked at. Out: `Grade`s.
Each area begins with 100 points. Every finding takes its weight off (notice 5, warning 15, danger 40), the same code
at most twice, so that ten hosts with one fault are not ten faults. 90 points are an A, 75 a B, 60 a C, 40 a D. The
whole is the mean of the areas, and never more than one letter better than the worst of them: one open door is not made
good by seven that are shut.
Not here: what is found (`checks`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatepost.audit.check import Area
from gatepost.finding import Finding

FULL = 100.0
SAME_CODE = 2
LETTERS = (("A", 90.0), ("B", 75.0), ("C", 60.0), ("D", 40.0), ("F", 0.0))
_ORDER = "".join(letter for letter, _ in LETTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """`letter` and `points` of one area, or of the whole. `taken` says which codes took how many points."""

    letter: str
    points: float
    taken: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The grade as JSON values."""
        return {"letter": self.letter, "points": self.points, "taken": dict(self.taken), "note": self.note}


def grade_area(findings: Iterable[Finding]) -> Grade:
    """The grade of one area from its findings."""
    taken: dict[str, float] = {}
    times: Counter[str] = Counter()
    for finding in sorted(findings, key=lambda one: -one.weight):
        times[finding.code] += 1
        if finding.weight > 0 and times[finding.code] <= SAME_CODE:
            taken[finding.code] = taken.get(finding.code, 0.0) + finding.weight
    points = max(0.0, FULL - sum(taken.values()))
    return Grade(letter=_letter(points), points=points, taken=taken)


def grade_all(findings: Sequence[Finding], looked_at: Iterable[Area]) -> tuple[Grade, dict[Area, Grade]]:
    """The whole and its areas; an area that was not looked at has no grade."""
    areas = {area: grade_area(one for one in findings if one.group == area.value) for area in looked_at}
    if not areas:
        return Grade(letter="-", points=0.0, note="nothing could be looked at"), {}
    return grade_mean(areas.values()), areas


def grade_mean(areas: Collection[Grade]) -> Grade:
    """The whole, of areas that were looked at."""
    mean = round(sum(grade.points for grade in areas) / len(areas), 1)
    letter, worst = _letter(mean), max((grade.letter for grade in areas), key=_ORDER.index)
    best = _ORDER[max(0, _ORDER.index(worst) - 1)]
    note = f"the mean of {len(areas)} areas"
    if _ORDER.index(letter) < _ORDER.index(best):
        letter, note = best, f"{note}, held down by the area with {worst}"
    return Grade(letter=letter, points=mean, note=note)


def _letter(points: float) -> str:
    return next(letter for letter, least in LETTERS if points >= least)
