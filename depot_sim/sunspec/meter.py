"""The grid meter at the point of common coupling: SunSpec models 1 and 203.

Import is positive in W and WphA-C; currents are RMS magnitudes; TotWhImp and TotWhExp never fall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from contracts.power import line_to_line_v
from contracts.time import Clock
from depot_sim.modbus.device import METER_FAULTS
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.meter import Metering
from depot_sim.physics.plant import Plant
from depot_sim.sunspec.common import FREQUENCY_HZ, Identity, line_voltages, put_phases
from depot_sim.sunspec.device import IMAGE_FAULTS, SunSpecDevice
from depot_sim.sunspec.image import Image, scale_for

_MODEL = 203
_MARGIN = 1.15
"""How far beyond its rating the meter can count, at least; more would cost resolution."""


class SunSpecMeter(SunSpecDevice):
    """Shows the plant it is given. `rated_a` per phase chooses the scale factors."""

    FAULTS: ClassVar = IMAGE_FAULTS | METER_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        rated_a: float,
        plant: Callable[[], Plant],
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        image = _image(id, rated_a, plant().voltage_v)
        super().__init__(id=id, listener=listener, image=image, elapsed=elapsed, clock=clock)
        self._metering = Metering(plant, self.faults)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass, after the plant has moved on."""
        del now_s
        self._metering.step(dt_s)

    def _refresh(self) -> None:
        plant, put = self._metering.shows(), self._image.put
        put(_MODEL, "W", plant.power_w)
        put(_MODEL, "VA", sum(abs(power_w) for power_w in plant.phases_w))
        put(_MODEL, "A", sum(plant.phases_a))
        put_phases(self._image, _MODEL, "Wph", plant.phases_w)
        put_phases(self._image, _MODEL, "Aph", plant.phases_a)
        put(_MODEL, "TotWhImp", plant.import_wh % 2**32)
        put(_MODEL, "TotWhExp", plant.export_wh % 2**32)


def _image(id: str, rated_a: float, voltage_v: float) -> Image:
    power_sf = scale_for(3 * rated_a * voltage_v * _MARGIN)
    phases = {f"PhVph{letter}": voltage_v for letter in "ABC"}
    return Image(
        {
            1: Identity(model="Simulated PCC meter", serial=id).points(),
            _MODEL: {
                "A_SF": scale_for(3 * rated_a * _MARGIN),
                "V_SF": -1,
                "Hz_SF": -2,
                "W_SF": power_sf,
                "VA_SF": power_sf,
                "TotWh_SF": 0,
                "PhV": voltage_v,
                "PPV": line_to_line_v(voltage_v),
                **phases,
                **line_voltages(voltage_v),
                "Hz": FREQUENCY_HZ,
                "Evt": 0,
            },
        }
    )
