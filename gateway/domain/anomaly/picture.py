"""What detectors look at: a site over minutes, each point a mean, NaN where it was not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.site_link.points import PCC_POWER_W
from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers, SlotGrid

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A site over a window of equal slots; W by the load convention."""

    grid: SlotGrid
    contract_w: float
    """Import limit of the contract, > 0."""
    pcc_w: Numbers
    register_wh: Numbers
    """Imported energy by the meter's register."""
    charging_w: Numbers
    battery_w: Numbers
    pv_w: Numbers
    """The three: 0 where the site has no such devices."""
    evse_w: Mapping[str, Numbers]
    limit_w: Mapping[str, Numbers]
    """Limit in force, by EVSE."""

    @property
    def devices_w(self) -> Numbers:
        """All devices together; NaN where one of them is not known."""
        return self.charging_w + self.battery_w + self.pv_w

    @property
    def told_w(self) -> Numbers:
        """What devices draw and make, as magnitudes."""
        return np.abs(self.charging_w) + np.abs(self.battery_w) + np.abs(self.pv_w)

    def span(self, first: int, end: int) -> Interval:
        """The time of the slots `first` to `end`."""
        return Interval(start=self.grid.slot(first).start, end=self.grid.slot(end - 1).end)


PCC = PCC_POWER_W
"""Subject of what is found about the meter at the connection point."""


def runs(flags: Flags, least: int) -> Iterator[tuple[int, int]]:
    """`(first, end)` of every stretch of at least so many true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    for first, end in edges.reshape(-1, 2).tolist():
        if end - first >= least:
            yield first, end


def blocks(values: Numbers, per: int) -> Numbers:
    """Means over `per` slots each, NaN where one of them is; an odd rest is left out."""
    whole = len(values) // per * per
    return np.asarray(values[:whole].reshape(-1, per).mean(axis=1))
