"""Sites' settings as lines for people; what agents say cannot steer the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridyard.openadr.diagnosis import printable

Json = Mapping[str, Any]


def pushed_lines(pushed: Sequence[Json]) -> Iterator[str]:
    """What was pushed just now."""
    for one in pushed:
        when = f"at {one['at']}" if one["at"] else "at a quiet moment"
        wait = ", once it is applied at those before" if one["stage"] == "held" else ""
        yield f"{one['configuration_id']}: to be tried {when}{wait}"


def check_lines(found: Mapping[str, Json]) -> Iterator[str]:
    """What each site would say."""
    for site_id, one in found.items():
        count = len(one["changes"])
        said = f"{count} change{'' if count == 1 else 's'}"
        yield f"{site_id}: {said if one['state'] == 'valid' else 'would refuse'}"
        for fault in one["faults"]:
            yield f"  {printable(fault, 500)}"
        for change in one["changes"]:
            before, after = (printable(change[k], 200) for k in ("before", "after"))
            yield f"  {printable(change['path'], 200)}: {before} -> {after}"


def status_lines(found: Sequence[Json]) -> Iterator[str]:
    """A line a site."""
    yield f"{'site':<20} {'runs with':<24} {'pushed last':<24} state"
    for one in found:
        last = one["pushed"][0] if one["pushed"] else None
        name = "-" if last is None else last["configuration_id"]
        yield f"{one['site_id']:<20} {_runs(one):<24} {name:<24} {_state(one, last)}"


def history_lines(found: Json) -> Iterator[str]:
    """Newest first."""
    yield f"{found['site_id']} runs with {_runs(found)}"
    for one in found["pushed"]:
        why = f": {printable(one['reason'], 500)}" if one["reason"] else ""
        yield f"{one['configuration_id']}  {one['pushed_at']}  {one['stage']}{why}"
        cause = f", {printable(one['cause'], 200)}" if one["cause"] else ""
        yield f"  by {printable(one['by'], 80)}{cause}"
        for line in one["text"].splitlines() or ["(nothing: the site's own file alone)"]:
            yield f"  | {printable(line, 200)}"


def _runs(one: Json) -> str:
    agent = one["agent"]
    if agent is None:
        return "not heard"
    return (printable(agent["running"], 60) or "own file") + (" (trial)" if agent["trial"] else "")


def _state(one: Json, last: Json | None) -> str:
    drift = one["agent"]["drift"] if one["agent"] else ""
    if drift:
        return f"drifted: {printable(drift, 500)}"
    if last is None:
        return "-"
    return f"{last['stage']}{': ' if last['reason'] else ''}{printable(last['reason'], 500)}"
