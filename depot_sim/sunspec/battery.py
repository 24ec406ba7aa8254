"""A battery behind a DER inverter: SunSpec models 1, 701, 702, 704, 713 and 802.

SunSpec counts discharge positive: 701.W and 802.W are minus our `power_w`, and 704.WSet asks for
minus our setpoint ("may be negative for charging", its definition).

Setpoint (704): WSetEna 1 puts WSet (WSetMod 1, W) or WSetPct of 702.WMax (WSetMod 0) in force; 0
means idle, 0 W. Each write that touches WSetEna..WSetRvrtTms starts the reversion timer afresh
with WSetRvrtTms seconds; 0 means that the setpoint never lapses. When the timer runs out, WSetEna
takes the value of WSetEnaRvrt and WSet that of WSetRvrt: by default the battery goes to 0 W.
WSetRvrtRem counts the seconds down.

With `heartbeat_s` it also has models 714 (with one port, that of the cells) and 715, and the
setpoint ends when the controller's heartbeat does (`heartbeat`). With `functions` it also has the
constants of 704 and the curves of 705 to 712 (`functions`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

from contracts.power import NOMINAL_VOLTAGE_V, line_to_line_v
from contracts.time import Clock
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.sunspec.common import Identity, put_terminals
from depot_sim.sunspec.device import NIGHT_FAULTS, SunSpecDevice
from depot_sim.sunspec.functions import Functions, constants, models
from depot_sim.sunspec.heartbeat import DER_MODEL, Heartbeat, points
from depot_sim.sunspec.image import Image, Value, scale_for
from depot_sim.sunspec.strings import STORAGE_PORT, new, refresh

_DC_VOLTAGE_V = 800.0
_IN_WATTS = 1
_ON = 1
_GRID_FOLLOWING, _GRID_FORMING = 0b01, 0b10
"""701.DERMode."""


class SunSpecBattery(SunSpecDevice):
    """A battery of the plant."""

    FAULTS: ClassVar = NIGHT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        battery: Battery,
        elapsed: Callable[[], float],
        functions: bool = False,
        heartbeat_s: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        image = _image(id, battery, functions=functions, heartbeat=heartbeat_s is not None)
        super().__init__(id=id, listener=listener, image=image, elapsed=elapsed, clock=clock)
        self.battery = battery
        self._lease = Lease(fallback=0.0)
        self._alone = False
        self._heartbeat = Heartbeat(image, elapsed, heartbeat_s)
        self._has_port = bool(image.names(714))
        self.functions = Functions(self._image, elapsed, id) if functions else None

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it discharges."""
        return spread(self.battery.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        self._alone = False
        if self._lease.lapsed(now_s) or self._heartbeat.missed():
            self._revert()
        if self.functions is not None:
            self.functions.step()
        if self.powered:
            self.battery = self.battery.step(dt_s, setpoint_w=self._lease.at(now_s) or 0.0)
        else:
            self.battery = self.battery.off(dt_s)

    def island(self, dt_s: float, load_w: float) -> None:
        """Let `dt_s` pass without a grid; it feeds `load_w`, or as much of it as it can.

        Negative: it takes what others make beyond the load. 701 then says that it forms the grid.
        """
        self._alone = True
        self.battery = self.battery.step(dt_s, setpoint_w=-load_w)

    def start_afresh(self) -> None:
        """The setpoint is forgotten."""
        self._image.put(704, "WSetEna", 0)
        self._lease = Lease(fallback=0.0)

    def _revert(self) -> None:
        put, get = self._image.put, self._image.get
        put(704, "WSetEna", get(704, "WSetEnaRvrt"))
        put(704, "WSet", get(704, "WSetRvrt"))
        put(704, "WSetPct", get(704, "WSetPctRvrt"))
        self._lease = Lease(value=self._setpoint_w())

    def _written(self, address: int, count: int) -> None:
        first = self._image.address_of(704, "WSetEna")
        last = self._image.address_of(704, "WSetRvrtRem")
        if address < last and first < address + count:
            timer_s = self._image.get(704, "WSetRvrtTms")
            self._lease = self.lease(self._setpoint_w(), timer_s)
        self._heartbeat.written()
        if self.functions is not None:
            self.functions.written(address, count)

    def _setpoint_w(self) -> float:
        """The setpoint in the registers, in our sign."""
        get = self._image.get
        if get(704, "WSetEna") != _ON:
            return 0.0
        if get(704, "WSetMod") == _IN_WATTS:
            return -get(704, "WSet")
        return -get(704, "WSetPct") / 100.0 * get(702, "WMax")

    def _refresh(self) -> None:
        battery, put = self.battery, self._image.put
        put(704, "WSetRvrtRem", math.ceil(self._lease.remaining_s(self.elapsed())))
        put(713, "WHAvail", battery.stored_wh)
        put(713, "SoC", battery.soc_pct)
        put(802, "SoC", battery.soc_pct)
        put(802, "W", -battery.power_w)
        put(802, "A", -battery.power_w / _DC_VOLTAGE_V)
        put(802, "ChaSt", _charge_state(battery))
        put(802, "AChaMax", battery.charge_limit_w / _DC_VOLTAGE_V)
        put(802, "ADisChaMax", battery.discharge_limit_w / _DC_VOLTAGE_V)
        self._heartbeat.refresh()
        if self._has_port:
            refresh(self._image, 714, 1, -battery.power_w, battery.discharged_wh)
        if self.functions is not None:
            self.functions.refresh()
        self._refresh_ac()

    def _refresh_ac(self) -> None:
        battery, put = self.battery, self._image.put
        generated_w = -battery.power_w
        current_a = abs(generated_w) / 3 / NOMINAL_VOLTAGE_V
        put_terminals(self._image, self.terminals())
        put(701, "ConnSt", 0 if self._alone else 1)
        put(701, "DERMode", _GRID_FORMING if self._alone else _GRID_FOLLOWING)
        put(701, "W", generated_w)
        put(701, "VA", abs(generated_w))
        put(701, "A", 3 * current_a)
        put(701, "TotWhInj", battery.discharged_wh)
        put(701, "TotWhAbs", battery.charged_wh)
        for phase in (1, 2, 3):
            put(701, f"WL{phase}", generated_w / 3)
            put(701, f"AL{phase}", current_a)


def _charge_state(battery: Battery) -> int:
    """802.ChaSt: 3 discharging, 4 charging, 6 holding."""
    if battery.power_w == 0.0:
        return 6
    return 4 if battery.power_w > 0.0 else 3


def _image(id: str, battery: Battery, *, functions: bool, heartbeat: bool) -> Image:
    most_w = max(battery.max_charge_w, battery.max_discharge_w)
    more: dict[int, dict[str, Value]] = models() if functions else {}
    if heartbeat:
        more |= {714: new(most_w, 1, STORAGE_PORT), DER_MODEL: points()}
    return Image(
        {
            1: Identity(model="Simulated battery", serial=id).points(),
            701: _measurements(most_w),
            702: _ratings(battery, most_w),
            704: {
                "WSet_SF": 0,
                "WSetPct_SF": -1,
                "WSetEna": 0,
                "WSetMod": _IN_WATTS,
                "WSet": 0,
                "WSetRvrt": 0,
                "WSetPct": 0,
                "WSetPctRvrt": 0,
                "WSetEnaRvrt": 0,
                "WSetRvrtTms": 0,
                "WSetRvrtRem": 0,
                **(constants() if functions else {}),
            },
            713: {
                "WH_SF": scale_for(battery.capacity_wh, 65_534),
                "Pct_SF": -1,
                "WHRtg": battery.capacity_wh,
                "SoH": 100.0,
                "Sta": 0,
            },
            802: _cells(battery, most_w),
            **more,
        }
    )


def _measurements(most_w: float) -> dict[str, float]:
    power_sf = scale_for(most_w)
    return {
        "W_SF": power_sf,
        "VA_SF": power_sf,
        "A_SF": -1,
        "V_SF": -1,
        "Hz_SF": -3,
        "TotWh_SF": 0,
        "ACType": 2,
        "St": _ON,
        "InvSt": 3,
        "ConnSt": 1,
        "DERMode": _GRID_FOLLOWING,
    }


def _ratings(battery: Battery, most_w: float) -> dict[str, float]:
    discharge_w, charge_w = battery.max_discharge_w, battery.max_charge_w
    power_sf = scale_for(most_w, 65_534)
    return {
        "W_SF": power_sf,
        "VA_SF": power_sf,
        "V_SF": 0,
        "WMaxRtg": discharge_w,
        "WChaRteMaxRtg": charge_w,
        "WDisChaRteMaxRtg": discharge_w,
        "VAMaxRtg": most_w,
        "VNomRtg": line_to_line_v(NOMINAL_VOLTAGE_V),
        "WMax": discharge_w,
        "WChaRteMax": charge_w,
        "WDisChaRteMax": discharge_w,
        "VAMax": most_w,
    }


def _cells(battery: Battery, most_w: float) -> dict[str, float]:
    return {
        "AHRtg_SF": 0,
        "WHRtg_SF": scale_for(battery.capacity_wh, 65_534),
        "WChaDisChaMax_SF": scale_for(most_w, 65_534),
        "SoC_SF": -1,
        "V_SF": -1,
        "CellV_SF": -3,
        "A_SF": -1,
        "AMax_SF": -1,
        "W_SF": scale_for(most_w),
        "AHRtg": battery.capacity_wh / _DC_VOLTAGE_V,
        "WHRtg": battery.capacity_wh,
        "WChaRteMax": battery.max_charge_w,
        "WDisChaRteMax": battery.max_discharge_w,
        "SoCMax": 100.0,
        "SoCMin": 0.0,
        "LocRemCtl": 0,
        "CtrlHb": 0,
        "AlmRst": 0,
        "Typ": 4,
        "State": 3,
        "Evt1": 0,
        "Evt2": 0,
        "EvtVnd1": 0,
        "EvtVnd2": 0,
        "V": _DC_VOLTAGE_V,
        "SetOp": 1,
        "SetInvState": 3,
    }
