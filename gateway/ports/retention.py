"""What becomes of old telemetry."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Thinning(Protocol):
    """Old values become means, a small transaction a call: a kill loses and doubles nothing."""

    async def sites(self) -> tuple[str, ...]:
        """Every site that has telemetry."""
        ...

    async def thin_readings(self, site_id: str, before: datetime) -> bool:
        """Make 5-minute means of a few of the oldest hours of a site; False: nothing was left."""
        ...

    async def thin_means(self, site_id: str, before: datetime) -> bool:
        """Make 15-minute means of the oldest 5-minute means; False: nothing was left."""
        ...
