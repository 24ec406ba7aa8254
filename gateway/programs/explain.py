"""A program in plain words, rule by rule, each with its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.domain.program import Program
from gateway.domain.program.source import Confidence

HEADINGS = {
    "order": "An emergency program",
    "seasons": "In",
    "days": "On",
    "windows": "Between",
    "notices": "It tells",
    "durations": "An event lasts",
    "quotas": "Limit",
    "in_row": "Limit",
    "back_to_back": "Back to back",
    "counting": "Counting",
    "opt_outs": "One may refuse",
    "blackouts": "No event",
    "storms": "No event",
    "tests": "Tests",
    "enrolment": "To join",
    "nominations": "A quantity is",
    "commitment": "The promise",
    "baselines": "Baseline",
    "meter": "Measured at",
    "performance": "Performance",
    "tiers": "Paid by bands",
    "capacity_pay": "Pay",
    "energy_pay": "Pay",
    "average_pay": "Pay",
    "peak_charge": "Cost",
    "penalties": "Cost",
    "exclusivity": "Other programs",
    "telemetry": "Telemetry",
    "signal": "It reaches us by",
    "triggers": "It calls because of",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One rule in words."""

    kind: str
    text: str
    source: str
    """Empty: none is named."""

    @property
    def words(self) -> str:
        """`Limit: at most 10 events a month [operator's own text, undated]`."""
        return f"{HEADINGS[self.kind]}: {self.text}" + (f" [{self.source}]" * bool(self.source))


def explained(program: Program) -> list[Line]:
    """Every rule of a program, and whether its events go first."""
    first = "its events go before those of other programs"
    order = [Line(kind="order", text=first, source="")] if program.emergency else []
    return order + [
        Line(kind=kind, text=text, source=source.words if source else "")
        for kind, text, source in program.rules.told()
    ]


def warnings(program: Program) -> Iterator[str]:
    """What to check before the program is relied upon."""
    sources = [source for _, _, source in program.rules.told()]
    doubtful = Counter(one.confidence for one in sources if one is not None)
    if count := doubtful[Confidence.THIRD_PARTY]:
        yield f"{count} rules from third parties: check the tariff"
    if count := doubtful[Confidence.MEMORY]:
        yield f"{count} rules unverified: check the tariff"
    old = sum(one is not None and one.year is None for one in sources)
    if old:
        yield f"{old} sources undated, may be old"
    rules = program.rules
    rates = [one.rate for one in rules.capacity_pay] + [one.rate for one in rules.energy_pay]
    rates += [one.rate for one in rules.average_pay] + [one.rate for one in rules.penalties]
    rates += [one.rate for one in rules.peak_charge]
    examples = sum(one is not None and one.example for one in rates)
    if examples:
        yield f"{examples} rates are examples: the tariff in force counts"
