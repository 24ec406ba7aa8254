"""What a program's rules say of an event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RuleKind(StrEnum):
    """Which kind of rule speaks."""

    SEASON = "season"
    DAY = "day"
    WINDOW = "window"
    NOTICE = "notice"
    DURATION = "duration"
    QUOTA = "quota"
    IN_ROW = "in_row"
    BACK_TO_BACK = "back_to_back"
    TEST = "test"
    BLACKOUT = "blackout"
    OPT_OUT = "opt_out"
    STANDBY = "standby"


class Effect(StrEnum):
    """What it means for us."""

    BREACH = "breach"
    """The utility may not call this: what we do is for our policy to say."""
    VOLUNTARY = "voluntary"
    """It may be called, but nobody has to take part."""
    NOTE = "note"
    """To be known; it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's word on an event, in plain words with the figures."""

    rule: RuleKind
    effect: Effect
    text: str
