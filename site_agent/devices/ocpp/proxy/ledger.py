"""The transactions of one station: which runs where, and what the cloud calls it (OCPP 1.6)."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import datetime

import structlog

from site_agent.ports import KeyValues

_MOST_NAMES = 200
_MOST_OVER = 64
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A transaction that runs, as the charger knows it."""

    ref: str
    began: datetime


class Ledger:
    """Kept over restarts, a write for every change.

    In 1.6 the central system gives the id: the charger has ours, the cloud gives another one. An id
    that is in no pair is passed as it is: it is one the cloud gave before we stood in between.
    """

    def __init__(self, station: str, memory: KeyValues) -> None:
        self._key = f"cloud-transactions:{station}"
        self._memory = memory
        self._names: OrderedDict[int, int | None] = OrderedDict()
        self._named = asyncio.Event()
        self._over: deque[str] = deque(maxlen=_MOST_OVER)
        self.running: dict[int, Running] = {}
        """By EVSE."""

    async def load(self) -> None:
        """Go on where the process before this one ended."""
        text = await self._memory.get(self._key)
        if text is None:
            return
        try:
            held = json.loads(text)
            names = [(int(ours), theirs) for ours, theirs in held["names"]]
            running = {
                int(evse): Running(ref=ref, began=datetime.fromisoformat(began))
                for evse, ref, began in held["running"]
            }
        except (ValueError, KeyError, TypeError):
            _log.exception("transactions of the cloud cannot be read", key=self._key)
            return
        self._names, self.running = OrderedDict(names), running
        self._over.extend(held.get("over", ()))

    async def began(self, evse: int, ref: str, at: datetime) -> bool:
        """A transaction runs at an EVSE; False when that is no news."""
        if self.knows(ref):
            return False
        self.running[evse] = Running(ref=ref, began=at)
        await self._save()
        return True

    def knows(self, ref: str) -> bool:
        """Whether it runs, or has run."""
        return ref in self._over or self.place(ref) is not None

    async def ended(self, ref: str) -> None:
        """It is over."""
        self.running = {evse: one for evse, one in self.running.items() if one.ref != ref}
        self._over.append(ref)
        await self._save()

    def place(self, ref: str) -> int | None:
        """The EVSE at which it runs."""
        return next((evse for evse, one in self.running.items() if one.ref == ref), None)

    async def name(self, ours: int, theirs: int | None) -> None:
        """What the cloud calls a transaction; None: it has refused to know it."""
        self._names[ours] = theirs
        while len(self._names) > _MOST_NAMES:
            self._names.popitem(last=False)
        await self._save()
        self._named.set()
        self._named = asyncio.Event()

    def theirs(self, ours: int) -> int | None:
        """The cloud's id; None for a transaction it has refused."""
        return self._names.get(ours, ours)

    def ours(self, theirs: int) -> int | None:
        """The id that the charger knows, of several the newest; None: not one of the cloud's."""
        pairs = reversed(self._names.items())
        return next((ours for ours, name in pairs if name == theirs), None)

    async def next_name(self) -> None:
        """Return once another one is known."""
        await self._named.wait()

    async def _save(self) -> None:
        running = [(evse, one.ref, one.began.isoformat()) for evse, one in self.running.items()]
        held = {"names": list(self._names.items()), "over": list(self._over), "running": running}
        await self._memory.put(self._key, json.dumps(held))
