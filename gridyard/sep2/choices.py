"""Controls of utilities at a site, and the site's choice to take part, at a running gateway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import quote

from contracts.errors import PermanentError
from gridyard.at_gateway.asking import asked, told


async def controls(api: str, site_id: str) -> list[dict[str, Any]]:
    """What binds a site or will.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: it has no such site.
    """
    found: list[dict[str, Any]] = await asked(api, f"sites/{quote(site_id, safe='')}/controls")
    return found


async def choose(
    api: str,
    site_id: str,
    control_id: str,
    way: Literal["out", "in"],
    *,
    utility: str | None,
    reason: str,
) -> dict[str, Any]:
    """Take a site out of a control, or back in; repeating it changes nothing.

    Raises:
        LinkDownError: no gateway answers at `api`.
        PermanentError: no or several such controls bind the site, or nobody may opt out of it.
    """
    named = [
        one
        for one in await controls(api, site_id)
        if one["control_id"] == control_id.upper() and utility in (None, one["utility_id"])
    ]
    if len(named) != 1:
        known = "no such control binds" if not named else "name the utility: several controls bind"
        raise PermanentError(f"{known} site {site_id!r}")
    path = f"controls/{quote(named[0]['utility_id'], safe='')}/{named[0]['control_id']}/opt-{way}s"
    body = {"site_id": site_id, "reason": reason}
    answer: dict[str, Any] = await told(api, path, body)
    return answer


def described(site_id: str, found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Lines for people."""
    if not found:
        yield f"{site_id}: no control binds it, now or later"
    for one in found:
        now = "now " if one["running"] else "then"
        part = "opted out" if one["opted_out"] else one["binding"] or "takes part"
        yield f"{now}  {one['control_id']} of {one['utility_id']}: {one['asks']}"
        yield f"      from {one['start']} until {one['end'] or 'further notice'}; {part}"
