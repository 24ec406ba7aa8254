"""Baselines a second time, in plain loops over quarter hours: shares no code with the gateway's.

For data without a clock change, in local time. Loads in kW, by `(day, quarter of the day)`; a
quarter that was not measured is not in the table.
"""

from __future__ import annotations

import csv
import gzip
import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

Loads = dict[tuple[date, int], float]


def office() -> Loads:
    """The measured office, see `tests/captures/lbnl_office/SOURCES.txt`."""
    path = Path(__file__).parents[1] / "captures" / "lbnl_office" / "load.csv.gz"
    loads: Loads = {}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            if row["load_kw"] != "":
                at = datetime.fromisoformat(row["start"])
                loads[at.date(), at.hour * 4 + at.minute // 15] = float(row["load_kw"])
    return loads


@dataclass
class Rule:
    """A method in quarters of an hour; what it leaves out is not done."""

    of: str = "days"
    """`days`, `alike`, `own`, `nothing`, `level`."""
    x: int = 10
    y: int = 10
    rank: str = "highest"
    days: str = "same"
    weights: list[float] = field(default_factory=list)
    before: tuple[int, int] | None = None
    """Quarters before the event: from, until."""
    after: tuple[int, int] | None = None
    adjust: str = ""
    low: float | None = None
    high: float | None = None
    level: float = 0.0


@dataclass
class Answer:
    """What a rule comes to."""

    values: list[float] = field(default_factory=list)
    used: list[date] = field(default_factory=list)
    moved: float | None = None


@dataclass
class Case:
    """The event in quarters `first` to `last` (excluded) of a day, and what else is known."""

    loads: Loads
    day: date
    first: int
    last: int
    event_days: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    look_back: int = 45

    def off(self, day: date) -> bool:
        """Whether nobody works."""
        return day.weekday() >= 5 or day in self.holidays


def answer(rule: Rule, case: Case) -> Answer:
    """What the rule says of the event; no values when it says nothing."""
    length = case.last - case.first
    if rule.of == "nothing":
        return Answer(values=[0.0] * length)
    if rule.of == "level":
        return Answer(values=[rule.level] * length)
    if rule.of == "own":
        return _of_own_hours(rule, case)
    return _of_days(rule, case)


def _hours(rule: Rule, case: Case) -> list[int]:
    hours = []
    if rule.before:
        hours += list(range(case.first - rule.before[0], case.first - rule.before[1]))
    if rule.after:
        hours += list(range(case.last + rule.after[0], case.last + rule.after[1]))
    return hours


def _of_own_hours(rule: Rule, case: Case) -> Answer:
    hours = _hours(rule, case)
    known = [case.loads[case.day, q] for q in hours if (case.day, q) in case.loads]
    if len(known) < 0.9 * len(hours):
        return Answer()
    return Answer(values=[sum(known) / len(known)] * (case.last - case.first))


def _of_days(rule: Rule, case: Case) -> Answer:
    clean: list[date] = []
    for n in range(1, case.look_back + 1):
        past = case.day - timedelta(days=n)
        if len(clean) < rule.y and _clean(rule, case, past):
            clean.append(past)
    if len(clean) < 3:
        return Answer()
    used = _pick(rule, case, clean)
    plain = [_mean(rule, case.loads, used, q) for q in range(case.first, case.last)]
    values = [value for value in plain if value is not None]
    moved = _moved(rule, case, used) if rule.adjust else None
    if moved is None:
        return Answer(values=values, used=used)
    if rule.adjust == "ratio":
        return Answer(values=[v * moved for v in values], used=used, moved=moved)
    return Answer(values=[v + moved for v in values], used=used, moved=moved)


def _clean(rule: Rule, case: Case, past: date) -> bool:
    measured = [q for q in range(case.first, case.last) if (past, q) in case.loads]
    if past in case.event_days or len(measured) < 0.9 * (case.last - case.first):
        return False
    if rule.days == "same" and case.off(past) != case.off(case.day):
        return False
    if rule.days == "business" and case.off(past):
        return False
    return rule.of != "alike" or _likeness(case, past) is not None


def _pick(rule: Rule, case: Case, clean: list[date]) -> list[date]:
    def size(past: date) -> float:
        hours = range(case.first, case.last)
        known = [case.loads[past, q] for q in hours if (past, q) in case.loads]
        return sum(known) / len(known)

    if rule.of == "alike":
        best = sorted(clean, key=lambda past: _likeness(case, past) or 0.0)[: rule.x]
    elif rule.rank == "newest":
        best = clean[: rule.x]
    elif rule.rank == "middle":
        ordered = sorted(clean, key=size)
        skip = (len(ordered) - rule.x) // 2
        best = ordered[skip : skip + rule.x]
    else:
        best = sorted(clean, key=size, reverse=rule.rank == "highest")[: rule.x]
    return sorted(best, reverse=True)


def _likeness(case: Case, past: date) -> float | None:
    total, both, wanted = 0.0, 0, 0
    for q in range(96):
        if case.first - 4 <= q < case.last + 4 or (case.day, q) not in case.loads:
            continue
        wanted += 1
        if (past, q) in case.loads:
            both += 1
            total += (case.loads[past, q] - case.loads[case.day, q]) ** 2
    if not both or both < 0.9 * wanted:
        return None
    return math.sqrt(total / both)


def _mean(rule: Rule, loads: Loads, used: list[date], quarter: int) -> float | None:
    total, weight = 0.0, 0.0
    for n, past in enumerate(used):
        if (past, quarter) in loads:
            w = rule.weights[n] if rule.weights else 1.0
            total += w * loads[past, quarter]
            weight += w
    return total / weight if weight else None


def _moved(rule: Rule, case: Case, used: list[date]) -> float | None:
    hours, today, expected = _hours(rule, case), [], []
    for q in hours:
        past = _mean(rule, case.loads, used, q)
        if (case.day, q) in case.loads and past is not None:
            today.append(case.loads[case.day, q])
            expected.append(past)
    if len(today) < 0.9 * len(hours):
        return None
    was, should = sum(today) / len(today), sum(expected) / len(expected)
    low, high = rule.low, rule.high
    if rule.adjust == "ratio":
        moved = was / should
    else:
        moved = was - should
        low = None if low is None else (low - 1) * should
        high = None if high is None else (high - 1) * should
    if low is not None and moved < low:
        return low
    if high is not None and moved > high:
        return high
    return moved
