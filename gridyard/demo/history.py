"""Ten days of synthetic, labelled history, so that the demo's baseline has days to look back on."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.time import Interval

LABEL = "synthetic"
_STEP = timedelta(minutes=1)


def synthetic_history(
    *, around: datetime, typical_w: float, seed: int, days: int = 10, hours: int = 2
) -> StepSeries:
    """Site import in W, one value a minute, `hours` either side of this time on past days.

    Each day has its own level (a few per cent around `typical_w`) and slow waves and noise within
    it, as a depot's load has; the same seed gives the same history.
    """
    rng = random.Random(seed)  # noqa: S311 (synthetic load, not a secret)
    minute = around.replace(second=0, microsecond=0)
    steps: list[tuple[Interval, float]] = []
    for day in range(1, days + 1):
        level = typical_w * rng.uniform(0.93, 1.07)
        phase = rng.uniform(0.0, math.tau)
        start = minute - timedelta(days=day, hours=hours)
        for k in range(hours * 120):
            wave = 0.03 * math.sin(phase + math.tau * k / 47.0) + rng.gauss(0.0, 0.01)
            interval = Interval.lasting(start + k * _STEP, _STEP)
            steps.append((interval, level * (1.0 + wave)))
    return StepSeries.of(steps)
