"""A transaction whose card was refused: it gets no current, and is ended if it runs on.

A charger that is told no has to end the transaction or to stop its energy (1.6 §4.8, 2.0.1
E05). Not every one does. What counts is what the charger was told: behind a cloud CSMS with the
final word, that is the cloud's verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from contracts.errors import ProtocolError
from contracts.time import Clock
from site_agent.devices.ocpp.evse.transactions import Transaction
from site_agent.devices.ocpp.limits import readback
from site_agent.devices.ocpp.limits.installer import Link
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.domain.fleet.identity import same_token
from site_agent.ports import KeyValues, Wake

GRACE = timedelta(seconds=30)
"""How long a charger has to end a refused transaction by itself."""
_AGAIN = timedelta(seconds=60)
_MOST_STOPS = 3
_LOOK_S = 5.0
_TOLD_LATE = timedelta(seconds=60)
"""A 1.6 start this old was made while the charger could not ask; later versions say so."""
_log = structlog.get_logger(__name__)


class Refusal:
    """The refused transaction of one EVSE, if one runs; as a `Limiting` it allows 0 A."""

    def __init__(
        self,
        evse_id: str,
        transaction: Callable[[], Transaction | None],
        *,
        clock: Clock,
        memory: KeyValues | None,
        wake: Wake,
        steered: Callable[[], bool] = lambda: True,
    ) -> None:
        self._evse_id = evse_id
        self._transaction = transaction
        self._clock = clock
        self._memory = memory
        self._wake = wake
        self._steered = steered
        self._key = f"ocpp/refused/{evse_id}"
        self._refused: int | None = None
        self._next = clock.now()
        """When its end is asked for."""
        self._stops = 0

    async def restore(self) -> None:
        """Take up a refusal of the process before this one."""
        text = None if self._memory is None else await self._memory.get(self._key)
        if text and text.isascii() and text.isdigit():
            self._refused, self._next = int(text), self._clock.now() + GRACE

    @property
    def stands(self) -> bool:
        """Whether a transaction runs whose card was refused."""
        current = self._transaction()
        return current is not None and current.id == self._refused

    def at(self, now: datetime) -> float | None:
        """No current for it, A per phase; None: nothing is refused.

        One that knows no limits is only stopped: 0 A would stop it again and again.
        """
        return 0.0 if self.stands and self._steered() else None

    async def judged(self, token: str, *, accepted: bool, told: bool = True) -> None:
        """A card may charge or not; another's card changes nothing.

        `told`: the charger knows it and has its time to end the transaction by itself.
        """
        current = self._transaction()
        if current is None or accepted is not self.stands:
            return
        if current.id_tag and not same_token(current.id_tag, token):
            return
        self._refused = None if accepted else current.id
        self._next, self._stops = self._clock.now() + (GRACE if told else timedelta(0)), 0
        _log.info("card judged", evse=self._evse_id, transaction=current.id, accepted=accepted)
        self._wake()
        if self._memory is not None:
            await self._memory.put(self._key, str(self._refused or ""))

    async def watch(self, link: Link) -> None:
        """Ask for the end of what runs on, at most three times, until cancelled.

        Raises:
            LinkDownError: the connection is gone.
        """
        while True:
            await self._clock.sleep(_LOOK_S)
            current, now = self._transaction(), self._clock.now()
            if current is None or not self.stands or current.ref is None:
                continue
            if now < self._next or self._stops >= _MOST_STOPS:
                continue
            self._next, self._stops = now + _AGAIN, self._stops + 1
            _log.warning("refused, but it runs on", evse=self._evse_id, asking=self._stops)
            await readback.asked(link, link.dialect.stop(current.ref))


class Outlet(Protocol):
    """One EVSE."""

    refusal: Refusal

    @property
    def clock_behind(self) -> timedelta:
        """Our clock less the charger's."""
        ...

    def runs(self, remote_id: str) -> bool:
        """Whether its transaction is this one, by its id on the wire."""
        ...


VERDICTS = frozenset({"idTagInfo", "idTokenInfo"})
"""Where an answer to a charger says what of a card: in 1.6, and from 2.0.1 on."""


async def note(
    evses: Iterable[Outlet],
    payload: Json,
    answer: Json,
    *,
    anyone: bool,
    now: datetime,
    told: bool = True,
) -> None:
    """The card of a transaction has been judged; only one that runs matters.

    `anyone`: whoever charges while nobody can be asked may do so, whatever is said afterwards.
    `told`: the charger gets this answer.
    """
    info = fields.part(answer, "idTagInfo") or fields.part(answer, "idTokenInfo")
    ref = fields.word(fields.part(payload, "transactionInfo"), "transactionId")
    ref = ref or fields.word(answer, "transactionId")
    evse = next((one for one in evses if ref and one.runs(ref)), None)
    if evse is None or not info or payload.get("triggerReason") == "StopAuthorized":
        return
    if anyone and _offline(payload, now - evse.clock_behind):
        return
    token = fields.word(fields.part(payload, "idToken"), "idToken") or fields.word(payload, "idTag")
    await evse.refusal.judged(token, accepted=info.get("status") == "Accepted", told=told)


def _offline(payload: Json, now: datetime) -> bool:
    """Whether it was told while the charger could not ask; `now` by the charger's clock."""
    if "idTag" not in payload:
        return payload.get("offline") is True
    try:
        return now - fields.moment(payload, "timestamp") > _TOLD_LATE
    except ProtocolError:
        return False
