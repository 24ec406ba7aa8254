"""How nominations are made, program by program."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from gateway.domain.nomination.grounds import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class NominatingOptions:
    """For one program."""

    terms: Terms = field(default_factory=Terms)
    ahead: timedelta = timedelta(days=1)
    """So long before each gate a proposal is made."""
    auto: bool = False
    """Whether what the calendar proposes is accepted at once, by rule."""
