"""A PV inverter of the 700 series: SunSpec models 1, 701, 702, 704 to 712.

By `strings` it has model 714 as well, and by `heartbeat_s` 715: the limit then ends when the
controller's heartbeat does.

SunSpec counts generation positive: 701.W is minus our `power_w`.

Curtailment (704): WMaxLimPctEna 1 holds the output at WMaxLimPct of 702.WMax. Each write that
touches WMaxLimPctEna..WMaxLimPctRvrtTms starts the reversion timer afresh; 0 means that the limit
never lapses. When the timer runs out, WMaxLimPctEna takes the value of WMaxLimPctEnaRvrt and
WMaxLimPct that of WMaxLimPctRvrt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

from contracts.power import NOMINAL_VOLTAGE_V, line_to_line_v
from contracts.time import Clock
from depot_sim.modbus.listener import Listener
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import PhaseWatts, spread
from depot_sim.physics.pv import Pv
from depot_sim.sunspec.common import ASLEEP, Identity, put_terminals
from depot_sim.sunspec.device import NIGHT_FAULTS, SunSpecDevice
from depot_sim.sunspec.functions import Functions, constants, models
from depot_sim.sunspec.heartbeat import DER_MODEL, Heartbeat, points
from depot_sim.sunspec.image import Image, Value, scale_for
from depot_sim.sunspec.strings import new, refresh

_ON = 1
_SLEEPING, _MPPT, _THROTTLED = 1, 3, 4
"""701.InvSt."""


class SunSpecInverter700(SunSpecDevice):
    """A PV inverter of the plant."""

    FAULTS: ClassVar = NIGHT_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        pv: Pv,
        elapsed: Callable[[], float],
        strings: int = 0,
        heartbeat_s: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        image = _image(id, pv, strings, heartbeat=heartbeat_s is not None)
        super().__init__(id=id, listener=listener, image=image, elapsed=elapsed, clock=clock)
        self.pv = pv
        self._strings = strings
        self._heartbeat = Heartbeat(image, elapsed, heartbeat_s)
        self._lease = Lease()
        self.functions = Functions(self._image, elapsed, id)

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase; negative while it generates."""
        return spread(self.pv.power_w, 3)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        if self._lease.lapsed(now_s) or self._heartbeat.missed():
            put, get = self._image.put, self._image.get
            put(704, "WMaxLimPctEna", get(704, "WMaxLimPctEnaRvrt"))
            put(704, "WMaxLimPct", get(704, "WMaxLimPctRvrt"))
            self._lease = Lease(value=self._limit_w())
        self.functions.step()
        limit_w = self._lease.at(now_s) if self.powered else 0.0
        self.pv = self.pv.step(now_s, dt_s, limit_w=limit_w)

    def start_afresh(self) -> None:
        """The limit is forgotten."""
        self._image.put(704, "WMaxLimPctEna", 0)
        self._lease = Lease()

    def _written(self, address: int, count: int) -> None:
        first = self._image.address_of(704, "WMaxLimPctEna")
        last = self._image.address_of(704, "WMaxLimPctRvrtRem")
        if address < last and first < address + count:
            timer_s = self._image.get(704, "WMaxLimPctRvrtTms")
            self._lease = self.lease(self._limit_w(), timer_s)
        self._heartbeat.written()
        self.functions.written(address, count)

    def _limit_w(self) -> float | None:
        """The limit in the registers; None when there is none."""
        get = self._image.get
        if get(704, "WMaxLimPctEna") != _ON:
            return None
        return get(704, "WMaxLimPct") / 100.0 * get(702, "WMax")

    def _refresh(self) -> None:
        generated_w, put = -self.pv.power_w, self._image.put
        throttled = generated_w < self.pv.available_w
        put_terminals(self._image, self.terminals() if self.pv.available_w else ASLEEP)
        put(701, "W", generated_w)
        put(701, "VA", generated_w)
        put(701, "A", generated_w / NOMINAL_VOLTAGE_V)
        put(701, "TotWhInj", self.pv.generated_wh)
        running = _THROTTLED if throttled else _MPPT
        put(701, "InvSt", running if self.pv.available_w else _SLEEPING)
        put(704, "WMaxLimPctRvrtRem", math.ceil(self._lease.remaining_s(self.elapsed())))
        self.functions.refresh()
        self._heartbeat.refresh()
        if self._strings:
            refresh(self._image, 714, self._strings, generated_w, self.pv.generated_wh)


def _image(id: str, pv: Pv, strings: int, *, heartbeat: bool) -> Image:
    rating_sf = scale_for(pv.rated_w, 65_534)
    limit: dict[str, Value] = {
        "WMaxLimPct_SF": -1,
        "WMaxLimPctEna": 0,
        "WMaxLimPct": 100.0,
        "WMaxLimPctRvrt": 100.0,
        "WMaxLimPctEnaRvrt": 0,
        "WMaxLimPctRvrtTms": 0,
        "WMaxLimPctRvrtRem": 0,
    }
    return Image(
        {
            1: Identity(model="Simulated 700 series PV inverter", serial=id).points(),
            701: _measurements(pv.rated_w),
            702: {
                "W_SF": rating_sf,
                "VA_SF": rating_sf,
                "V_SF": 0,
                "WMaxRtg": pv.rated_w,
                "VAMaxRtg": pv.rated_w,
                "VNomRtg": line_to_line_v(NOMINAL_VOLTAGE_V),
                "WMax": pv.rated_w,
                "VAMax": pv.rated_w,
            },
            704: limit | constants(),
            **models(),
            **({714: new(pv.rated_w, strings)} if strings else {}),
            **({DER_MODEL: points()} if heartbeat else {}),
        }
    )


def _measurements(rated_w: float) -> dict[str, Value]:
    power_sf = scale_for(rated_w)
    return {
        "W_SF": power_sf,
        "VA_SF": power_sf,
        "A_SF": -1,
        "V_SF": -1,
        "Hz_SF": -3,
        "TotWh_SF": 0,
        "ACType": 2,
        "St": _ON,
        "InvSt": _MPPT,
        "ConnSt": 1,
    }
