"""What one station has told and its cloud has not heard yet: in order, bounded, over restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from contracts.errors import TransientError
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire import frames
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.ports import CloudQueue

_MOST_PASSING = 300
"""Messages that are of no use later; beyond it the oldest goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A CALL of the charger."""

    version: Version
    action: str
    payload: Json
    transaction: int | None = None
    """Our id of the transaction that it begins (1.6)."""
    lasting: bool = False
    """About a transaction: worth keeping for a cloud that is away."""
    samples: bool = False
    """Nothing but samples: these may be thinned out."""
    replaces: Hashable = None
    """Of messages with the same value the newest is enough."""


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """One that waits. `told` None: it is only on disk."""

    seq: int
    told: Told | None
    lasting: bool
    samples: bool
    stored: bool
    attempts: int = 0
    """How often it was told in vain."""
    awaited: bool = False
    """Whether the charger still waits for the cloud's answer."""
    answer: asyncio.Future[Json | None] = field(default_factory=asyncio.Future)
    """The cloud's answer; None when it has refused the message or it was left out."""


class Journal:
    """A queue for one reader. What is `lasting` is durable when `put` returns.

    While `live()`, samples are only held in memory: the cloud will have them in a moment; `keep`
    writes them down when that turns out wrong.
    """

    def __init__(
        self,
        station: str,
        queue: CloudQueue,
        *,
        most: int,
        live: Callable[[], bool],
        tally: Tally,
    ) -> None:
        self._station = station
        self._queue = queue
        self._most = most
        self._live = live
        self._tally = tally
        self._entries: dict[int, Entry] = {}
        self._last = 0
        self.arrived = asyncio.Event()
        """Set while anything waits."""

    async def load(self) -> None:
        """Go on where the process before this one ended."""
        for seq, samples in await self._queue.waiting(self._station):
            self._add(Entry(seq=seq, told=None, lasting=True, samples=samples, stored=True))

    def __len__(self) -> int:
        """How many wait."""
        return len(self._entries)

    async def put(self, told: Told) -> Entry:
        """Append a message. On a full disk it waits in memory, and that is counted."""
        entry = Entry(
            seq=self._last + 1,
            told=told,
            lasting=told.lasting,
            samples=told.samples,
            stored=False,
        )
        await self._make_room(told)
        self._add(entry)
        if told.lasting and not (told.samples and self._live()):
            await self._store(entry)
        return entry

    async def keep(self) -> None:
        """The cloud is away: write down what is worth it and in memory only."""
        for entry in list(self._entries.values()):
            if entry.lasting and not entry.stored:
                await self._store(entry)

    async def newest(self, count: int) -> list[Told]:
        """The newest that wait, as far as they can be read."""
        entries = list(self._entries.values())[-count:]
        return [told for entry in entries if (told := entry.told or await self._read(entry))]

    async def head(self) -> tuple[Entry, Told] | None:
        """The oldest that waits; what cannot be read any more is left out."""
        while self._entries:
            entry = next(iter(self._entries.values()))
            told = entry.told or await self._read(entry)
            if told is not None:
                return entry, told
            self._tally.note("message for the cloud unreadable")
            await self.done(entry, None)
        return None

    def settle(self) -> None:
        """Nothing waits: `arrived` says so."""
        if not self._entries:
            self.arrived.clear()

    async def done(self, entry: Entry, answer: Json | None) -> None:
        """It has been answered, or given up: it does not come back."""
        await self._remove([entry])
        if not entry.answer.done():
            entry.answer.set_result(answer)

    # --- bounds -----------------------------------------------------------------------------------

    async def _make_room(self, told: Told) -> None:
        if told.replaces is not None:
            same = [
                e for e in self._entries.values() if e.told and e.told.replaces == told.replaces
            ]
            await self._leave_out(same)
        if not told.lasting:
            passing = [e for e in self._entries.values() if not e.lasting]
            if len(passing) >= _MOST_PASSING:
                await self._lose(passing[:1], "message to the cloud left out")
            return
        lasting = [e for e in self._entries.values() if e.lasting] if self._full() else []
        if len(lasting) >= self._most:
            samples = [entry for entry in lasting if entry.samples]
            doomed = samples[1::2] or samples[:1] or lasting[:1]
            await self._lose(doomed, "samples for the cloud thinned out")

    def _full(self) -> bool:
        return len(self._entries) >= self._most

    async def _lose(self, doomed: list[Entry], kind: str) -> None:
        self._tally.note(kind, len(doomed))
        await self._leave_out(doomed)

    async def _leave_out(self, doomed: list[Entry]) -> None:
        await self._remove(doomed)
        for entry in doomed:
            if not entry.answer.done():
                entry.answer.set_result(None)

    # --- the disk ---------------------------------------------------------------------------------

    def _add(self, entry: Entry) -> None:
        self._entries[entry.seq] = entry
        self._last = entry.seq
        self.arrived.set()

    async def _remove(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._entries.pop(entry.seq, None)
        self.settle()
        stored = [entry.seq for entry in entries if entry.stored]
        if not stored:
            return
        try:
            await self._queue.delete(self._station, stored)
        except TransientError:
            self._tally.note("message for the cloud not deleted")  # told again after a restart

    async def _store(self, entry: Entry) -> None:
        told = entry.told
        if told is None:
            return
        body = frames.text_of(
            {
                "version": told.version.value,
                "action": told.action,
                "payload": told.payload,
                "transaction": told.transaction,
            }
        )
        try:
            await self._queue.put(self._station, entry.seq, body, samples=entry.samples)
        except TransientError:
            self._tally.note("message for the cloud not stored")  # it waits in memory
            return
        if entry.seq in self._entries:
            entry.stored, entry.told = True, None  # thousands would be too many for memory
        else:  # answered in the meantime
            await self._queue.delete(self._station, [entry.seq])

    async def _read(self, entry: Entry) -> Told | None:
        body = await self._queue.body(self._station, entry.seq)
        try:
            held = json.loads(body or "")
            return Told(
                version=Version(held["version"]),
                action=held["action"],
                payload=held["payload"],
                transaction=held["transaction"],
                lasting=True,
                samples=entry.samples,
            )
        except (ValueError, KeyError, TypeError):
            return None
