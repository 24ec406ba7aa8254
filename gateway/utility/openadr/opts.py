"""EiOpt, VEN side: tell the VTN when sites leave an event after our answer, or are not available.

What should have been told follows from the ledger and the settings, what has been told is stored:
the difference is told. A difference is one write, with the optIDs and messages that follow from
it, before anything goes to the outbox; so a kill neither loses nor doubles an opt.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from contracts.errors import PermanentError
from contracts.openadr.payloads import (
    EVERYONE,
    CancelOpt,
    CreateOpt,
    OptType,
    QualifiedEventId,
    Target,
)
from contracts.time import Clock, Interval
from gateway.domain.event import Opt
from gateway.ports import EventParticipation, Participation
from gateway.utility.openadr.answers import EventAnswers
from gateway.utility.openadr.decisions import Decisions
from gateway.utility.openadr.event_set import KnownEvent
from gateway.utility.openadr.memory import VenMemory
from gateway.utility.openadr.outbox import VenOutbox
from gateway.utility.openadr.settings import UnavailableSettings

_log = structlog.get_logger(__name__)
_EVER = datetime.min.replace(tzinfo=UTC)
_OUT, _IN = "notParticipating", "participating"
"""`optReason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOpt:
    """An opt the VTN has, or will have from the outbox."""

    opt_id: str
    site_id: str | None = None
    """None: the whole VEN."""
    opt_in: bool = False
    schedule: UnavailableSettings | None = None
    """Of a schedule: what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptLane:
    """What was told about one event or one schedule, and what is on its way to the outbox."""

    told: tuple[ToldOpt, ...] = ()
    cancel: tuple[CancelOpt, ...] = ()
    create: tuple[CreateOpt, ...] = ()
    excused: frozenset[str] = frozenset()
    """Sites taken out by a schedule already; a person may take them in again."""

    @property
    def whole_out(self) -> bool:
        """Whether the VTN was told that the VEN as a whole is out."""
        return any(told.site_id is None and not told.opt_in for told in self.told)


class VenOpts:
    """Every opt of one VEN."""

    def __init__(
        self,
        utility_id: str,
        answers: EventAnswers,
        participation: Participation,
        memory: VenMemory,
        outbox: VenOutbox,
        clock: Clock,
        unavailable: Sequence[UnavailableSettings] = (),
    ) -> None:
        self._utility_id = utility_id
        self._answers = answers
        self._participation = participation
        self._memory = memory
        self._outbox = outbox
        self._clock = clock
        self._unavailable = {one.name: one for one in unavailable}
        self._decisions = Decisions(utility_id, answers, participation, outbox)
        self._lanes: dict[str, OptLane] = {}

    async def restore(self) -> None:
        """Take up what a predecessor told, and was about to tell."""
        self._lanes = await self._memory.all(OptLane)

    async def reconcile(self, ven_id: str) -> None:
        """Tell what has changed since it was last told. Durable when it returns.

        Raises:
            TransientError: it could not be stored now; call again.
        """
        for key in list(self._lanes):
            await self._hand_over(key)
        await self._decisions.tell(ven_id)
        known = {f"event/{one.event_id}": one for one in self._answers.open_events()}
        for key, event in known.items():
            await self._event(key, event, ven_id)
        wanted = {f"schedule/{name}": one for name, one in self._unavailable.items()}
        for key in sorted({*wanted, *(k for k in self._lanes if k.startswith("schedule/"))}):
            await self._schedule(key, wanted.get(key), ven_id)
        over = [k for k in self._lanes if k.startswith("event/") and k not in known]
        await self._drop(over)

    async def forget_all(self) -> None:
        """The registration is gone, and every opt with it: all will be told anew."""
        for key, lane in list(self._lanes.items()):
            await self._store(key, OptLane(excused=lane.excused))

    async def _event(self, key: str, event: KnownEvent, ven_id: str) -> None:
        lane = self._lanes.get(key, OptLane())
        if not (event.opt_in or event.left or lane.whole_out):
            return  # refused from the start: there is nothing to leave
        event_key = f"{self._utility_id}/{event.event_id}"
        now_out = await self._participation.of_event(event_key)
        if now_out is None or now_out.decision.opt is Opt.OUT:
            return  # whoever is out of it does not matter
        if await self._excuse(key, event, now_out):
            lane = self._lanes[key]
            now_out = await self._participation.of_event(event_key) or now_out
        wanted = _wanted(now_out)
        before = {told.site_id: told for told in lane.told if not told.opt_in}
        if wanted != before.keys():
            await self._tell_event(key, lane, event, wanted, ven_id)
        if None in wanted:
            cause = "; ".join(sorted(set(now_out.out.values())))
            await self._answers.settle(event.event_id, opt_in=False, left=True, cause=cause)
        elif event.left:
            cause = "opted in again"
            await self._answers.settle(event.event_id, opt_in=True, left=False, cause=cause)

    async def _tell_event(
        self,
        key: str,
        lane: OptLane,
        event: KnownEvent,
        wanted: frozenset[str | None],
        ven_id: str,
    ) -> None:
        """Withdraw what no longer holds, then tell what does; back in is said in so many words."""
        back = lane.whole_out and None not in wanted
        kept = tuple(t for t in lane.told if not t.opt_in and t.site_id in wanted)
        known = {told.site_id for told in kept}
        order = sorted(wanted - known, key=lambda site: site or "")
        new = [ToldOpt(opt_id=_new_id(), site_id=site) for site in order]
        if back:
            new.insert(0, ToldOpt(opt_id=_new_id(), opt_in=True))
        elif None not in wanted:
            kept = (*(t for t in lane.told if t.opt_in), *kept)
        dropped = [told for told in lane.told if told not in kept]
        create = tuple(self._about_event(told, event, ven_id) for told in new)
        await self._tell(key, lane, (*kept, *new), dropped, create, ven_id)

    async def _excuse(self, key: str, event: KnownEvent, now_out: EventParticipation) -> bool:
        """Take sites out of an event they will not be available for; whether there were any."""
        lane = self._lanes.get(key, OptLane())
        missing = {
            site: schedule.name
            for schedule in self._unavailable.values()
            if schedule.market_context in (None, now_out.program_id)
            and any(_span(event).overlaps(span.interval) for span in schedule.spans)
            for site in ({schedule.site_id} if schedule.site_id else now_out.addressed)
            if site in now_out.addressed and site not in lane.excused
        }
        if not missing:
            return False
        for site, name in sorted(missing.items()):
            if site not in now_out.out:
                cause = f"not available by schedule {name!r}"
                event_key = f"{self._utility_id}/{event.event_id}"
                with suppress(PermanentError):  # over in the ledger: there is nothing to leave
                    await self._participation.opt_out_site(event_key, site, cause)
        await self._store(key, replace(lane, excused=lane.excused.union(missing)))
        return True

    async def _schedule(self, key: str, wanted: UnavailableSettings | None, ven_id: str) -> None:
        """Publish, change or cancel one schedule; one that is over needs nothing."""
        lane, now = self._lanes.get(key, OptLane()), self._clock.now()
        told = lane.told[0] if lane.told else None
        said = told.schedule if told is not None else None
        if wanted is not None and wanted.over(now):
            wanted = None
        if said == wanted:
            return
        dropped = [] if told is None or (said is not None and said.over(now)) else [told]
        new: tuple[ToldOpt, ...] = ()
        create: tuple[CreateOpt, ...] = ()
        if wanted is not None:
            new = (ToldOpt(opt_id=_new_id(), site_id=wanted.site_id, schedule=wanted),)
            create = (self._about_schedule(new[0], wanted, ven_id),)
        await self._tell(key, lane, new, dropped, create, ven_id)
        if wanted is None:
            await self._drop([key])

    async def _tell(
        self,
        key: str,
        lane: OptLane,
        told: tuple[ToldOpt, ...],
        dropped: Sequence[ToldOpt],
        create: tuple[CreateOpt, ...],
        ven_id: str,
    ) -> None:
        cancel = tuple(
            CancelOpt(request_id=_new_id(), opt_id=one.opt_id, ven_id=ven_id) for one in dropped
        )
        for made in create:
            _log.info("openadr_opt", key=key, opt=made.opt_type, target=made.target.resource_ids)
        await self._store(key, replace(lane, told=told, cancel=cancel, create=create))
        await self._hand_over(key)

    async def _hand_over(self, key: str) -> None:
        """Move messages on to the outbox; once more after a kill changes nothing there."""
        lane = self._lanes[key]
        if not lane.cancel and not lane.create:
            return
        for cancel in lane.cancel:
            await self._outbox.put(cancel, f"optcancel-{cancel.opt_id}")
        for create in lane.create:
            await self._outbox.put(create, f"opt-{create.opt_id}")
        await self._store(key, replace(lane, cancel=(), create=()))

    async def _store(self, key: str, lane: OptLane) -> None:
        await self._memory.put(key, lane)
        self._lanes[key] = lane

    async def _drop(self, keys: Sequence[str]) -> None:
        await self._memory.drop(OptLane, keys)
        for key in keys:
            self._lanes.pop(key, None)

    def _about_event(self, told: ToldOpt, event: KnownEvent, ven_id: str) -> CreateOpt:
        return CreateOpt(
            request_id=_new_id(),
            opt_id=told.opt_id,
            opt_type=OptType.IN if told.opt_in else OptType.OUT,
            reason=_IN if told.opt_in else _OUT,
            ven_id=ven_id,
            created_at=self._clock.now(),
            event=QualifiedEventId(event_id=event.event_id, modification_number=event.modification),
            target=_target(told.site_id),
        )

    def _about_schedule(self, told: ToldOpt, wanted: UnavailableSettings, ven_id: str) -> CreateOpt:
        return CreateOpt(
            request_id=_new_id(),
            opt_id=told.opt_id,
            opt_type=OptType.OUT,
            reason=wanted.reason,
            ven_id=ven_id,
            created_at=self._clock.now(),
            market_context=wanted.market_context,
            availability=tuple(span.availability for span in wanted.spans),
            target=_target(wanted.site_id),
        )


def _wanted(now_out: EventParticipation) -> frozenset[str | None]:
    """The sites that are out; all of them together are the VEN itself."""
    if now_out.all_out:
        return frozenset({None})
    return frozenset(now_out.out.keys() & now_out.addressed)


def _span(event: KnownEvent) -> Interval:
    """When an event is in force here; one stored without its start, since ever."""
    shift = timedelta(seconds=event.shift_s)
    start = _EVER if event.starts_at is None else event.starts_at + shift
    return Interval(start=start, end=None if event.ends_at is None else event.ends_at + shift)


def _target(site_id: str | None) -> Target:
    return EVERYONE if site_id is None else Target(resource_ids=(site_id,))


def _new_id() -> str:
    return uuid.uuid4().hex
