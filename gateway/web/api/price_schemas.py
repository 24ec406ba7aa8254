"""Prices as the API tells them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel


class SpanOut(BaseModel):
    """From `start` to before `end`."""

    start: datetime
    end: datetime


class PriceSourceOut(BaseModel):
    """How it stands with one source of prices."""

    source_id: str
    area: str
    currency: str
    as_of: datetime | None
    until: datetime | None
    heard_at: datetime | None
    failure: str
    stale: bool
    """Prices that should be known by now are not: see `missing`."""
    missing: list[SpanOut]


class PriceOut(SpanOut):
    """One price with its origin."""

    per_kwh: Decimal
    source_id: str
    quality: Literal["published", "carried over", "forecast"]
    as_of: datetime


class SitePricesOut(BaseModel):
    """What a site pays for one more kWh, mark-up included; where no price is, its own tariff."""

    site_id: str
    area: str
    currency: str
    held: bool
    """Whether the site has said that it holds exactly these."""
    refused: str
    """Why it would not have them; empty: it did not say so."""
    prices: list[PriceOut]


class ExpectedOut(SpanOut):
    """Expected power, import positive."""

    power_w: float


class SiteAnswerOut(BaseModel):
    """What one site is expected to do, and what its load rests on."""

    site_id: str
    basis: Literal["these prices", "other prices", "no offer"]
    currency: str
    energy_wh: float | None
    """Expected import over the hours that have both a price and an expectation."""
    cost: float | None
    even_cost: float | None
    """Of the same energy, drawn evenly over the same hours."""


class PriceAnswerOut(BaseModel):
    """How the portfolio is expected to answer prices: the sum of what sites plan with them.

    No change against another price is claimed: nobody has planned the same day for one.
    """

    answering: int
    """Sites whose plan rests on the prices they were sent; the sum is over these."""
    following: int
    expected: list[ExpectedOut]
    sites: list[SiteAnswerOut]
