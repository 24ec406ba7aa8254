"""Prices on their way to a site: part of the messages of the site link, version 1.

`Prices` goes down and is answered by `PricesAck` once the site has stored them. Only a site whose
`Hello` speaks of prices takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

MAX_PRICE_STEPS = 400
"""Two market days of 25 hours in quarters, and as much again."""

_Name = Annotated[str, Field(min_length=1, max_length=120)]
_PerKwh = Annotated[float, Field(ge=-1e4, le=1e4, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedStep:
    """One price over `[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime
    per_kwh: _PerKwh
    """Of one more kWh drawn, in `Prices.currency`; may be negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What energy costs a site; replaces every earlier `Prices`. No steps: prices are withdrawn.

    Where no step holds, and from `expires_at` on, the site's own tariff does.
    """

    kind: Literal["prices"] = "prices"
    prices_id: _Name
    """The same content has the same id."""
    site_id: _Name
    issued_at: AwareDatetime
    """Of two, the one issued later counts."""
    expires_at: AwareDatetime
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    area: _Name
    """Market area, node or program, for people."""
    steps: Annotated[tuple[PricedStep, ...], Field(max_length=MAX_PRICE_STEPS)]
    """In order, never two at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesAck:
    """The site has stored the prices durably, or will not have them (`reason`)."""

    kind: Literal["prices_ack"] = "prices_ack"
    prices_id: _Name
    stored: bool
    reason: Annotated[str, Field(max_length=500)] = ""
