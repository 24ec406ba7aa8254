"""From plug to unplug at a charger that has no transactions of its own, kept as one.

Its energy comes from the charger's lifetime register where it has one, else from its count since
the vehicle was plugged in (which then starts at 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from contracts.errors import TransientError
from site_agent.domain.session import MeterSample
from site_agent.ports import SessionStore

SAMPLE_EVERY_S = 5.0
_UNPLUGGED = "EVDisconnected"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    number: int
    start_wh: float | None


class Stays:
    """The stays of one EVSE, recorded in the `SessionStore` like any other transaction.

    A stay that was open when the process before this one ended goes on if a vehicle is still
    plugged in: that it is another one cannot be seen.
    """

    def __init__(self, evse_id: str, store: SessionStore) -> None:
        self._evse_id = evse_id
        self._store = store
        self._open: _Open | None = None
        self._sampled_at: datetime | None = None
        self._last_wh: float | None = None

    @property
    def transaction_id(self) -> str | None:
        """Our id of the stay that runs."""
        return None if self._open is None else str(self._open.number)

    @property
    def start_wh(self) -> float | None:
        """The register at its start; None when it was not known."""
        return None if self._open is None else self._open.start_wh

    async def restore(self) -> None:
        """Take over what was open when the process before this one ended."""
        held = await self._store.running(self._evse_id)
        if held is not None:
            self._open = _Open(number=held.transaction_id, start_wh=held.start_wh)

    async def seen(
        self, plugged: bool, at: datetime, register_wh: float | None, *, own_count: bool
    ) -> None:
        """What the plug and the register show now; `own_count`: it counts from each plug.

        A store that fails is tried again at the next news.
        """
        try:
            if plugged and self._open is None:
                await self._begin(at, 0.0 if own_count else register_wh)
            elif not plugged and self._open is not None:
                await self._end(self._open, at, self._last_wh if own_count else register_wh)
        except TransientError as error:
            _log.warning("stay not recorded", evse=self._evse_id, why=str(error))
        if plugged and register_wh is not None:
            self._last_wh = register_wh

    def metered(self, sample: MeterSample) -> None:
        """A live sample; kept every few seconds while a stay runs."""
        before = self._sampled_at
        due = before is None or abs((sample.at - before).total_seconds()) >= SAMPLE_EVERY_S
        if self._open is not None and due:
            self._sampled_at = sample.at
            self._store.sampled(self._evse_id, self._open.number, [sample])

    async def _begin(self, at: datetime, start_wh: float | None) -> None:
        number = await self._store.start(self._evse_id, None, at, start_wh, None)
        self._open = _Open(number=number, start_wh=start_wh)
        _log.info("vehicle plugged in", evse=self._evse_id, transaction=number)

    async def _end(self, stay: _Open, at: datetime, register_wh: float | None) -> None:
        await self._store.stop(stay.number, at, register_wh, _UNPLUGGED)
        self._open = self._last_wh = None
        _log.info("vehicle gone", evse=self._evse_id, transaction=stay.number)
