"""Values that settings of sites and programs share."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.site_link.subjects import checked_site_id


def _site_id(value: str) -> str:
    try:
        return checked_site_id(value)
    except Exception as error:
        raise ValueError(str(error)) from error


SiteId = Annotated[str, AfterValidator(_site_id)]
MeterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
Watts = Annotated[float, Field(ge=0, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]
Span = Annotated[timedelta, Field(ge=timedelta(0))]
"""Seconds, or ISO 8601 such as `PT15M`."""
