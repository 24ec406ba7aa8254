"""Plan, store, instruct, and plan again when something notable has changed.

Every pass looks afresh at the event, the offers and what the sites were last told, so a restart
or a lost message needs no special care: the next pass sees what is missing and supplies it. A
plan is stored before its instructions leave. What moves by less than the deadband is left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import Instruction
from contracts.time import Clock
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.event import EventStatus
from gateway.flows.dispatch import planning
from gateway.flows.dispatch.baselines import Baselines
from gateway.flows.dispatch.delivering import Delivering, Steering
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.situation import Observer, Situation
from gateway.flows.dispatch.superseding import Superseding
from gateway.flows.sites.live import EventBand, Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.ports import Ledger, StoredEvent

_log = structlog.get_logger(__name__)

_LOOK_BACK = timedelta(days=60)
"""Older events matter to no baseline."""
_IN_VIEW = timedelta(hours=1)
"""How long after its end an event stays on the live page."""


class Dispatch:
    """One worker over all events; `request` wakes it."""

    def __init__(
        self,
        ledger: Ledger,
        live: Live,
        observer: Observer,
        baselines: Baselines,
        outgoing: Outgoing,
        delivering: Delivering,
        clock: Clock,
        options: DispatchOptions,
    ) -> None:
        self._ledger = ledger
        self._live = live
        self._observer = observer
        self._baselines = baselines
        self._outgoing = outgoing
        self._delivering = delivering
        self._superseding = Superseding(ledger)
        outgoing.on_refusal(self._refused)
        self._clock = clock
        self._options = options
        self._due: dict[str, str] = {}
        self._all_due: str | None = None
        self._bands: dict[str, EventBand] = {}
        self._wake = asyncio.Event()

    def request(self, event_key: str, reason: str = "") -> None:
        """Look at an event soon; the reason is written down if a new plan comes of it."""
        self._due[event_key] = self._due.get(event_key) or reason
        self._wake.set()

    def request_all(self, reason: str = "") -> None:
        """Look soon at every event that is not over."""
        self._all_due = self._all_due or reason
        self._wake.set()

    async def run(self) -> None:
        """Plan and send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._check())
            group.create_task(self._work())

    async def work_off(self) -> None:
        """One pass over the events that were asked for; one event's failure stays its own.

        Raises:
            TransientError: the ledger cannot be read; nothing is forgotten.
        """
        now = self._clock.now()
        events = await self._ledger.events(ending_after=now - _LOOK_BACK)
        due = self._take_due(events, now)
        for stored in self._observer.in_order(events, now):
            key = stored.event.key
            if key in due:
                try:
                    await self._pass(stored, events, due[key])
                except Exception:
                    _log.exception("event_not_planned", event_key=key)
                    self._due.setdefault(key, due[key])  # the next check tries again
        self._show(events, now)

    def _take_due(self, events: Sequence[StoredEvent], now: datetime) -> dict[str, str]:
        due, every = self._due, self._all_due
        self._due, self._all_due = {}, None
        if every is not None:
            still_open = (s.event.key for s in events if _ends_after(s, now))
            due = {**dict.fromkeys(still_open, every), **due}
        return due

    async def _check(self) -> None:
        """At regular times: events under way, soon to begin, or just over."""
        self.request_all()
        while True:
            await self._clock.sleep(self._options.check_every.total_seconds())
            await self._surviving(self._request_near)

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._surviving(self.work_off)

    async def _surviving(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except TransientError as error:
            _log.warning("dispatch_postponed", why=str(error))

    async def _request_near(self) -> None:
        now = self._clock.now()
        for stored in await self._ledger.events(ending_after=now - _IN_VIEW):
            if stored.event.window.start - self._options.lead <= now:
                self.request(stored.event.key)
        self._wake.set()  # also to take events off the page

    def _refused(self, one: Instruction, reason: str) -> None:
        self.request_all(f"{one.site_id} refused its instruction: {reason}")

    async def _pass(self, stored: StoredEvent, events: Sequence[StoredEvent], reason: str) -> None:
        seen = await self._observer.look(stored, events, self._clock.now())
        await self._superseding.look(seen)
        steering = await self._delivering.look(seen)
        over = stored.event.status(seen.now) is EventStatus.COMPLETED
        plans = seen.plans if over else await self._replan(seen, steering, reason)
        if len(plans) > len(seen.plans):
            for one in seen.rivalry.weaker:
                self.request(one.event.key, f"{stored.event.key} goes first and was planned anew")
        name = seen.program.name if seen.program else stored.event.program_id
        self._bands[stored.event.key] = planning.band(seen, plans, name)

    async def _replan(
        self, seen: Situation, steering: Steering, reason: str
    ) -> Sequence[DispatchPlan]:
        """Store and send what is new, send again what did not arrive; every plan there is now."""
        if len(seen.sites) < self._options.many_sites:
            made, told = self._decide(seen, steering, reason)
        else:
            made, told = await asyncio.to_thread(self._decide, seen, steering, reason)
        plans = list(seen.plans)
        if told or planning.notable(seen, made, self._options):
            told = list(await self._ledger.put_plan(made, told))
            await self._ledger.log(*planning.journal(made, told))
            _log.info("planned", event_key=made.event_key, revision=made.revision, why=made.reason)
            plans.append(made)
        replaced = {one.site_id for one in told}
        pending = (
            last.instruction
            for site_id, last in seen.newest.items()
            if not last.statuses and site_id not in replaced
        )
        self._outgoing.send([*told, *pending])
        return plans

    def _decide(
        self, seen: Situation, steering: Steering, reason: str
    ) -> tuple[DispatchPlan, list[Instruction]]:
        made = planning.next_plan(seen, steering, reason)
        return made, list(planning.news(seen, made, self._options))

    def _show(self, events: Sequence[StoredEvent], now: datetime) -> None:
        in_view = {s.event.key for s in events if _ends_after(s, now - _IN_VIEW)}
        self._baselines.keep_only(in_view)
        self._delivering.keep_only(in_view)
        self._superseding.keep_only(in_view)
        self._bands = {key: band for key, band in self._bands.items() if key in in_view}
        self._live.show_events([self._bands[key] for key in sorted(self._bands)])


def _ends_after(stored: StoredEvent, instant: datetime) -> bool:
    end = stored.event.window.end
    return end is None or end > instant
