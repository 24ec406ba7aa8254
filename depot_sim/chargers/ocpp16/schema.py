"""The published schemas of 1.6 and the error codes of OCPP-J 1.6 §4.2.3."""

from __future__ import annotations

from depot_sim.chargers.json_rpc import Json, check

_CODES = {
    "type": "TypeConstraintViolation",
    "required": "OccurenceConstraintViolation",
    "minItems": "OccurenceConstraintViolation",
    "enum": "PropertyConstraintViolation",
    "maxLength": "PropertyConstraintViolation",
    "multipleOf": "PropertyConstraintViolation",
    "": "FormationViolation",
}
"""By failed schema keyword; "Occurence" and "Formation" are the specification's own spelling."""


def check_request(action: str, payload: Json) -> None:
    """Raises CallError unless the payload is a valid request."""
    check("v16", action, _CODES, payload)


def check_response(action: str, payload: Json) -> None:
    """Raises CallError unless the payload is a valid answer."""
    check("v16", f"{action}Response", _CODES, payload)
