"""What a utility imposes on one site: a schedule of bounds that hold beside every event.

Where a `GridEvent` asks the portfolio for something, an operating envelope binds one site (IEEE
2030.5 DER controls and defaults, CSIP-AUS dynamic operating envelopes). Envelopes of several
utilities, and the limits that follow from events, all hold at once: a site keeps the tightest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.inverter import InverterFunction
from contracts.time import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBounds:
    """Bounds on one site in the load convention, W; None leaves that side free."""

    import_limit_w: float | None = None
    """The PCC must not import more; >= 0 as a rule."""
    export_limit_w: float | None = None
    """The PCC power must not fall below it; negative allows export."""
    load_limit_w: float | None = None
    """Chargers and battery charging together; >= 0."""
    generation_limit_w: float | None = None
    """PV and battery discharge together must not fall below it; <= 0."""
    storage_power_w: float | None = None
    """What batteries should do together, charging positive: a target inside every bound."""
    energize: bool | None = None
    """False: every device that can be steered stops."""
    inverter_functions: tuple[InverterFunction, ...] = ()
    """What inverters should do by themselves; those that hold at once are for different
    `contracts.inverter.slot`s or different inverters."""

    @property
    def free(self) -> bool:
        """Whether nothing is bound."""
        return self == FREE


FREE = SiteBounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeStep:
    """Bounds over `[start, end)`; only the last step of an envelope may be open-ended."""

    interval: Interval
    bounds: SiteBounds
    cause: str
    """Which control or default of which program asks for it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingEnvelope:
    """Everything one utility imposes on one site from its first step on.

    Steps follow each other without overlap. An open-ended last step is the utility's default: the
    site falls back on it when the schedule is over, even when nobody can be reached.
    """

    utility_id: str
    site_id: str
    steps: tuple[EnvelopeStep, ...] = ()

    @property
    def key(self) -> str:
        """Names the instructions that carry it: `<utility_id>/envelope/<site_id>`."""
        return f"{self.utility_id}/envelope/{self.site_id}"

    @property
    def default(self) -> EnvelopeStep | None:
        """The open-ended last step, if there is one."""
        return self.steps[-1] if self.steps and self.steps[-1].interval.end is None else None

    def at(self, instant: datetime) -> EnvelopeStep | None:
        """What is imposed at an instant; None before the first step and in gaps."""
        return next((step for step in self.steps if instant in step.interval), None)
