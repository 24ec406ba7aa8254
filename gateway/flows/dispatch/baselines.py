"""Baselines from stored telemetry: the same engine for planning and for settlement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import merged
from gateway.domain.event import GridEvent, Opt
from gateway.domain.measure.baseline import (
    BaselineInputs,
    BaselineRun,
    adjustment_window,
    own_windows,
    past_windows,
    run_baseline,
)
from gateway.domain.measure.baseline_run import Control
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program
from gateway.domain.program.measuring import ExportRule
from gateway.domain.scope import Scope
from gateway.domain.words import kw, span
from gateway.ports import StoredEvent, TelemetryStore

EventsOf = Callable[[str], tuple[Interval, ...]]
History = Callable[[str, Sequence[Interval]], Awaitable[StepSeries]]
"""The load of a site over windows as it is counted, W; perhaps more around them."""
MAX_STEPS = 480
"""No plan cuts an event into more intervals than this; instructions carry at most 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedLoad:
    """What dispatch takes as a site's load without the event."""

    series: StepSeries
    note: str
    """What to know about it; empty when it is the program's own baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    at: datetime
    adjusted: bool
    """Whether the adjustment window was over."""
    load: ExpectedLoad


class Baselines:
    """Reads what the engine looks at, and keeps results for planning for a little while."""

    def __init__(
        self,
        portfolio: Portfolio,
        telemetry: TelemetryStore,
        *,
        refresh: timedelta,
        recent: timedelta,
    ) -> None:
        self._portfolio = portfolio
        self._telemetry = telemetry
        self._refresh = refresh
        self._recent = recent
        self._kept: dict[tuple[str, int, str, datetime], _Kept] = {}

    async def run(
        self,
        site: Site,
        program: Program,
        event: Interval,
        span: Interval,
        others: Sequence[Interval],
        *,
        notified: datetime | None = None,
        moved: Sequence[Interval] = (),
        scope: Scope = Scope.SITE,
        events_of: EventsOf = lambda _: (),
        history: History | None = None,
    ) -> BaselineRun:
        """The program's baseline for one site over `span`, at the program's interval.

        `scope`: what is measured, such as the power of all chargers, and as what it is counted.
        `events_of`: events in which a site of the control group took part, this one too.
        `history`: where loads come from; None: what the sites' agents measured.
        Mostly the last fortnight holds enough usable days; only else is all of the look-back read.
        """
        method = program.method
        own = own_windows(method, event, site.time_zone, notified)
        past = past_windows(method, site.time_zone, event, span, notified)
        read = history or partial(self._history, scope)
        controls = [
            Control(
                name=name,
                load=await read(name, (*own, span)),
                events=events_of(name),
            )
            for name in method.control_sites
            if name != site.site_id
        ]
        for days in (method.y_days + method.y_days // 2 + 2, len(past)):
            result = run_baseline(
                BaselineInputs(
                    method=method,
                    zone=site.time_zone,
                    event=event,
                    span=span,
                    resolution=self.resolution(program, event),
                    history=await read(site.site_id, (*own, *past[:days])),
                    other_events=tuple(others),
                    holidays=self._portfolio.holidays,
                    notified=notified,
                    moved=tuple(moved),
                    export=export_rule(program, scope),
                    controls=tuple(controls),
                )
            )
            if len(result.days) <= days:  # it never looked beyond what was read
                break
        return result

    def resolution(self, program: Program, event: Interval) -> timedelta:
        """The program's interval, or a longer one for a very long event."""
        whole = event.duration or timedelta(0)
        pieces = -(-whole // program.measurement_interval)
        return program.measurement_interval * max(1, -(-pieces // MAX_STEPS))

    async def expected(
        self,
        site: Site,
        program: Program,
        event: GridEvent,
        window: Interval,
        others: Sequence[Interval],
        now: datetime,
        *,
        notified: datetime | None = None,
        moved: Sequence[Interval] = (),
        scope: Scope = Scope.SITE,
    ) -> ExpectedLoad:
        """The load to plan with; once the event has begun it is settled and stays as it is."""
        key = (event.key, event.modification, site.site_id, window.end or window.start)
        compared = adjustment_window(program.method, window, site.time_zone, notified)
        adjusted = now >= (compared.end or now)
        kept = self._kept.get(key)
        if kept and kept.adjusted == adjusted:
            begun = kept.at >= window.start
            if begun or now - kept.at < self._refresh:
                return kept.load
        load = await self._computed(site, program, window, others, now, notified, moved, scope)
        self._kept[key] = _Kept(at=now, adjusted=adjusted, load=load)
        return load

    def keep_only(self, event_keys: Collection[str]) -> None:
        """Drop what was kept for any other event."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in event_keys}

    async def _computed(
        self,
        site: Site,
        program: Program,
        window: Interval,
        others: Sequence[Interval],
        now: datetime,
        notified: datetime | None,
        moved: Sequence[Interval],
        scope: Scope,
    ) -> ExpectedLoad:
        result = await self.run(
            site, program, window, window, others, notified=notified, moved=moved, scope=scope
        )
        if len(result.series):
            return ExpectedLoad(series=result.series, note="")
        before = min(now, window.start)
        recent = Interval(start=before - self._recent, end=before)
        mean_w = (await self._power(site.site_id, scope, recent)).mean(recent)
        if mean_w is None:
            return ExpectedLoad(series=StepSeries(), note=result.problem)
        note = f"{result.problem}: mean of the last {span(self._recent)} ({kw(mean_w)}) instead"
        pieces = window.split(self.resolution(program, window))
        return ExpectedLoad(series=StepSeries.of((p, mean_w) for p in pieces), note=note)

    async def _history(self, scope: Scope, site_id: str, windows: Sequence[Interval]) -> StepSeries:
        wanted = merged([window for window in windows if window.start != window.end])
        return scope.counted(await self._telemetry.series_of(site_id, scope.point, wanted))

    async def _power(self, site_id: str, scope: Scope, window: Interval) -> StepSeries:
        return scope.counted(await self._telemetry.series(site_id, scope.point, window))


def export_rule(program: Program, scope: Scope) -> ExportRule:
    """What becomes of power below zero: where exports are counted, that is power drawn."""
    return ExportRule.COUNTED if scope.turned else program.export


def other_events(
    portfolio: Portfolio,
    stored: Iterable[StoredEvent],
    event_key: str,
    site_id: str,
    excluded: Collection[str] = (),
) -> tuple[Interval, ...]:
    """Windows of every other event, of whichever program, in which this site took part.

    Of `excluded` programs (ids or templates) also those it was addressed by and took no part in.
    """
    return tuple(
        one.event.window
        for one in stored
        if one.event.key != event_key
        and not one.event.cancelled
        and portfolio.addresses(one.event, site_id)
        and (_took_part(one, site_id) or _names(portfolio, one) & set(excluded))
    )


def _took_part(one: StoredEvent, site_id: str) -> bool:
    return one.decision.opt is Opt.IN and site_id not in one.opted_out_sites


def _names(portfolio: Portfolio, one: StoredEvent) -> set[str]:
    program = portfolio.program_of(one.event)
    return {one.event.program_id, program.template if program else ""}
