"""Brings to the cloud what waits for it: in order, each answered before the next, never lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from contracts.errors import LinkDownError, TransientError
from contracts.time import Clock
from site_agent.devices.ocpp.proxy.journal import Entry, Journal, Told
from site_agent.devices.ocpp.proxy.patience import within
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire.frames import CallRefusedError, Json, NoAnswerError
from site_agent.devices.ocpp.wire.outbox import Priority, Request
from site_agent.devices.ocpp.wire.session import Session
from site_agent.devices.ocpp.wire.tally import Tally

_ATTEMPTS = 3
"""How often a message about a transaction is told to a cloud that refuses it, or leaves it (and it
alone) unanswered."""
_AGAIN_S = 10.0
_HEARTBEAT_S = 300.0
_SHORTEST_S, _LONGEST_S = 5.0, 86_400.0
"""Intervals that a cloud may ask for."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who knows what a message means: words it for the cloud and takes the answer."""

    worded: Callable[[Told], Json | None]
    """The payload for the cloud; None: it must not have it."""
    answered: Callable[[Entry, Told, Json | None], Awaitable[None]]
    """The cloud's answer; None: refused for good."""


class Courier:
    """One station's messages over one connection to its cloud after the other."""

    def __init__(
        self, journal: Journal, desk: Desk, *, patience_s: float, clock: Clock, tally: Tally
    ) -> None:
        self._journal = journal
        self._desk = desk
        self._patience_s = patience_s
        self._clock = clock
        self._tally = tally
        self._keys = itertools.count()
        self._boot: Told | None = None
        self._boot_due = False
        self._heartbeat_s = _HEARTBEAT_S
        self._paced = asyncio.Event()
        self._telling: Told | None = None
        self.prompt = True
        """Whether the cloud's last answer came within our patience."""

    @property
    def starting(self) -> bool:
        """Whether the cloud has been told of a transaction and has not answered with its id."""
        return self._telling is not None and self._telling.transaction is not None

    def booted(self, told: Told) -> None:
        """The charger has introduced itself: the cloud hears of it before anything else."""
        self._boot, self._boot_due = told, True
        self._journal.arrived.set()

    @property
    def welcome(self) -> bool:
        """Whether the cloud has accepted the charger (or has never had to)."""
        return not self._boot_due

    async def ask(self, session: Session, told: Told, patience_s: float) -> Json | None:
        """The cloud's answer, ahead of all that waits; None without a good one in time."""
        answer = await within(self._clock, patience_s, self._answer(session, told))
        if answer is None:
            self.prompt = False
            return None
        return answer[0]

    async def _answer(self, session: Session, told: Told) -> tuple[Json | None]:
        request = Request(action=told.action, payload=told.payload)
        try:
            return (await self._relay(session, request, Priority.LIMIT),)
        except (CallRefusedError, TransientError) as error:
            _log.info("no answer of the cloud", action=told.action[:50], reason=str(error))
            return (None,)

    async def talk(self, session: Session, version: Version) -> None:
        """Tell all there is until the connection ends or another version is to be spoken."""
        try:
            async with asyncio.TaskGroup() as tasks:
                beating = tasks.create_task(self._beat_for_ever(session))
                await self._deliver(session, version)
                beating.cancel()
        except* LinkDownError:
            _log.debug("connection to the cloud gone")

    async def _deliver(self, session: Session, version: Version) -> None:
        while True:
            if not self._boot_due:
                await self._journal.arrived.wait()
            if self._boot_due and self._boot is not None:
                if self._boot.version is not version:
                    return
                await self._greet(session, self._boot)
                continue
            found = await self._journal.head()
            if found is None:
                self._journal.settle()
                continue
            entry, told = found
            if told.version is not version:
                return
            self._telling = told
            try:
                await self._tell(session, entry, told)
            finally:
                self._telling = None

    async def _greet(self, session: Session, boot: Told) -> None:
        """Until it is accepted, a charger sends nothing else (1.6 §4.2, 2.0.1 B01-B03)."""
        request = Request(action=boot.action, payload=boot.payload)
        try:
            answer = await self._relay(session, request, Priority.RESTING)
        except (CallRefusedError, NoAnswerError) as error:
            _log.info("the cloud does not greet", reason=str(error))
            await self._clock.sleep(_AGAIN_S)
            return
        interval = answer.get("interval")
        wait_s: float | None = None
        if isinstance(interval, int | float) and interval > 0:
            wait_s = min(_LONGEST_S, max(_SHORTEST_S, float(interval)))
        if answer.get("status") != "Accepted":
            await self._clock.sleep(wait_s or _AGAIN_S)
        elif self._boot is boot:
            self._boot_due = False
            self._heartbeat_s = wait_s or _HEARTBEAT_S
            self._paced.set()

    async def _tell(self, session: Session, entry: Entry, told: Told) -> None:
        payload = self._desk.worded(told)
        if payload is None:
            self._tally.note("message of a transaction the cloud refused")
            await self._journal.done(entry, None)
            return
        request = Request(action=told.action, payload=payload)
        try:
            answer: Json | None = await self._relay(session, request, Priority.ROUTINE)
        except CallRefusedError as refusal:
            if not await self._gives_up(entry, told.lasting, str(refusal)):
                return
            answer = None
        except NoAnswerError as silence:
            alive = await self._beat(session)
            if not alive or not await self._gives_up(entry, told.lasting, str(silence)):
                return
            answer = None
        await self._desk.answered(entry, told, answer)
        await self._journal.done(entry, answer)

    async def _gives_up(self, entry: Entry, lasting: bool, reason: str) -> bool:
        """Whether a message is told no more, after a wait if it is."""
        entry.attempts += 1
        if lasting and entry.attempts < _ATTEMPTS:
            await self._clock.sleep(_AGAIN_S * entry.attempts)
            return False
        self._tally.note("message refused by the cloud", reason=reason)
        return True

    async def _beat_for_ever(self, session: Session) -> None:
        while True:
            self._paced.clear()
            paced = await within(self._clock, self._heartbeat_s, self._paced.wait())
            if paced is None:
                await self._beat(session)

    async def _beat(self, session: Session) -> bool:
        """Whether the cloud answers a Heartbeat."""
        try:
            request = Request(action="Heartbeat", payload={})
            await self._relay(session, request, Priority.RESTING)
        except CallRefusedError:
            return True
        except NoAnswerError:
            return False
        return True

    async def _relay(self, session: Session, request: Request, priority: Priority) -> Json:
        began_s = self._clock.monotonic()
        try:
            return await session.relay(request, key=next(self._keys), priority=priority)
        finally:
            self.prompt = self._clock.monotonic() - began_s <= self._patience_s
