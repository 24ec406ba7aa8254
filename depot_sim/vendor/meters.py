"""Two meters with registers of their own.

EM540: Carlo Gavazzi, "EM500 series communication protocol": 32-bit numbers with the low word
first, the same in both register tables; read alone, register 11 is the identification code.

SDM630: Eastron, "SDM630 Modbus protocol": input registers, 32-bit floats with the high word first.

Import is positive in both.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from contracts.power import line_to_line_v
from contracts.time import Clock
from depot_sim.modbus.device import FAULTS, METER_FAULTS
from depot_sim.modbus.listener import Listener
from depot_sim.modbus.meter import Metering
from depot_sim.modbus.pdu import Table
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant
from depot_sim.vendor.device import VendorDevice
from depot_sim.vendor.registers import Entry, RegisterMap

_EM540_CODE_AT, _EM540_CODE = 11, 1760


def _three(stem: str, at: int, type: str, scale: float = 1.0) -> dict[str, Entry]:
    """`stem`1 to `stem`3, two registers apart."""
    return {f"{stem}{n + 1}": Entry(at=at + 2 * n, type=type, scale=scale) for n in range(3)}


_EM540: Mapping[str, Entry] = {
    **_three("v", 0, "int32", 0.1),
    **_three("vv", 6, "int32", 0.1),
    **_three("a", 12, "int32", 0.001),
    **_three("w", 18, "int32", 0.1),
    **_three("va", 24, "int32", 0.1),
    **_three("var", 30, "int32", 0.1),
    "v": Entry(at=36, type="int32", scale=0.1),
    "vv": Entry(at=38, type="int32", scale=0.1),
    "w": Entry(at=40, type="int32", scale=0.1),
    "va": Entry(at=42, type="int32", scale=0.1),
    "var": Entry(at=44, type="int32", scale=0.1),
    "pf": Entry(at=49, type="int16", scale=0.001),
    "hz": Entry(at=51, type="uint16", scale=0.1),
    "import_kwh": Entry(at=52, type="int32", scale=0.1),
    "export_kwh": Entry(at=78, type="int32", scale=0.1),
    "import_wh": Entry(at=1280, type="int64"),
    "hz_fine": Entry(at=1340, type="int32", scale=0.001),
}
_SDM630: Mapping[str, Entry] = {
    **_three("v", 0, "float32"),
    **_three("a", 6, "float32"),
    **_three("w", 12, "float32"),
    **_three("va", 18, "float32"),
    **_three("var", 24, "float32"),
    "v": Entry(at=42, type="float32"),
    "a": Entry(at=48, type="float32"),
    "w": Entry(at=52, type="float32"),
    "va": Entry(at=56, type="float32"),
    "var": Entry(at=60, type="float32"),
    "pf": Entry(at=62, type="float32"),
    "hz": Entry(at=70, type="float32"),
    "import_kwh": Entry(at=72, type="float32"),
    "export_kwh": Entry(at=74, type="float32"),
}


class VendorMeter(VendorDevice):
    """Shows the plant it is given."""

    FAULTS: ClassVar = FAULTS | METER_FAULTS

    def __init__(
        self,
        *,
        id: str,
        listener: Listener,
        plant: Callable[[], Plant],
        elapsed: Callable[[], float],
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            id=id, listener=listener, maps=self._make_maps(), elapsed=elapsed, clock=clock
        )
        self._metering = Metering(plant, self.faults)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass, after the plant has moved on."""
        del now_s
        self._metering.step(dt_s)

    @abstractmethod
    def _make_maps(self) -> Mapping[Table, RegisterMap]:
        """Its registers, by table."""

    def _refresh(self) -> None:
        plant, held = self._metering.shows(), next(iter(self._maps.values()))
        three: Mapping[str, PhaseWatts] = {
            "v": plant.phases_v,
            "a": plant.phases_a,
            "w": plant.phases_w,
            "va": plant.phases_va,
            "var": plant.phases_var,
        }
        for stem, values in three.items():
            for number, value in enumerate(values, start=1):
                held.put(f"{stem}{number}", value)
        for stem in ("w", "va", "var"):
            held.put(stem, sum(three[stem]))
        held.put("v", plant.voltage_v)
        held.put("pf", plant.power_factor)
        held.put("hz", plant.frequency_hz)
        held.put("import_kwh", plant.import_wh / 1000.0)
        held.put("export_kwh", plant.export_wh / 1000.0)


class Em540Meter(VendorMeter):
    """A Carlo Gavazzi EM540."""

    def _make_maps(self) -> Mapping[Table, RegisterMap]:
        both = RegisterMap(_EM540, low_word_first=True)
        return {Table.INPUT: both, Table.HOLDING: both}

    def read(self, table: Table, address: int, count: int) -> Sequence[int]:
        """See `VendorDevice`; the identification code answers a request for it alone."""
        if (address, count) == (_EM540_CODE_AT, 1) and table in self._maps:
            return [_EM540_CODE]
        return super().read(table, address, count)

    def _refresh(self) -> None:
        super()._refresh()
        held = self._maps[Table.INPUT]
        held.put("import_wh", held.get("import_kwh") * 1000.0)
        held.put("hz_fine", held.get("hz"))
        between_v = line_to_line_v(held.get("v"))
        for name in ("vv", "vv1", "vv2", "vv3"):
            held.put(name, between_v)


class Sdm630Meter(VendorMeter):
    """An Eastron SDM630."""

    def _make_maps(self) -> Mapping[Table, RegisterMap]:
        return {Table.INPUT: RegisterMap(_SDM630)}

    def _refresh(self) -> None:
        super()._refresh()
        held = self._maps[Table.INPUT]
        held.put("a", sum(held.get(f"a{n}") for n in (1, 2, 3)))
