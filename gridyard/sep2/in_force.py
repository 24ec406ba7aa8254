"""What utilities impose on a site, asked from a running gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from gridyard.at_gateway.asking import asked


async def imposed(api: str, site_id: str) -> list[dict[str, Any]]:
    """The gateway's answer for one site.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it has no such site.
    """
    found: list[dict[str, Any]] = await asked(api, f"sites/{quote(site_id, safe='')}/envelopes")
    return found


def described(site_id: str, found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Lines for people: what holds now, what comes, and the cause of each."""
    if not found:
        yield f"{site_id}: no utility imposes anything"
    for envelope in found:
        yield f"{site_id}, by {envelope['utility_id']}:"
        for step in envelope["steps"]:
            now = "now " if step == envelope["now"] else "then"
            until = f"until {step['end']}" if step["end"] else "until further notice"
            yield f"  {now}  from {step['start']} {until}: {_bounds(step['bounds'])}"
            yield f"        because of {step['cause']}"


def _bounds(bounds: dict[str, Any]) -> str:
    functions = [f"inverters: {one}" for one in bounds.get("inverter_functions", [])]
    limits = [
        f"{name} {value}"
        for name, value in bounds.items()
        if name != "inverter_functions" and value is not None
    ]
    return ", ".join(limits + functions) or "nothing is bound"
