"""The grid meter at the point of common coupling: SunSpec models 1 and 203.

Import is positive in W and WphA-C; currents are RMS magnitudes; TotWhImp and TotWhExp never fall.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from contracts.power import line_to_line_v
from depot_sim.faults import FaultKind, Faults
from depot_sim.physics.plant import Plant
from depot_sim.sunspec.common import FREQUENCY_HZ, Identity, line_voltages, put_phases
from depot_sim.sunspec.image import Image, scale_for
from depot_sim.sunspec.server import FAULTS, Address, Listener, SunSpecServer

_MODEL = 203
_MARGIN = 1.15
"""How far beyond its rating the meter can count, at least; more would cost resolution."""


class SunSpecMeter:
    """Shows the plant it is given. `rated_a` per phase chooses the scale factors."""

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        rated_a: float,
        plant: Callable[[], Plant],
        elapsed: Callable[[], float],
    ) -> None:
        self.id = id
        self._plant = plant
        self._faults = Faults(FAULTS, elapsed)
        self._image = _image(id, rated_a, plant().voltage_v)
        self._server = SunSpecServer(
            listener=listener, image=self._image, faults=self._faults, refresh=self._refresh
        )

    def serving(self) -> AbstractAsyncContextManager[Address]:
        """Listen while the context lasts."""
        return self._server.serving()

    def fail(self, kind: FaultKind, for_s: float | None) -> None:
        """Let a fault begin (freeze, offline), for some seconds or for good (None)."""
        self._faults.begin(kind, for_s)

    def _refresh(self) -> None:
        plant, put = self._plant(), self._image.put
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
