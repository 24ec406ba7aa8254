"""A DLMS/COSEM meter as a source of points.

When the agent dies nothing happens to a meter, which ends the association by its own timer; when
the meter dies its points turn STALE after their age and the control loop falls back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from contracts.errors import ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.dlms.session import MeterSession, SessionSettings
from site_agent.devices.dlms.values import DEFAULT_OBIS, ONE_WAY, with_total
from site_agent.devices.freshness import Freshness
from site_agent.devices.modbus.rest import Rest
from site_agent.devices.points.board import PointBoard
from site_agent.devices.points.vocabulary import POINTS
from site_agent.devices.polling import Poller
from site_agent.ports import Wake


class DlmsSource:
    """A `Source` that reads one meter every `period_s`; a silent one rests up to a minute."""

    def __init__(
        self,
        settings: SessionSettings,
        *,
        name: str,
        clock: Clock,
        wake: Wake,
        obis: Mapping[str, str] = DEFAULT_OBIS,
        period_s: float = 5.0,
        max_age_s: float = 20.0,
    ) -> None:
        self._session = MeterSession(settings)
        self._obis = obis
        self._clock = clock
        self._rest = Rest(clock, step_s=5.0, cap_s=60.0)
        points = [name for name in obis if name not in ONE_WAY]
        if ONE_WAY[0] in obis:
            points.append("active_power")
        age = Freshness(
            stale_after=timedelta(seconds=max_age_s), lost_after=timedelta(seconds=3 * max_age_s)
        )
        self._board = PointBoard(dict.fromkeys(points), clock.now(), dict.fromkeys(points, age))
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
            self._session.close()

    async def _poll(self) -> None:
        if self._rest.remaining_s():
            raise TransientError(f"the meter rests for {self._rest.remaining_s():.0f} s")
        at = self._clock.now()
        try:
            read = await asyncio.to_thread(self._session.read, self._obis)
            values = {name: _checked(name, *one) for name, one in read.items()}
        except (TransientError, ProtocolError):
            self._rest.failed()
            raise
        self._rest.worked()
        for point, value in with_total(values).items():
            self._board.put(point, value, at)


def _checked(name: str, value: float | None, unit: str) -> float | None:
    """The value of a register, if its unit is the point's."""
    wanted = "W" if name in ONE_WAY else POINTS[name].unit
    if unit != wanted:
        raise ProtocolError(f"{name} is told in {unit or 'no unit'}, not {wanted}")
    return value
