"""Times and states as people at the depot read them; the depot's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from contracts.reading import Reading
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.readiness import Outlook
from site_agent.domain.protect.estimate import Role, role
from site_agent.domain.why.answer import kw, span

NA = "n/a"
_WEEK = timedelta(days=6)
_NOTHING_W = 100.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A state: the word says it, the shape repeats it, the tone colours it."""

    word: str
    shape: str
    """A symbol of `_icons.html`."""
    tone: str
    """`ok`, `busy`, `warn`, `bad` or `idle`."""


OUTLOOKS = {
    Outlook.READY: Mark("Ready", "check", "ok"),
    Outlook.ON_TRACK: Mark("On track", "play", "busy"),
    Outlook.AT_RISK: Mark("At risk", "triangle", "warn"),
    Outlook.WILL_MISS: Mark("Will not be ready", "octagon", "bad"),
}


def charger_mark(
    charger: ChargerState, limit_a: float, need: VehicleNeed | None, drawn_w: float | None
) -> Mark:
    """What a charger does, in a word or two."""
    match role(charger):
        case Role.IDLE:
            return Mark("Free", "ring", "idle")
        case Role.FIXED if not charger.online:
            return Mark("Offline", "cross", "bad")
        case Role.FIXED if charger.controllable:
            return Mark("Disobeys", "triangle", "bad")
        case Role.FIXED:
            return Mark("No limits", "info", "warn")
        case Role.STEERED:
            return _steered_mark(charger, limit_a, need, drawn_w)


def _steered_mark(
    charger: ChargerState, limit_a: float, need: VehicleNeed | None, drawn_w: float | None
) -> Mark:
    if charger.stuck:
        return Mark("Stuck", "octagon", "bad")
    if limit_a < 0:
        return Mark("Gives back", "down", "busy")
    if drawn_w is not None and drawn_w >= _NOTHING_W:
        return Mark("Charging", "play", "busy")
    if need is not None and need.required_wh <= 0:
        return Mark("Full", "check", "ok")
    return Mark("Waits", "clock", "warn") if limit_a == 0 else Mark("Plugged in", "half", "idle")


def clock(at: datetime, now: datetime, zone: tzinfo) -> str:
    """A local time: of today without its day, of this week with the weekday, else with the date."""
    local, here = at.astimezone(zone), now.astimezone(zone)
    if local.date() == here.date():
        return f"{local:%H:%M}"
    if abs(at - now) < _WEEK:
        return f"{local:%a %H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"


def exact(at: datetime, zone: tzinfo) -> str:
    """A local date and time, to the second, with the zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def power(power_w: float | None) -> str:
    """A power, or "n/a"."""
    return NA if power_w is None else kw(power_w)


def percent(value: float | None) -> str:
    """A percentage, or "n/a"."""
    return NA if value is None else f"{value:.0f} %"


def age(reading: Reading, now: datetime) -> str:
    """How old a reading is."""
    return span(max(timedelta(0), now - reading.at))
