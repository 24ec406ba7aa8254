"""Operating envelopes on their way to the sites: stored, instructed, kept alive, explained.

Envelopes do not pass through dispatch: they bind whatever events ask. Each utility's envelope of a
site is one chain of instructions under its own key; the site combines all of them with its events.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.site_link.messages import Fallback, Instruction, InstructionStep
from contracts.time import Clock, Interval
from gateway.domain.operating_envelope import FREE, EnvelopeStep, OperatingEnvelope, SiteBounds
from gateway.domain.portfolio import Portfolio
from gateway.flows.sites.instructions import MAX_STEPS, MAX_TEXT, wire_name
from gateway.flows.sites.outgoing import Outgoing
from gateway.ports import JournalEntry, Ledger, StoredEnvelope, StoredInstruction

_log = structlog.get_logger(__name__)
_NAMESPACE = uuid.UUID("6c1f1d35-9f0e-4b6e-8a55-3d2f8f0d3c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeOptions:
    """How long an envelope binds a site that hears nothing more from us."""

    keep: timedelta = timedelta(hours=24)
    """A site holds the utility's default for this long after the schedule, then its own limits."""
    renew: timedelta = timedelta(hours=12)
    """An instruction that has less than this left is sent again."""
    check_every: timedelta = timedelta(seconds=15)


DEFAULTS = EnvelopeOptions()


class Envelopes:
    """`gateway.ports.EnvelopeIntake`, and what pages want to know of it."""

    def __init__(
        self,
        portfolio: Portfolio,
        ledger: Ledger,
        outgoing: Outgoing,
        clock: Clock,
        options: EnvelopeOptions = DEFAULTS,
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._outgoing = outgoing
        self._clock = clock
        self._options = options
        self._known: dict[str, OperatingEnvelope] = {}
        self._imposing: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By key: what is kept alive must never replace what came in meanwhile."""

    async def impose(self, envelope: OperatingEnvelope) -> None:
        """Store and pass on what a utility imposes on a site; see the port.

        Raises:
            PermanentError: the site is not in the portfolio.
            TransientError: it could not be stored now; nothing has changed.
        """
        if self._portfolio.site(envelope.site_id) is None:
            raise PermanentError(f"there is no site {envelope.site_id!r}")
        async with self._imposing[envelope.key]:
            await self._impose(envelope)

    async def _impose(self, envelope: OperatingEnvelope) -> StoredInstruction | None:
        """The instruction that stands when there is no news; None when a new one was sent."""
        now = self._clock.now()
        last = await self._ledger.newest_instruction(envelope.key)
        made = _instruction(envelope, last, now, self._options.keep)
        news = _worth_sending(made, last, now, self._options.renew)
        if not news and self._known.get(envelope.key) == envelope:
            return last
        sent = await self._ledger.put_envelope(envelope, now, made if news else None)
        self._known[envelope.key] = envelope
        if sent is None:
            return last
        await self._ledger.log(*_journal(envelope, now))
        _log.info("envelope", site=sent.site_id, event_key=envelope.key, cause=made.cause)
        self._outgoing.send([sent])
        return None

    async def imposed(self, site_id: str) -> Sequence[StoredEnvelope]:
        """What every utility imposes on one site."""
        return [one for one in await self._ledger.envelopes() if one.envelope.site_id == site_id]

    async def run(self) -> None:
        """Send again what has not arrived and renew what would lapse, until cancelled."""
        while True:
            await self._clock.sleep(self._options.check_every.total_seconds())
            try:
                await self._keep_alive()
            except TransientError as error:
                _log.warning("envelopes_postponed", why=str(error))

    async def _keep_alive(self) -> None:
        for stored in await self._ledger.envelopes():
            key = stored.envelope.key
            if self._portfolio.site(stored.envelope.site_id) is None:
                continue  # no longer ours: what it was told lapses by itself
            async with self._imposing[key]:
                last = await self._impose(self._known.get(key, stored.envelope))
            if last and not last.statuses and last.instruction.expires_at > self._clock.now():
                self._outgoing.send([last.instruction])


def _instruction(
    envelope: OperatingEnvelope, last: StoredInstruction | None, now: datetime, keep: timedelta
) -> Instruction:
    """The envelope from `now` on; without steps it lifts what was imposed before."""
    ahead = _ahead(envelope, now)
    scheduled = list(_carried([s for s in ahead if s.interval.end is not None]))
    default = envelope.default
    steps = [_step(s, s.interval.end or now) for s in scheduled]
    if default is not None and not steps:
        steps = [_step(default, max(default.interval.start, now) + keep, since=now)]
    until = max((step.end for step in steps), default=now)
    name = f"{envelope.key}/{last.instruction.site_seq if last else 0}/{now.isoformat()}"
    return Instruction(
        instruction_id=str(uuid.uuid5(_NAMESPACE, name)),
        site_id=envelope.site_id,
        site_seq=1,
        event_id=wire_name(envelope.key),
        program_id=wire_name(envelope.utility_id),
        issued_at=now,
        start=min((step.start for step in steps), default=now),
        expires_at=until + keep if default is not None and scheduled else until + _GRACE,
        steps=tuple(steps),
        fallback=Fallback(**_values(default.bounds)) if default is not None else Fallback(),
        standing=True,
        cause=_causes(ahead)[:MAX_TEXT],
    )


def _causes(steps: Sequence[EnvelopeStep]) -> str:
    """Every cause once, the nearest first."""
    return "; ".join(dict.fromkeys(one for step in steps for one in step.cause.split("; ")))


_GRACE = timedelta(seconds=1)
"""An instruction must outlive its last step."""


def _step(step: EnvelopeStep, end: datetime, since: datetime | None = None) -> InstructionStep:
    start = step.interval.start if since is None else max(step.interval.start, since)
    return InstructionStep(start=start, end=end, **_values(step.bounds))


def _values(bounds: SiteBounds) -> dict[str, Any]:
    """Bounds by name: they are the same on the wire."""
    return {one.name: getattr(bounds, one.name) for one in fields(bounds)}


def _carried(steps: Sequence[EnvelopeStep]) -> Iterator[EnvelopeStep]:
    """As many of the steps as one message holds; the rest is sent when its time comes nearer."""
    functions = 0
    for step in steps[:MAX_STEPS]:
        functions += len(step.bounds.inverter_functions)
        if functions > _MAX_FUNCTIONS:
            return
        yield step


_MAX_FUNCTIONS = 800
"""Of inverters in one message; each is half a kB at most, and a broker takes 1 MiB."""


def _ahead(envelope: OperatingEnvelope, now: datetime) -> list[EnvelopeStep]:
    """What of the envelope is still to come and binds anything, from `now` on."""
    rest = Interval(start=now, end=None)
    pieces = ((step, step.interval.intersection(rest)) for step in envelope.steps)
    return [
        EnvelopeStep(interval=piece, bounds=step.bounds, cause=step.cause)
        for step, piece in pieces
        if piece is not None and step.bounds != FREE
    ]


def _worth_sending(
    made: Instruction, last: StoredInstruction | None, now: datetime, renew: timedelta
) -> bool:
    if last is None or last.instruction.expires_at <= now:
        return bool(made.steps)
    before = last.instruction
    lapsing = bool(made.steps) and made.expires_at - before.expires_at >= renew
    return lapsing or made.fallback != before.fallback or _bounds(made, now) != _bounds(before, now)


def _bounds(one: Instruction, now: datetime) -> list[tuple[datetime, object]]:
    """Every instant from `now` on at which bounds change, and to what; the fallback comes last."""
    changes: list[tuple[datetime, object]] = []
    end = now
    for step in one.steps:
        if step.end > now:
            bounds = _step_bounds(step)
            start = max(step.start, now)
            if start > end:
                changes.append((end, Fallback()))
            if not changes or changes[-1][1] != bounds:
                changes.append((start, bounds))
            end = step.end
    if not changes or changes[-1][1] != one.fallback:
        changes.append((end, one.fallback))
    return changes


def _step_bounds(step: InstructionStep) -> Fallback:
    names = Fallback.__dataclass_fields__
    return Fallback(**{name: getattr(step, name) for name in names})


def _journal(envelope: OperatingEnvelope, now: datetime) -> list[JournalEntry]:
    step = envelope.at(now)
    cause = step.cause if step else "nothing is imposed at the moment"
    ahead = len(_ahead(envelope, now))
    action = f"{envelope.utility_id}: {ahead} bounds ahead" if ahead else "lifted"
    return [
        JournalEntry(at=now, subject=s, action=action, cause=cause) for s in _subjects(envelope)
    ]


def _subjects(envelope: OperatingEnvelope) -> tuple[str, str]:
    return envelope.key, envelope.site_id
