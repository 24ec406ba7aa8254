"""How an agent is: part of every `messages.Batch` of an agent that tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from contracts.site_link.configuration import ConfigurationState

_Seconds = Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """An agent at the moment it sends.

    A gateway that knows nothing of it ignores it, and a field added later.
    """

    agent_version: Annotated[str, Field(min_length=1, max_length=120)]
    protocol: Annotated[int, Field(ge=1, le=1000)]
    """Version of the site link it speaks."""
    uptime_s: _Seconds
    """Since the program started, or started anew inside itself for other settings."""
    waiting_rows: Annotated[int, Field(ge=0, le=2**53)]
    """In the outbox and not acknowledged, those of this batch among them."""
    clock_offset_s: Annotated[float, Field(ge=-1e10, le=1e10, allow_inf_nan=False)] | None = None
    """The gateway's clock less the agent's, as of the last `Welcome`, half the way there taken off;
    None: not known yet."""
    mode: Annotated[str, Field(max_length=120)] = ""
    """What the site is doing, in a word: `normal`, `peak-avoidance`, `island` ...; empty: nothing
    has been decided yet."""
    last_gap: Annotated[str, Field(max_length=500)] = ""
    """The last measurements that the outbox had to drop, and why; empty: none ever."""
    configuration: ConfigurationState | None = None
    """With which settings it runs. None: it takes none from the gateway."""
