"""Sungrow: a hybrid battery with a heartbeat, and a string inverter without any watchdog.

Facts: "Communication Protocol of Residential Hybrid Inverter" V1.1.9 and V1.1.11, and
"Communication Protocol of PV Grid-Connected String Inverters" V1.1.36, as public integrations cite
them. Addresses here are those of the wire: the document's number less one. 32-bit numbers begin
with the low word. Power registers of the battery are magnitudes; the running state tells the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from contracts.time import Clock
from depot_sim.modbus.device import FAULTS, SETPOINT_FAULTS
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import Table
from depot_sim.physics.battery import Battery
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.physics.pv import Pv
from depot_sim.vendor.device import VendorDevice
from depot_sim.vendor.registers import Entry, RegisterMap

_DC_VOLTAGE_V = 400.0
_CHARGING, _DISCHARGING = 0b010, 0b100
_SELF, FORCED, EXTERNAL = 0, 2, 3
"""EMS modes."""
CHARGE, DISCHARGE, STOP = 0xAA, 0xBB, 0xCC
_ENABLED, _DISABLED = 0xAA, 0x55
_HYBRID: Mapping[str, Entry] = {
    "state": Entry(at=12_999, fixed=True),
    "flow": Entry(at=13_000),
    "voltage": Entry(at=13_019, scale=0.1),
    "current": Entry(at=13_020, type="int16", scale=0.1),
    "power": Entry(at=13_021),
    "soc": Entry(at=13_022, scale=0.1),
    "soh": Entry(at=13_023, scale=0.1),
    "temperature": Entry(at=13_024, type="int16", scale=0.1),
    "discharged_kwh": Entry(at=13_026, type="uint32", scale=0.1),
}
_HYBRID_CONTROLS: Mapping[str, Entry] = {
    "mode": Entry(at=13_049, writable=True, fixed=True),
    "command": Entry(at=13_050, writable=True, fixed=True),
    "power": Entry(at=13_051, writable=True, fixed=True),
    "heartbeat": Entry(at=13_079, writable=True, fixed=True),
}
_STRING: Mapping[str, Entry] = {
    "type": Entry(at=4_999, fixed=True),
    "rated": Entry(at=5_000, scale=100.0, fixed=True),
    "yield_kwh": Entry(at=5_003, type="uint32"),
    "voltage1": Entry(at=5_018, scale=0.1),
    "voltage2": Entry(at=5_019, scale=0.1),
    "voltage3": Entry(at=5_020, scale=0.1),
    "power": Entry(at=5_030, type="uint32"),
    "frequency": Entry(at=5_035, scale=0.1),
    "work_state": Entry(at=5_037, fixed=True),
}
_STRING_CONTROLS: Mapping[str, Entry] = {
    "limit_on": Entry(at=5_006, writable=True, fixed=True),
    "limit_pct": Entry(at=5_007, scale=0.1, writable=True, fixed=True),
}
_SG110CX = 0x2C06
_RUNS, _DERATED, _STANDBY = 0x0000, 0x8100, 0x1400


class SungrowBattery(VendorDevice):
    """An SH hybrid inverter as a battery.

    In EMS mode 3 (external) the command and power are followed for as long as the heartbeat
    register is written at least as often as its value says, in s; then the mode falls back to 0
    (self-consumption: here, 0 W). In mode 2 (forced) they are followed for ever: when the
    controller dies, its last setpoint stands.
    """

    FAULTS: ClassVar = FAULTS | SETPOINT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        battery: Battery,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        self._shown = RegisterMap(_HYBRID, low_word_first=True)
        self._controls = RegisterMap(_HYBRID_CONTROLS, low_word_first=True)
        maps = {Table.INPUT: self._shown, Table.HOLDING: self._controls}
        super().__init__(id=id, listener=listener, maps=maps, elapsed=elapsed, clock=clock)
        self.battery = battery
        self._setpoint_w = 0.0
        self._heartbeat = Lease()
        self._controls.put("command", STOP)

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it discharges."""
        return spread(self.battery.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        if not self.powered:
            self.battery = self.battery.off(dt_s)
            return
        if self._heartbeat.lapsed(now_s) and self._controls.get("mode") == EXTERNAL:
            self.start_afresh()
        self.battery = self.battery.step(dt_s, setpoint_w=self._setpoint_w)

    def start_afresh(self) -> None:
        """Back to self-consumption; the setpoint is forgotten."""
        self._controls.put("mode", _SELF)
        self._controls.put("command", STOP)
        self._setpoint_w = 0.0

    def _written(self, names: frozenset[str]) -> None:
        get = self._controls.get
        if "heartbeat" in names:
            self._heartbeat = self.lease(None, get("heartbeat"))
        signs = {CHARGE: 1.0, DISCHARGE: -1.0}
        obeys = get("mode") == FORCED or (
            get("mode") == EXTERNAL and not self._heartbeat.lapsed(self.elapsed())
        )
        self._setpoint_w = signs.get(int(get("command")), 0.0) * get("power") if obeys else 0.0

    def _refresh(self) -> None:
        battery, put = self.battery, self._shown.put
        flows = {True: _CHARGING, False: _DISCHARGING}
        put("flow", flows[battery.power_w > 0.0] if battery.power_w else 0)
        put("voltage", _DC_VOLTAGE_V)
        put("current", abs(battery.power_w) / _DC_VOLTAGE_V)
        put("power", abs(battery.power_w))
        put("soc", battery.soc_pct)
        put("soh", 100.0)
        put("temperature", battery.temperature_c)
        put("discharged_kwh", battery.discharged_wh / 1000.0)


class SungrowInverter(VendorDevice):
    """An SG string inverter: a limit in percent that stands until it is written again."""

    FAULTS: ClassVar = FAULTS | SETPOINT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        pv: Pv,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        self._shown = RegisterMap(_STRING, low_word_first=True)
        self._controls = RegisterMap(_STRING_CONTROLS)
        maps = {Table.INPUT: self._shown, Table.HOLDING: self._controls}
        super().__init__(id=id, listener=listener, maps=maps, elapsed=elapsed, clock=clock)
        self.pv = pv
        self._limit_w: float | None = None
        self._controls.put("limit_on", _DISABLED)
        self._controls.put("limit_pct", 100.0)
        self._shown.put("type", _SG110CX)
        self._shown.put("rated", pv.rated_w)

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it generates."""
        return spread(self.pv.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        self.pv = self.pv.step(now_s, dt_s, limit_w=self._limit_w if self.powered else 0.0)

    def _written(self, names: frozenset[str]) -> None:
        del names
        get = self._controls.get
        on = get("limit_on") == _ENABLED
        self._limit_w = get("limit_pct") / 100.0 * self.pv.rated_w if on else None

    def _refresh(self) -> None:
        made_w, put = -self.pv.power_w, self._shown.put
        put("power", made_w)
        put("yield_kwh", self.pv.generated_wh / 1000.0)
        seen = self.terminals()
        put("frequency", seen.frequency_hz)
        for phase, voltage_v in enumerate(seen.phases_v, start=1):
            put(f"voltage{phase}", voltage_v)
        throttled = made_w < self.pv.available_w
        put("work_state", (_DERATED if throttled else _RUNS) if self.pv.available_w else _STANDBY)
