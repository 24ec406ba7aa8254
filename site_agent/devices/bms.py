"""A battery whose power is on one wire and whose battery management speaks on another.

The inverter takes setpoints; the battery management says how much current the cells take, how full
they are and whether they are at fault. Its limits bind at once: a setpoint that has become too much
is cut when the limit is heard, without waiting for the control loop. When the battery management is
silent or tells a fault the battery is told to stand still and counts as offline. **When the agent
dies** the inverter's own timer ends the setpoint, as its adapter says.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import structlog

from contracts.errors import GridyardError
from contracts.time import Clock
from site_agent.devices.leased import PATIENCE_S
from site_agent.devices.points.nature import Edge, require
from site_agent.devices.points.source import Source
from site_agent.domain.device import BatterySetpoint, BatterySpec, BatteryState
from site_agent.ports import Battery, Closing, Wake

_LOOK_EVERY_S = 1.0
"""How often silence is looked for; it makes no sound."""
_log = structlog.get_logger(__name__)


class BatteryWithBms:
    """A `Battery` that is limited by another source, such as a `CanSource`.

    `bms` shows `max_charge_power` and `max_discharge_power`, and `soc` and `fault` if it can.
    """

    def __init__(self, battery: Battery, bms: Source, *, clock: Clock, wake: Wake) -> None:
        require(bms, "battery management", "max_charge_power", "max_discharge_power")
        self._battery = battery
        self._bms = bms
        self._clock = clock
        self._edge = Edge(f"{battery.spec.battery_id} bms", wake)
        self._asked: BatterySetpoint | None = None
        self._asked_s = clock.monotonic()
        self._giving = asyncio.Lock()
        self._may_hold_w = (0.0, 0.0)
        """Least and most: after a failure nobody knows which setpoint it has."""
        self._unbound = False

    @property
    def spec(self) -> BatterySpec:
        """What the battery is, whatever its management allows now."""
        return self._battery.spec

    @property
    def obeys(self) -> bool:
        """False while measured power stays away from the setpoint in force."""
        return bool(getattr(self._battery, "obeys", True))

    async def run(self) -> None:
        """Run both, and cut the setpoint when a limit asks for it, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._battery.run())
            tasks.create_task(self._bms.run())
            tasks.create_task(self._hear())
            tasks.create_task(self._look())

    def state(self, now: datetime) -> BatteryState:
        """The battery's own state, with the limits and the charge its management tells."""
        state = self._battery.state(now)
        charge_w, discharge_w = self._limits_w(now)
        soc = self._bms.board.reading("soc", now)
        return replace(
            state,
            online=state.online and self._sound(now),
            soc_pct=soc if "soc" in self._bms.board.points else state.soc_pct,
            spec=replace(state.spec, max_charge_w=charge_w, max_discharge_w=discharge_w)
            if self._sound(now)
            else state.spec,
        )

    async def close(self) -> None:
        """As `ports.Closing`."""
        if isinstance(self._battery, Closing):
            await self._battery.close()

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        """Let the battery hold the setpoint, cut to the limits; raises as `Charger.set_limit`."""
        self._asked, self._asked_s = setpoint, self._clock.monotonic()
        await self._give(setpoint)

    async def _give(self, setpoint: BatterySetpoint) -> None:
        async with self._giving:
            charge_w, discharge_w = self._limits_w(self._clock.now())
            power_w = max(-discharge_w, min(charge_w, setpoint.power_w))
            least_w, most_w = self._may_hold_w
            self._may_hold_w = (min(least_w, power_w), max(most_w, power_w))
            await self._battery.set_power(replace(setpoint, power_w=power_w))
            self._may_hold_w = (power_w, power_w)

    def _limits_w(self, now: datetime) -> tuple[float, float]:
        """Most it may charge and discharge: the less of both words, nothing without one."""
        board, spec = self._bms.board, self._battery.state(now).spec
        if not self._sound(now):
            return 0.0, 0.0
        charge_w = board.fresh("max_charge_power", now) or 0.0
        discharge_w = board.fresh("max_discharge_power", now) or 0.0
        return min(spec.max_charge_w, charge_w), min(spec.max_discharge_w, discharge_w)

    def _sound(self, now: datetime) -> bool:
        """Whether the management speaks and tells no fault (one that has no word for it is)."""
        return self._bms.answers and self._bms.board.reading("fault", now).value != 1.0

    async def _hear(self) -> None:
        told = 0
        while True:
            told = await self._bms.board.news(told)
            await self._bind()

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            await self._bind()

    async def _bind(self) -> None:
        """Cut what the battery holds when it is more than it may."""
        now = self._clock.now()
        charge_w, discharge_w = self._limits_w(now)
        least_w, most_w = self._may_hold_w
        over = least_w < -discharge_w or most_w > charge_w
        self._edge.see(self._sound(now), over)
        if over and self._asked is not None:
            try:
                await self._give(self._less(self._asked))
            except GridyardError as error:  # tried again at the next look or word
                self._note_unbound(error)
                return
        self._unbound = False

    def _note_unbound(self, error: GridyardError) -> None:
        """One line for a limit that cannot be bound, not one for each attempt."""
        if not self._unbound:
            self._unbound = True
            _log.warning("limit not bound", device=self.spec.battery_id, why=str(error))

    def _less(self, asked: BatterySetpoint) -> BatterySetpoint:
        """What was asked, to be cut; nothing, once the control loop has fallen silent.

        Its setpoint may have lapsed by then, and must not begin again.
        """
        silent = self._clock.monotonic() - self._asked_s > PATIENCE_S
        power_w = 0.0 if silent else asked.power_w
        return replace(asked, power_w=power_w, cause="the battery management allows less")
