"""Settings to the sites: kept before they are sent, sent when a site is there, followed to the end.

All that matters is in the book, so a restart goes on where it was; what a site runs with it says
itself, with every greeting and every batch.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from uuid import uuid4

import structlog

from contracts.bounded_yaml import read_mapping
from contracts.errors import PermanentError, TransientError
from contracts.site_link.configuration import (
    Answered,
    Configuration,
    ConfigurationAck,
    ConfigurationState,
    hash_of,
)
from contracts.site_link.messages import Hello
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.domain.configuration import (
    Pushed,
    SiteWord,
    Stage,
    before,
    heard,
    moved,
    released,
    waves,
)
from gateway.domain.portfolio import Portfolio
from gateway.ports import JournalEntry, Ledger
from gateway.ports.configuration import ConfigurationBook, ConfigurationLink

_log = structlog.get_logger(__name__)

_RETRY_S = 30.0
"""So often a site is asked again that is connected and did not answer."""
_AT_ONCE = 50
_CHECKED = "check"
_REASON_CHARS = 500


class Configuring:
    """What people do with sites' settings, and what brings them there."""

    def __init__(
        self,
        portfolio: Portfolio,
        book: ConfigurationBook,
        link: ConfigurationLink,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._portfolio = portfolio
        self._book = book
        self._link = link
        self._ledger = ledger
        self._clock = clock
        self._states: dict[str, ConfigurationState | None] = {}
        self._greetings: set[str] = set()
        self._due = asyncio.Event()
        self._turn = asyncio.Lock()

    # --- what sites say --------------------------------------------------------------------------

    def greeted(self, hello: Hello) -> None:
        """A site has (re)connected."""
        self._states[hello.site_id] = hello.configuration
        self._greetings.add(hello.site_id)
        self._due.set()

    def told(self, site_id: str, state: ConfigurationState | None) -> None:
        """A site has said with what it runs; None: it did not say."""
        if state is not None and self._states.get(site_id) != state:
            self._states[site_id] = state
            self._due.set()

    def state(self, site_id: str) -> ConfigurationState | None:
        """With what a site last said it runs; None: it has not, or takes no settings."""
        return self._states.get(site_id)

    # --- what people do --------------------------------------------------------------------------

    async def check(self, site_id: str, text: str) -> ConfigurationAck:
        """What a site would say to settings, without its taking them.

        Raises:
            PermanentError: no such site, or its agent takes no settings.
            ProtocolError: the text is no YAML mapping, or too large.
            LinkDownError: it is not there.
        """
        self._known([site_id])
        read_mapping(text)
        if site_id in self._states and self._states[site_id] is None:
            raise PermanentError(f"{site_id}: its agent takes no settings")
        return await self._link.configure(
            Configuration(
                configuration_id=_CHECKED,
                site_id=site_id,
                revision=1,
                issued_at=self._clock.now(),
                text=text,
                sha256=hash_of(text),
                check_only=True,
            )
        )

    async def push(
        self,
        sites: Sequence[str],
        text: str,
        *,
        by: str,
        cause: str,
        at: datetime | None = None,
        first: int | None = None,
    ) -> Sequence[Pushed]:
        """Let these sites run with these settings over their own: `first` of them before the rest.

        Raises:
            PermanentError: no such site, or none at all.
            ProtocolError: the text is no YAML mapping, or too large.
        """
        self._known(sites)
        read_mapping(text)
        now, rollout = self._clock.now(), uuid4().hex
        made = [
            Pushed(
                site_id=site_id,
                revision=0,
                rollout=rollout,
                wave=wave,
                text=text,
                pushed_at=now,
                by=by,
                cause=cause,
                at=at,
                stage=Stage.HELD if wave else Stage.WAITING,
                changed_at=now,
            )
            for site_id, wave in waves(list(dict.fromkeys(sites)), first).items()
        ]
        async with self._turn:
            added = await self._book.add(made)
        for one in added:
            await self._note(one, "configuration pushed", f"by {by}: {cause}")
        self._due.set()
        return added

    async def roll_back(self, site_id: str, *, by: str, cause: str) -> Pushed:
        """Push what a site had before; see `gateway.domain.configuration.before`.

        Raises:
            PermanentError: no such site, or nothing was ever pushed to it.
        """
        self._known([site_id])
        history = await self._book.history(site_id)
        if not history:
            raise PermanentError(f"{site_id}: nothing was ever pushed: its own file holds")
        text = before(history)
        return (await self.push([site_id], text, by=by, cause=f"roll-back: {cause}"))[0]

    async def history(self, site_id: str) -> Sequence[Pushed]:
        """All that was pushed to a site, in order.

        Raises:
            PermanentError: no such site.
        """
        self._known([site_id])
        return await self._book.history(site_id)

    # --- on the way ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Bring everything forward, until cancelled."""
        while True:
            self._due.clear()
            try:
                await self.step()
            except TransientError as error:
                _log.warning("configurations_not_brought_forward", why=str(error))
            await first_of(self._clock.sleep(_RETRY_S), self._due.wait())

    async def step(self) -> None:
        """Take in what sites have said, release what may go, and send what is due."""
        async with self._turn:
            greetings, self._greetings = self._greetings, set()
            found, now = await self._book.open(), self._clock.now()
            after = _released([self._heard(one, now, greetings) for one in found], now)
            await self._keep(found, after)
            due = [one for one in after if one.stage is Stage.WAITING and self._can_take(one)]
            answered = await self._send_all(due)
            await self._keep(due, answered)
        if any(one.stage is Stage.REFUSED for one in answered):
            self._due.set()  # others are stopped by it

    def _heard(self, one: Pushed, now: datetime, greetings: Container[str]) -> Pushed:
        state = self._states.get(one.site_id)
        if state is None:
            return one
        return heard(one, _word(state), now, greeting=one.site_id in greetings)

    def _can_take(self, one: Pushed) -> bool:
        state = self._states.get(one.site_id)
        return state is not None and not state.trial

    async def _send_all(self, due: Iterable[Pushed]) -> list[Pushed]:
        places, answered = asyncio.Semaphore(_AT_ONCE), []

        async def one(pushed: Pushed) -> None:
            async with places:
                try:
                    ack = await self._link.configure(_message(pushed))
                except TransientError as error:
                    _log.debug("configuration_pending", site=pushed.site_id, why=str(error))
                    return
            answered.append(_answered(pushed, ack, self._clock.now()))

        async with asyncio.TaskGroup() as group:
            for pushed in due:
                group.create_task(one(pushed))
        return answered

    async def _keep(self, old: Sequence[Pushed], new: Sequence[Pushed]) -> None:
        """Store what has changed, then write it down for people."""
        known = {one.configuration_id: one for one in old}
        changed = [one for one in new if known[one.configuration_id] != one]
        await self._book.save(changed)
        for one in changed:
            await self._note(one, f"configuration {one.stage.value}", one.reason)

    async def _note(self, one: Pushed, action: str, why: str) -> None:
        cause = f"{one.configuration_id}: {why}" if why else one.configuration_id
        entry = JournalEntry(
            at=self._clock.now(), subject=one.site_id, action=action, cause=cause[:_REASON_CHARS]
        )
        await self._ledger.log(entry)

    def _known(self, sites: Sequence[str]) -> None:
        if not sites:
            raise PermanentError("no site is named")
        for site_id in sites:
            if self._portfolio.site(site_id) is None:
                raise PermanentError(f"site {site_id!r} is not in the portfolio of this gateway")


def _released(pushes: Sequence[Pushed], now: datetime) -> Sequence[Pushed]:
    rollouts: defaultdict[str, list[Pushed]] = defaultdict(list)
    for one in pushes:
        rollouts[one.rollout].append(one)
    new: dict[str, Pushed] = {one.configuration_id: one for one in pushes}
    for rollout in rollouts.values():
        new |= {one.configuration_id: one for one in released(rollout, now)}
    return list(new.values())


def _answered(one: Pushed, ack: ConfigurationAck, now: datetime) -> Pushed:
    if ack.state is Answered.STAGED:
        return moved(one, Stage.STAGED, now)
    why = "; ".join(ack.faults) or "no reason given"
    return moved(one, Stage.REFUSED, now, why[:_REASON_CHARS])


def _message(one: Pushed) -> Configuration:
    return Configuration(
        configuration_id=one.configuration_id,
        site_id=one.site_id,
        revision=one.revision,
        issued_at=one.pushed_at,
        text=one.text,
        sha256=hash_of(one.text),
        at=one.at,
    )


def _word(state: ConfigurationState) -> SiteWord:
    return SiteWord(
        running=state.running,
        trial=state.trial,
        staged=state.staged,
        last=state.last,
        outcome=state.outcome,
        reason=state.reason,
    )
