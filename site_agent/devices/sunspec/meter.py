"""A SunSpec meter: power, phase currents and imported energy.

When the agent dies nothing happens to a meter; when the meter dies its readings turn STALE after
`max_age_s` and vanish after 30 s, and the control loop falls back to a static split.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from contracts.reading import Quality, Reading
from contracts.time import Clock
from site_agent.devices.freshness import Freshness
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.polling import Poller
from site_agent.devices.sunspec.codec import ModelCodec, Values
from site_agent.devices.sunspec.unit import Codecs, SunSpecUnit
from site_agent.domain.device import MeterState
from site_agent.ports import Wake

MAX_AGE_S = 3.0
_LOST_AFTER_S = 30.0
WAKE_STEP_A = 10.0
"""A rise of a phase current that the control loop should hear of at once."""

_PHASES = ("A", "B", "C")
_POINTS = (
    "W",
    "A",
    *(f"Wph{phase}" for phase in _PHASES),
    *(f"Aph{phase}" for phase in _PHASES),
    "TotWhImp",
    "TotWhExp",
    "Hz",
    "PhV",
    *(f"PhVph{phase}" for phase in _PHASES),
)
METERS: Codecs = {
    model_id: ModelCodec(model_id, _POINTS) for model_id in (203, 204, 202, 201, 213, 214, 212, 211)
}


class SunSpecMeter:
    """Models 201-204 (integers) and 211-214 (floats) as a `Meter`.

    Their definitions do not say which direction is positive, so `invert` belongs to each
    installation: set it where the meter counts export as positive.
    """

    def __init__(
        self,
        link: RegisterLink,
        unit: int,
        *,
        name: str,
        clock: Clock,
        wake: Wake,
        invert: bool = False,
        period_s: float = 0.25,
        max_age_s: float = MAX_AGE_S,
    ) -> None:
        self._unit = SunSpecUnit(link, unit)
        self._clock = clock
        self._wake = wake
        self._invert = invert
        self._freshness = Freshness(
            stale_after=timedelta(seconds=max_age_s),
            lost_after=timedelta(seconds=max(_LOST_AFTER_S, 2 * max_age_s)),
        )
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)
        self._state = _nothing(clock.now())
        self._heard_a = [0.0, 0.0, 0.0]

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._poller.run()

    def state(self, now: datetime) -> MeterState:
        """The newest readings, aged to `now`."""
        age = self._freshness.at
        exported, volts, hertz = (
            self._state.export_wh,
            self._state.voltage_v,
            self._state.frequency_hz,
        )
        current_1, current_2, current_3 = (age(c, now) for c in self._state.current_a)
        return MeterState(
            power_w=age(self._state.power_w, now),
            current_a=(current_1, current_2, current_3),
            import_wh=age(self._state.import_wh, now),
            export_wh=None if exported is None else age(exported, now),
            voltage_v=None if volts is None else age(volts, now),
            frequency_hz=None if hertz is None else age(hertz, now),
        )

    async def _poll(self) -> None:
        at = self._clock.now()
        read = await self._unit.read(METERS, Priority.FAST)
        self._state = meter_state(read.values, at, invert=self._invert)
        if self._rose():
            self._wake()

    def _rose(self) -> bool:
        """Whether a phase rose by a step since the loop last heard; falls are only remembered."""
        now_a = [reading.value or 0.0 for reading in self._state.current_a]
        rose = any(n - heard >= WAKE_STEP_A for n, heard in zip(now_a, self._heard_a, strict=True))
        lower_a = [min(n, heard) for n, heard in zip(now_a, self._heard_a, strict=True)]
        self._heard_a = now_a if rose else lower_a
        return rose


def meter_state(values: Values, at: datetime, *, invert: bool) -> MeterState:
    """What a meter's model says, import positive."""
    sign = -1.0 if invert else 1.0
    current_1, current_2, current_3 = (_current(values, phase, sign) for phase in _PHASES)
    return MeterState(
        power_w=_reading(_times(values["W"], sign), at),
        current_a=(_reading(current_1, at), _reading(current_2, at), _reading(current_3, at)),
        import_wh=_reading(values["TotWhExp" if invert else "TotWhImp"], at),
        export_wh=_reading(values["TotWhImp" if invert else "TotWhExp"], at),
        voltage_v=_told(_volts(values), at),
        frequency_hz=_told(values["Hz"], at),
    )


def _volts(values: Values) -> float | None:
    """The highest of the phases; a meter may fill in only their mean."""
    phases = [volts for phase in _PHASES if (volts := values[f"PhVph{phase}"]) is not None]
    return max(phases, default=values["PhV"])


def _told(number: float | None, at: datetime) -> Reading | None:
    """None where the meter does not implement the point."""
    return None if number is None else _reading(number, at)


def _current(values: Values, phase: str, sign: float) -> float | None:
    """A phase current with the direction of its power.

    Most meters report currents without a direction, so the phase's power decides, else the total;
    a single-phase meter may fill in only the total current.
    """
    amperes = values[f"Aph{phase}"]
    if amperes is None and phase == "A" and values["AphB"] is None:
        amperes = values["A"]
    if amperes is None:
        return None
    watts = values[f"Wph{phase}"]
    watts = values["W"] if watts is None else watts
    if not watts:
        return abs(amperes)  # no power: count it as load, the cautious side
    return math.copysign(amperes, watts * sign)


def _times(number: float | None, sign: float) -> float | None:
    return None if number is None else number * sign + 0.0  # no -0.0


def _reading(number: float | None, at: datetime) -> Reading:
    if number is None:
        return Reading.missing(at, Quality.INVALID)
    return Reading(value=number, quality=Quality.GOOD, at=at)


def _nothing(at: datetime) -> MeterState:
    nothing = Reading.missing(at)
    return MeterState(
        power_w=nothing, current_a=(nothing, nothing, nothing), import_wh=nothing, export_wh=nothing
    )
