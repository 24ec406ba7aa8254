"""What all versions say with: JSON objects, refusals, timestamps, and the published schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import jsonschema_rs

from contracts.errors import ProtocolError
from contracts.time import as_utc

Json = dict[str, Any]
"""A payload: the shape is checked against the published schema before anyone reads it."""


_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class CallError(ProtocolError):
    """A CALL is answered by CALLERROR: raised by us to answer so, or because the peer did.

    `code` is the error code on the wire, the message its description.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


def timestamp(at: datetime) -> str:
    """RFC 3339 with milliseconds, as all versions ask for."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """The instant of a timestamp; one of another age is the nearest of ours.

    Some central systems write the end of the calendar for "never": nothing can be added to that.

    Raises:
        CallError: not a timestamp, or one without a zone.
    """
    try:
        return min(max(as_utc(datetime.fromisoformat(text)), _EARLIEST), _LATEST)
    except (ValueError, OverflowError) as error:
        raise CallError("PropertyConstraintViolation", f"timestamp {text!r}: {error}") from error


def instant_in(payload: Json, name: str) -> datetime | None:
    """The instant of a timestamp that need not be there.

    Raises:
        CallError: not a timestamp, or one without a zone.
    """
    return instant(payload[name]) if name in payload else None


def check(folder: str, schema: str, codes: Mapping[str, str], payload: Json) -> None:
    """Check a payload against the `ocpp` package's copy of a schema.

    `folder` is `v16`, `v201` or `v21`; `codes` maps the JSON schema keyword that failed to an error
    code, with the key "" for all others.

    Raises:
        CallError: `NotImplemented` when the action has no schema, else the mapped code.
    """
    validator = _validator(folder, schema)
    if validator is None:
        raise CallError("NotImplemented", f"no such action: {schema}")
    try:
        validator.validate(payload)
    except jsonschema_rs.ValidationError as fault:
        raise CallError(codes.get(fault.kind.name, codes[""]), fault.message[:255]) from fault


@lru_cache(maxsize=512)
def _validator(folder: str, schema: str) -> Any:  # noqa: ANN401 (the package has no common class for its drafts)
    if not schema.isalnum():
        return None
    path = resources.files("ocpp") / folder / "schemas" / f"{schema}.json"
    if not path.is_file():
        return None
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8-sig")))
