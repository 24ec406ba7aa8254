"""What every device of ours says in model 1 and shares in its other models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.power import line_to_line_v
from depot_sim.physics.phases import PhaseWatts
from depot_sim.sunspec.image import Image, Value

LETTERS = ("A", "B", "C")
FREQUENCY_HZ = 50.0


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


def line_voltages(voltage_v: float, stem: str = "PhVph") -> Mapping[str, Value]:
    """Phase-to-phase voltages as model 203 names them; model 213 has the stem PPVph."""
    return {f"{stem}{pair}": line_to_line_v(voltage_v) for pair in ("AB", "BC", "CA")}
