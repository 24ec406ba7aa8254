"""An M-Bus meter as a source of points.

When the agent dies nothing happens to a meter; when the meter dies its points turn STALE after
their age and the control loop falls back. A readout takes about a second on a slow bus, so an M-Bus
meter at the connection point needs a patient `max_age_s`; it serves circuits better.
"""

from __future__ import annotations

from datetime import timedelta

from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.mbus.link import MBusLink, MeterAddress
from site_agent.devices.mbus.mapping import RecordMap, points
from site_agent.devices.points.board import PointBoard
from site_agent.devices.polling import Poller
from site_agent.ports import Wake


class MBusSource:
    """A `Source` that reads one meter every `period_s`."""

    def __init__(
        self,
        link: MBusLink,
        meter: MeterAddress,
        *,
        name: str,
        clock: Clock,
        wake: Wake,
        records: RecordMap = RecordMap(),  # noqa: B008 - it is frozen
        period_s: float = 5.0,
        max_age_s: float = 20.0,
    ) -> None:
        self._link = link
        self._meter = meter
        self._records = records
        self._clock = clock
        age = Freshness(
            stale_after=timedelta(seconds=max_age_s), lost_after=timedelta(seconds=3 * max_age_s)
        )
        self._board = PointBoard(records.shows, clock.now(), dict.fromkeys(records.shows, age))
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)

    @property
    def board(self) -> PointBoard:
        """Its newest readings."""
        return self._board

    @property
    def answers(self) -> bool:
        """Whether the last readout succeeded."""
        return bool(self._poller.answers)

    async def run(self) -> None:
        """Read the meter until cancelled."""
        try:
            await self._poller.run()
        finally:
            self._link.close()

    async def _poll(self) -> None:
        at = self._clock.now()
        telegrams = await self._link.read(self._meter)
        for point, value in points(telegrams, self._records).items():
            self._board.put(point, value, at)
