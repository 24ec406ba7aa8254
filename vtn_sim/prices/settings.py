"""Settings of the simulated markets."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.config import Settings


class PriceFault(StrEnum):
    """What a market platform may do wrong."""

    LATE = "late"
    """The next day is not published until the fault is over."""
    GAP = "gap"
    """Some hours in the middle of the day have no price."""
    BUSY = "busy"
    """429 with a Retry-After."""
    DOWN = "down"
    """503 without one."""
    MALFORMED = "malformed"
    """An answer cut in the middle."""
    HUGE = "huge"
    """More than anybody should take: endless text, or an archive that unpacks to it."""
    REFUSED = "refused"
    """An error document."""


class PriceServerSettings(Settings):
    """Two market platforms on one port: `/api` is ENTSO-E's, `/oasisapi/SingleZip` CAISO's."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """0 takes any free one."""
    token: Annotated[str, Field(min_length=1, max_length=200)] = "simulated"  # noqa: S105 (of a simulator)
    """The security token that is let in."""
    resolution_min: Literal[15, 30, 60] = 15
    """Of the European prices."""
    base_per_mwh: Annotated[float, Field(ge=-500, le=4000)] = 80.0
    """Mean of a day."""
    swing_per_mwh: Annotated[float, Field(ge=0, le=4000)] = 95.0
    """Between mean and the dearest; prices go below zero at noon where this is more than the
    mean."""
    faults: tuple[PriceFault, ...] = ()
    """On from the start; `POST /faults` changes them."""
    retry_after_s: Annotated[int, Field(ge=1, le=3600)] = 7
