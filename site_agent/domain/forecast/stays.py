"""Which vehicles will come, when, and with how much to charge: roster first, then their habits.

A vehicle that the roster names is left to the roster for that day. Of every other, the stays of the
last days of the same kind are taken: first, second ... of a day apart. How often it came is the
probability, medians are the arrival and the departure, the mean is the energy (a median would
promise a fleet less than it takes: needs are skewed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import fmean, median

from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.horizon import Horizon

DAY_BEGINS = timedelta(hours=4)
"""Of a depot: who comes after midnight comes late, not early."""
MOST_DAYS = 10
"""Days of the same kind that count."""
LOOK_BACK = timedelta(days=60)
FEWEST_STAYS = 2
"""One visit is no habit."""
LEAST_LIKELY = 0.2
_SHORTEST = timedelta(minutes=15)
"""A stay that medians make shorter is taken to last this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStay:
    """One vehicle at one EVSE, from plug to plug, as history keeps it."""

    vehicle_id: str
    """Of the fleet; of an unknown vehicle, a name made from its EVSE."""
    evse_id: str
    arrived: datetime
    left: datetime
    energy_wh: float
    """Charged."""
    missing_wh: float = 0.0
    """What it still lacked when it left."""
    max_power_w: float = 0.0
    """Most the vehicle and this EVSE could take together."""


_Dated = tuple[date, PastStay]
"""A stay with the depot's day it belongs to."""


def expected_stays(
    habits: Sequence[ExpectedStay],
    roster: Sequence[ExpectedStay],
    present: Mapping[str, datetime],
    horizon: Horizon,
    calendar: Calendar,
) -> tuple[ExpectedStay, ...]:
    """Stays that begin within `horizon`, whose start is now, by arrival; quick.

    Args:
        habits: of `habitual_stays`, for about this horizon.
        roster: what dispatchers or telematics have told; it goes first.
        present: vehicles that are plugged in, and since when: that stay is no longer expected.
        horizon: begins now.
        calendar: the site's local time and holidays.
    """
    taken = {(one.vehicle_id, depot_day(one.arrives, calendar)) for one in roster}
    taken |= {(vehicle, depot_day(since, calendar)) for vehicle, since in present.items()}
    found = [
        *roster,
        *(one for one in habits if (one.vehicle_id, depot_day(one.arrives, calendar)) not in taken),
    ]
    ahead = [one for one in found if horizon.start <= one.arrives < horizon.end]
    return tuple(sorted(ahead, key=lambda one: (one.arrives, one.vehicle_id)))


def habitual_stays(
    past: Sequence[PastStay], horizon: Horizon, calendar: Calendar
) -> tuple[ExpectedStay, ...]:
    """Stays within `horizon`, whose start is now, as the vehicles' past has them; any order."""
    by_vehicle: dict[str, list[_Dated]] = defaultdict(list)
    for stay in sorted(past, key=lambda one: one.arrived):
        if horizon.start - LOOK_BACK <= stay.arrived < horizon.start:
            by_vehicle[stay.vehicle_id].append((depot_day(stay.arrived, calendar), stay))
    found: list[ExpectedStay] = []
    day, last = depot_day(horizon.start, calendar), depot_day(horizon.end, calendar)
    while day <= last:
        like = _like(day, calendar)
        for stays in by_vehicle.values():
            found += _on(day, stays, like, horizon, calendar)
        day += timedelta(days=1)
    return tuple(found)


def depot_day(at: datetime, calendar: Calendar) -> date:
    """The depot's day an instant belongs to."""
    return (at.astimezone(calendar.zone) - DAY_BEGINS).date()


def _like(day: date, calendar: Calendar) -> Sequence[date]:
    """Days of the same kind before `day`, the newest first."""
    kind = calendar.day_type(day)
    before = (day - timedelta(days=back) for back in range(1, LOOK_BACK.days + 1))
    return [one for one in before if calendar.day_type(one) is kind]


def _on(
    day: date,
    stays: Sequence[_Dated],
    like: Sequence[date],
    horizon: Horizon,
    calendar: Calendar,
) -> Iterator[ExpectedStay]:
    """What one vehicle does on one day, judged by the days of this kind since it was first seen."""
    first, _ = stays[0]
    days = set([one for one in like if one >= first][:MOST_DAYS])
    visits: dict[int, list[_Dated]] = defaultdict(list)
    came: dict[date, int] = defaultdict(int)
    for on, stay in stays:
        if on in days:
            visits[came[on]].append((on, stay))
        came[on] += 1
    for nth, found in visits.items():
        if len(found) >= FEWEST_STAYS and nth >= came[day]:
            yield from _expected(day, found, len(days), horizon, calendar)


def _expected(
    day: date, found: Sequence[_Dated], days: int, horizon: Horizon, calendar: Calendar
) -> Iterator[ExpectedStay]:
    """The stay on `day`; the later it gets without it, the fewer past days speak for it."""
    now, absent = horizon.start, days - len(found)
    moved = [(_moved(one.arrived, on, day, calendar), on, one) for on, one in found]
    to_come = [entry for entry in moved if entry[0] >= now]
    if not to_come:
        return
    probability = len(to_come) / (len(to_come) + absent)
    arrives = _median(at for at, _, _ in to_come)
    if probability < LEAST_LIKELY or not now <= arrives < horizon.end:
        return
    departs = _median(_moved(one.left, on, day, calendar) for _, on, one in to_come)
    evses = [one.evse_id for _, _, one in to_come]
    usual = max(sorted(set(evses)), key=evses.count)
    yield ExpectedStay(
        vehicle_id=to_come[-1][2].vehicle_id,
        arrives=arrives,
        departs=max(departs, arrives + _SHORTEST),
        required_wh=fmean(one.energy_wh + one.missing_wh for _, _, one in to_come),
        max_power_w=median(one.max_power_w for _, _, one in to_come),
        evse_id=usual if 2 * evses.count(usual) > len(evses) else None,
        probability=probability,
    )


def _moved(at: datetime, on: date, day: date, calendar: Calendar) -> datetime:
    """The same time on the wall clock, as far from `day` as it was from the stay's own day `on`."""
    local = at.astimezone(calendar.zone)
    wall = datetime.combine(day + (local.date() - on), local.time().replace(microsecond=0))
    return wall.replace(tzinfo=calendar.zone).astimezone(UTC)


def _median(instants: Iterable[datetime]) -> datetime:
    return datetime.fromtimestamp(median(one.timestamp() for one in instants), UTC)
