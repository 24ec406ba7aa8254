"""The published schemas of 2.0.1 and the error codes of OCPP-J 2.0.1 part 4 §4.3."""

from __future__ import annotations

from depot_sim.chargers.json_rpc import Json, check

CODES = {
    "type": "TypeConstraintViolation",
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "enum": "PropertyConstraintViolation",
    "maxLength": "PropertyConstraintViolation",
    "": "FormatViolation",
}
"""By failed schema keyword."""


def check_request(action: str, payload: Json) -> None:
    """Raises CallError unless the payload is a valid request."""
    check("v201", f"{action}Request", CODES, payload)


def check_response(action: str, payload: Json) -> None:
    """Raises CallError unless the payload is a valid answer."""
    check("v201", f"{action}Response", CODES, payload)
