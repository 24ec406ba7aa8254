"""From the body of a request to data; what cannot be read is named."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException

from site_agent.fleet.api.gate import Call

_DEEPEST = 12
_JSON = ("application/json", "application/merge-patch+json")


def json_object(call: Call) -> dict[str, Any]:
    """The JSON object a request carries.

    Raises:
        HTTPException: 415 another type, 400 no JSON object, or too deep.
    """
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON:
        raise HTTPException(415, f"Content-Type must be {' or '.join(_JSON)}")
    try:
        found = json.loads(call.body, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"The body is no JSON: {str(error)[:200]}") from error
    if not isinstance(found, dict):
        raise HTTPException(400, "The body is no JSON object")
    if _deep(found, _DEEPEST):
        raise HTTPException(400, f"The body is nested deeper than {_DEEPEST}")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


def _deep(value: object, most: int) -> bool:
    if isinstance(value, dict):
        return most == 0 or any(_deep(one, most - 1) for one in value.values())
    if isinstance(value, list):
        return most == 0 or any(_deep(one, most - 1) for one in value)
    return False
