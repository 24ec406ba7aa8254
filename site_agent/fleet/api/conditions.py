"""Conditional requests (RFC 9110, 13): a change only of what the client has seen."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from site_agent.flows.fleet.roster import Entry, StaleRevisionError

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def etag(entry: Entry) -> str:
    """A vehicle's entity tag."""
    return f'"{entry.revision}"'


def expected_revision(headers: Headers, entry: Entry | None) -> str | None:
    """The revision that a change must still find ("": none may exist); None: any.

    Raises:
        StaleRevisionError: it is another one already.
        HTTPException: 400, a header cannot be read.
    """
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if none_match is not None and none_match.strip() != "*":
        raise HTTPException(400, "If-None-Match of a change must be *")
    if none_match is not None:
        if entry is not None:
            raise StaleRevisionError(f"vehicle {entry.vehicle_id!r} exists already")
        return ""
    if match is None:
        return None
    if entry is None:
        raise StaleRevisionError("there is no such vehicle (any more)")
    if match.strip() == "*":
        return entry.revision
    if entry.revision not in _TAG.findall(match):
        raise StaleRevisionError(f"vehicle {entry.vehicle_id!r} has changed: read it again")
    return entry.revision


def unchanged(headers: Headers, entry: Entry) -> bool:
    """Whether the client has this revision already (a 304 will do)."""
    seen = headers.get("if-none-match", "")
    return seen.strip() == "*" or entry.revision in _TAG.findall(seen)
