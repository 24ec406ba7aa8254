"""Chargers that do not do as they are told, charge nobody, or fail again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from contracts.time import Interval
from gateway.domain.accounts.session import ChargingSession
from gateway.domain.anomaly.finding import Code, Finding
from gateway.domain.anomaly.picture import Picture, runs
from gateway.domain.words import kw

LIMIT_SLOTS = 5
"""So long a limit stands before it must be kept."""
_LIMIT_W, _LIMIT_SHARE = 500.0, 0.10
"""What chargers are beyond a limit by rounding and by their own use."""
EMPTY_WH, EMPTY_LEAST = 100.0, timedelta(minutes=10)
EMPTY_IN_A_ROW = 3
FAULTS_A_DAY = 3
_FAULT_CODES = ("charger-", "limit-not-obeyed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A notice that a site has raised."""

    at: datetime
    code: str
    subject: str


def ignores_limit(picture: Picture) -> Iterator[Finding]:
    """More than the limit in force, which has stood for a while."""
    for evse_id, power in picture.evse_w.items():
        limit = picture.limit_w.get(evse_id)
        if limit is None:
            continue
        stood = np.concatenate([[False], np.abs(np.diff(limit)) < 1.0])
        allowed = limit + np.maximum(_LIMIT_W, _LIMIT_SHARE * limit)
        beyond = stood & (np.nan_to_num(power - allowed) > 0)
        for first, end in runs(beyond, LIMIT_SLOTS):
            drew_w, asked_w = float(power[first:end].mean()), float(limit[first])
            yield Finding(
                code=Code.LIMIT,
                subject=evse_id,
                evidence=picture.span(first, end),
                reason=f"it drew {kw(drew_w)} while {kw(asked_w)} were its limit",
                what_to_do=(
                    "Look at its smart charging (gridyard device check), its firmware, and whether"
                    " somebody else limits it; do not count on it in events"
                ),
            )


def without_energy(sessions: Sequence[ChargingSession]) -> Iterator[Finding]:
    """At one EVSE several in a row that charged nothing; sessions by start.

    One vehicle alone that is full, or does not want, is no fault of the charger's: at least two
    are wanted, or ones that nobody knows.
    """
    for evse_id in sorted({one.evse_id for one in sessions}):
        mine = [one for one in sessions if one.evse_id == evse_id and _long(one)]
        empty = mine[-EMPTY_IN_A_ROW:]
        vehicles = {one.vehicle_id for one in empty}
        if (
            len(empty) == EMPTY_IN_A_ROW
            and all(one.register_wh is not None and one.register_wh < EMPTY_WH for one in empty)
            and (len(vehicles) > 1 or "" in vehicles)
        ):
            yield Finding(
                code=Code.NO_ENERGY,
                subject=evse_id,
                evidence=Interval(start=empty[0].started_at, end=empty[-1].ended_at),
                reason=f"its last {EMPTY_IN_A_ROW} sessions charged less than 0.1 kWh each",
                what_to_do="Try it with a vehicle that charges elsewhere; look at its error codes",
            )


def repeated_faults(troubles: Sequence[Trouble]) -> Iterator[Finding]:
    """The same trouble at the same charger several times within a day."""
    told = [one for one in troubles if one.code.startswith(_FAULT_CODES)]
    counts = Counter((one.code, one.subject) for one in told)
    for (code, subject), count in sorted(counts.items()):
        if count >= FAULTS_A_DAY:
            times = [one.at for one in told if (one.code, one.subject) == (code, subject)]
            yield Finding(
                code=Code.FAULTS,
                subject=subject,
                evidence=Interval(start=min(times), end=max(times) + timedelta(minutes=1)),
                reason=f"{code} was raised {count} times within a day",
                what_to_do="Look at its network, its power supply and its firmware",
            )


def _long(one: ChargingSession) -> bool:
    return one.ended_at - one.started_at >= EMPTY_LEAST
