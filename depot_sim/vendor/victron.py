"""A three-phase Victron Multi behind a GX device, in ESS mode 3 (external control).

Facts: Victron Energy, "CCGX Modbus TCP register list" 3.81 and "ESS mode 2 and 3": the VE.Bus
service has one unit number, the system as a whole another; power in W at the AC input, import
(charging) positive, a setpoint for each phase. Public reports (venus issue 1643) have the last
setpoint stand when the connection dies: it does not lapse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from contracts.time import Clock
from depot_sim.faults import FaultKind
from depot_sim.modbus.device import FAULTS
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import Table, Unit
from depot_sim.physics.battery import Battery
from depot_sim.physics.phases import NO_FLOW, PhaseWatts, spread
from depot_sim.vendor.device import VendorDevice
from depot_sim.vendor.registers import Entry, RegisterMap

SYSTEM_UNIT = 100
_SETPOINTS = {"setpoint1": 37, "setpoint2": 40, "setpoint3": 41}
_VEBUS: Mapping[str, Entry] = {
    **{f"v{n}": Entry(at=2 + n, scale=0.1) for n in (1, 2, 3)},
    "hz": Entry(at=9, type="int16", scale=0.01),
    **{f"w{n}": Entry(at=11 + n, type="int16", scale=10.0) for n in (1, 2, 3)},
    **{
        name: Entry(at=at, type="int16", writable=True, fixed=True)
        for name, at in _SETPOINTS.items()
    },
}
_SYSTEM: Mapping[str, Entry] = {
    "voltage": Entry(at=840, scale=0.1),
    "current": Entry(at=841, type="int16", scale=0.1),
    "power": Entry(at=842, type="int16"),
    "soc": Entry(at=843),
}
_DC_VOLTAGE_V = 51.2


class VictronBattery(VendorDevice):
    """Follows the sum of its three setpoints for as long as they stand."""

    FAULTS: ClassVar = FAULTS | {FaultKind.IGNORES_WRITES}

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        battery: Battery,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        held = RegisterMap(_VEBUS)
        maps = {Table.HOLDING: held, Table.INPUT: held}
        super().__init__(id=id, listener=listener, maps=maps, elapsed=elapsed, clock=clock)
        self.battery = battery
        self._held = held
        self._setpoint_w = 0.0
        self._system = _System(self)

    def units(self) -> Mapping[int, Unit]:
        """The VE.Bus service and the system."""
        return {self.listener.unit_id: self, SYSTEM_UNIT: self._system}

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it discharges."""
        return spread(self.battery.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        del now_s
        if self.powered:
            self.battery = self.battery.step(dt_s, setpoint_w=self._setpoint_w)
        else:
            self.battery = self.battery.off(dt_s)

    def start_afresh(self) -> None:
        """The setpoints are forgotten."""
        for name in _SETPOINTS:
            self._held.put(name, 0.0)
        self._setpoint_w = 0.0

    def _written(self, names: frozenset[str]) -> None:
        del names
        self._setpoint_w = sum(self._held.get(name) for name in _SETPOINTS)

    def _refresh(self) -> None:
        flows = self.phases_w if self.battery.power_w else NO_FLOW
        seen = self.terminals()
        for number, (power_w, voltage_v) in enumerate(zip(flows, seen.phases_v, strict=True), 1):
            self._held.put(f"w{number}", power_w)
            self._held.put(f"v{number}", voltage_v)
        self._held.put("hz", seen.frequency_hz)


class _System(VendorDevice):
    """The same device's second unit."""

    def __init__(self, owner: VictronBattery) -> None:
        self._held = RegisterMap(_SYSTEM)
        maps = {Table.HOLDING: self._held, Table.INPUT: self._held}
        super().__init__(id=owner.id, listener=owner.listener, maps=maps, elapsed=owner.elapsed)
        self._owner = owner
        self.faults = owner.faults

    def _refresh(self) -> None:
        battery, put = self._owner.battery, self._held.put
        put("voltage", _DC_VOLTAGE_V)
        put("current", battery.power_w / _DC_VOLTAGE_V)
        put("power", battery.power_w)
        put("soc", battery.soc_pct)
