"""A `Battery` from any source that takes `power`.

**When the agent dies** the device's own timer ends the setpoint within `lapse_s` of its source and
it falls to the safe value its profile declares; when only the control loop falls silent the same
happens `PATIENCE_S` later. A device without such a timer shows `lapse` NONE: it is told to let go
when the control loop falls silent or the agent ends in order, but keeps its last setpoint if we are
killed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.time import Clock
from site_agent.devices.points.control import Control
from site_agent.devices.points.nature import Edge, able, answered, lapse_of, require
from site_agent.devices.points.source import Source
from site_agent.devices.points.steered import Steered
from site_agent.domain.device import BatterySetpoint, BatterySpec, BatteryState
from site_agent.ports import Wake


class PointBattery(Steered):
    """Needs `active_power` and `soc`.

    `max_charge_power` and `max_discharge_power` bind as soon as they are read, and the last ones
    read go on to bind; a source without controls is measured only (`set_power` is refused).
    """

    def __init__(self, source: Source, spec: BatterySpec, *, clock: Clock, wake: Wake) -> None:
        require(source, "battery", "active_power", "soc")
        self._spec = replace(spec, lapse=lapse_of(source, spec.lapse))
        self._rated = spec
        self._edge = Edge(spec.battery_id, wake)
        setpoint = Control(
            spec.battery_id,
            source,
            "power",
            deviation_w=lambda held_w, measured_w: measured_w - held_w,
            rated_w=max(spec.max_charge_w, spec.max_discharge_w),
            clock=clock,
        )
        super().__init__(source, setpoint, clock)

    @property
    def spec(self) -> BatterySpec:
        """What it is; powers are at most what the device itself names now."""
        return self._spec

    def state(self, now: datetime) -> BatteryState:
        """The newest readings, aged to `now`; online means answering, ready and not in fault."""
        board = self._source.board
        power_w = board.reading("active_power", now)
        return BatteryState(
            spec=self._spec,
            online=answered(power_w) and able(self._source, now),
            power_w=power_w,
            soc_pct=board.reading("soc", now),
            temperature_c=board.reading("temperature", now),
            health_pct=board.reading("soh", now),
        )

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        """Let the battery hold `power_w`, cut to its limits and to whole watts.

        Returns at once while it is known to hold it; raises as `Charger.set_limit`.
        """
        await self._setpoint.ask(self._within(setpoint.power_w), setpoint.cause)

    def _within(self, power_w: float) -> float:
        return float(round(max(-self._spec.max_discharge_w, min(self._spec.max_charge_w, power_w))))

    async def _heard(self) -> None:
        self._learn_limits(self._clock.now())
        await super()._heard()

    def _learn_limits(self, now: datetime) -> None:
        board, rated = self._source.board, self._rated
        charge_w = board.fresh("max_charge_power", now)
        discharge_w = board.fresh("max_discharge_power", now)
        if charge_w is not None:
            self._spec = replace(self._spec, max_charge_w=min(rated.max_charge_w, charge_w))
        if discharge_w is not None:
            most_w = min(rated.max_discharge_w, discharge_w)
            self._spec = replace(self._spec, max_discharge_w=most_w)

    def _notice(self, now: datetime) -> None:
        held_w, spec = self._setpoint.held, self._spec
        over = held_w is not None and not -spec.max_discharge_w <= held_w <= spec.max_charge_w
        self._edge.see(self.state(now).online, over)
