"""Carbon of a month: what the grid's energy brought, and who used it.

Location-based (GHG Protocol, Scope 2 Guidance, 2015, chapter 6): the energy imported in each slot
times the intensity of the grid then. Energy made on site counts 0 in operation; batteries give back
at the mean intensity of what they were charged with (`allot`). Export earns no credit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.series import StepSeries
from gateway.domain.accounts.allot import allot
from gateway.domain.accounts.balance import Metered, Source, Use, balance
from gateway.domain.accounts.charged import Charged

_ALMOST = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """Of the grid: g CO2 equivalent for each kWh, over a month; gaps stay gaps."""

    g_per_kwh: StepSeries
    source: str
    """Who says so, and of what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carbon:
    """Kilograms of CO2 equivalent; `by_use` sums to `imported_kg`."""

    source: str
    imported_kg: float
    by_use: Mapping[Use, float]
    sessions: tuple[float, ...]
    """In the order of the sessions."""
    unknown_wh: float
    """Imported while no intensity is known: it counts as nothing here."""
    mean_g_per_kwh: float | None
    """Of what was imported while one was known."""


def carbon(intensity: Intensity, metered: Metered, sessions: Sequence[Charged]) -> Carbon:
    """The month of a site."""
    grid, books = metered.grid, balance(metered)
    steps = [(one.interval, one.value) for one in intensity.g_per_kwh]
    mean, covered_s = grid.means(steps)
    known = covered_s >= _ALMOST * grid.seconds
    kg = np.where(known, metered.import_wh * mean, 0.0) / 1e6
    found = allot(books, kg.tolist(), float)
    by_use = {use: float(sum(values)) for use, values in found.by_use.items()}
    by_use[Use.STORAGE] = found.stored
    charging = np.array(found.by_use[Use.CHARGING])
    total = metered.charging_wh
    of_wh = np.divide(charging, total, out=np.zeros_like(total), where=total > 0)
    known_wh = float(metered.import_wh[known].sum())
    return Carbon(
        source=intensity.source,
        imported_kg=float(kg.sum()),
        by_use=by_use,
        sessions=tuple(float((one.wh * of_wh[one.slots]).sum()) for one in sessions),
        unknown_wh=float(books.sources[Source.GRID][~known].sum()),
        mean_g_per_kwh=float(kg.sum()) * 1e6 / known_wh if known_wh > 0 else None,
    )
