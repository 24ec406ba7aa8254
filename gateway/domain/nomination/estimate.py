"""What may be promised in a slot, before rules of size: from offers, or from comparable hours.

From offers (the hours ahead that they reach): each site's middle less its spread, normal between
the middle and the figure it gives in nine cases of ten, summed up as if all fell short together.

From history: of each comparable day the least that all sites together had free in any hour of the
slot; the quantity was there on at least the wanted share of these days (an empirical quantile: a
value that did occur, nothing interpolated). For a firm service level it is the highest load that
was left, instead. Sites get their parts in proportion to what they had on these days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, fsum
from statistics import NormalDist

from contracts.time import Interval
from gateway.domain.book import least
from gateway.domain.nomination.beside import Taken
from gateway.domain.nomination.comparable import DayKind, PastDay, cells, past_days
from gateway.domain.nomination.grounds import Grounds, Member
from gateway.domain.nomination.history import HOUR, Offered
from gateway.domain.nomination.nomination import Basis
from gateway.domain.nomination.period import Slot
from gateway.domain.program.promise import Shape
from gateway.domain.program.wall import local_day
from gateway.domain.words import kw, pct

_SURE = 0.9
"""What `sure_w` of an offer means."""
_SLACK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What there is; 0 with the reason in `words` when there is nothing to go by."""

    power_w: float = 0.0
    free: Mapping[str, float]
    """By site, the mean that it had free, W: in this proportion, and no more, it gives."""
    load_w: float = 0.0
    """Mean load expected of the counted sites without a request, W."""
    basis: Basis
    days_used: tuple[date, ...] = ()
    days_out: tuple[tuple[date, str], ...] = ()
    words: tuple[str, ...] = ()


def from_offers(slot: Slot, grounds: Grounds, taken: Mapping[str, Taken]) -> Estimate | None:
    """From what sites offer for these hours; None: the offers do not reach over all of them."""
    free, loads, absent = {}, [], []
    for one in grounds.counted:
        offers = grounds.offers.get(one.site_id)
        if offers is None or offers.out:
            why = offers.out if offers is not None else "it offers nothing"
            absent.append(f"{one.site_id} is not counted: {why}")
            continue
        slots = [least(hours, offers.slots) for hours in slot.hours]
        found = [booked for booked in slots if booked is not None]
        if len(found) < len(slots):
            return None
        allowed = all(one.allows(hours) for hours in slot.hours)
        free[one.site_id] = min(
            taken[one.site_id].leaves(
                one.delivers * at_confidence(b.down_w, b.sure_w, grounds.terms.confidence),
                b.expected_w,
            )
            * allowed
            for b in found
        )
        loads.append(fsum(b.expected_w for b in found) / len(found))
    if not free:
        return None
    power_w = fsum(free.values())
    words = f"{len(free)} sites offer {kw(power_w)} at {pct(grounds.terms.confidence)} confidence"
    return Estimate(
        power_w=power_w, free=free, load_w=fsum(loads), basis=Basis.OFFERS, words=(words, *absent)
    )


def at_confidence(down_w: float, sure_w: float, confidence: float) -> float:
    """What a site gives in this share of cases, W: normal through its middle and its nine in ten.

    Never below 0, never above the middle.
    """
    part = NormalDist().inv_cdf(confidence) / NormalDist().inv_cdf(_SURE)
    return max(0.0, down_w - max(0.0, part) * (down_w - min(sure_w, down_w)))


def from_history(
    slot: Slot, grounds: Grounds, taken: Mapping[str, Taken], shape: Shape
) -> Estimate:
    """From comparable hours: the type of day that gives less (or leaves more load) binds."""
    wanted = cells(slot, grounds.program)
    begun = local_day(min(grounds.history, default=grounds.now), grounds.program.zone)
    days = [
        one
        for one in past_days(wanted, grounds.program, grounds.now, grounds.terms.look_back)
        if one.day >= begun  # of the time before there is nothing to tell
    ]
    found = [
        _of_kind(kind, [one for one in days if one.kind is kind], grounds, taken, shape)
        for kind in sorted(wanted)
    ]
    without = next((one for one in found if not one.power_w), None)
    if without is not None:
        return without
    if shape is Shape.TO:
        return max(found, key=lambda one: one.load_w - one.power_w)
    return min(found, key=lambda one: one.power_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """One comparable day: by hour what each site had free, and the load expected of all."""

    day: date
    free: tuple[Mapping[str, float], ...]
    loads: tuple[float, ...]

    @property
    def least_w(self) -> float:
        return min(fsum(hour.values()) for hour in self.free)

    @property
    def left_w(self) -> float:
        """The highest load that would have been left."""
        return max(
            load - fsum(hour.values()) for load, hour in zip(self.loads, self.free, strict=True)
        )

    @property
    def mean_load_w(self) -> float:
        return fsum(self.loads) / len(self.loads)


def _of_kind(
    kind: DayKind,
    days: Sequence[PastDay],
    grounds: Grounds,
    taken: Mapping[str, Taken],
    shape: Shape,
) -> Estimate:
    quiet = [_without_events(one, grounds) for one in days]
    need = grounds.terms.least_days
    known = {one.site_id: _known(one, quiet, grounds) for one in grounds.counted}
    members = [one for one in grounds.counted if known[one.site_id] >= need]
    used: list[_Day] = []
    out: list[tuple[date, str]] = []
    for one in quiet:
        why = _why_out(one, members, grounds)
        if why:
            out.append((one.day, why))
        else:
            used.append(_day(one, members, grounds, taken))
    strange = [f"{m.site_id} has no record to go by" for m in grounds.counted if m not in members]
    basis, left = Basis.HISTORY, tuple(out)
    if not members or len(used) < need:
        count = len(used) if members else max(known.values(), default=0)
        had = f"only {count} comparable days ({kind.value}) on record, {need} are needed"
        if not grounds.counted:
            had = "no site can be counted"
        return Estimate(free={}, basis=basis, days_out=left, words=(had, *strange))
    free = _means(used)
    load_w = fsum(one.mean_load_w for one in used) / len(used)
    power_w, words = _quantile(used, kind, grounds.terms.confidence, shape, load_w)
    mean_w = fsum(free.values())
    if power_w > mean_w:
        words = f"{words}; not above {kw(mean_w)}, the mean of what they had"
    return Estimate(
        power_w=min(power_w, mean_w),
        free=free,
        load_w=load_w,
        basis=basis,
        days_used=tuple(one.day for one in used),
        days_out=left,
        words=(words, *strange),
    )


def _quantile(
    used: Sequence[_Day], kind: DayKind, confidence: float, shape: Shape, load_w: float
) -> tuple[float, str]:
    """The reduction that was there on at least this share of the days, W, and its words."""
    rank = floor((1 - confidence) * len(used) + _SLACK)
    share = f"{len(used) - rank} of {len(used)} comparable days ({kind.value})"
    if shape is Shape.TO:
        level_w = sorted((one.left_w for one in used), reverse=True)[rank]
        power_w = max(0.0, load_w - level_w)
        return power_w, f"{share} left a load of at most {kw(level_w)} of {kw(load_w)} expected"
    power_w = sorted(one.least_w for one in used)[rank]
    return power_w, f"{share} had at least {kw(power_w)} free in every hour"


def _without_events(one: PastDay, grounds: Grounds) -> PastDay:
    free = tuple(
        start
        for start in one.hours
        if not any(Interval.lasting(start, HOUR).overlaps(event) for event in grounds.events)
    )
    return PastDay(day=one.day, kind=one.kind, hours=free)


def _known(member: Member, days: Sequence[PastDay], grounds: Grounds) -> int:
    """On how many days every hour of a site is on record."""
    return sum(
        bool(one.hours)
        and all(member.site_id in grounds.history.get(start, {}) for start in one.hours)
        for one in days
    )


def _why_out(one: PastDay, members: Sequence[Member], grounds: Grounds) -> str:
    if not one.hours:
        return "events took all its hours"
    for member in members:
        missing = sum(member.site_id not in grounds.history.get(h, {}) for h in one.hours)
        if missing:
            return f"{missing} of {len(one.hours)} hours of {member.site_id} are not on record"
    return ""


def _day(
    one: PastDay, members: Sequence[Member], grounds: Grounds, taken: Mapping[str, Taken]
) -> _Day:
    rows = [[grounds.history[start][m.site_id] for m in members] for start in one.hours]
    free = tuple(
        {
            member.site_id: _free(member, row, taken[member.site_id])
            for member, row in zip(members, hour, strict=True)
        }
        for hour in rows
    )
    return _Day(
        day=one.day, free=free, loads=tuple(fsum(row.expected_w for row in hour) for hour in rows)
    )


def _free(member: Member, row: Offered, taken: Taken) -> float:
    if not member.allows(row.hour):
        return 0.0
    return taken.leaves(member.delivers * row.down_w, row.expected_w)


def _means(used: Sequence[_Day]) -> Mapping[str, float]:
    hours = [hour for one in used for hour in one.free]
    return {site_id: fsum(hour[site_id] for hour in hours) / len(hours) for site_id in hours[0]}
