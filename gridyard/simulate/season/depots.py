"""Depots in two time zones: their load by the hour, what they offer of it, and how they answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gateway.domain.portfolio import Site

Watts = NDArray[np.float64]
Flags = NDArray[np.bool_]
SLOT = timedelta(minutes=30)
"""Loads and offers are told by the half hour."""
ZONES = (ZoneInfo("America/Los_Angeles"), ZoneInfo("America/Denver"))
_MINUTE = timedelta(minutes=1)
_LAG_MIN = 4
_SATURDAY = 5
_PEAK_HOURS = (13.0, 18.0, 22.0)
"""Delivery vans charge at noon, buses after the evening peak, lorries at night."""
_DEAF, _NO_SHOW, _UNHEARD = 0.02, 0.02, 0.03
_OUTAGE, _LOST = 0.4, 0.08
"""Links fail together: in so many events, at so many sites."""
_NOISE = 0.03


class Depots:
    """Their hidden truth; everything is drawn from the seed."""

    def __init__(self, count: int, seed: int) -> None:
        draw = self._draw = np.random.default_rng((seed, count))
        self.ids = tuple(f"site-{k:05d}" for k in range(count))
        self.index: Mapping[str, int] = {site_id: k for k, site_id in enumerate(self.ids)}
        self._base_w = draw.lognormal(np.log(120_000.0), 0.6, count)
        self._peak_hour = draw.choice(_PEAK_HOURS, count) + draw.normal(0.0, 1.0, count)
        self._weekend = draw.choice((0.5, 1.0), count)
        self._flexible = draw.uniform(0.2, 0.7, count)
        self.lasts_h = draw.uniform(1.5, 8.0, count)
        self._answer = draw.normal(0.95, 0.04, count).clip(0.6, 1.0)
        self._deaf = draw.random(count) < _DEAF
        self._lag_min = draw.integers(1, _LAG_MIN + 1, count)
        self._zone = np.arange(count) % len(ZONES)
        self._told_w = np.zeros(count)
        self._absent = np.zeros(count, dtype=bool)
        self._off_until: dict[int, datetime] = {}
        self._known: dict[datetime, Watts] = {}
        self.sites = tuple(
            Site(
                site_id=site_id,
                name=site_id,
                time_zone=ZONES[self._zone[k]],
                import_limit_w=float(2.0 * self._base_w[k]),
                simulated=True,
            )
            for k, site_id in enumerate(self.ids)
        )

    def baseline_w(self, at: datetime) -> Watts:
        """The load each is expected to have in the half hour that holds an instant."""
        slot = at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)
        if slot not in self._known:
            self._known[slot] = self._load(slot)
        return self._known[slot]

    def offer_w(self, at: datetime) -> Watts:
        """What each offers of it."""
        return self.baseline_w(at) * self._flexible

    def usual_offer_w(self) -> Watts:
        """Mean of a day at full work."""
        hours = np.arange(24)[:, None]
        shapes = _shape(hours - self._peak_hour[None, :])
        return np.asarray(shapes.mean(axis=0) * self._base_w * self._flexible, dtype=np.float64)

    def begin_event(self, now: datetime, *, fresh: bool) -> None:
        """Who does not show up, and whose links fail for a while, is drawn anew.

        `fresh`: no other event is under way, so nobody holds an instruction.
        """
        count = len(self.ids)
        if fresh:
            self._told_w = np.zeros(count)
        self._absent = self._draw.random(count) < _NO_SHOW
        if self._draw.random() < _OUTAGE:
            until = now + int(self._draw.integers(20, 180)) * _MINUTE
            lost = np.flatnonzero(self._draw.random(count) < _LOST).tolist()
            self._off_until = dict.fromkeys(lost, until)

    def offline(self, now: datetime) -> Flags:
        """Whose link is down."""
        found = np.zeros(len(self.ids), dtype=bool)
        found[[k for k, until in self._off_until.items() if now < until]] = True
        return found

    def live_a_step(self, now: datetime, told_w: Watts, step: timedelta) -> tuple[Watts, Watts]:
        """By how much each lies below its baseline in the step from `now`, W: mean, and at the end.

        All have followed by then. Who is offline goes on with what it was told last.
        """
        answer = np.where(self._deaf | self._absent, 0.0, self._answer)
        before_w, self._told_w = self._told_w, np.where(self.offline(now), self._told_w, told_w)
        late = self._lag_min * (_MINUTE / step)
        noise = self._draw.normal(0.0, _NOISE, len(self.ids)) * self.baseline_w(now)
        last_w = self._told_w * answer + noise
        mean_w = (late * before_w + (1.0 - late) * self._told_w) * answer + noise
        return np.asarray(mean_w, dtype=np.float64), np.asarray(last_w, dtype=np.float64)

    def heard(self, now: datetime) -> Flags:
        """Whose telemetry of this step arrives."""
        arrives = self._draw.random(len(self.ids)) >= _UNHEARD
        return arrives & ~self.offline(now)

    def _load(self, slot: datetime) -> Watts:
        hours, weekend = np.zeros(len(self.ids)), np.zeros(len(self.ids), dtype=bool)
        for number, zone in enumerate(ZONES):
            here = slot.astimezone(zone)
            mine = self._zone == number
            hours[mine] = here.hour + here.minute / 60
            weekend[mine] = here.weekday() >= _SATURDAY
        share = np.where(weekend, self._weekend, 1.0)
        return np.asarray(self._base_w * share * _shape(hours - self._peak_hour), dtype=np.float64)


def _shape(from_peak_h: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the highest load, so many hours from its peak."""
    away = (from_peak_h + 12.0) % 24.0 - 12.0
    return np.asarray(0.3 + 0.7 * np.exp(-(away**2) / (2 * 4.0**2)), dtype=np.float64)
