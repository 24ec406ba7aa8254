"""Play a day of sessions below one limit, with the current shared by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gridyard.study.days import LEAST_A, MOST_A, POWER_W, STEP_H, VOLTAGE_V, Day, Session

READY_WH = 100.0
"""A demand is met when no more than this is missing."""
_NOTHING_WH = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A vehicle at its outlet at one step."""

    session: Session
    missing_wh: float
    left_h: float
    """Until it leaves."""

    @property
    def laxity_h(self) -> float:
        """What of that is to spare at full power."""
        return self.left_h - self.missing_wh / POWER_W

    @property
    def wanted_a(self) -> float:
        """What it would draw in this step, at least what it may be offered at all."""
        return min(MOST_A, max(LEAST_A, self.missing_wh / (VOLTAGE_V * STEP_H)))


Rule = Callable[[int, Sequence[Present], float], Mapping[str, float]]
"""(step, who is there, A to share) -> A by name of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a day."""

    energy_share: float
    """Of all energy asked for, what was delivered."""
    met_share: float
    """Of all sessions, those that left with what they asked for."""


def outcome(day: Day, missing_wh: Mapping[str, float]) -> Outcome:
    """The outcome when this was missing at departure, by name of the session."""
    met = sum(missing_wh[one.name] <= READY_WH for one in day.sessions)
    return Outcome(
        energy_share=1.0 - sum(missing_wh.values()) / day.energy_wh,
        met_share=met / len(day.sessions),
    )


def played(day: Day, cap_a: float, rule: Rule) -> Outcome:
    """The day under a rule, step by step. Nobody may get a current outside 0 or 6 to 32 A.

    Raises:
        AssertionError: the rule has shared out more than there is, or an illegal current.
    """
    missing = {one.name: one.energy_wh for one in day.sessions}
    for step in range(max(one.departs for one in day.sessions)):
        here = [
            Present(session=one, missing_wh=missing[one.name], left_h=(one.departs - step) * STEP_H)
            for one in day.sessions
            if one.arrives <= step < one.departs and missing[one.name] > _NOTHING_WH
        ]
        if not here:
            continue
        given_a = rule(step, here, cap_a)
        _check(given_a, cap_a)
        for name, amps in given_a.items():
            missing[name] = max(0.0, missing[name] - amps * VOLTAGE_V * STEP_H)
    return outcome(day, missing)


def _check(given_a: Mapping[str, float], cap_a: float) -> None:
    legal = all(amps == 0 or LEAST_A <= amps <= MOST_A + 1e-9 for amps in given_a.values())
    if not legal or sum(given_a.values()) > cap_a + 1e-6:
        raise AssertionError("a rule gave more than there is, or an illegal current")
