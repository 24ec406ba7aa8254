"""When a value was issued, where its source does not say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

from contracts.reading import Quality
from gateway.domain.metering.interval import MeterInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An interval of a file."""

    interval: MeterInterval
    dated: bool
    """Whether its source said when it was issued; else `issued_at` is the time of arrival."""


def issued(
    told: Iterable[Told], known: Mapping[datetime, MeterInterval]
) -> tuple[MeterInterval, ...]:
    """The intervals; undated ones that say what is `known` (by start) are that same issue.

    So a file without dates may be sent again, and one with another value is a new issue.
    """
    return tuple(_issued(one, known.get(one.interval.start)) for one in told)


def _issued(one: Told, before: MeterInterval | None) -> MeterInterval:
    new = one.interval
    if one.dated or before is None or before.length != new.length:
        return new
    same_quality = before.quality in (new.quality, Quality.INVALID)
    if same_quality and _number(before.energy_wh) == _number(new.energy_wh):
        return replace(new, issued_at=before.issued_at)
    return new


def _number(energy_wh: float | None) -> float | None:
    return energy_wh if energy_wh is not None and isfinite(energy_wh) else None
