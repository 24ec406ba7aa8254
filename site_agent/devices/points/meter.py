"""A `Meter` from any source: power, signed phase currents and imported energy.

When the agent dies nothing happens to a meter; when the meter dies its readings turn STALE and
vanish, and the control loop falls back to a static split.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from contracts.power import NOMINAL_VOLTAGE_V
from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.points.board import PointBoard
from site_agent.devices.points.nature import Edge, live, require
from site_agent.devices.points.source import Source
from site_agent.domain.device import MeterState
from site_agent.ports import Wake

WAKE_STEP_A = 10.0
"""A rise of a phase current that the control loop should hear of at once."""
_PHASES = ("l1", "l2", "l3")


class PointMeter:
    """Needs `active_power`; a phase without a current has it from its power and voltage.

    `invert`: it counts export as positive in this installation (its terminals are swapped).
    """

    def __init__(
        self, source: Source, *, name: str, clock: Clock, wake: Wake, invert: bool = False
    ) -> None:
        require(source, "meter", "active_power")
        self._source = source
        self._clock = clock
        self._wake = wake
        self._invert = invert
        self._edge = Edge(name, wake)
        self._heard_a = [0.0, 0.0, 0.0]

    async def run(self) -> None:
        """Read until cancelled."""
        await live(self._source, self._clock, heard=self._notice, upkeep=self._come_or_gone)

    def state(self, now: datetime) -> MeterState:
        """The newest readings, aged to `now`; import positive."""
        board, sign = self._source.board, -1.0 if self._invert else 1.0
        current_1, current_2, current_3 = (
            phase_current(board, phase, now, sign) for phase in _PHASES
        )
        return MeterState(
            power_w=_times(board.reading("active_power", now), sign),
            current_a=(current_1, current_2, current_3),
            import_wh=board.reading("export_energy" if self._invert else "import_energy", now),
            export_wh=board.reading("import_energy" if self._invert else "export_energy", now),
            voltage_v=_highest(board, now),
            frequency_hz=board.reading("frequency", now) if "frequency" in board.points else None,
        )

    async def _notice(self) -> None:
        if self._rose():
            self._wake()
        await self._come_or_gone()

    async def _come_or_gone(self) -> None:
        self._edge.see(self._source.answers)

    def _rose(self) -> bool:
        """Whether a phase rose by a step since the loop last heard; falls are only remembered."""
        currents = self.state(self._clock.now()).current_a
        now_a = [reading.value or 0.0 for reading in currents]
        rose = any(n - heard >= WAKE_STEP_A for n, heard in zip(now_a, self._heard_a, strict=True))
        lower_a = [min(n, heard) for n, heard in zip(now_a, self._heard_a, strict=True)]
        self._heard_a = now_a if rose else lower_a
        return rose


def phase_current(board: PointBoard, phase: str, now: datetime, sign: float = 1.0) -> Reading:
    """A phase current with the direction of its power.

    Meters report currents without a direction, so the phase's power decides, else the total; no
    power counts as load, the cautious side. A meter that reports no current at all has it from the
    phase's power and voltage (ESTIMATED: reactive current is not in it).
    """
    amperes = board.reading(f"current_{phase}", now)
    watts = board.reading(f"active_power_{phase}", now)
    if f"current_{phase}" not in board.points:
        return _from_power(board, phase, now, sign)
    if amperes.value is None:
        return amperes
    toward = watts.value if watts.value is not None else board.reading("active_power", now).value
    magnitude = abs(amperes.value)
    signed = math.copysign(magnitude, toward * sign) if toward else magnitude
    return replace(amperes, value=signed)


def _highest(board: PointBoard, now: datetime) -> Reading | None:
    """The highest voltage of the phases that it tells; None: it tells none."""
    names = [f"voltage_{phase}" for phase in _PHASES if f"voltage_{phase}" in board.points]
    readings = [board.reading(name, now) for name in names]
    known = [one for one in readings if one.value is not None]
    return max(known, key=lambda one: one.value or 0.0, default=next(iter(readings), None))


def _from_power(board: PointBoard, phase: str, now: datetime, sign: float) -> Reading:
    watts = board.reading(f"active_power_{phase}", now)
    if watts.value is None:
        return watts
    volts = board.fresh(f"voltage_{phase}", now) or NOMINAL_VOLTAGE_V
    quality = Quality.ESTIMATED if watts.quality.usable else watts.quality
    return replace(watts, value=watts.value / volts * sign, quality=quality)


def _times(reading: Reading, sign: float) -> Reading:
    value = None if reading.value is None else reading.value * sign + 0.0  # no -0.0
    return replace(reading, value=value)
