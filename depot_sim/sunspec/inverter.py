"""A PV inverter: SunSpec models 1, 103, 120, 121, 123 and, by `strings`, 160.

SunSpec counts generation positive: 103.W is minus our `power_w`.

Curtailment (123): WMaxLim_Ena 1 holds the output at WMaxLimPct of 121.WMax. Each write that
touches Conn..WMaxLim_Ena starts the reversion timer afresh with WMaxLimPct_RvrtTms seconds; 0
means that the limit never lapses. When the timer runs out, WMaxLim_Ena returns to 0. Conn 0
disconnects the inverter, without any timer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from contracts.power import NOMINAL_VOLTAGE_V, line_to_line_v
from contracts.time import Clock
from depot_sim.modbus.listener import Listener
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.physics.pv import Pv
from depot_sim.sunspec.common import ASLEEP, Identity, put_phases
from depot_sim.sunspec.device import DER_FAULTS, SunSpecDevice
from depot_sim.sunspec.image import Image, Value, scale_for
from depot_sim.sunspec.strings import old, refresh

_CONTROLS = 123
_DC_EFFICIENCY = 0.97
_PV = 4
_ON = 1
_SLEEPING, _MPPT, _THROTTLED, _STANDBY = 2, 4, 5, 8


class SunSpecInverter(SunSpecDevice):
    """A PV inverter of the plant."""

    FAULTS: ClassVar = DER_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        pv: Pv,
        elapsed: Callable[[], float],
        strings: int = 0,
        clock: Clock | None = None,
    ) -> None:
        image = _image(id, pv, strings)
        super().__init__(id=id, listener=listener, image=image, elapsed=elapsed, clock=clock)
        self.pv = pv
        self._strings = strings
        self._lease = Lease()

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it generates."""
        return spread(self.pv.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        if self._lease.lapsed(now_s):
            self._image.put(_CONTROLS, "WMaxLim_Ena", 0)
            self._lease = Lease(value=self._limit_w())
        limit_w = self._lease.at(now_s) if self.powered else 0.0
        self.pv = self.pv.step(now_s, dt_s, limit_w=limit_w)

    def start_afresh(self) -> None:
        """The limit is forgotten."""
        self._image.put(_CONTROLS, "WMaxLim_Ena", 0)
        self._lease = Lease(value=self._limit_w())

    def _written(self, address: int, count: int) -> None:
        first = self._image.address_of(_CONTROLS, "Conn")
        last = self._image.address_of(_CONTROLS, "OutPFSet")
        if address < last and first < address + count:
            timer_s = self._image.get(_CONTROLS, "WMaxLimPct_RvrtTms")
            limited = self._image.get(_CONTROLS, "WMaxLim_Ena") == _ON
            self._lease = self.lease(self._limit_w(), timer_s if limited else 0.0)

    def _limit_w(self) -> float | None:
        """The limit in the registers; None when there is none."""
        get = self._image.get
        if get(_CONTROLS, "Conn") != _ON:
            return 0.0
        if get(_CONTROLS, "WMaxLim_Ena") != _ON:
            return None
        return get(_CONTROLS, "WMaxLimPct") / 100.0 * get(121, "WMax")

    def _refresh(self) -> None:
        generated_w, put = -self.pv.power_w, self._image.put
        current_a = generated_w / 3 / NOMINAL_VOLTAGE_V
        seen = self.terminals() if self.pv.available_w else ASLEEP
        put_phases(self._image, 103, "PhVph", seen.phases_v)
        put(103, "Hz", seen.frequency_hz)
        put(103, "W", generated_w)
        put(103, "VA", generated_w)
        put(103, "A", 3 * current_a)
        put_phases(self._image, 103, "Aph", (current_a, current_a, current_a))
        put(103, "WH", self.pv.generated_wh % 2**32)
        put(103, "DCW", generated_w / _DC_EFFICIENCY)
        put(103, "St", self._state())
        if self._strings:
            refresh(self._image, 160, self._strings, generated_w, self.pv.generated_wh)

    def _state(self) -> int:
        if self._image.get(_CONTROLS, "Conn") != _ON:
            return _STANDBY
        if not self.pv.available_w:
            return _SLEEPING
        return _THROTTLED if -self.pv.power_w < self.pv.available_w else _MPPT


def _image(id: str, pv: Pv, strings: int) -> Image:
    rating_sf = scale_for(pv.rated_w, 65_534)
    return Image(
        {
            1: Identity(model="Simulated PV inverter", serial=id).points(),
            103: measurements(pv.rated_w),
            120: _nameplate(pv.rated_w, rating_sf),
            121: {
                "WMax_SF": rating_sf,
                "VRef_SF": 0,
                "VRefOfs_SF": 0,
                "WMax": pv.rated_w,
                "VRef": line_to_line_v(NOMINAL_VOLTAGE_V),
                "VRefOfs": 0,
            },
            _CONTROLS: {
                "WMaxLimPct_SF": -1,
                "OutPFSet_SF": -3,
                "Conn": _ON,
                "WMaxLimPct": 100.0,
                "WMaxLimPct_RvrtTms": 0,
                "WMaxLim_Ena": 0,
                "OutPFSet": 1.0,
                "OutPFSet_Ena": 0,
                "VArPct_Ena": 0,
            },
            **({160: old(pv.rated_w, strings)} if strings else {}),
        }
    )


def measurements(rated_w: float) -> dict[str, Value]:
    """Constants of model 103."""
    power_sf = scale_for(rated_w / _DC_EFFICIENCY)
    return {
        "A_SF": scale_for(rated_w / NOMINAL_VOLTAGE_V, 65_534),
        "V_SF": -1,
        "W_SF": power_sf,
        "VA_SF": power_sf,
        "Hz_SF": -2,
        "WH_SF": 0,
        "DCW_SF": power_sf,
        "Tmp_SF": 0,
        "TmpCab": 35,
        "Evt1": 0,
        "Evt2": 0,
    }


def _nameplate(rated_w: float, rating_sf: int) -> dict[str, Value]:
    scales = {"WRtg_SF": rating_sf, "VARtg_SF": rating_sf, "VArRtg_SF": rating_sf}
    reactive = {f"VArRtgQ{quadrant}": 0 for quadrant in (1, 2, 3, 4)}
    power_factors = {f"PFRtgQ{quadrant}": 1.0 for quadrant in (1, 2, 3, 4)}
    current_a = rated_w / 3 / NOMINAL_VOLTAGE_V
    return {
        **scales,
        "ARtg_SF": scale_for(current_a, 65_534),
        "PFRtg_SF": -3,
        "DERTyp": _PV,
        "WRtg": rated_w,
        "VARtg": rated_w,
        "ARtg": current_a,
        **reactive,
        **power_factors,
    }
