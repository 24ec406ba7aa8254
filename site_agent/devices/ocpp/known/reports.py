"""Reports that come in parts (OCPP 2.0.1 B07, K09): put together, with bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from site_agent.devices.ocpp.wire.tally import Tally

_MOST_OPEN = 4
_MOST_PARTS = 1000
_MOST_ENTRIES = 5000

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Generic[Entry]):
    """A report as it came."""

    request_id: int
    entries: tuple[Entry, ...]
    whole: bool
    """False when parts were missing, or it was longer than is kept."""


@dataclass(slots=True)
class _Growing(Generic[Entry]):
    entries: list[Entry] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    last: int | None = None
    cut: bool = False

    @property
    def complete(self) -> bool:
        return self.last is not None and len(self.seen) > self.last


class Reports(Generic[Entry]):
    """The reports of one kind of one station. Parts may come twice or in any order."""

    def __init__(self, kind: str, tally: Tally) -> None:
        self._kind = kind
        self._tally = tally
        self._growing: dict[int, _Growing[Entry]] = {}
        self._awaited: dict[int, asyncio.Future[Report[Entry]]] = {}

    def expect(self, request_id: int) -> asyncio.Future[Report[Entry]]:
        """Resolves with the report of this request; call before it is asked for."""
        while len(self._awaited) >= _MOST_OPEN:
            self._awaited.pop(next(iter(self._awaited))).cancel()
        future: asyncio.Future[Report[Entry]] = asyncio.Future()
        self._awaited[request_id] = future
        return future

    def forget(self, request_id: int) -> None:
        """Nobody waits for it any more."""
        self._awaited.pop(request_id, None)

    def take(
        self, request_id: int, seq_no: int, entries: Sequence[Entry], *, more: bool
    ) -> Report[Entry] | None:
        """A part, numbered from 0; the report once the last part has come."""
        growing = self._of(request_id)
        if seq_no in growing.seen:
            self._tally.note(f"{self._kind} part told twice")
            return None
        if not 0 <= seq_no < _MOST_PARTS:
            growing.cut = True
            seq_no = _MOST_PARTS
        growing.seen.add(seq_no)
        room = _MOST_ENTRIES - len(growing.entries)
        growing.entries += entries[:room]
        growing.cut |= len(entries) > room
        if more:
            return None
        growing.last = seq_no
        return self._finish(request_id, growing)

    def _of(self, request_id: int) -> _Growing[Entry]:
        if request_id not in self._growing:
            while len(self._growing) >= _MOST_OPEN:
                self._growing.pop(next(iter(self._growing)))
                self._tally.note(f"{self._kind} never ended")
            self._growing[request_id] = _Growing()
        return self._growing[request_id]

    def _finish(self, request_id: int, growing: _Growing[Entry]) -> Report[Entry]:
        """A station tells one part after the other: what has not come by now is lost."""
        del self._growing[request_id]
        whole = growing.complete and not growing.cut
        if not whole:
            self._tally.note(f"{self._kind} not whole", request=request_id)
        report = Report(request_id=request_id, entries=tuple(growing.entries), whole=whole)
        future = self._awaited.pop(request_id, None)
        if future is not None and not future.done():
            future.set_result(report)
        return report
