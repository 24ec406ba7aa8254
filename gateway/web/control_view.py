"""Controls of utilities that a site may opt out of, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from contracts.time import Interval
from gateway.ports import SiteControl
from gateway.reports import words
from gateway.web.links import choice_url


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlLine:
    """One control at one site."""

    utility_id: str
    when: str
    running: bool
    asks: str
    opted_out: bool
    choice_url: str
    """Where the site opts out, or in again; empty while nobody may."""
    binding: str
    """Why nobody may."""


def control_lines(controls: Sequence[SiteControl], tz: tzinfo) -> tuple[ControlLine, ...]:
    """What binds a site or will, and whether it takes part."""
    return tuple(control_line(one, tz) for one in controls)


def control_line(one: SiteControl, tz: tzinfo) -> ControlLine:
    """One control as a row."""
    way = "opt-in" if one.opted_out else "opt-out"
    url = choice_url(one.utility_id, one.control_id, way, site=one.site_id)
    return ControlLine(
        utility_id=one.utility_id,
        when=_when(one.window, tz),
        running=one.running,
        asks=one.asks,
        opted_out=one.opted_out,
        choice_url="" if one.binding and not one.opted_out else url,
        binding=one.binding,
    )


def _when(window: Interval, tz: tzinfo) -> str:
    if window.end is None:
        return f"from {words.moment(window.start, tz)} until further notice"
    return words.span(window, tz)
