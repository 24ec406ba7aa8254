"""Settings of a site's revenue meters."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from gateway.domain.metering.interval import Meter, Register
from gateway.domain.metering.site_meter import SiteMeter
from gateway.programs.values import MeterName

_BEYOND = {Register.IMPORT: 2.0, Register.EXPORT: 100.0, Register.NET: 100.0}
"""So many times the import limit, nobody believes a meter."""


class MeterEntry(Settings):
    """One register of a revenue meter at a site's connection."""

    name: MeterName
    """Under which its intervals are delivered."""
    direction: Register = Register.IMPORT
    """`import`, `export`, or `net` (import less export)."""
    interval: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=1))] = (
        timedelta(minutes=15)
    )
    limit_w: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """More than 1.1 times this cannot be. Left out: twice the site's import limit, for what is fed
    in a hundred times: generation may be much larger than what is drawn."""

    @model_validator(mode="after")
    def _divides(self) -> Self:
        self.meter(1.0)
        return self

    def meter(self, import_limit_w: float) -> SiteMeter:
        """In the domain's words."""
        limit_w = self.limit_w
        if limit_w is None and import_limit_w > 0:
            limit_w = _BEYOND[self.direction] * import_limit_w
        rules = Meter(register=self.direction, length=self.interval, limit_w=limit_w)
        return SiteMeter(name=self.name, rules=rules)
