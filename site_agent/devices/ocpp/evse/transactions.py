"""Which transaction runs at one EVSE, through restarts of the charger and of this process.

Ids come from the `SessionStore`, which never gives one twice, before the charger is answered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.time import Clock
from site_agent.ports import SessionStore

_RETOLD_WITHIN = timedelta(days=1)
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Transaction:
    """A transaction that runs."""

    id: int
    ref: str | None
    """Its id at the charger; None until the charger has named it (2.0.1, after our restart)."""
    id_tag: str | None
    begun: datetime
    """When this process learnt of it."""
    start_wh: float | None = None
    """The register at its start; None when it was never told."""
    witnessed: bool = False
    """It began in our sight and the charger's present life: no unknown profile can be on it."""
    confirmed: bool = False
    """The charger has spoken of it since it, or we, came up."""


class Transactions:
    """The transaction of one EVSE."""

    def __init__(self, evse_id: str, store: SessionStore, clock: Clock) -> None:
        self._evse_id = evse_id
        self._store = store
        self._clock = clock
        self._over: deque[int] = deque(maxlen=16)
        self.current: Transaction | None = None

    async def restore(self) -> None:
        """Take over what was open when the process before this one ended."""
        held = await self._store.open_transaction(self._evse_id)
        if held is not None:
            number, id_tag = held
            self._adopt(number, id_tag, await self._store.start_wh(number))

    async def started(
        self, id_tag: str | None, at: datetime, meter_wh: float | None, remote_id: str | None
    ) -> int:
        """It began; the id for it. The same start told again gives the same id.

        A 1.6 start has no id of the charger's; its time, register and tag name it, unless its
        clock is so wrong that a later start could look the same.
        """
        key = remote_id or self._start_key(id_tag, at, meter_wh or 0.0)
        number = await self._record(id_tag, at, meter_wh or 0.0, key)
        known = self.current is not None and self.current.id == number
        if known or number in self._over:
            self._confirm(number, remote_id)
            return number
        self.current = Transaction(
            id=number,
            ref=remote_id or str(number),
            id_tag=id_tag,
            begun=self._clock.now(),
            start_wh=meter_wh,
            witnessed=True,
            confirmed=True,
        )
        _log.info("transaction started", evse=self._evse_id, transaction=number)
        return number

    async def continued(
        self, id_tag: str | None, at: datetime, register_wh: float | None, remote_id: str
    ) -> None:
        """A 2.0.1 charger speaks of a running transaction, perhaps one we never saw begin."""
        if self.current is not None and self.current.ref == remote_id:
            self.current.confirmed = True
            return
        number = await self._record(id_tag, at, register_wh or 0.0, remote_id)
        if number in self._over:
            return
        if self.current is None or self.current.id != number:
            start_wh = None if register_wh is None else await self._store.start_wh(number)
            self._adopt(number, id_tag, start_wh)
        self._confirm(number, remote_id)

    def charging(self) -> None:
        """A 1.6 charger shows a state that only a transaction has."""
        if self.current is not None:
            self._confirm(self.current.id, None)

    def mentioned(self, number: int) -> None:
        """A 1.6 charger's samples name a running transaction: theirs is the truth."""
        if self.current is None or self.current.id != number:
            if number in self._over:
                return
            self._adopt(number, None, None)
        self._confirm(number, None)

    async def ended(self, number: int, at: datetime, meter_wh: float, reason: str) -> None:
        """It is over; of an unknown or forgotten one only the record changes."""
        await self._store.stop(number, at, meter_wh, reason)
        self._over.append(number)
        if self.current is not None and self.current.id == number:
            self.current = None
        _log.info("transaction ended", evse=self._evse_id, transaction=number, reason=reason)

    async def ended_remote(
        self, remote_id: str, started_at: datetime, start_wh: float, at: datetime, meter_wh: float,
        reason: str,
    ) -> None:  # fmt: skip
        """As `ended`, by the charger's own id; one we never heard of is recorded whole."""
        number = await self._store.start(self._evse_id, None, started_at, start_wh, remote_id)
        await self.ended(number, at, meter_wh, reason)

    def doubt(self) -> None:
        """The charger has rebooted: what it does not speak of again does not run."""
        if self.current is not None:
            self.current.confirmed = self.current.witnessed = False

    def vanished(self, *, for_sure: bool) -> bool:
        """The outlet is free; drops a transaction that cannot run any more.

        Its record stays open: the charger may still tell its end, with the true register.
        """
        if self.current is None or (self.current.confirmed and not for_sure):
            return False
        _log.warning("transaction vanished", evse=self._evse_id, transaction=self.current.id)
        self.current = None
        return True

    def _adopt(self, number: int, id_tag: str | None, start_wh: float | None) -> None:
        _log.info("transaction adopted", evse=self._evse_id, transaction=number)
        self.current = Transaction(
            id=number, ref=None, id_tag=id_tag, begun=self._clock.now(), start_wh=start_wh
        )

    def _confirm(self, number: int, remote_id: str | None) -> None:
        if self.current is not None and self.current.id == number:
            self.current.ref = remote_id or str(number)
            self.current.confirmed = True

    async def _record(
        self, id_tag: str | None, at: datetime, meter_wh: float, key: str | None
    ) -> int:
        """Its id from the store. What was open before it is over: an EVSE has one transaction."""
        before = await self._store.open_transaction(self._evse_id)
        number = await self._store.start(self._evse_id, id_tag, at, meter_wh, key)
        if before is not None and before[0] != number and number not in self._over:
            await self.ended(before[0], at, meter_wh, "Other")
        return number

    def _start_key(self, id_tag: str | None, at: datetime, meter_wh: float) -> str | None:
        if abs(self._clock.now() - at) > _RETOLD_WITHIN:
            return None
        return f"{at.isoformat()} {meter_wh:.0f} {id_tag or ''}"
