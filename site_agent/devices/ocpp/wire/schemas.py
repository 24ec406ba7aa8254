"""The published JSON schemas, for everything we send. Inbound messages are read leniently."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from importlib.resources import files

from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from contracts.errors import PermanentError
from site_agent.devices.ocpp.settings import Version

_FOLDERS = {Version.V16: "v16", Version.V201: "v201"}


class OutboundError(PermanentError):
    """A message of ours breaks its schema: a fault of this program, never sent."""


def check(version: Version, message: str, payload: str) -> None:
    """Check payload text, exactly as it will be sent, against the schema of `message`.

    Numbers are compared as decimals: 16.1 is a multiple of 0.1, which binary floats deny.

    Raises:
        OutboundError: it does not fit.
    """
    instance = json.loads(payload, parse_float=Decimal)
    fault = best_match(_validator(version, message).iter_errors(instance))
    if fault is not None:
        raise OutboundError(f"{message}: {fault.message}"[:300])


def request(version: Version, action: str) -> str:
    """Name of the schema of a CALL."""
    return action if version is Version.V16 else f"{action}Request"


def response(action: str) -> str:
    """Name of the schema of a CALLRESULT."""
    return f"{action}Response"


def prepare(version: Version, messages: Iterable[str]) -> None:
    """Compile schemas now, so that the first message of a kind costs no file access."""
    for message in messages:
        _validator(version, message)


@cache
def _validator(version: Version, message: str) -> Validator:
    path = files("ocpp") / _FOLDERS[version] / "schemas" / f"{message}.json"
    schema = json.loads(path.read_text("utf-8-sig"), parse_float=Decimal)
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)
