"""A charging session that is over, as a site tells it for energy accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from contracts.reading import Quality

_Name = Annotated[str, Field(min_length=1, max_length=120)]
_Text = Annotated[str, Field(max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSession:
    """Told once it has ended, and again when what is known of it changes: a newer `at` replaces.

    Sent only to a gateway whose `Welcome` says that it takes such rows. No card and no vehicle's
    own address is told, only the fleet's name of the vehicle.
    """

    kind: Literal["ended_session"] = "ended_session"
    at: AwareDatetime
    """When this was told."""
    session_id: _Name
    """Unique at the site for ever, over a new database file too."""
    evse_id: _Name
    vehicle_id: Annotated[str, Field(max_length=120)] = ""
    """Of the fleet; empty: nobody knows."""
    started_at: AwareDatetime
    ended_at: AwareDatetime
    energy_wh: Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False)] | None
    """By the charger's register; None: no register was ever told."""
    quality: Quality
    """Of the energy; estimated: `remarks` say why."""
    remarks: _Text = ""
    reason: _Text = ""
    """Why it ended, in the charger's word."""
