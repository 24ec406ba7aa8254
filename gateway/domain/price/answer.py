"""How the portfolio is expected to answer prices: the sum of what sites plan with them in hand.

Each site tells in its offer the power it expects at its PCC, by a plan made for the prices it
holds. That is all that is claimed: nobody has planned the same day for a flat price, so the change
against it is not known. What can be said is where the energy lies: what it costs as planned, and
what the same energy would cost spread evenly over the hours in view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import pointwise, total

_WH_IN_KWH = 1000.0


class Basis(StrEnum):
    """What a site's expected load rests on."""

    THESE = "these prices"
    OLDER = "other prices"
    """Older prices, or its own tariff."""
    NONE = "no offer"
    """It has told none in the last hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of a site's expected import where both load and price are known."""

    energy_wh: float
    paid: float
    even: float
    """What the same energy would cost, drawn evenly over the same hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAnswer:
    """What one site expects of itself."""

    site_id: str
    currency: str
    per_kwh: StepSeries
    """The prices it was sent."""
    expected_w: StepSeries
    """Power at its PCC, import positive; empty where `basis` is NONE."""
    basis: Basis

    def cost(self, ahead: Interval) -> Cost | None:
        """Inside a window; None where load and price never meet.

        Import alone is priced: what is paid for export is another tariff.
        """
        load, price = self.expected_w.clip(ahead), self.per_kwh.clip(ahead)
        drawn = pointwise(lambda both: max(0.0, both[0]), (load, price))
        money = pointwise(lambda both: max(0.0, both[0]) * both[1], (load, price))
        known = pointwise(lambda both: both[1], (load, price))
        if not known:
            return None
        window = Interval(start=known.steps[0].interval.start, end=known.steps[-1].interval.end)
        energy_wh = drawn.integral_h(window)
        mean = known.mean(window) or 0.0
        return Cost(
            energy_wh=energy_wh,
            paid=money.integral_h(window) / _WH_IN_KWH,
            even=energy_wh * mean / _WH_IN_KWH,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioAnswer:
    """The portfolio's expected load, and who has told it."""

    sites: tuple[SiteAnswer, ...]
    expected_w: StepSeries
    """Sum of the sites that answer these prices, where each of them expects something."""
    costs: Mapping[str, Cost]
    """By site, of those that answer these prices."""

    @property
    def answering(self) -> int:
        """How many sites the sum is over."""
        return sum(one.basis is Basis.THESE for one in self.sites)


def portfolio_answer(sites: Sequence[SiteAnswer], now: datetime) -> PortfolioAnswer:
    """The sum over the sites whose plan rests on the prices they were sent, from now on."""
    ahead = Interval(start=now, end=None)
    answering = [one for one in sites if one.basis is Basis.THESE]
    costs = ((one.site_id, one.cost(ahead)) for one in answering)
    return PortfolioAnswer(
        sites=tuple(sites),
        expected_w=total([one.expected_w.clip(ahead) for one in answering]),
        costs={site_id: cost for site_id, cost in costs if cost is not None},
    )
