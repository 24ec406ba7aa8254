"""Settings of one VEN against one utility's VTN."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl

from contracts.config import Settings

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class OpenAdrSettings(Settings):
    """How to reach and answer one OpenADR 2.0b VTN."""

    utility_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    url: HttpUrl
    """Base address, for example `https://vtn.example.com/OpenADR2/Simple/2.0b`."""
    ven_name: Annotated[str, Field(min_length=1, max_length=120)]
    ven_id: str | None = None
    """Set it when the utility gave one beforehand."""
    ca: Path
    """Root of the utility's certificates."""
    cert: Path
    key: Path
    timeout_s: Seconds = 10.0
    poll_s: Seconds | None = None
    """Overrides the frequency the VTN asks for; leave unset in production."""
    max_backoff_s: Seconds = 300.0
    report_min_granularity_s: Seconds = 2.0
    """Finest sampling offered for TELEMETRY_USAGE."""

    @property
    def timeout(self) -> timedelta:
        """Time limit of one request."""
        return timedelta(seconds=self.timeout_s)
