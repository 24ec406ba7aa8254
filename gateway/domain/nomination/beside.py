"""What other programs have of a site: a kW that is promised to one is not promised to another.

`gateway.domain.conflict.fit` says which programs exclude each other. Of those that may be combined
nothing is taken off: what their rules let a kW do twice, it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.conflict import Fit
from gateway.domain.words import kw

_TINY_W = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A program that does not go together with the one that is nominated for."""

    name: str
    fit: Fit
    power: Mapping[str, StepSeries]
    """Promised to it by site, W, where it may call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What rivals have of one site in some hours."""

    power_w: float = 0.0
    export_only: bool = False
    """What is left counts only below no import at all."""
    words: tuple[str, ...] = ()

    def leaves(self, down_w: float, expected_w: float) -> float:
        """Of what a site can lower its load by, the part that is free, W, >= 0."""
        left_w = down_w - self.power_w
        if self.export_only:
            left_w = min(left_w, down_w - max(0.0, expected_w))
        return max(0.0, left_w)


def taken(site_id: str, hours: Iterable[Interval], rivals: Iterable[Rival]) -> Taken:
    """The most that each rival has of a site in any of these hours, added up."""
    slot = tuple(hours)
    power_w, export_only, words = 0.0, False, []
    for rival in rivals:
        most_w = _most(rival.power.get(site_id, StepSeries()), slot)
        if most_w <= _TINY_W:
            continue
        power_w += most_w
        export_only = export_only or rival.fit is Fit.EXPORT_ONLY
        only = ", and only exports go with it" if rival.fit is Fit.EXPORT_ONLY else ""
        words.append(f"{kw(most_w)} of {site_id} are promised to {rival.name}{only}")
    return Taken(power_w=power_w, export_only=export_only, words=tuple(words))


def _most(series: StepSeries, hours: tuple[Interval, ...]) -> float:
    return max(
        (s.value for s in series if any(s.interval.overlaps(one) for one in hours)), default=0.0
    )
