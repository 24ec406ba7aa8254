"""Which transaction runs at one EVSE, through restarts of the charger and of this process.

Ids come from the `SessionStore`, which never gives one twice, before the charger is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.time import Clock
from site_agent.domain.session import ChargingSession
from site_agent.ports import SessionStore

_RETOLD_WITHIN = timedelta(days=1)
_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Transaction:
    """A transaction that runs."""

    id: int
    wire_id: str
    """Its id on the wire: ours in OCPP 1.6 as a rule, the charger's in 2.0.1."""
    ref: str | None
    """The same, once the charger has named it since we came up; before that it may be gone."""
    id_tag: str | None
    started_at: datetime
    """By the charger's clock."""
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
        self.current: Transaction | None = None

    async def restore(self) -> None:
        """Take over what was open when the process before this one ended."""
        held = await self._store.running(self._evse_id)
        if held is not None:
            self._adopt(held)

    async def started(
        self, id_tag: str | None, at: datetime, meter_wh: float | None, remote_id: str | None
    ) -> int:
        """It began; the id for it. The same start told again gives the same id.

        A 1.6 start has no id of the charger's; its time, register and tag name it, unless its
        clock is so wrong that a later start could look the same.
        """
        key = remote_id or self._start_key(id_tag, at, meter_wh or 0.0)
        number = await self._record(id_tag, at, meter_wh, key, remote_id, meter_wh)
        if await self._told_again(number, remote_id or str(number)):
            return number
        self.current = Transaction(
            id=number,
            wire_id=remote_id or str(number),
            ref=remote_id or str(number),
            id_tag=id_tag,
            started_at=at,
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
        if not self._confirm(remote_id):
            await self._record(id_tag, at, None, remote_id, remote_id, register_wh)
            await self._take_up(remote_id)

    def charging(self) -> None:
        """A 1.6 charger shows a state that only a transaction has."""
        if self.current is not None:
            self._confirm(self.current.wire_id)

    async def mentioned(self, ref: str, at: datetime) -> None:
        """A charger's samples name a running transaction: theirs is the truth.

        One that our store does not know (its file was lost, or somebody else numbered it) is
        recorded from here on.
        """
        if self._confirm(ref):
            return
        if await self.number_of(ref) is None:
            await self._record(None, at, None, ref, ref, None)
        await self._take_up(ref)

    async def number_of(self, ref: str) -> int | None:
        """Our id of a transaction of this EVSE, running or over; None for an unknown one."""
        if self.current is not None and self.current.wire_id == ref:
            return self.current.id
        held = await self._store.find(self._evse_id, ref)
        return None if held is None else held.transaction_id

    async def ended(
        self, ref: str, started_at: datetime, at: datetime, meter_wh: float | None, reason: str
    ) -> int:
        """It is over; our id. One we never heard of is recorded whole, as begun at `started_at`."""
        number = await self.number_of(ref)
        if number is None:
            number = await self._store.start(
                self._evse_id, None, started_at, None, ref, ref=ref, alone=False
            )
        await self._store.stop(number, at, meter_wh, reason)
        if self.current is not None and self.current.id == number:
            self.current = None
        _log.info("transaction ended", evse=self._evse_id, transaction=number, reason=reason)
        return number

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

    async def _told_again(self, number: int, wire_id: str) -> bool:
        """Whether a start is one we have: it runs, is over, or is older than what runs."""
        if self._confirm(wire_id):
            return True
        held = await self._store.find(self._evse_id, wire_id)
        over = held is not None and held.ended_at is not None
        return over or (self.current is not None and self.current.id > number)

    async def _take_up(self, ref: str) -> None:
        """A transaction told of as running becomes the current one, unless it is over."""
        held = await self._store.find(self._evse_id, ref)
        if held is not None and held.ended_at is None:
            self._adopt(held)
            self._confirm(ref)

    def _adopt(self, held: ChargingSession) -> None:
        _log.info("transaction adopted", evse=self._evse_id, transaction=held.transaction_id)
        self.current = Transaction(
            id=held.transaction_id,
            wire_id=held.ref,
            ref=None,
            id_tag=held.id_tag,
            started_at=held.started_at,
            begun=self._clock.now(),
            start_wh=held.start_wh,
        )

    def _confirm(self, wire_id: str) -> bool:
        """The charger names a transaction; whether it is the one that runs."""
        current = self.current
        if current is None or current.wire_id != wire_id:
            return False
        current.ref, current.confirmed = wire_id, True
        return True

    async def _record(
        self,
        id_tag: str | None,
        at: datetime,
        start_wh: float | None,
        key: str | None,
        ref: str | None,
        register_wh: float | None,
    ) -> int:
        """Its id from the store. What was open before it is over: an EVSE has one transaction."""
        number = await self._store.start(
            self._evse_id, id_tag, at, start_wh, key, ref=ref, register_wh=register_wh
        )
        before = self.current
        if before is not None and before.id < number:
            self.current = None
            _log.warning("transaction ended untold", evse=self._evse_id, transaction=before.id)
        return number

    def _start_key(self, id_tag: str | None, at: datetime, meter_wh: float) -> str | None:
        if abs(self._clock.now() - at) > _RETOLD_WITHIN:
            return None
        return f"{at.isoformat()} {meter_wh:.0f} {id_tag or ''}"
