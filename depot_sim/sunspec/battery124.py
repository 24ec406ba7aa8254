"""A battery of an older hybrid inverter: SunSpec models 1, 103, 120 and 124.

SunSpec counts generation and discharge positive: 103.W is minus our `power_w`.

Rates (124): bit 0 of StorCtl_Mod lets InWRte bound charging, bit 1 lets OutWRte bound discharging,
in % of WChaMax; a negative bound forces the other direction, as Fronius describes it. What the
device would do by itself (here: 0 W) is kept within these bounds. Each write that touches the rates
or the mode starts InOutWRte_RvrtTms afresh (0: never lapses); when it runs out, the mode returns to
0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from contracts.power import NOMINAL_VOLTAGE_V
from contracts.time import Clock
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.sunspec.common import Identity, put_phases
from depot_sim.sunspec.device import DER_FAULTS, SunSpecDevice
from depot_sim.sunspec.image import Image, Value, scale_for
from depot_sim.sunspec.inverter import measurements

_CHARGE_BOUND, _DISCHARGE_BOUND = 0b01, 0b10
_STORAGE_DEVICE = 82
_RUNNING, _STANDBY = 4, 8
_DISCHARGING, _CHARGING, _HOLDING = 3, 4, 6
_FULL_PCT = 100.0


class SunSpecBattery124(SunSpecDevice):
    """A battery of the plant."""

    FAULTS: ClassVar = DER_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        battery: Battery,
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        image = _image(id, battery)
        super().__init__(id=id, listener=listener, image=image, elapsed=elapsed, clock=clock)
        self.battery = battery
        self._lease = Lease(fallback=0.0)

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it discharges."""
        return spread(self.battery.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        if not self.powered:
            self.battery = self.battery.off(dt_s)
            return
        if self._lease.lapsed(now_s):
            self.start_afresh()
        self.battery = self.battery.step(dt_s, setpoint_w=self._lease.at(now_s) or 0.0)

    def start_afresh(self) -> None:
        """Back to its own control."""
        self._image.put(124, "StorCtl_Mod", 0)
        self._lease = Lease(fallback=0.0)

    def _written(self, address: int, count: int) -> None:
        places = {
            self._image.address_of(124, name)
            for name in ("StorCtl_Mod", "OutWRte", "InWRte", "InOutWRte_RvrtTms")
        }
        if places.intersection(range(address, address + count)):
            timer_s = self._image.get(124, "InOutWRte_RvrtTms")
            self._lease = self.lease(self._bounded_w(), timer_s, fallback=0.0)

    def _bounded_w(self) -> float:
        """0 W, kept within the bounds in force."""
        get = self._image.get
        mode, full_w = int(get(124, "StorCtl_Mod")), get(124, "WChaMax")
        most_pct = get(124, "InWRte") if mode & _CHARGE_BOUND else _FULL_PCT
        least_pct = -get(124, "OutWRte") if mode & _DISCHARGE_BOUND else -_FULL_PCT
        return max(min(0.0, most_pct), least_pct) / _FULL_PCT * full_w

    def _refresh(self) -> None:
        battery, put = self.battery, self._image.put
        current_a = abs(battery.power_w) / 3 / NOMINAL_VOLTAGE_V
        put_phases(self._image, 103, "PhVph", self.terminals().phases_v)
        put(103, "Hz", self.terminals().frequency_hz)
        put(103, "W", -battery.power_w)
        put(103, "VA", abs(battery.power_w))
        put(103, "A", 3 * current_a)
        put_phases(self._image, 103, "Aph", (current_a, current_a, current_a))
        put(103, "WH", battery.discharged_wh % 2**32)
        put(103, "St", _RUNNING if battery.power_w else _STANDBY)
        put(124, "ChaState", battery.soc_pct)
        put(124, "ChaSt", self._charge_state())

    def _charge_state(self) -> int:
        if not self.battery.power_w:
            return _HOLDING
        return _CHARGING if self.battery.power_w > 0.0 else _DISCHARGING


def _image(id: str, battery: Battery) -> Image:
    most_w = max(battery.max_charge_w, battery.max_discharge_w)
    rating_sf = scale_for(most_w, 65_534)
    rates: dict[str, Value] = {
        "WChaMax_SF": rating_sf,
        "WChaDisChaGra_SF": 0,
        "MinRsvPct_SF": -2,
        "ChaState_SF": -2,
        "InOutWRte_SF": -2,
        "WChaMax": most_w,
        "WChaGra": _FULL_PCT,
        "WDisChaGra": _FULL_PCT,
        "StorCtl_Mod": 0,
        "MinRsvPct": battery.traits.lowest_pct,
        "OutWRte": _FULL_PCT,
        "InWRte": _FULL_PCT,
        "InOutWRte_RvrtTms": 0,
        "ChaGriSet": 1,
    }
    return Image(
        {
            1: Identity(model="Simulated hybrid inverter", serial=id).points(),
            103: measurements(most_w),
            120: {
                "WRtg_SF": rating_sf,
                "WHRtg_SF": scale_for(battery.capacity_wh, 65_534),
                "MaxChaRte_SF": rating_sf,
                "MaxDisChaRte_SF": rating_sf,
                "DERTyp": _STORAGE_DEVICE,
                "WRtg": most_w,
                "WHRtg": battery.capacity_wh,
                "MaxChaRte": battery.max_charge_w,
                "MaxDisChaRte": battery.max_discharge_w,
            },
            124: rates,
        }
    )
