"""The grid meter at the point of common coupling: SunSpec models 1 and 203, or 213 (floats).

Import is positive in W and WphA-C; currents are RMS magnitudes; TotWhImp and TotWhExp never fall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from contracts.power import line_to_line_v
from contracts.time import Clock
from depot_sim.modbus.device import METER_FAULTS
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.meter import Metering
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant
from depot_sim.sunspec.common import Identity, line_voltages, put_phases
from depot_sim.sunspec.device import IMAGE_FAULTS, SunSpecDevice
from depot_sim.sunspec.image import Image, Value, scale_for

_INTEGERS, _FLOATS = 203, 213
_PAIRS = {_INTEGERS: "PhVph", _FLOATS: "PPVph"}
_MARGIN = 1.15
"""How far beyond its rating the meter can count, at least; more would cost resolution."""


class SunSpecMeter(SunSpecDevice):
    """Shows the plant it is given. `rated_a` per phase chooses the scale factors of integers."""

    FAULTS: ClassVar = IMAGE_FAULTS | METER_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        rated_a: float,
        plant: Callable[[], Plant],
        elapsed: Callable[[], float],
        floats: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._model = _FLOATS if floats else _INTEGERS
        constants = {} if floats else _scales(rated_a, plant().voltage_v)
        image = Image(
            {
                1: Identity(model="Simulated PCC meter", serial=id).points(),
                self._model: {**constants, "Evt": 0},
            }
        )
        super().__init__(id=id, listener=listener, image=image, elapsed=elapsed, clock=clock)
        self._metering = Metering(plant, self.faults)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass, after the plant has moved on."""
        del now_s
        self._metering.step(dt_s)

    def _refresh(self) -> None:
        plant, model = self._metering.shows(), self._model
        self._put_all(_totals(plant))
        three: Mapping[str, PhaseWatts] = {
            "Wph": plant.phases_w,
            "Aph": plant.phases_a,
            "PhVph": plant.phases_v,
        }
        for stem, values in three.items():
            put_phases(self._image, model, stem, values)
        self._put_all(line_voltages(plant.voltage_v, _PAIRS[model]))

    def _put_all(self, values: Mapping[str, Value]) -> None:
        for name, value in values.items():
            self._image.put(self._model, name, value)


def _totals(plant: Plant) -> Mapping[str, Value]:
    return {
        "W": plant.power_w,
        "VA": sum(plant.phases_va),
        "A": sum(plant.phases_a),
        "PhV": plant.voltage_v,
        "PPV": line_to_line_v(plant.voltage_v),
        "Hz": plant.frequency_hz,
        "TotWhImp": plant.import_wh % 2**32,
        "TotWhExp": plant.export_wh % 2**32,
    }


def _scales(rated_a: float, voltage_v: float) -> Mapping[str, Value]:
    power_sf = scale_for(3 * rated_a * voltage_v * _MARGIN)
    return {
        "A_SF": scale_for(3 * rated_a * _MARGIN),
        "V_SF": -1,
        "Hz_SF": -2,
        "W_SF": power_sf,
        "VA_SF": power_sf,
        "TotWh_SF": 0,
    }
