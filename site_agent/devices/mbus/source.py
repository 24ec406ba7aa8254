"""An M-Bus meter as a source of points.

When the agent dies nothing happens to a meter; when the meter dies its points turn STALE after
their age and the control loop falls back. A readout takes about a second on a slow bus, so an M-Bus
meter at the connection point needs a patient `max_age_s`; it serves circuits better.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.time import Clock
from site_agent.devices.mbus.link import MBusLink, MeterAddress
from site_agent.devices.mbus.mapping import RecordMap, points
from site_agent.devices.polled import PolledSource
from site_agent.ports import Wake


class MBusSource(PolledSource):
    """One meter on a bus; `records` says which of its records are which points."""

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
        super().__init__(
            records.shows,
            name=name,
            clock=clock,
            wake=wake,
            period_s=period_s,
            max_age_s=max_age_s,
        )
        self._link = link
        self._meter = meter
        self._records = records

    async def _read(self) -> Mapping[str, float | None]:
        return points(await self._link.read(self._meter), self._records)

    def _let_go(self) -> None:
        self._link.close()
