"""Sound meters are trusted, whatever an ordinary day brings: no alarm without a fault."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.power import NOMINAL_VOLTAGE_V
from contracts.reading import Quality, Reading
from site_agent.domain.device import PHASES, MeterState
from site_agent.domain.policy import TrustPolicy
from site_agent.domain.protect.estimate import Span
from site_agent.domain.trust.belief import Granted
from site_agent.domain.trust.meter import MeterTrust
from site_agent.domain.trust.told import Told
from support.site import NOON, model

pytestmark = pytest.mark.row("truth:V4")
MODEL = model(root_a=300, contract_w=150_000, max_building_w=60_000)
STEP_S, SAMPLE_S = 2.0, 6.0
DAY_S = 24 * 3600.0
LONG_S = 14 * 3600.0
"""From midnight until the sun is past its height."""
PV_W = 60_000.0


@dataclass
class Day:
    """A depot's day: a building with machines, eight vehicles that come and go, sun over it all."""

    random: Random
    resolution_w: float = 1.0
    register_wh: float = 1.0
    noise_w: float = 400.0
    quiet_night: bool = True
    machine_w: float = 12_000.0
    now_s: float = 0.0
    import_wh: float = 5_000.0
    export_wh: float = 7_000.0
    draws: list[float] = field(default_factory=lambda: [0.0] * 8)
    words: dict[str, float] = field(default_factory=dict)

    def readings(self, seconds: float) -> Iterator[tuple[MeterState, Told]]:
        while self.now_s < seconds:
            self.now_s += STEP_S
            self._vehicles()
            power_w = self._building() + sum(self.draws) - self._sun()
            self.import_wh += max(0.0, power_w) * STEP_S / 3600
            self.export_wh += max(0.0, -power_w) * STEP_S / 3600
            yield self._meter(power_w), self._told()

    def _night(self) -> bool:
        return self.quiet_night and self.now_s % DAY_S < DAY_S / 4

    def _building(self) -> float:
        if self._night():
            return 8_000.0
        machine = self.machine_w if int(self.now_s / 600) % 3 == 1 else 0.0
        return 18_000.0 + machine + self.random.gauss(0.0, self.noise_w)

    def _sun(self) -> float:
        height = math.sin((self.now_s % DAY_S / DAY_S - 0.25) * 2 * math.pi)
        cloud = 0.4 if int(self.now_s / 97) % 5 == 0 else 1.0
        return PV_W * max(0.0, height) * cloud

    def _vehicles(self) -> None:
        for n in range(8):
            if self.random.random() < STEP_S / 1800:
                self.draws[n] = self.random.choice([0.0, 4_140.0, 11_040.0, 22_080.0])
            elif self.draws[n]:
                self.draws[n] = max(1_000.0, self.draws[n] + self.random.gauss(0.0, 30.0))

    def _meter(self, power_w: float) -> MeterState:
        at = NOON + timedelta(seconds=self.now_s)
        shown_w = round(power_w / self.resolution_w) * self.resolution_w
        amps = _good(power_w / len(PHASES) / NOMINAL_VOLTAGE_V, at)
        return MeterState(
            power_w=_good(shown_w, at),
            current_a=(amps, amps, amps),
            import_wh=_good(self.import_wh // self.register_wh * self.register_wh, at),
            export_wh=_good(self.export_wh // self.register_wh * self.register_wh, at),
        )

    def _told(self) -> Told:
        """Each charger tells at its own time; the inverter at every step."""
        for n, watts in enumerate(self.draws):
            if (self.now_s + n * STEP_S) % SAMPLE_S < STEP_S:
                self.words[f"c{n}"] = watts * (1.0 + 0.01 * (n - 4))
        self.words["pv"] = -self._sun()
        drawn_w = sum(watts for name, watts in self.words.items() if name != "pv")
        amps = drawn_w / len(PHASES) / NOMINAL_VOLTAGE_V
        span = Span(low=amps, high=amps)
        return Told(
            drawn_w=Span(low=drawn_w, high=drawn_w),
            drawn_a=(span, span, span),
            sure_w=drawn_w,
            sure_a=(amps, amps, amps),
            made_w=self._sun(),
            watts=dict(self.words),
            blind_w=0.0,
            sampled={},
        )


def _good(value: float, at: object) -> Reading:
    return Reading(value=value, quality=Quality.GOOD, at=at)  # type: ignore[arg-type]


def distrusted(day: Day, seconds: float, *, flipped_after_s: float = math.inf) -> list[str]:
    """What the meter was caught with; its sign is flipped after a while."""
    trust = MeterTrust(MODEL, TrustPolicy())
    nothing = Granted(power_w=0.0, phases_a=(0.0, 0.0, 0.0))
    found: list[str] = []
    for told_so, words in day.readings(seconds):
        meter = _flipped(told_so) if day.now_s > flipped_after_s else told_so
        shown, belief = trust.judge(meter, lambda said=words: said, lambda: nothing)  # type: ignore[misc]
        if belief.distrust is not None:
            found.append(f"{day.now_s}: {belief.distrust}")
            break
        assert shown is meter or day.now_s > flipped_after_s
    return found


@pytest.mark.parametrize(("resolution_w", "register_wh"), [(1.0, 1.0), (1_000.0, 1_000.0)])
def test_a_long_day_raises_no_alarm(resolution_w: float, register_wh: float) -> None:
    """Constant load by night, machines, clouds, export at noon, registers of any step."""
    day = Day(Random(7), resolution_w=resolution_w, register_wh=register_wh)
    assert distrusted(day, LONG_S) == []


def test_the_same_day_with_a_fault_is_told_from_it() -> None:
    """Or the day would prove nothing."""
    for begins_s in (2 * 3600.0, 9 * 3600.0):
        (caught,) = distrusted(Day(Random(7)), LONG_S, flipped_after_s=begins_s)
        assert float(caught.partition(":")[0]) < begins_s + 120


def _flipped(meter: MeterState) -> MeterState:
    power_w = meter.power_w
    return replace(meter, power_w=replace(power_w, value=-(power_w.value or 0.0)))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    resolution_w=st.sampled_from([1.0, 10.0, 500.0, 1_000.0]),
    register_wh=st.sampled_from([1.0, 10.0, 100.0, 1_000.0]),
    noise_w=st.floats(0.0, 3_000.0),
    machine_w=st.floats(0.0, 30_000.0),
    begins_s=st.floats(0.0, DAY_S),
)
def test_no_ordinary_hour_raises_an_alarm(
    seed: int,
    resolution_w: float,
    register_wh: float,
    noise_w: float,
    machine_w: float,
    begins_s: float,
) -> None:
    day = Day(
        Random(seed),
        resolution_w=resolution_w,
        register_wh=register_wh,
        noise_w=noise_w,
        machine_w=machine_w,
        now_s=begins_s,
    )
    assert distrusted(day, begins_s + 3_600) == []
