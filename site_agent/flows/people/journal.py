"""Keeps the decision journal, and answers "why" for now and for the past."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from site_agent.domain.journal import Entry, Noted, note
from site_agent.domain.why.answer import Answer, Seen
from site_agent.domain.why.asked import UnknownSubjectError, find, why
from site_agent.flows.control.control_loop import Cycle
from site_agent.ports import JournalStore

log = structlog.get_logger(__name__)

IN_MEMORY = 1_000
"""Entries at hand without the store; a page shows fewer."""
_MOST_PENDING = 5_000
"""Entries that wait for a store that takes none; above it the oldest are dropped."""
_PRUNE_EVERY = timedelta(minutes=10)
_RETRY_S = 5.0

Picture = Callable[[Cycle], Seen]
"""A cycle with what else answers tell: the fleet, its prospects, the mode, who guides."""


class Journal:
    """Notes what changes, off the control loop's way; a full disk stops nothing."""

    def __init__(self, picture: Picture, store: JournalStore, clock: Clock) -> None:
        self._picture = picture
        self._store = store
        self._clock = clock
        self._cycle: Cycle | None = None
        self._seen: Seen | None = None
        self._changed = asyncio.Event()
        self._noted = Noted()
        self._recent: deque[Entry] = deque(maxlen=IN_MEMORY)
        self._pending: list[Entry] = []
        self._pruned_at = clock.now() - _PRUNE_EVERY

    def heard(self, cycle: Cycle) -> None:
        """A cycle has been decided; what it changes is noted soon."""
        self._cycle = cycle
        self._changed.set()

    async def run(self) -> None:
        """Note until cancelled. Cycles that come faster than they are noted are taken together."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._cycle is not None:
                self._note(self._cycle)
            try:
                await self._keep()
            except TransientError as error:
                log.warning("journal: not kept for now", why=str(error))
                await self._clock.sleep(_RETRY_S)

    def _note(self, cycle: Cycle) -> None:
        self._seen = self._picture(cycle)
        entries, self._noted = note(self._noted, self._seen)
        self._recent.extend(entries)
        self._pending += entries
        if (surplus := len(self._pending) - _MOST_PENDING) > 0:
            del self._pending[:surplus]
            log.error("journal: entries dropped: they cannot be stored", count=surplus)

    async def _keep(self) -> None:
        if self._pending:
            entries = list(self._pending)
            await self._store.add(entries)
            del self._pending[: len(entries)]
        now = self._clock.now()
        if now - self._pruned_at >= _PRUNE_EVERY:
            self._pruned_at = now
            await self._store.prune(now)

    # --- answers ----------------------------------------------------------------------------------

    @property
    def seen(self) -> Seen | None:
        """The newest picture that was noted; None before the first cycle."""
        return self._seen

    def recent(self, most: int) -> Sequence[Entry]:
        """The newest entries of this life, newest first."""
        return [entry for _, entry in zip(range(most), reversed(self._recent), strict=False)]

    async def why(self, subject: str, at: datetime | None = None) -> Answer:
        """Why a device, node, vehicle or the site is as it is, or was at an instant of the past.

        Raises:
            UnknownSubjectError: nothing here has this name, or the journal does not reach back.
            TransientError: the agent has not run a cycle yet, or its file is locked.
        """
        seen = self._seen
        if seen is None:
            raise TransientError("the agent has not looked at its devices yet; ask again")
        if at is None or at >= seen.snapshot.at:
            return why(seen, subject)
        name = self._name(seen, subject)
        entry = await self._store.answered(name, at)
        if entry is None or entry.answer is None:
            raise UnknownSubjectError(f"the journal knows nothing of {name!r} at that time")
        return entry.answer

    async def page(
        self, subject: str | None, before: datetime | None, most: int
    ) -> Sequence[Entry]:
        """Entries before an instant (None: the newest), of one subject or of all, newest first.

        Raises:
            UnknownSubjectError: nothing here has this name.
            TransientError: the file is locked.
        """
        name = subject
        if subject is not None and self._seen is not None:
            name = self._name(self._seen, subject)
        until = before or self._clock.now() + timedelta(days=1)
        return await self._store.page(name, until, most)

    @staticmethod
    def _name(seen: Seen, subject: str) -> str:
        """The name under which the journal knows something; of a vehicle that left, as told."""
        try:
            _, name = find(seen, subject)
        except UnknownSubjectError:
            return subject
        return "site" if name == seen.snapshot.model.site_id else name
