"""Prices (IEEE 2030.5-2018, 10.5): time tariff intervals to price events, each interval answered.

Of a tariff's rate components only those for imported energy are taken, and of blocks the first.
Where the server names no price, there is none: gaps are not filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from contracts.sep2.codes import EventState, FlowDirection, ResponseStatus, Uom
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import (
    ConsumptionTariffIntervalList,
    RateComponent,
    RateComponentList,
    ReadingType,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
)
from contracts.series import StepSeries
from contracts.time import Clock, Interval
from gateway.domain.event import EventSource, GridEvent, Opt, Signal, SignalKind
from gateway.ports import EventIntake
from gateway.utility.sep2.difference import Difference
from gateway.utility.sep2.event_answers import EventAnswers
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.polled import Polled
from gateway.utility.sep2.settings import DeviceSettings, Sep2Settings
from gateway.utility.sep2.view import DeviceView, ServerView

_log = structlog.get_logger(__name__)
_KILO = 3
_OFF = (
    EventState.CANCELLED,
    EventState.CANCELLED_WITH_RANDOMIZATION,
    EventState.SUPERSEDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """One price over `[start, end)` of the server's time."""

    start: datetime
    end: datetime
    price: float
    """Currency per kWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDay:
    """The prices of one rate component on one day (UTC): one event to the rest of the gateway."""

    program_id: str
    created_at: datetime
    sites: tuple[str, ...] = ()
    steps: tuple[PriceStep, ...] = ()
    until: datetime
    """When the last of its prices ever listed ends."""
    modification: int = 0
    taken: bool = False
    """Whether the event was taken rather than refused."""


@dataclass(slots=True)
class _Found:
    """What one look has found."""

    days: dict[str, PriceDay] = field(default_factory=dict)
    intervals: dict[str, list[TimeTariffInterval]] = field(default_factory=dict)
    """By LFDI."""
    day_of: dict[str, str] = field(default_factory=dict)
    """Where each interval belongs, by canonical mRID."""


class Pricing:
    """The prices one utility publishes for its devices."""

    def __init__(
        self,
        settings: Sep2Settings,
        polled: Polled,
        answers: EventAnswers,
        intake: EventIntake,
        memory: Sep2Memory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._polled = polled
        self._answers = answers
        self._intake = intake
        self._memory = memory
        self._clock = clock
        self._difference = Difference()
        self._days: dict[str, PriceDay] = {}

    async def restore(self) -> None:
        """Take up what a predecessor has handed in."""
        self._days = await self._memory.all(PriceDay)
        self._answers.restore()

    async def tell(self, view: ServerView, server_now: datetime) -> None:
        """Read what is due, hand in what changed, answer.

        Raises:
            TransientError: the server or the store cannot be reached now; call again.
        """
        self._difference.measured(self._clock.now(), server_now)
        unread, found = self._polled.unread, _Found()
        for device in self._settings.devices:
            shown = view.devices.get(device.lfdi)
            if shown is not None and shown.tariff_profiles:
                await self._read(device, shown, found)
        complete = self._polled.unread == unread
        for event_id, day in found.days.items():
            await self._hand_in(event_id, day, server_now)
        for event_id in self._days.keys() - found.days.keys():
            await self._gone(event_id, server_now, complete=complete)
        for lfdi, intervals in found.intervals.items():
            refused = {
                mrid: int(ResponseStatus.OPT_OUT)
                for mrid in (canonical_mrid(one.mrid) for one in intervals)
                if (handed := self._days.get(found.day_of.get(mrid, ""))) and not handed.taken
            }
            await self._answers.answer(lfdi, intervals, refused, server_now, complete=complete)

    async def _read(self, device: DeviceSettings, shown: DeviceView, found: _Found) -> None:
        listed = found.intervals.setdefault(device.lfdi, [])
        for path in shown.tariff_profiles:
            profiles = await self._polled.items(path, TariffProfileList)
            for profile in profiles.items if profiles is not None else ():
                at = self._polled.path(profile.rate_component_list_link, path)
                components = await self._polled.items(at, RateComponentList)
                for component in components.items if components is not None else ():
                    listed += await self._component(device, profile, component, at or path, found)

    async def _component(
        self,
        device: DeviceSettings,
        profile: TariffProfile,
        component: RateComponent,
        base: str,
        found: _Found,
    ) -> list[TimeTariffInterval]:
        kind = await self._polled.once(
            self._polled.path(component.reading_type_link, base), ReadingType
        )
        factor = per_kwh(profile, kind)
        path = self._polled.path(component.time_tariff_interval_list_link, base)
        intervals = await self._polled.items(path, TimeTariffIntervalList)
        if factor is None or intervals is None or path is None:
            return []
        for one in intervals.items:
            price = await self._price(one, path)
            if price is None or one.event_status.current_status in _OFF:
                continue
            event_id = f"{component.canonical_mrid}/{one.interval.start:%Y-%m-%d}"
            found.day_of[canonical_mrid(one.mrid)] = event_id
            begun = PriceDay(
                program_id=profile.rate_code or profile.canonical_mrid,
                created_at=one.creation_time,
                until=one.interval.start,
            )
            known = found.days.get(event_id, begun)
            found.days[event_id] = _with(known, device, one, price * factor)
        return list(intervals.items)

    async def _price(self, interval: TimeTariffInterval, base: str) -> int | None:
        """The price of the first block; None if none is named."""
        path = self._polled.path(interval.consumption_tariff_interval_list_link, base)
        blocks = await self._polled.items(path, ConsumptionTariffIntervalList, fixed=True)
        first = min(blocks.items if blocks else (), key=lambda one: one.start_value, default=None)
        return None if first is None else first.price

    async def _hand_in(self, event_id: str, found: PriceDay, now: datetime) -> None:
        """Hand in a day whose prices to come are new."""
        if not any(_apart(found.steps)):
            return
        known = self._days.get(event_id)
        if known is not None:
            past = (one for one in known.steps if one.end <= now)
            steps = {one.start: one for one in (*past, *found.steps)}
            found = replace(
                found,
                created_at=known.created_at,
                until=max(known.until, found.until),
                steps=tuple(steps[start] for start in sorted(steps)),
                modification=known.modification,
                taken=known.taken,
            )
            if replace(found, sites=known.sites) == known and set(found.sites) == set(known.sites):
                return
            found = replace(found, modification=known.modification + 1)
        event = self._event(event_id, found)
        decisions = await self._intake.receive([event])
        found = replace(found, taken=decisions[event.key].opt is Opt.IN)
        await self._memory.put(event_id, found)
        self._days[event_id] = found

    async def _gone(self, event_id: str, now: datetime, *, complete: bool) -> None:
        """A day not found: withdrawn if everything could be read, unless it is over anyway."""
        day = self._days[event_id]
        past = tuple(step for step in day.steps if step.end <= now)
        if past != day.steps:
            if not complete:
                return
            cause = "the utility no longer lists these prices"
            await self._intake.withdraw(f"{self._settings.utility_id}/{event_id}", cause)
            # Its number stays known: should the prices come back, they must count as newer.
            self._days[event_id] = replace(day, steps=past)
            await self._memory.put(event_id, self._days[event_id])
        elif day.until <= now:
            await self._memory.drop(PriceDay, [event_id])
            del self._days[event_id]

    def _event(self, event_id: str, day: PriceDay) -> GridEvent:
        ours = [
            (self._difference.ours(Interval(start=one.start, end=one.end)), one.price)
            for one in _apart(day.steps)
        ]
        series = StepSeries.of(ours)
        window = Interval(start=ours[0][0].start, end=ours[-1][0].end)
        return GridEvent(
            utility_id=self._settings.utility_id,
            event_id=event_id,
            modification=day.modification,
            program_id=day.program_id,
            created_at=self._difference.ours_at(day.created_at),
            window=window,
            signals=(Signal(kind=SignalKind.PRICE, series=series),),
            targets=tuple(sorted(day.sites)),
            source=EventSource.SEP2,
        )


def per_kwh(profile: TariffProfile, kind: ReadingType | None) -> float | None:
    """What a price is multiplied by to be in currency per kWh; None if it is for something else."""
    if kind is None or kind.uom != Uom.WATT_HOUR or kind.flow_direction == FlowDirection.REVERSE:
        return None
    scale = (profile.price_power_of_ten_multiplier or 0) + _KILO
    return float(10.0 ** (scale - (kind.power_of_ten_multiplier or 0)))


def _with(
    day: PriceDay, device: DeviceSettings, interval: TimeTariffInterval, price: float
) -> PriceDay:
    window = interval.interval.window
    step = PriceStep(start=window.start, end=window.end or window.start, price=price)
    known: Mapping[datetime, PriceStep] = {one.start: one for one in day.steps}
    steps = {**known, step.start: step}
    return replace(
        day,
        created_at=max(day.created_at, interval.creation_time),
        sites=tuple(dict.fromkeys((*day.sites, *device.sites))),
        steps=tuple(steps[start] for start in sorted(steps)),
        until=max(day.until, step.end),
    )


def _apart(steps: tuple[PriceStep, ...]) -> Iterator[PriceStep]:
    """Steps in order, each cut where the next one begins."""
    for at, step in enumerate(steps):
        end = min(step.end, steps[at + 1].start) if at + 1 < len(steps) else step.end
        if end > step.start:
            yield replace(step, end=end)
