"""The study of recorded sessions: every rule on every day below every limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from gridyard.study.days import Day
from gridyard.study.optimum import optimum
from gridyard.study.rules import (
    earliest_deadline,
    first_come,
    least_laxity,
    ours,
    ours_with_roster,
    round_robin,
)
from gridyard.study.sharing import Outcome, Rule, played

SAMPLE = Path(__file__).parent / "jpl_weekdays_2019.csv"
OURS, ROSTER, OPTIMUM = "ours", "ours with a roster", "optimum"


def _played(rule: Callable[[Day], Rule], day: Day, cap_a: float) -> Outcome:
    return played(day, cap_a, rule(day))


WAYS: Mapping[str, Callable[[Day, float], Outcome]] = {
    "first come (FCFS)": partial(_played, first_come),
    "earliest deadline (EDF)": partial(_played, earliest_deadline),
    "least laxity (LLF)": partial(_played, least_laxity),
    "round robin (RR)": partial(_played, round_robin),
    OURS: partial(_played, ours),
    ROSTER: partial(_played, ours_with_roster),
    OPTIMUM: optimum,
}
"""Every way to share, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One way below one limit, mean over the days."""

    cap_a: float
    way: str
    energy_share: float
    met_share: float


def study(
    days: Sequence[Day], caps_a: Sequence[float], ways: Sequence[str] = tuple(WAYS)
) -> Iterator[Line]:
    """A line for every limit and way, as soon as it is known.

    Raises:
        UnprovenError: the optimum of a day took too long.
    """
    for cap_a in caps_a:
        for way in ways:
            outcomes = [WAYS[way](day, cap_a) for day in days]
            yield Line(
                cap_a=cap_a,
                way=way,
                energy_share=fmean(one.energy_share for one in outcomes),
                met_share=fmean(one.met_share for one in outcomes),
            )


def closed(lines: Sequence[Line], cap_a: float) -> float | None:
    """How much of the distance in demands met from ours to the optimum a roster closes, 0 to 1.

    None: there is none to close.
    """
    met = {one.way: one.met_share for one in lines if one.cap_a == cap_a}
    distance = met[OPTIMUM] - met[OURS]
    return None if distance <= 0 else (met[ROSTER] - met[OURS]) / distance
