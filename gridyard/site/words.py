"""Sites and their agents as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from gridyard.openadr.diagnosis import printable

Json = Mapping[str, Any]


def list_lines(sites: Sequence[Json]) -> Iterator[str]:
    """A line a site under a line of headings."""
    yield f"{'site':<20} {'link':<8} {'agent':<14} {'up':>17} {'waiting':>9} {'clock':>9}  mode"
    for site in sites:
        agent = site["agent"] or {}
        yield (
            f"{site['site_id']:<20} {_link(site):<8} {_version(agent):<14} "
            f"{_uptime(agent):>17} {_rows(agent):>9} {_clock(agent):>9}  {_mode(agent)}"
        )


def show_lines(site: Json) -> Iterator[str]:
    """One site; what its agent does not tell is `-`."""
    agent = site["agent"] or {}
    yield f"{site['site_id']}: {site['name']}, {_link(site)}, last heard {site['heard_at'] or '-'}"
    if not agent:
        yield "  its agent has not been heard since the gateway started"
        return
    protocol = "-" if agent["protocol"] is None else agent["protocol"]
    yield f"  agent      {_version(agent)}, site link version {protocol}, up {_uptime(agent)}"
    yield f"  mode       {_mode(agent)}"
    yield f"  outbox     {_rows(agent)} rows not acknowledged"
    yield f"  clock      {_clock(agent)} (the gateway's less the agent's)"
    yield f"  last gap   {_gap(agent)}"


def _link(site: Json) -> str:
    return "online" if site["connected"] else "offline"


def _uptime(agent: Json) -> str:
    uptime_s = agent.get("uptime_s")
    return "-" if uptime_s is None else str(timedelta(seconds=int(uptime_s)))


def _rows(agent: Json) -> str:
    rows = agent.get("waiting_rows")
    return "-" if rows is None else str(rows)


def _clock(agent: Json) -> str:
    offset_s = agent.get("clock_offset_s")
    return "-" if offset_s is None else f"{offset_s:+.2f} s"


def _gap(agent: Json) -> str:
    gap = agent.get("last_gap")
    return "-" if gap is None else printable(gap, 500) or "none"


def _version(agent: Json) -> str:
    return printable(agent.get("version", "-"), 40)


def _mode(agent: Json) -> str:
    return printable(agent.get("mode") or "-", 40)
