"""Samples of one EVSE on their way: of the present to the readings, all of them to the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.time import Clock
from site_agent.devices.ocpp.evse.history import History
from site_agent.devices.ocpp.evse.meter import Meter
from site_agent.devices.ocpp.evse.transactions import Transactions
from site_agent.devices.ocpp.limits.lapse import Sight
from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.domain.device import ChargerSpec
from site_agent.ports import SessionStore


class Metering:
    """Sorts what a charger tells of its meter by whether it is of the present."""

    def __init__(
        self,
        spec: ChargerSpec,
        meter: Meter,
        transactions: Transactions,
        sessions: SessionStore,
        *,
        clock: Clock,
        tally: Tally,
    ) -> None:
        self._evse_id = spec.evse_id
        self._meter = meter
        self._transactions = transactions
        self._history = History(spec.evse_id, sessions, most_w=meter.most_w)
        self._clock = clock
        self._tally = tally

    def sort(
        self, samples: Sequence[Sample], bad: int, received: datetime
    ) -> tuple[list[Sample], list[Sample]]:
        """Those of the present, taken as readings, and those told late; `bad` could not be read."""
        fresh: list[Sample] = []
        late: list[Sample] = []
        for sample in samples:
            (fresh if self._meter.take(sample, received) else late).append(sample)
        self._note("bad sample", bad)
        self._note("sample told late", len(late))
        if fresh and self._meter.mismatch:
            self._note("power reads zero while energy climbs", 1)
        return fresh, late

    async def keep(self, ref: str | None, fresh: Sequence[Sample], late: Sequence[Sample]) -> None:
        """Bring them to the store; those told late are there when it returns.

        `ref`: the id on the wire of their transaction, if they name one.
        """
        if fresh and (number := await self._number(ref, fresh[0].at)):
            self._history.live(number, fresh)
        if late:
            await self.keep_late(await self._number(ref, late[0].at), late)

    async def keep_late(self, number: int, samples: Sequence[Sample]) -> None:
        """Samples of the past, of the transaction with our id `number` (0: of none)."""
        if samples:
            refused = await self._history.late(
                number, samples, self._clock.now(), self._meter.clock.behind
            )
            self._note("sample of no believable time", refused)

    def sight(self, now: datetime) -> Sight | None:
        """What the meter shows; None when it has nothing fresh to say."""
        drawn = self._meter.drawn_a(now)
        if drawn.value is None or not drawn.quality.usable:
            return None
        soc_pct = self._meter.soc_pct(now).value
        return Sight(at=drawn.at, drawn_a=drawn.value, soc_pct=soc_pct)

    async def _number(self, ref: str | None, at: datetime) -> int:
        """Our id of the transaction that samples from `at` on belong to; 0 without one."""
        if ref is not None:
            return await self._transactions.number_of(ref) or 0
        current = self._transactions.current
        return 0 if current is None or at < current.started_at else current.id

    def _note(self, kind: str, times: int) -> None:
        if times:
            self._tally.note(kind, times, evse=self._evse_id)
