"""The published schemas of 2.1; its error codes are those of 2.0.1."""

from __future__ import annotations

from depot_sim.chargers.json_rpc import Json, check
from depot_sim.chargers.ocpp201.schema import CODES


def check_request(action: str, payload: Json) -> None:
    """Raises CallError unless the payload is a valid request."""
    check("v21", f"{action}Request", CODES, payload)


def check_response(action: str, payload: Json) -> None:
    """Raises CallError unless the payload is a valid answer."""
    check("v21", f"{action}Response", CODES, payload)
