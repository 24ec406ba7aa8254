"""An Alfen Eve charging station steered over Modbus, with one socket.

Facts: Alfen, "Implementation of Modbus Slave TCP/IP for NG9xx platform" 2.3: holding registers,
floats with the high word first. The socket answers as unit 1, the station as unit 200. A maximum
current (1210) is valid for the station's validity time; when it is not written again in that time,
the station falls back to its safe current (1212). Below 6 A the vehicle pauses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from contracts.time import Clock
from depot_sim.modbus.device import FAULTS, SETPOINT_FAULTS
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.pdu import Table, Unit
from depot_sim.physics.evse import Evse
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.vehicle import Vehicle
from depot_sim.vendor.device import VendorDevice
from depot_sim.vendor.registers import Entry, RegisterMap

STATION_UNIT = 200
_LEAST_A = 6.0
_INITIALISED_AND_UPDATED = 0x03
_SOCKET: Mapping[str, Entry] = {
    "meter_state": Entry(at=300, fixed=True),
    "meter_age": Entry(at=301, type="uint64", scale=0.001),
    "meter_type": Entry(at=305, fixed=True),
    **{f"v{n}": Entry(at=304 + 2 * n, type="float32") for n in (1, 2, 3)},
    **{f"a{n}": Entry(at=318 + 2 * n, type="float32") for n in (1, 2, 3)},
    "a": Entry(at=326, type="float32"),
    "hz": Entry(at=336, type="float32"),
    **{f"w{n}": Entry(at=336 + 2 * n, type="float32") for n in (1, 2, 3)},
    "w": Entry(at=344, type="float32"),
    "delivered_wh": Entry(at=374, type="float64"),
    "consumed_wh": Entry(at=390, type="float64"),
    "available": Entry(at=1200, fixed=True),
    "mode3": Entry(at=1201, text=5, fixed=True),
    "applied_a": Entry(at=1206, type="float32", fixed=True),
    "valid_s": Entry(at=1208, type="uint32", fixed=True),
    "max_a": Entry(at=1210, type="float32", writable=True, fixed=True),
    "safe_a": Entry(at=1212, type="float32", fixed=True),
    "accounted": Entry(at=1214, fixed=True),
    "phases": Entry(at=1215, writable=True, fixed=True),
}
_STATION: Mapping[str, Entry] = {
    "name": Entry(at=100, text=17, fixed=True),
    "maker": Entry(at=117, text=5, fixed=True),
    "table": Entry(at=122, type="int16", fixed=True),
    "platform": Entry(at=140, text=17, fixed=True),
    "serial": Entry(at=157, text=11, fixed=True),
    "max_a": Entry(at=1100, type="float32", fixed=True),
    "board_c": Entry(at=1102, type="float32"),
    "sockets": Entry(at=1105, fixed=True),
}


class AlfenCharger(VendorDevice):
    """A socket and whatever vehicle is on it."""

    FAULTS: ClassVar = FAULTS | SETPOINT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        evse: Evse,
        validity_s: float,
        safe_a: float,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        self._held = RegisterMap(_SOCKET)
        maps = {Table.HOLDING: self._held}
        super().__init__(id=id, listener=listener, maps=maps, elapsed=elapsed, clock=clock)
        self.evse = evse
        self._validity_s = validity_s
        self._limit = Lease(value=safe_a)
        self._held.put("safe_a", safe_a)
        self._held.put("phases", float(evse.phases))
        self._station = _Station(self)

    def units(self) -> Mapping[int, Unit]:
        """The socket and the station."""
        return {self.listener.unit_id: self, STATION_UNIT: self._station}

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase."""
        return self.evse.phases_w

    @property
    def limit_a(self) -> float:
        """The current it allows now."""
        return min(self.evse.rated_a, max(0.0, self._limit.at(self.elapsed()) or 0.0))

    def plug(self, vehicle: Vehicle) -> None:
        """Put a vehicle on the cable.

        Raises:
            ValueError: the outlet is taken.
        """
        if self.evse.vehicle is not None:
            raise ValueError(f"{self.id} is taken by {self.evse.vehicle.id}")
        self.evse = replace(self.evse, vehicle=vehicle)

    def unplug(self) -> Vehicle | None:
        """Take the vehicle off the cable; the vehicle as it leaves."""
        vehicle = self.evse.vehicle
        self.evse = replace(self.evse, vehicle=None).step(
            0.0, limit_a=0.0, phases=1, energised=False
        )
        return vehicle

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        del now_s
        phases = round(self._held.get("phases"))
        self.evse = self.evse.step(
            dt_s, limit_a=self.limit_a, phases=phases, energised=self.powered
        )

    def start_afresh(self) -> None:
        """The limit is forgotten: the safe current."""
        self._limit = Lease(value=self._held.get("safe_a"))

    def _written(self, names: frozenset[str]) -> None:
        if "max_a" in names:
            safe_a = self._held.get("safe_a")
            self._limit = self.lease(self._held.get("max_a"), self._validity_s, fallback=safe_a)

    def _refresh(self) -> None:
        now_s, put, evse = self.elapsed(), self._held.put, self.evse
        seen = self.terminals()
        flows = zip(self.phases_w, seen.phases_v, strict=True)
        for number, (power_w, voltage_v) in enumerate(flows, start=1):
            put(f"w{number}", power_w)
            put(f"a{number}", abs(power_w) / evse.voltage_v)
            put(f"v{number}", voltage_v)
        put("a", sum(self._held.get(f"a{n}") for n in (1, 2, 3)))
        put("w", evse.power_w)
        put("hz", seen.frequency_hz)
        put("delivered_wh", evse.register_wh)
        put("meter_state", _INITIALISED_AND_UPDATED)
        put("available", 1.0)
        put("mode3", self._mode3())
        put("applied_a", self.limit_a)
        put("valid_s", math.ceil(self._limit.remaining_s(now_s)))
        put("accounted", float(not self._limit.lapsed(now_s)))

    def _mode3(self) -> str:
        """IEC 61851-1 states: B1 without, B2 with an offer of current, C2 charging."""
        if self.evse.vehicle is None:
            return "A"
        if self.limit_a < _LEAST_A:
            return "B1"
        return "C2" if self.evse.power_w > 0.0 else "B2"


class _Station(VendorDevice):
    """The same device's second unit."""

    def __init__(self, owner: AlfenCharger) -> None:
        held = RegisterMap(_STATION)
        maps = {Table.HOLDING: held}
        super().__init__(id=owner.id, listener=owner.listener, maps=maps, elapsed=owner.elapsed)
        self.faults = owner.faults
        texts = {"name": "ALF_1000", "maker": "Alfen NV", "platform": "NG910", "serial": owner.id}
        for name, text in texts.items():
            held.put(name, text)
        for name, value in {"table": 1.0, "max_a": owner.evse.rated_a, "sockets": 1.0}.items():
            held.put(name, value)
        held.put("board_c", 35.0)
