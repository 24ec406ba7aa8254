"""What every device of ours says in model 1 and shares in its other models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.power import line_to_line_v
from depot_sim.physics.phases import NO_FLOW, PhaseWatts
from depot_sim.physics.plant import Plant
from depot_sim.sunspec.image import Image, Value

LETTERS = ("A", "B", "C")
ASLEEP = Plant(phases_v=NO_FLOW, frequency_hz=0.0)
"""What an inverter that sleeps shows of the grid: zeros, and no sentinel (seen on a KACO)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Model and serial number of a device."""

    model: str
    serial: str

    def points(self) -> Mapping[str, Value]:
        """The constants of model 1."""
        return {"Mn": "Gridyard", "Md": self.model, "Vr": "1.0", "SN": self.serial[:32], "DA": 1}


def put_phases(image: Image, model_id: int, stem: str, values: PhaseWatts) -> None:
    """Set `stem`A, `stem`B and `stem`C."""
    for letter, value in zip(LETTERS, values, strict=True):
        image.put(model_id, f"{stem}{letter}", value)


def put_terminals(image: Image, plant: Plant) -> None:
    """Set voltages and frequency of model 701."""
    image.put(701, "Hz", plant.frequency_hz)
    image.put(701, "LNV", plant.voltage_v)
    image.put(701, "LLV", line_to_line_v(plant.voltage_v))
    for number, voltage_v in enumerate(plant.phases_v, start=1):
        image.put(701, f"VL{number}", voltage_v)


def line_voltages(voltage_v: float, stem: str = "PhVph") -> Mapping[str, Value]:
    """Phase-to-phase voltages as model 203 names them; model 213 has the stem PPVph."""
    return {f"{stem}{pair}": line_to_line_v(voltage_v) for pair in ("AB", "BC", "CA")}
