"""The battery management of one battery of the plant."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.can.frames import CellState, frames
from depot_sim.faults import FaultKind, Faults
from depot_sim.physics.battery import Battery

FAULTS = frozenset(
    {
        FaultKind.OFFLINE,
        FaultKind.FREEZE,
        FaultKind.GARBLED,
        FaultKind.NONSENSE,
        FaultKind.DERATED,
        FaultKind.ALARM,
    }
)
_NOMINAL_V = 51.2
_LOWEST, _HIGHEST = 0.9, 1.1
"""Of the nominal voltage, empty and full."""
_ROOM_C = 25.0


class CanBms:
    """Says what the cells are and may, frame by frame.

    Knows the faults offline (no frames), freeze, garbled (frames cut short), nonsense (numbers no
    battery has), derated (limits are `amount` of what they were) and alarm (too hot).
    """

    def __init__(
        self, *, id: str, battery: Callable[[], Battery], elapsed: Callable[[], float]
    ) -> None:
        self.id = id
        self._battery = battery
        self._faults = Faults(FAULTS, elapsed)
        self._shown: dict[int, bytes] = {}
        self.keep_alives = 0
        """Frames heard that say that an inverter is there."""

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None).

        Raises:
            ValueError: not a fault of this device.
        """
        self._faults.begin(kind, for_s, amount)

    def frames(self) -> dict[int, bytes]:
        """What it sends now, by identifier."""
        if self._faults.active(FaultKind.OFFLINE):
            return {}
        if not self._shown or not self._faults.active(FaultKind.FREEZE):
            self._shown = frames(self._cells())
        if self._faults.active(FaultKind.GARBLED):
            return {number: data[:1] for number, data in self._shown.items()}
        if self._faults.active(FaultKind.NONSENSE):
            return dict.fromkeys(self._shown, b"\xff" * 8)
        return self._shown

    def _cells(self) -> CellState:
        battery, volts = self._battery(), self._voltage_v()
        share = self._faults.amount(FaultKind.DERATED)
        share = share if self._faults.active(FaultKind.DERATED) else 1.0
        return CellState(
            voltage_v=volts,
            current_a=battery.power_w / volts,
            temperature_c=_ROOM_C,
            soc_pct=battery.soc_pct,
            charge_a=share * battery.max_charge_w / volts,
            discharge_a=share * battery.max_discharge_w / volts,
            highest_v=_HIGHEST * _NOMINAL_V,
            lowest_v=_LOWEST * _NOMINAL_V,
            too_hot=self._faults.active(FaultKind.ALARM),
        )

    def _voltage_v(self) -> float:
        filled = self._battery().soc_pct / 100
        return _NOMINAL_V * (_LOWEST + (_HIGHEST - _LOWEST) * filled)
