"""What utilities impose on a site, asked from a running gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from contracts.errors import LinkDownError, PermanentError

_TIMEOUT_S = 10.0


async def imposed(api: str, site_id: str) -> list[dict[str, Any]]:
    """The gateway's answer for one site.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it has no such site.
    """
    try:
        async with httpx.AsyncClient(base_url=api, timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(f"/api/v1/sites/{site_id}/envelopes")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise LinkDownError(f"no gateway answers at {api}: {error}") from error
    if not answer.is_success:
        raise PermanentError(f"{api}: {answer.status_code} for site {site_id!r}")
    found: list[dict[str, Any]] = answer.json()
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
