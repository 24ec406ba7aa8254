"""A DLMS/COSEM meter as a source of points.

When the agent dies nothing happens to a meter, which ends the association by its own timer; when
the meter dies its points turn STALE after their age and the control loop falls back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from contracts.errors import ProtocolError, TransientError
from contracts.time import Clock
from site_agent.devices.dlms.session import MeterSession, SessionSettings
from site_agent.devices.dlms.values import DEFAULT_OBIS, ONE_WAY, points_of, with_total
from site_agent.devices.modbus.rest import Rest
from site_agent.devices.points.vocabulary import POINTS
from site_agent.devices.polled import PolledSource
from site_agent.ports import Wake


class DlmsSource(PolledSource):
    """One meter; a silent one rests up to a minute."""

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
        super().__init__(
            points_of(obis),
            name=name,
            clock=clock,
            wake=wake,
            period_s=period_s,
            max_age_s=max_age_s,
        )
        self._session = MeterSession(settings)
        self._obis = obis
        self._rest = Rest(clock, step_s=5.0, cap_s=60.0)

    async def _read(self) -> Mapping[str, float | None]:
        if self._rest.remaining_s():
            raise TransientError(f"the meter rests for {self._rest.remaining_s():.0f} s")
        try:
            read = await asyncio.to_thread(self._session.read, self._obis)
            values = {name: _checked(name, *one) for name, one in read.items()}
        except (TransientError, ProtocolError):
            self._rest.failed()
            raise
        self._rest.worked()
        return with_total(values)

    def _let_go(self) -> None:
        self._session.close()


def _checked(name: str, value: float | None, unit: str) -> float | None:
    """The value of a register, if its unit is the point's."""
    wanted = "W" if name in ONE_WAY else POINTS[name].unit
    if unit != wanted:
        raise ProtocolError(f"{name} is told in {unit or 'no unit'}, not {wanted}")
    return value
