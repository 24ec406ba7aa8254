"""From what was seen of a site to the facts of each interval, of which its shortfall is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Instruction, InstructionState, Notice, VehicleReadiness
from contracts.time import Interval
from gateway.domain.curves import Sampler
from gateway.domain.measure.performance import IntervalPerformance
from gateway.domain.measure.shortfall import Cause, SlotFacts
from gateway.flows.report.evidence import Evidence, SiteEvidence
from gateway.flows.report.watch import NOT_OBEYED
from gateway.ports import StoredInstruction

CHARGER_OFFLINE, LIMIT_UNMET = "charger-offline", "limit-unmet"
_AT_RISK = ("at risk", "will miss")
_DUE_SOON = timedelta(hours=1)
"""A vehicle that leaves so soon after is charged before anything else."""
_HELD = 0.9
"""A load above this part of a limit was held by it."""
_FULL_PCT, _EMPTY_PCT = 1.0, 5.0
_NEAR_W = 500.0
_REFUSED = (InstructionState.REJECTED, InstructionState.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """A notice from when it was raised until it was cleared."""

    code: str
    subject: str
    over: Interval


class FactFinder:
    """Of one site over one event; its series are turned into means once."""

    def __init__(self, evidence: Evidence, one: SiteEvidence) -> None:
        self._evidence = evidence
        self._one = one
        self._bins = [slot.interval for slot in one.performance.during]
        self._standing = tuple(_standing(evidence.notices, one.site.site_id, evidence.span))
        self._mine = [
            told for told in evidence.instructions if told.instruction.site_id == one.site.site_id
        ]
        self._opted_out = [o.at for o in evidence.opt_outs if o.site_id == one.site.site_id]
        planned = one.seen.planned
        self._planned, self._expected, self._left_out = (
            Sampler(series).means(self._bins)
            for series in (planned.reduction, planned.expected, planned.left_out)
        )
        self._means = {
            name: [m.value for m in Sampler(series).means(self._bins)]
            for name, series in one.seen.points.items()
        }
        start = evidence.event.window.start
        self._before = Interval(start=evidence.span.start, end=start)

    def facts(self) -> Iterator[tuple[IntervalPerformance, SlotFacts]]:
        """Of every interval of the event in which something was planned and all is known."""
        vehicles, held = self._vehicles_before(), self._held_before()
        for k, slot in enumerate(self._one.performance.during):
            planned_w = (self._planned[k].value or 0.0) * self._planned[k].coverage
            if planned_w <= 0 or slot.baseline_w is None or slot.actual_w is None:
                continue
            expected = self._expected[k]
            expected_w = expected.value if expected.coverage == 1.0 else None
            above_w = slot.actual_w - (expected_w - planned_w) if expected_w is not None else 0.0
            yield (
                slot,
                SlotFacts(
                    planned_w=planned_w,
                    baseline_w=slot.baseline_w,
                    actual_w=slot.actual_w,
                    expected_w=expected_w,
                    out_share=self._out_share(slot.interval),
                    refused_share=self._refused_share(slot.interval),
                    unheard_w=self._unheard_w(slot.interval, planned_w),
                    vehicles_before=vehicles,
                    held_w=held,
                    not_obeyed_w=self._not_obeyed_w(k, above_w),
                    battery_lost_w=self._battery_lost_w(k),
                    offline_share=self._offline_share(k),
                    due_w=sum(self._due(k).values()),
                    unmet=any(self._stand(LIMIT_UNMET, slot.interval)),
                    at_floor=self._at_floor(slot),
                    left_out=bool(self._left_out[k].value),
                ),
            )

    def about(self) -> Mapping[Cause, tuple[str, ...]]:
        """Whom each cause is about."""
        event = self._evidence.event.window
        due = dict.fromkeys(name for k in range(len(self._bins)) for name in self._due(k))
        return {
            Cause.NOT_OBEYED: _subjects(self._stand(NOT_OBEYED, event)),
            Cause.CHARGER_OFFLINE: _subjects(self._stand(CHARGER_OFFLINE, event)),
            Cause.VEHICLE_DUE: tuple(due),
        }

    def _stand(self, code: str, window: Interval) -> Iterator[_Standing]:
        return (s for s in self._standing if s.code == code and s.over.overlaps(window))

    def _point(self, name: str, k: int) -> float | None:
        means = self._means.get(name)
        return means[k] if means else None

    def _out_share(self, slot: Interval) -> float:
        if self._one.site.site_id not in self._evidence.stored.opted_out_sites:
            return 0.0
        since = min(self._opted_out, default=slot.start)
        return _share_after(slot, since)

    def _refused_share(self, slot: Interval) -> float:
        """Of the interval for which the newest word of ours was refused."""
        newest = _newest(self._mine, slot)
        refused = newest and any(status.state in _REFUSED for status in newest.statuses)
        return 1.0 if refused else 0.0

    def _unheard_w(self, slot: Interval, planned_w: float) -> float:
        """What it should have given by an instruction that it never took."""
        newest = _newest(self._mine, slot)
        if newest is None or newest.statuses:
            return 0.0
        heard = [one for one in self._mine if one.statuses and _told_w(one.instruction, slot)]
        last_w = _told_w(heard[-1].instruction, slot) if heard else None
        now_w = _told_w(newest.instruction, slot)
        return planned_w if last_w is None or now_w is None else max(0.0, last_w - now_w)

    def _vehicles_before(self) -> float | None:
        chargers = _mean(self._one.seen.points.get(points.CHARGERS_TOTAL), self._before)
        vehicles = _mean(self._one.seen.points.get(points.VEHICLES_CHARGING), self._before)
        return vehicles if chargers else None

    def _held_before(self) -> float | None:
        """The limit that the load lay just below before the event."""
        limit_w = _mean(self._one.seen.points.get(points.SITE_LIMIT_W), self._before)
        load_w = _mean(self._one.actual, self._before)
        if limit_w is None or load_w is None or load_w < _HELD * limit_w:
            return None
        return limit_w

    def _not_obeyed_w(self, k: int, above_w: float) -> float:
        """Measured at the charger; of another device at most what the site was above its limit."""
        found = 0.0
        for one in self._stand(NOT_OBEYED, self._bins[k]):
            power_w = self._point(points.evse_power_w(one.subject), k)
            held_w = self._point(points.evse_limit_w(one.subject), k)
            if power_w is not None and held_w is not None:
                found += max(0.0, power_w - held_w)
            else:
                found += max(0.0, above_w)
        return found

    def _battery_lost_w(self, k: int) -> float:
        """Against what batteries gave before in this event, once their charge falls no more."""
        power, charge = (
            self._means.get(name, []) for name in (points.BATTERY_POWER_W, points.BATTERY_SOC_PCT)
        )
        known = [one for one in charge if one is not None]
        now_w, now_pct = (
            self._point(points.BATTERY_POWER_W, k),
            self._point(points.BATTERY_SOC_PCT, k),
        )
        if now_w is None or now_pct is None or now_pct > min(known) + _FULL_PCT:
            return 0.0
        fell = max(known) - now_pct >= _FULL_PCT
        best_w = max((-w for w in power[:k] if w is not None), default=0.0)
        return max(0.0, best_w + now_w) if fell or now_pct <= _EMPTY_PCT else 0.0

    def _offline_share(self, k: int) -> float:
        online, total = (
            self._point(points.CHARGERS_ONLINE, k),
            self._point(points.CHARGERS_TOTAL, k),
        )
        return min(1.0, max(0.0, 1.0 - online / total)) if online is not None and total else 0.0

    def _due(self, k: int) -> Mapping[str, float]:
        """By vehicle that had to be charged, what it drew, W."""
        slot, found = self._bins[k], dict[str, float]()
        for word in self._one.readiness:
            power_w = self._point(points.evse_power_w(word.evse_id), k)
            if power_w is not None and power_w > 0 and _is_due(word, slot):
                found[word.vehicle_id] = power_w
        return found

    def _at_floor(self, slot: IntervalPerformance) -> bool:
        floor_w = self._one.seen.export_floor.mean(slot.interval)
        actual_w = slot.actual_w
        return floor_w is not None and actual_w is not None and actual_w <= floor_w + _NEAR_W


def _is_due(word: VehicleReadiness, slot: Interval) -> bool:
    end = slot.end or slot.start
    if not word.here or word.departure <= slot.start:
        return False
    return not word.on_track or word.outlook in _AT_RISK or word.departure <= end + _DUE_SOON


def _standing(
    notices: Sequence[tuple[str, Notice]], site_id: str, span: Interval
) -> Iterator[_Standing]:
    raised: dict[tuple[str, str], datetime] = {}
    for name, notice in notices:
        key = (notice.code, notice.subject)
        if name != site_id:
            continue
        if notice.raised:
            raised.setdefault(key, notice.at)
        elif key in raised:
            over = Interval(start=raised.pop(key), end=notice.at)
            yield _Standing(code=key[0], subject=key[1], over=over)
    for (code, subject), at in raised.items():
        yield _Standing(code=code, subject=subject, over=Interval(start=at, end=None))


def _newest(told: Sequence[StoredInstruction], slot: Interval) -> StoredInstruction | None:
    """The last one issued by the middle of the interval."""
    middle = slot.start + timedelta(seconds=_seconds(slot) / 2)
    return next((one for one in reversed(told) if one.instruction.issued_at <= middle), None)


def _told_w(told: Instruction, slot: Interval) -> float | None:
    """The tightest bound on load that it sets in the interval, W."""
    for step in told.steps:
        if step.start < (slot.end or slot.start) and slot.start < step.end:
            bounds = (step.import_limit_w, step.load_limit_w, step.storage_power_w)
            known = [w for w in bounds if w is not None]
            return min(known) if known else None
    return None


def _subjects(found: Iterator[_Standing]) -> tuple[str, ...]:
    return tuple(sorted({one.subject for one in found}))


def _mean(series: StepSeries | None, window: Interval) -> float | None:
    return series.mean(window) if series else None


def _share_after(slot: Interval, since: datetime) -> float:
    end = slot.end or slot.start
    return min(1.0, max(0.0, (end - since).total_seconds() / _seconds(slot)))


def _seconds(interval: Interval) -> float:
    return interval.duration.total_seconds() if interval.duration else 1.0
