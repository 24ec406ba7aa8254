"""How good forecasts were: the measures a backtest prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from site_agent.domain.horizon import Series

LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of forecasts against what was measured; powers as shares of the mean measured power."""

    days: int
    nmae_pct: float
    """Mean absolute error of the expected course."""
    bias_pct: float
    """Mean error: positive forecasts too much."""
    covered_pct: float | None
    """How often the truth lay from P10 to P90, quarters that are certain (PV at night) apart; 80 is
    right. None: the method has no band."""
    pinball_pct: float | None
    """Mean quantile loss of P10 and P90 (Koenker and Bassett, Econometrica 46, 1978)."""


def scored(
    actual: Series, p50: Series, band: tuple[Series, Series] | None, days: int
) -> Score | None:
    """Score of quarters in which all are known; None when there are none, or no load."""
    known = ~(np.isnan(actual) | np.isnan(p50))
    if band is not None:
        known &= ~(np.isnan(band[0]) | np.isnan(band[1]))
    mean_w = float(np.abs(actual[known]).mean()) if known.any() else 0.0
    if mean_w <= 0.0:
        return None
    error = p50[known] - actual[known]
    covered = pinball = None
    if band is not None:
        low, high, truth = band[0][known], band[1][known], actual[known]
        inside = (truth >= low) & (truth <= high)
        open_ = (high > low) | ~inside
        covered = 100.0 * float(inside[open_].mean()) if open_.any() else 100.0
        loss = 0.5 * (_pinball(truth, low, LOW) + _pinball(truth, high, HIGH))
        pinball = 100.0 * loss / mean_w
    return Score(
        days=days,
        nmae_pct=100.0 * float(np.abs(error).mean()) / mean_w,
        bias_pct=100.0 * float(error.mean()) / mean_w,
        covered_pct=covered,
        pinball_pct=pinball,
    )


def _pinball(truth: Series, quantile: Series, share: float) -> float:
    miss = truth - quantile
    return float(np.maximum(share * miss, (share - 1.0) * miss).mean())
