"""A `PvInverter` from any source; curtailed where it takes `power_limit`.

**When the agent dies** the device's own timer ends the limit within `lapse_s` of its source and it
generates freely again; when only the control loop falls silent the same happens `PATIENCE_S` later.
A device without such a timer shows `lapse` NONE: it is released when the control loop falls silent
or the agent ends in order, but stays curtailed if we are killed while it is.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from contracts.time import Clock
from site_agent.devices.points.control import Control
from site_agent.devices.points.nature import Edge, able, answered, lapse_of, require
from site_agent.devices.points.source import Source
from site_agent.devices.points.steered import Steered
from site_agent.domain.device import PvSetpoint, PvSpec, PvState
from site_agent.ports import Wake


class PointPv(Steered):
    """Needs `active_power`; a source without controls makes what it can (`takes_limits` False)."""

    def __init__(self, source: Source, spec: PvSpec, *, clock: Clock, wake: Wake) -> None:
        require(source, "pv inverter", "active_power")
        self._spec = replace(spec, lapse=lapse_of(source, spec.lapse))
        self._edge = Edge(spec.pv_id, wake)
        setpoint = Control(
            spec.pv_id,
            source,
            "power_limit",
            deviation_w=lambda limit_w, measured_w: max(0.0, -measured_w - limit_w),
            rated_w=spec.rated_w,
            clock=clock,
        )
        super().__init__(source, setpoint, clock)

    @property
    def spec(self) -> PvSpec:
        """What it is."""
        return self._spec

    def state(self, now: datetime) -> PvState:
        """The newest readings, aged to `now`; online means answering, ready and not in fault."""
        power_w = self._source.board.reading("active_power", now)
        return PvState(
            spec=self._spec,
            online=answered(power_w) and able(self._source, now),
            power_w=power_w,
            takes_limits=self._setpoint.possible,
            obeys=self.obeys,
        )

    async def set_limit(self, setpoint: PvSetpoint) -> None:
        """Let the inverter generate at most `limit_w` (whole watts), or release it.

        Returns at once while it is known to hold it; raises as `Charger.set_limit`. Releasing one
        that takes no limits is no error: it is free.
        """
        limit_w = setpoint.limit_w
        if limit_w is None and not self._setpoint.possible:
            return
        whole_w = None if limit_w is None else float(math.floor(limit_w))
        await self._setpoint.ask(whole_w, setpoint.cause)

    def _notice(self, now: datetime) -> None:
        self._edge.see(self.state(now).online)
