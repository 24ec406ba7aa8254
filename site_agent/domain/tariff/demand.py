"""Demand: averages of the power drawn over the tariff's interval, and the highest of a month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.tariff.tariff import BillingMonth, Tariff

PeakKey = tuple[str, BillingMonth]
"""Name of a demand charge and the billing month."""


def windows(horizon: Horizon, interval: timedelta, *, rolling: bool) -> list[tuple[int, int]]:
    """The slots `[first, end)` that each demand interval covers, as far as the horizon has them.

    `rolling`: one from every slot on; else those that begin at whole multiples of the interval,
    the first of which may have begun before the horizon.

    Raises:
        ValueError: the interval is no whole multiple of a slot.
    """
    per = round(interval / horizon.step)
    if per < 1 or per * horizon.step != interval:
        raise ValueError(f"a demand interval of {interval} is no multiple of {horizon.step}")
    if rolling:
        return [(i, i + per) for i in range(max(1, horizon.count - per + 1))]
    begun = Horizon.around(horizon.start, interval, interval).start
    first = round((begun - horizon.start) / horizon.step)
    return [
        (max(0, i), min(horizon.count, i + per))
        for i in range(first, horizon.count, per)
        if i + per > 0
    ]


def averages(power_w: Series, horizon: Horizon, interval: timedelta, *, rolling: bool) -> Series:
    """The average import of each window of `windows`, W; export counts as nothing."""
    total = np.concatenate([[0.0], np.cumsum(np.maximum(power_w, 0.0))])
    found = windows(horizon, interval, rolling=rolling)
    per = interval / horizon.step
    return np.array([(total[min(end, len(power_w))] - total[first]) / per for first, end in found])


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRecord:
    """The demand of the running month as it is measured: what a plan starts from.

    `counted` is called with the power at the PCC as often as it is read.
    """

    at: datetime | None = None
    power_w: float = 0.0
    window: datetime | None = None
    """Start of the running demand interval."""
    taken_wh: float = 0.0
    """Drawn in it so far, Wh."""
    peaks_w: Mapping[PeakKey, float] = field(default_factory=dict)
    """The highest average so far, by charge and billing month."""

    def counted(self, tariff: Tariff, now: datetime, power_w: float | None) -> DemandRecord:
        """With what has been drawn until `now`; `power_w`: at the PCC now, None where unknown.

        While the power is not known it is taken to go on as it was. Intervals that passed with no
        call at all are not counted: nobody knows what was drawn.
        """
        here = tariff.window_of(now)
        record = self if self.window in (None, here.start) else self._closed(tariff)
        drawn_w = max(0.0, self.power_w)
        since = here.start if self.at is None else max(here.start, self.at)
        taken = drawn_w * max(0.0, (now - since) / timedelta(hours=1))
        if record is not self or self.window is None:
            record = replace(record, window=here.start, taken_wh=0.0)
        known = self.power_w if power_w is None else power_w
        return replace(record, at=now, power_w=known, taken_wh=record.taken_wh + taken)

    def _closed(self, tariff: Tariff) -> DemandRecord:
        """With the running window at its end."""
        if self.window is None or self.at is None:
            return self
        ends = self.window + tariff.demand_interval
        rest_h = max(0.0, (ends - self.at) / timedelta(hours=1))
        wh = self.taken_wh + max(0.0, self.power_w) * rest_h
        average_w = wh / (tariff.demand_interval / timedelta(hours=1))
        month = tariff.billing_month(self.window)
        horizon = Horizon(start=self.window, count=1, step=tariff.demand_interval)
        peaks = {key: watts for key, watts in self.peaks_w.items() if key[1] >= month}
        for charge in tariff.demand:
            if tariff.charged(charge, horizon)[0]:
                key = (charge.name, month)
                peaks[key] = max(peaks.get(key, 0.0), average_w)
        return replace(self, peaks_w=peaks)
