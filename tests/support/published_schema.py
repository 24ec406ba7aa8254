"""What a charger or a central system says, judged by the published schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ocpp.messages import get_validator


def check_call(version: str, action: str, payload: Mapping[str, Any]) -> None:
    """Raises `jsonschema.ValidationError` unless it is a valid CALL."""
    _check(2, version, action, payload)


def check_result(version: str, action: str, payload: Mapping[str, Any]) -> None:
    """Raises `jsonschema.ValidationError` unless it is a valid answer."""
    _check(3, version, action, payload)


def _check(kind: int, version: str, action: str, payload: Mapping[str, Any]) -> None:
    """In decimals, as they are on the wire: as floats, 0.3 is no multiple of 0.1."""
    exact = json.loads(json.dumps(payload), parse_float=Decimal)
    get_validator(kind, action, version, parse_float=Decimal).validate(exact)
