"""The published JSON schemas, for everything we send. Inbound messages are read leniently."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Protocol

import jsonschema_rs

from contracts.errors import PermanentError
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire.frames import Json

_FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}


class _Validator(Protocol):
    def validate(self, instance: object) -> None: ...


class OutboundError(PermanentError):
    """A message of ours breaks its schema, or there is no such message: never sent."""


def check(version: Version, message: str, payload: Json) -> None:
    """Check a payload against the schema of `message`.

    Raises:
        OutboundError: it does not fit.
    """
    try:
        _validator(version, message).validate(payload)
    except jsonschema_rs.ValidationError as fault:
        where = "/".join(str(step) for step in fault.instance_path)
        raise OutboundError(f"{message}: {where or 'it'}: {fault.message}"[:300]) from fault
    except ValueError as fault:  # no JSON, such as an infinite number
        raise OutboundError(f"{message}: {fault}"[:300]) from fault


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
def _validator(version: Version, message: str) -> _Validator:
    path = files("ocpp") / _FOLDERS[version] / "schemas" / f"{message}.json"
    if not message.isalnum() or not path.is_file():
        raise OutboundError(f"{message[:50]}: no such message in {version.value}")
    return jsonschema_rs.validator_for(json.loads(path.read_text("utf-8-sig")))
